"""The words of the figures in each language, and how numbers, sizes, lengths of time and dates are written in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from tcnb.arguments import describe
from tcnb.errors import UsageError

LANGUAGES: Final = ("en", "ru")

PHRASES: Final[dict[str, tuple[str, str]]] = {
    "summary": ("The record", "Записано"),
    "activity": ("Activity", "Активность"),
    "heatmap": ("When people write", "Когда пишут"),
    "talkers": ("Who writes most", "Кто пишет больше всех"),
    "files": ("Files", "Файлы"),
    "membership": ("Membership", "Участники"),
    "response_times": ("Response times", "Время ответа"),
    "unanswered": ("Unanswered", "Без ответа"),
    "threads": ("Threads", "Ветки ответов"),
    "conversations": ("Conversations", "Разговоры"),
    "words": ("Words", "Слова"),
    "emoji": ("Emoji", "Эмодзи"),
    "links": ("Links", "Ссылки"),
    "mentions": ("Mentions", "Упоминания"),
    "response_matrix": ("Who answers whom", "Кто кому отвечает"),
    "graph": ("Who turns to whom", "Кто к кому обращается"),
    "tile messages": ("messages", "сообщения"),
    "tile people": ("people", "люди"),
    "tile chats": ("chats", "чаты"),
    "tile replies": ("replies", "ответы"),
    "tile files": ("files", "файлы"),
    "tile bytes": ("of files", "объём файлов"),
    "tile edits": ("edits", "правки"),
    "tile removed": ("removed", "удалено"),
    "messages between": ("messages from {first} to {last}", "сообщения с {first} по {last}"),
    "no messages": ("no messages", "сообщений нет"),
    "messages": ("messages", "сообщений"),
    "messages per": ("messages per {period}, {span}{tz}", "сообщения {period}, {span}{tz}"),
    "per D": ("day", "по дням"),
    "per W": ("week", "по неделям"),
    "per M": ("month", "по месяцам"),
    "per Q": ("quarter", "по кварталам"),
    "per Y": ("year", "по годам"),
    "per h": ("hour", "по часам"),
    "per other": ("{freq}", "по интервалам {freq}"),
    "from to": ("{first} to {last}, ", "{first} – {last}, "),
    "one": ("{first}, ", "{first}, "),
    "largest": ("; the largest {most} of {all}", "; {most} крупнейших из {all}"),
    "hatched": ("; hatched: incomplete", "; заштрихованы неполные"),
    "dotted": ("; dotted: incomplete", "; пунктиром – неполные"),
    "heatmap note": ("messages by weekday and hour, {tz}", "сообщения по дням недели и часам, {tz}"),
    "talkers note": ("messages, and part of all; {authors}", "сообщения и доля от всех; {authors}"),
    "files note": ("number, and size together", "количество и общий размер"),
    "unknown type": ("unknown type", "неизвестный тип"),
    "membership note": (
        "headcount by chat; below, joins and leaves per {period}, {span}{tz}",
        "участники по чатам; внизу – кто пришёл и ушёл, {period}, {span}{tz}",
    ),
    "no moves": ("nobody joined or left", "никто не пришёл и не ушёл"),
    "half within": ("{answers}; half of them within {median}", "{answers}; половина – не позже чем через {median}"),
    "no answers": ("nobody answered anybody", "никто никому не ответил"),
    "by answerer": ("by who answers: the median, and the middle half", "по отвечающим: медиана и средняя половина"),
    "unanswered note": (
        "{messages} without an answer, {overdue} of them overdue",
        "{messages} без ответа, из них просрочено: {overdue}",
    ),
    "all answered": ("everything was answered", "ответили на всё"),
    "no text": ("(no text)", "(без текста)"),
    "only emoji": ("(emoji)", "(эмодзи)"),
    "threads note": (
        "{threads} by messages and length; the deeper, the larger",
        "{threads} по числу сообщений и длительности; чем глубже, тем крупнее",
    ),
    "conversations note": (
        "{conversations} by messages and length; the more people, the larger",
        "{conversations} по числу сообщений и длительности; чем больше людей, тем крупнее",
    ),
    "words note": ("how often; {words}", "сколько раз; {words}"),
    "words note without": ("how often, without stop words; {words}", "сколько раз, без стоп-слов; {words}"),
    "links note": ("how often, by domain; {links}", "сколько раз, по доменам; {links}"),
    "mentions note": ("messages that mention them", "сообщения, в которых их упоминают"),
    "matrix note": (
        "rows answer columns; colour: how often, text: median time",
        "строки отвечают столбцам; цвет – как часто, текст – медиана времени",
    ),
    "graph note": (
        "replies (blue) and mentions (orange); the thicker, the more often",
        "ответы (синие) и упоминания (оранжевые); чем толще, тем чаще",
    ),
    "no edges": ("nobody replied to anybody", "никто никому не ответил"),
    "nothing": ("nothing to show yet", "пока нечего показать"),
    "unknown": ("unknown", "неизвестно"),
    "at most": ("≤ {length}", "≤ {length}"),
    "flag": ("flag {letters}", "флаг {letters}"),
    "emoji alone": ("emoji", "эмодзи"),
}
"""What stands in figures, in the order of `LANGUAGES`; the names of the analyses are the keys of their titles."""

COUNTED: Final[dict[str, tuple[tuple[str, str], tuple[str, str, str]]]] = {
    "author": (("author", "authors"), ("автор", "автора", "авторов")),
    "answer": (("answer", "answers"), ("ответ", "ответа", "ответов")),
    "message": (("message", "messages"), ("сообщение", "сообщения", "сообщений")),
    "thread": (("thread", "threads"), ("ветка", "ветки", "веток")),
    "conversation": (("conversation", "conversations"), ("разговор", "разговора", "разговоров")),
    "word": (("different word", "different words"), ("разное слово", "разных слова", "разных слов")),
    "emoji": (("different emoji", "different emoji"), ("разный эмодзи", "разных эмодзи", "разных эмодзи")),
    "address": (("different address", "different addresses"), ("разный адрес", "разных адреса", "разных адресов")),
}
"""What is counted: in English for one and for more, in Russian for one, for two to four, and for more."""

_MONTHS: Final = (
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    ("янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"),
)
_WEEKDAYS: Final = (("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), ("Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"))
_SIZES: Final = (("B", "KB", "MB", "GB", "TB"), ("Б", "КБ", "МБ", "ГБ", "ТБ"))
_LENGTHS: Final = (("d", "h", "min", "s"), ("д", "ч", "мин", "с"))
_POINTS: Final = (".", ",")


class _Unit(NamedTuple):
    name: str
    seconds: int


@dataclass(frozen=True)
class Language:
    """A language that figures speak.

    Attributes:
        name: one of `LANGUAGES`.
    """

    name: str

    @property
    def _place(self) -> int:
        return LANGUAGES.index(self.name)

    @property
    def weekdays(self) -> tuple[str, ...]:
        """The days of the week, from Monday."""
        return _WEEKDAYS[self._place]

    def say(self, key: str, **values: object) -> str:
        """Return a phrase of `PHRASES` with its values."""
        return PHRASES[key][self._place].format(**values)

    def number(self, value: float) -> str:
        """Return a number with its thousands apart."""
        return f"{value:,.0f}".replace(",", "\u2009")

    def amount(self, value: float, noun: str) -> str:
        """Return a number and what is counted, one of `COUNTED`."""
        english, russian = COUNTED[noun]
        if self.name == "en":
            form = english[value != 1]
        elif value % 10 == 1 and value % 100 != 11:
            form = russian[0]
        else:
            form = russian[1 if 2 <= value % 10 <= 4 and not 12 <= value % 100 <= 14 else 2]
        return f"{self.number(value)} {form}"

    def size(self, octets: float) -> str:
        """Return a number of bytes in a unit that suits it."""
        *units, last = _SIZES[self._place]
        for unit in units:
            if octets < 1000:
                return self._decimal(octets, octets >= 10 or unit == units[0], unit)
            octets /= 1000
        return self._decimal(octets, False, last)

    def span(self, seconds: float) -> str:
        """Return a length of time in a unit that suits it."""
        *units, last = map(_Unit, _LENGTHS[self._place], (86_400, 3_600, 60, 1))
        for unit in units:
            if seconds >= unit.seconds:
                shown = seconds / unit.seconds
                return self._decimal(shown, shown >= 10 or abs(shown - round(shown)) < 0.05, unit.name)
        return self._decimal(seconds, True, last.name)

    def date(self, moment: datetime, form: str) -> str:
        """Return a moment in a form of `strftime`, whose names of months are those of this language."""
        return moment.strftime(form.replace("%b", _MONTHS[self._place][moment.month - 1]))

    def _decimal(self, value: float, is_whole: bool, unit: str) -> str:
        written = f"{value:.0f}" if is_whole else f"{value:.1f}".replace(".", _POINTS[self._place])
        return f"{written} {unit}"


def language_of(name: object) -> Language:
    """Return a language by its name.

    Raises:
        UsageError: there is none of that name.
    """
    if not isinstance(name, str) or name not in LANGUAGES:
        raise UsageError(f"lang is 'en' or 'ru', not {describe(name)}")
    return Language(name)
