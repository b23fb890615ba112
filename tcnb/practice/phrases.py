"""What simulated colleagues are called, where they sit and what they say; who says it when is decided in `talk`.

A script is a short conversation. Its lines begin with the letter of the speaker and a mark: `:` says something, `>`
answers the line before, `#` posts a file of the named kind. Words in braces are filled in once for the whole
conversation, so that a build keeps its number; `{at_b}` mentions speaker B, `{name_b}` is B's first name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PEOPLE: Final = (
    ("alice", "Alice Doe"),
    ("boris", "Борис Кузнецов"),
    ("carol", "Carol Jones"),
    ("dmitry", "Дмитрий Соколов"),
    ("emma", "Emma Clarke"),
    ("fyodor", "Фёдор Лебедев"),
    ("grace", "Grace Okafor"),
    ("irina", "Ирина Волкова"),
    ("james", "James Murphy"),
    ("ksenia", "Ксения Морозова"),
    ("liam", "Liam Walker"),
    ("maria", "Мария Орлова"),
    ("nora", "Nora Lindqvist"),
    ("oleg", "Олег Павлов"),
    ("priya", "Priya Raman"),
    ("roman", "Роман Жуков"),
    ("sophie", "Sophie Martin"),
    ("tatiana", "Татьяна Белова"),
    ("victor", "Victor Alvarez"),
    ("yulia", "Юлия Фролова"),
)
"""Logins and display names; further people are made of these with a number."""

GROUPS: Final = (
    ("Release crew", "en"),
    ("Кофе и новости", "ru"),
    ("Incidents", "en"),
    ("Дизайн и тексты", "ru"),
    ("Support desk", "en"),
)
CHANNEL: Final = ("Announcements", "en")

SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "service": ("billing", "gateway", "search", "web", "sync", "notifier"),
    "branch": ("main", "release/5.5", "feature/feed", "hotfix/login"),
    "test": ("test_reconnect", "test_login", "test_upload_large", "test_roles", "test_history"),
    "host": ("node-3", "node-7", "db-2", "edge-1", "cache-4"),
    "dish": ("ramen", "lasagne", "falafel", "borscht", "tacos", "dumplings"),
    "dish_ru": ("борщ", "плов", "пельмени", "рамен", "лазанья", "сырники"),
    "cafe": ("Blue Cup", "the corner place", "Green Door", "Luigi's"),
    "cafe_ru": ("«Синяя чашка»", "кафе на углу", "«Дом у моста»", "столовая на втором"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "day_ru": ("понедельник", "вторник", "среду", "четверг", "пятницу"),
    "customer": ("Northwind", "Contoso", "Acme", "Globex", "Initech"),
    "feature": ("dark theme", "file search", "quick replies", "the new feed", "screen sharing"),
    "feature_ru": ("тёмную тему", "поиск по файлам", "быстрые ответы", "новую ленту", "показ экрана"),
}

_SCRIPTS: Final = """
en build
A: Build <b>{build}</b> of {service} is red: <i>{test}</i> fails on {branch}
B> Looking into it, give me {minutes} minutes
B: It was a flaky timeout. <a href="https://ci.{domain}/builds/{build}">Here is the log</a>
A> Restarted, green now ✅
C: Shall we quarantine <i>{test}</i>? Third time this week
B> Yes please, ticket {ticket}

en build
A: Has anybody seen {service} take {minutes} minutes to build before?
B> It was {percent}% faster last week, something in the cache
C# chart
C: That is the build time for the last ten runs
A> The step up is where we upgraded the compiler, thanks {at_c}

en release
A: Release <b>{version}</b> is cut from {branch} 🚀
B> Release notes are half done, can somebody check the part about {feature}?
C> I will, after lunch
B# document
A: We ship on {day} unless {ticket} turns out worse than it looks
C: It does not. Fixed and reviewed

en release
A: Go or no-go for <b>{version}</b>?
B> Go from QA, {percent}% of the checklist automated this time
C> Go from support
A: Shipping. {at_b}, please watch {service} for the next {minutes} minutes
B> Watching 👀
B: Error rate flat, latency normal. We are good 🎉
C# sticker

en incident
A: ⚠️ {service} answers slowly since {minutes} minutes, p95 is up {percent}%
B> {host} is swapping, draining it now
A: Customers notice? {at_c}
C> Two tickets from {customer}, I told them we are on it
B: {host} is out of the pool, latency is falling
B# chart
A> Thanks. Post-mortem on {day}, I open {ticket}

en incident
A: 🔥 {host} is down
B> Restarting. The disk was full again
C: Logs or uploads this time?
B> Logs. <s>Rotation is on</s> rotation <u>was</u> on, it is now
A: All green. Added an alert at {percent}%

en review
A: {at_b}, could you look at the change for {feature}? It is {percent} lines, promised
B> Done, two questions in the thread
A: Answered both. The second one was a real bug, good catch!
B> Approved 👍

en standup
A: Standup notes: {name_a} on {service}, {name_b} on {feature}, {name_c} in support
B> Blocked on {ticket}, I need access to {host}
C> Granted, try again
B: Works, thank you!

en lunch
A: Lunch at {cafe}? They have {dish} today
B> In, at half past twelve
C: I take the {dish} if somebody brings it back 🙏
A> Deal
A# location

en lunch
A: Who moved the coffee machine? ☕
B> It is being repaired until {day}
C: This is an incident of the first class
B# picture
A> Calm down everybody, {cafe} is open

en office
A: Meeting room 2 is free from three, does anybody need it?
B> Yes, interview about {feature}
A: It is yours. Please wipe the whiteboard this time 🙂
B> Photographed first, so that nothing is lost
B# picture

en customer
A: {customer} asks whether {feature} works with version {version}
B> From {version} on, yes. They need to restart {service} once
A: Told them. They send their thanks and {percent} more questions
C> Forward them to me

en numbers
A: Weekly numbers: messages up {percent}%, median response down to {minutes} minutes
A# chart
B> Nice. Is that with or without bots?
A> Without. With bots it is twice that 🤖
C: Good week, everybody!

en docs
A: The guide still says <i>port 4307</i> for {service}
B> Fixed in {branch}, see <a href="https://docs.{domain}/{ticket}">the change</a>
A: Perfect, closing {ticket}

ru build
A: Сборка <b>{build}</b> снова красная: падает <i>{test}</i>
B> Смотрю, дайте {minutes} минут
B: Таймаут, перезапустил. <a href="https://ci.{domain}/builds/{build}">Вот лог</a>
A> Спасибо, теперь зелёная ✅

ru coffee
A: Доброе утро! Кому кофе? ☕
B> Мне капучино, пожалуйста
C> И мне, только без сахара
A: Принято, иду
B# sticker

ru coffee
A: В автомате кончились зёрна 😱
B> Это инцидент первой категории
C: Заказал, привезут в {day_ru}
A# picture
B> Дотянем на чае

ru lunch
A: Обедаем? Сегодня {dish_ru}
B> Я за. Куда идём, {cafe_ru}?
C: Займите мне место, буду через {minutes} минут
A# location
C> Вижу, бегу

ru news
A: Видели? Вышла версия <b>{version}</b>, там наконец {feature_ru} сделали
B> Уже поставил, работает быстрее процентов на {percent}
C: А обновлять <i>{service}</i> обязательно?
B> Да, и лучше до того, как наступит {day_ru}… шучу, когда удобно 🙂

ru release
A: Выпускаем <b>{version}</b>? Осталась одна задача, {ticket}
B> Закрыта, проверил на {host}
A: Тогда вперёд 🚀 {at_c}, последи за ошибками
C> Слежу. Пока тихо
C# chart
A: Отличная работа, всем спасибо!

ru incident
A: ⚠️ {host} не отвечает, очередь растёт
B> Уже перезапускаю, кончилось место
C: Клиенты заметили? {customer} пишет, что всё медленно
B: Поднялся. Очередь разберётся минут за {minutes}
A> Спасибо, разбор в {day_ru}

ru design
A: Посмотрите, пожалуйста, новый вариант экрана
A# picture
B> Так намного лучше, только кнопку я бы сделал заметнее
C: Согласна. И текст короче: «Отправить», без «сообщение»
A> Поправлю сегодня

ru design
A: {at_b}, как правильно: «логин» или «имя пользователя»?
B> В интерфейсе пишем «имя пользователя», в документации можно «логин»
A: Поняла, правлю по всему разделу
B# document

ru office
A: Завтра пожарная тревога в одиннадцать, не пугайтесь
B> А если настоящая?
A: Тогда пугайтесь 🙂
C# sticker

ru weekend
A: Кто в субботу на лыжи? ⛷️
B> Я! Поедем на электричке?
C: Могу взять троих в машину
A: Тогда встречаемся в девять у вокзала
A# location

ru birthday
A: Сегодня день рождения у {name_b} 🎂
C> Поздравляю! Здоровья и зелёных сборок!
B> Спасибо, дорогие! Торт на кухне
A# picture

ru numbers
A: Итоги недели: сообщений больше на {percent}%, отвечаем за {minutes} минут
A# chart
B> С ботами или без?
A> Без. С ботами вдвое больше 🤖

channel en
A: Version <b>{version}</b> is out. Notes: <a href="https://docs.{domain}/{version}">docs.{domain}</a>
A# document

channel en
A: Maintenance of <i>{service}</i> on {day}, about {minutes} minutes
A> Done early, everything is back ✅

channel en
A: Welcome to everybody who joined this week 👋
A: The next all-hands is on {day}. Questions to {at_b}

personal en
P: Hello {bot}! Did build {build} pass?
P: Never mind, I found it 🙂

personal en
P: {bot}, please remind the crew about {ticket}
P# picture
P: This is what I see on {host}

personal en
P: Could you send me the numbers for {service}?
P: No hurry, before {day} is fine

personal ru
P: Привет, {bot}! Как там сборка {build}?
P: А, уже вижу, спасибо

personal ru
P: Пришли, пожалуйста, отчёт по {service}
P# sticker

personal ru
P: {bot}, кто сегодня дежурит?
P: Напиши, когда выкатят {version}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the speaker's number (0 is A), whether it answers the line before, and a text or a kind of file."""

    speaker: int
    is_reply: bool
    text: str | None
    file: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation: where it belongs (`en`, `ru`, `channel`, `personal-en`, `personal-ru`) and its lines."""

    place: str
    lines: tuple[Line, ...]


_LINE: Final = re.compile(r"([ABCP])([:>#]) (.+)")


def _read_line(text: str) -> Line:
    found = _LINE.fullmatch(text)
    if found is None:
        raise ValueError(f"not a line of a script: {text!r}")
    letter, mark, rest = found.groups()
    speaker = 0 if letter == "P" else "ABC".index(letter)
    return Line(speaker, mark == ">", None if mark == "#" else rest, rest if mark == "#" else None)


def _read_scripts(text: str) -> tuple[Script, ...]:
    scripts = []
    for block in text.strip().split("\n\n"):
        head, *lines = block.splitlines()
        first, second = head.split()
        place = f"personal-{second}" if first == "personal" else first
        scripts.append(Script(place, tuple(_read_line(line) for line in lines)))
    return tuple(scripts)


SCRIPTS: Final = _read_scripts(_SCRIPTS)


def scripts_for(place: str) -> tuple[Script, ...]:
    """Return the conversations that belong to a place."""
    return tuple(script for script in SCRIPTS if script.place == place)


ANSWERS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "en": {
        "ping": ("pong 🏓", "Pong!"),
        "greeting": ("Hi {bot}!", "Hello {bot} 👋", "Good to see you, {bot}"),
        "thanks": ("You are welcome!", "Any time 🙂"),
        "question": (
            "Good question. I would say yes, but ask {other} too",
            "Yes, since this morning",
            "Not yet, give me {minutes} minutes",
            "Let me check… looks fine from here ✅",
        ),
        "build": ("Saw it, thank you {bot}", "Great, <b>{percent}%</b> of the tests to go then", "🎉 finally green"),
        "picture": ("Nice picture! Where is that?", "Saved it, thanks {bot}", "The colours are great 😄"),
        "sticker": ("😂", "Haha, good one"),
        "file": ("Got <b>{file}</b>, reading it now", "Thank you, {file} opens fine here"),
        "location": ("On my way 🚶", "Ten minutes from me"),
        "survey": ("Voted ✅", "Done, the second option of course"),
        "any": ("👍", "Thanks {bot}, noted", "Understood", "Good to know, thank you", "Agreed 🙂"),
    },
    "ru": {
        "ping": ("понг 🏓", "Понг!"),
        "greeting": ("Привет, {bot}!", "Здравствуй, {bot} 👋", "О, {bot}, привет"),
        "thanks": ("Пожалуйста!", "Всегда рады 🙂"),
        "question": (
            "Хороший вопрос. Думаю, да, но лучше спросить ещё {other}",
            "Да, с самого утра",
            "Пока нет, дай мне {minutes} минут",
            "Сейчас посмотрю… у меня всё в порядке ✅",
        ),
        "build": ("Вижу, спасибо, {bot}", "Отлично, осталось <b>{percent}%</b> тестов", "🎉 наконец-то зелёная"),
        "picture": ("Красота! Где это?", "Сохранил себе, спасибо, {bot}", "Отличные цвета 😄"),
        "sticker": ("😂", "Ха, в точку"),
        "file": ("<b>{file}</b> получил, читаю", "Спасибо, {file} открывается"),
        "location": ("Уже иду 🚶", "Мне минут десять"),
        "survey": ("Проголосовал ✅", "Готово, конечно второй вариант"),
        "any": ("👍", "Спасибо, {bot}, учту", "Понял", "Полезно, спасибо", "Согласна 🙂"),
    },
}
"""What is answered to a bot, by language and by what the bot said."""

CUES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("ping", re.compile(r"\b(ping|пинг)\b", re.IGNORECASE)),
    ("greeting", re.compile(r"\b(hi|hello|good morning|привет|здравствуй\w*|доброе утро)\b", re.IGNORECASE)),
    ("thanks", re.compile(r"\b(thanks|thank you|спасибо)\b", re.IGNORECASE)),
    ("question", re.compile(r"\?")),
    ("build", re.compile(r"\b(build|deploy|release|сборка|релиз)\w*\b", re.IGNORECASE)),
)
"""How a text of a bot is understood; the first that fits counts."""

AFTERTHOUGHTS: Final[dict[str, tuple[str, ...]]] = {
    "en": (" <i>(edited: typo)</i>", " – and tested", " 🙂", ", as agreed"),
    "ru": (" <i>(исправлено)</i>", " – и проверено", " 🙂", ", как договаривались"),
}
"""What edits append."""

PLACES: Final = (
    (55.7558, 37.6173, "Office, third floor"),
    (59.9343, 30.3351, "Кафе у моста"),
    (51.5074, -0.1278, "London office"),
    (52.5200, 13.4050, "Blue Cup"),
    (59.3293, 18.0686, "Client site"),
)
"""Latitude, longitude and title of locations."""


def language_of(text: str) -> str:
    """Return `ru` for a text with Cyrillic letters, else `en`."""
    return "ru" if re.search("[а-яё]", text, re.IGNORECASE) else "en"
