// The live feed in the page: what is asked of the kernel, and the virtualised list; colours and spacing are in feed.css. What all widgets share is in
// page.js and page_kernel.js, before this file; behind it are feed_timeline.js, the rows in memory, feed_items.js, what stands in the list and where, feed_contents.js, how
// texts with markup, buttons and surveys are drawn, and feed_dock.js, what a person does with a row: they are one module.
//
// People read one timeline, by the server's time. The kernel numbers rows in the order in which it recorded them and announces them in batches
// {after, last, rows, gaps}: of the rows numbered (after, last] some are in the message, and the others lie in the gaps. Every message says `last`, so
// that a page that missed one sees it and asks for these rows "again". Everything else goes by places in time: older rows, rows that were skipped in a
// flood or forgotten are gaps, which are filled when a person looks at them ("earlier", "later").

const MOST_ROWS = 5000; // rows one list keeps in memory; older ones come back from the record
const TAIL_ROWS = 5000; // rows kept for a new filter or a second view
const PAGE = 200; // rows asked for at once
const MOST_NODES = 300; // nodes in the document, however tall the view is drawn and whatever its rows hold
const ROW_NODES = 9; // nodes that a row needs at least: a heading, and a text without markup
const LEAST_ROOM = 100; // nodes for rows even if a person has opened a long choice
const OVERSCAN = 240; // pixels drawn above and below what is visible
const FLOOD_OVERSCAN = 20; // the same while the end is followed in a flood: all of it has run by before anybody could scroll there
const RATE_MS = 5000; // events per second are averaged over this time
const BUSY_RATE = 50; // events per second above which no more is drawn than is seen, and no oftener than the page can
const REST = 4; // times as long as it took to draw, nothing is drawn in a flood
const FLOOD_RATE = 4; // events per second above which a screen reader is not told of each
const RETRY_MS = 15000; // an unanswered request is repeated after this time, doubling
const SETTLE_MS = 400; // a smooth scroll that was under way may go on for so long after a jump to the end
const SILENCE_MS = 2500; // the kernel speaks by itself when a page opens; after this time it is asked
const SAVED_MS = 5000; // without a word from the kernel for so long, what is shown is what was saved
const MOST_LATE = 1000; // batches kept while a gap is asked for
const LOOKED_MS = 10000; // so often the kernel hears how far a person has looked
const READ_MS = 4000; // for so long the line before what is new is in sight until that is read
const SLOW_MS = 1500; // after this time a loading row says that the kernel is busy

// ---------------------------------------------------------------------------------------------------------------- words

const WORDS = {
  en: {
    feed: "Live feed", connected: "Connected", connecting: "Connecting", reconnecting: "Reconnecting", closed: "Closed", saved: "Saved view", journal: "Journal problem",
    nextTry: (s) => `next try in ${s} s`, now: "trying now",
    rate: (n) => `${n}/s`, rateTitle: "events per second, over the last five seconds",
    events: (n) => `${n} events`, eventsTitle: "events in the record",
    lost: (n) => `${n} lost`, lostTitle: "events missing by sequence number (asked for again at once)",
    search: "Search", searchLabel: "Search text, file names, authors", allChats: "All chats", chat: "Chat", everyone: "Everyone", author: "Author",
    filters: "Filters", allKinds: "All kinds", kind: "Kind of event", clear: "Clear filters",
    messages: "Messages", media: "Photos, stickers", files: "Files, voice", places: "Places, surveys", changes: "Edits, removals",
    people: "People, chats", other: "Everything else",
    pause: "Pause", resume: "Resume", paused: "Paused", fresh: (n) => `${n} new`, toEnd: "To the latest",
    today: "Today", yesterday: "Yesterday", you: "you", edited: "edited", removedBy: (w) => (w ? `removed by ${w}` : "removed"),
    replyUnknown: "an earlier message", forwarded: (w) => (w ? `Forwarded from ${w}` : "Forwarded"),
    empty: "Quiet so far", emptyHint: "Messages appear here as they come.", none: "Nothing matches", noneHint: "No event in the record passes this filter.",
    past: "Load earlier messages", pastHint: "Nothing of this chat is in the record yet. What was said before is on the server.", pastNone: "Nothing was said in this chat before.", pastAgain: "Try again",
    pastComes: "Loading earlier messages…", beginning: "Beginning of the chat", beginningOfRecord: "Nothing earlier is recorded",
    newHere: "New since you looked", newAbove: (n) => `${n} new since you looked`,
    loading: "Loading…", waiting: "The kernel is busy. These rows come when it answers.", unread: "These rows cannot be loaded without a kernel.", gap: (n) => (n ? `${n} more events here` : "More events here"),
    more: "Show all", less: "Show less", cut: (n) => `The text goes on: ${n} characters in all.`,
    photo: "Photo", sticker: "Sticker", video: "Video", audio: "Audio", file: "File", contact: "Contact card", voice: "Voice message",
    location: "Location", survey: "Survey",
    act: (who, said) => `${who} ${said}`, edit: (r) => (r.who ? "edited a message" : "A message was edited"), join: (r) => `${r.user} joined`, joinBy: (r) => `${r.who} added ${r.user}`,
    leave: (r) => `${r.user} left`, leaveBy: (r) => `${r.who} removed ${r.user}`,
    role: (r) => `${r.user} is now ${r.role}`, title: (r) => `renamed the chat to “${r.title}”`, avatar: () => "changed the chat's picture",
    cleared: () => "cleared the history", new_personal: () => "opened a personal chat", new_group: (r) => `created the group “${r.title}”`,
    new_channel: (r) => `created the channel “${r.title}”`, new_favorites: () => "created the favorites", chat_removed: () => "the chat was removed",
    limits: () => "the server changed its upload limits", progress: (r) => `uploading, ${r.progress} so far`, press: () => "pressed a button",
    remove: (r) => (r.who ? "removed a message" : "A message was removed"), unknown: () => "Unknown event",
    roles: { owner: "owner", admin: "administrator", user: "member", conf_owner: "conference owner", conf_moderator: "moderator", writer: "writer", favorites_owner: "owner" },
    bytes: ["B", "kB", "MB", "GB"],
  },
  ru: {
    feed: "Живая лента", connected: "Подключено", connecting: "Подключение", reconnecting: "Переподключение", closed: "Закрыто", saved: "Сохранённый вид", journal: "Сбой журнала",
    nextTry: (s) => `попытка через ${s} с`, now: "пробуем",
    rate: (n) => `${n}/с`, rateTitle: "событий в секунду за последние пять секунд",
    events: (n) => `событий: ${n}`, eventsTitle: "событий в записи",
    lost: (n) => `потеряно: ${n}`, lostTitle: "событий не хватает по номерам (сразу запрашиваются снова)",
    search: "Поиск", searchLabel: "Поиск по тексту, именам файлов и авторам", allChats: "Все чаты", chat: "Чат", everyone: "Все авторы", author: "Автор",
    filters: "Фильтры", allKinds: "Все виды", kind: "Вид события", clear: "Сбросить фильтры",
    messages: "Сообщения", media: "Фото, стикеры", files: "Файлы, голос", places: "Места, опросы", changes: "Правки, удаления",
    people: "Люди, чаты", other: "Остальное",
    pause: "Пауза", resume: "Дальше", paused: "Пауза", fresh: (n) => `новых: ${n}`, toEnd: "К последним",
    today: "Сегодня", yesterday: "Вчера", you: "вы", edited: "изменено", removedBy: (w) => (w ? `удалено: ${w}` : "удалено"),
    replyUnknown: "более раннее сообщение", forwarded: (w) => (w ? `Переслано от ${w}` : "Переслано"),
    empty: "Пока тихо", emptyHint: "Сообщения появятся здесь сразу.", none: "Ничего не найдено", noneHint: "Ни одно событие в записи не проходит фильтр.",
    past: "Загрузить более ранние сообщения", pastHint: "Из этого чата ещё ничего не записано. Сказанное раньше есть на сервере.", pastNone: "Раньше в этом чате ничего не говорили.", pastAgain: "Ещё раз",
    pastComes: "Загружаются более ранние сообщения…", beginning: "Начало чата", beginningOfRecord: "Раньше ничего не записано",
    newHere: "Новое с прошлого раза", newAbove: (n) => `новых с прошлого раза: ${n}`,
    loading: "Загрузка…", waiting: "Ядро занято. Строки появятся, когда оно ответит.", unread: "Без ядра эти строки не загрузить.", gap: (n) => (n ? `здесь ещё событий: ${n}` : "Здесь есть ещё события"),
    more: "Показать целиком", less: "Свернуть", cut: (n) => `Текст длиннее: всего символов ${n}.`,
    photo: "Фото", sticker: "Стикер", video: "Видео", audio: "Аудио", file: "Файл", contact: "Контакт", voice: "Голосовое сообщение",
    location: "Место", survey: "Опрос",
    act: (who, said) => `${who}: ${said}`, edit: () => "Сообщение изменено", join: (r) => `${r.user} теперь в чате`, joinBy: (r) => `${r.user} в чате, пригласил(а) ${r.who}`,
    leave: (r) => `${r.user} больше не в чате`, leaveBy: (r) => `${r.user} больше не в чате, удалил(а) ${r.who}`,
    role: (r) => `${r.user}: теперь ${r.role}`, title: (r) => `новое название чата: «${r.title}»`, avatar: () => "новая картинка чата",
    cleared: () => "история очищена", new_personal: () => "новый личный чат", new_group: (r) => `новая группа «${r.title}»`,
    new_channel: (r) => `новый канал «${r.title}»`, new_favorites: () => "создано избранное", chat_removed: () => "чат удалён",
    limits: () => "сервер изменил ограничения на файлы", progress: (r) => `загрузка, получено ${r.progress}`, press: () => "нажата кнопка",
    remove: () => "Сообщение удалено", unknown: () => "Неизвестное событие",
    roles: { owner: "владелец", admin: "администратор", user: "участник", conf_owner: "владелец конференции", conf_moderator: "модератор", writer: "автор", favorites_owner: "владелец" },
    bytes: ["Б", "кБ", "МБ", "ГБ"],
  },
};

function makeLocale() {
  const words = IN_RUSSIAN ? WORDS.ru : WORDS.en, locale = LOCALE;
  const number = new Intl.NumberFormat(locale);
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const shortClock = (t) => clock.formatToParts(t).filter((part) => part.type !== "dayPeriod").map((part) => part.value).join("").trim();
  const exact = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
  const dayOfYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
  return { words, number: (n) => number.format(n), clock: (t) => clock.format(t), shortClock, exact: (t) => exact.format(t), dayName: (t) => dayName(t, words, day, dayOfYear) };
}

function dayName(time, words, day, dayOfYear) {
  const number = dayNumber(time), today = dayNumber(Date.now());
  if (number === today) return words.today;
  if (number === today - 1) return words.yesterday;
  return new Date(time).getFullYear() === new Date().getFullYear() ? day.format(time) : dayOfYear.format(time);
}

function dayNumber(time) {
  const date = new Date(time);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86400000);
}

// ------------------------------------------------------------------------------------------------------ rows and filters

const KIND_GROUPS = {
  messages: ["text", "forward"],
  media: ["photo", "sticker", "video"],
  files: ["file", "audio", "voice", "contact"],
  places: ["location", "survey"],
  changes: ["edit", "remove"],
  people: ["join", "leave", "role", "title", "avatar", "cleared", "new_personal", "new_group", "new_channel", "new_favorites", "chat_removed"],
  other: ["limits", "progress", "press", "unknown"],
};
const SPOKEN = new Set([...KIND_GROUPS.messages, ...KIND_GROUPS.media, ...KIND_GROUPS.files, ...KIND_GROUPS.places]);
const NO_FILTER = Object.freeze({ chat: "", author: "", group: "", text: "" });

// What kind of thing a row shows: of a forwarded message, what was forwarded.
const kindOf = (row) => row.b || (row.k === "forward" ? "text" : row.k);

const isEmptyFilter = (filter) => !filter.chat && !filter.author && !filter.group && !filter.text;
const sameFilter = (a, b) => a.chat === b.chat && a.author === b.author && a.group === b.group && a.text === b.text;

function passes(row, filter) {
  if (filter.chat && row.c !== filter.chat) return false;
  if (filter.author && row.a !== filter.author) return false;
  if (filter.group && !KIND_GROUPS[filter.group].includes(row.k)) return false;
  if (!filter.text) return true;
  const text = filter.text.toLowerCase();
  return [row.x, row.d, row.h, row.w].some((value) => value && String(value).toLowerCase().includes(text));
}

function filterForKernel(filter) {
  return { chat: filter.chat, author: filter.author, kinds: filter.group ? KIND_GROUPS[filter.group] : [], text: filter.text };
}

function filterFromKernel(told) {
  if (!told) return NO_FILTER;
  const isGroup = (name) => KIND_GROUPS[name].length === told.kinds.length && KIND_GROUPS[name].every((kind) => told.kinds.includes(kind));
  return Object.freeze({ chat: told.chat, author: told.author, group: Object.keys(KIND_GROUPS).find(isGroup) || "", text: told.text });
}

const finite = (place) => (Number.isFinite(place.t) ? place : null);

function loginOf(id) {
  return String(id || "").split("@")[0];
}

// --------------------------------------------------------------------------------------------- what all views of a feed share

// One per widget model: it hears the kernel, keeps the latest rows, notices lost messages and hands out answers.
class Store {
  constructor(model) {
    this.model = model;
    this.tail = new Timeline(TAIL_ROWS);
    this.last = 0; // up to where rows were announced
    this.missing = []; // rows of messages that did not come: {after, last, isLost}
    this.looked = null; // the last place that a person has looked at, as far as is known
    this.views = new Set();
    this.people = new Map(); // author id → name
    this.namesVersion = 0;
    this.chats = new Map(); // chat id → title
    this.asked = new Map(); // request id → {request, answered, at, wait}
    this.counts = []; // [time, rows] of the last seconds
    this.toldAt = Date.now(); // when the kernel heard last how far a person has looked
    this.page = Math.random().toString(36).slice(2, 8); // answers go to every page that shows this feed
    this.requests = 0;
    this.synced = false; // whether the kernel has spoken since this page opened
    this.isAskingAgain = false;
    this.past = { how: "" }; // what became of reading the past of the one chat that is shown: asking, none, refused (with the reason)
    this.failures = []; // exceptions in handlers, the last ones
    this.failed = 0;
    this.pictures = new Pictures(this);
    this.contents = new Contents(this);
    this.born = Date.now();
    this.changes = new Changes(model);
    this.filterName = `tcnb.feed.${model.get("key")}`;
    this.watch = new KernelWatch(model, () => this.kernelChanged());
    this.open(JSON.parse(model.get("opening") || "{}"));
    this.hear = (content, buffers) => this.heard(content, buffers);
    model.on("msg:custom", this.hear);
    this.timer = setInterval(() => this.tick(), 1000);
    this.opening = setTimeout(() => { if (!this.synced) this.ask({ type: "open", after: this.last }, (answer) => this.opened(answer)); }, SILENCE_MS);
  }

  close() {
    clearInterval(this.timer);
    this.watch.close();
    clearTimeout(this.opening);
    this.model.off("msg:custom", this.hear);
    this.pictures.close();
    this.contents.close();
    for (const view of [...this.views]) view.close();
  }

  open(opening) {
    this.name = opening.name || "";
    this.server = opening.server || "";
    this.onlyChat = opening.only_chat || "";
    this.isChatChosenElsewhere = Boolean(opening.is_chat_chosen_elsewhere); // in the panel, by its list
    this.state = opening.state || { state: "connecting" };
    this.filter = this.keptFilter() || filterFromKernel(opening.filter); // what a person picked before the page was reloaded; a view that is alone takes it up
    this.last = opening.last || 0;
    this.looked = fromKernel(opening.looked);
    if (opening.reached) this.tail.addGap(START, rightBefore(fromKernel(opening.reached)), 0);
    this.tail.take(opening.rows || [], []);
    this.meet(this.tail.rows);
    this.learn(opening.people || {});
    this.fail(opening.failures);
  }

  // What was picked here before a reload of which the kernel did not hear in time.
  keptFilter() {
    const kept = remembered(this.filterName);
    return kept && this.changes.wasNews(kept.page, kept.change) ? kept.filter : null;
  }

  // A person has picked something in one of the views.
  keepFilter(filter) {
    this.filter = filter;
    const change = this.changes.next();
    remember(this.filterName, { page: this.changes.page, change, filter });
    this.post(this.changes.signed({ type: "filter", filter: filterForKernel(filter) }));
  }

  kernelChanged() {
    const turn = this.watch.turn();
    if (turn === "back") this.ask({ type: "open", limit: PAGE }, (answer) => this.opened(answer));
    for (const view of this.views) if (turn) view.kernelTurned(); else view.stateChanged();
  }

  // Exceptions in handlers: all the kernel remembers when the page opens, later those that are new.
  fail(told) {
    if (!told) return;
    this.failed = told.count;
    this.failures = [...this.failures, ...told.latest].slice(-100);
  }

  opened(answer) {
    if (answer.error) return;
    this.state = answer.state;
    this.deliver(answer);
    this.synced = true;
  }

  heard(content, buffers) {
    if (!content || content.type !== "feed" || !buffers || !buffers.length) return;
    const message = JSON.parse(new TextDecoder().decode(buffers[0]));
    if (message.state) this.state = message.state;
    if (message.people) this.learn(message.people);
    this.fail(message.failures);
    if (message.batch) this.deliver(message.batch);
    else if (message.last > this.last) this.deliver({ after: message.last, last: message.last, rows: [], gaps: [] });
    // An answer to something else says nothing of what this page may have missed.
    if (message.batch || message.state || !message.answers) this.synced = true;
    for (const answer of message.answers || []) this.answered(answer);
    for (const view of this.views) view.stateChanged();
  }

  // Take a batch in. While a page opens the kernel repeats rows; a jump in their numbers is a message that did not come.
  deliver({ after, last, rows, gaps }) {
    const known = this.last;
    if (last <= known) return;
    if (after > known) this.missing.push({ after: known, last: after, isLost: this.synced });
    this.counts.push([Date.now(), last - Math.max(after, known)]);
    this.last = last;
    this.spread(rows.filter((row) => row.s > known), gapsFromKernel(gaps));
    this.askAgain();
  }

  spread(rows, gaps) {
    this.meet(rows);
    this.tail.take(rows, gaps);
    this.tail.trim(END);
    for (const view of this.views) view.batchCame(rows, gaps);
  }

  meet(rows) {
    for (const row of rows) {
      if (row.c) this.chats.set(row.c, row.n || row.c);
      if (row.a && (row.w || !this.people.has(row.a))) this.people.set(row.a, row.w || loginOf(row.a));
    }
  }

  // Display names come later than the first rows of a person: rows never change, so the names are told apart from them.
  learn(people) {
    for (const [id, name] of Object.entries(people)) this.people.set(id, name);
    this.namesVersion += 1;
    for (const view of this.views) view.redraw(false);
  }

  nameOf(id) {
    return this.people.get(id) || loginOf(id);
  }

  // What the one chat that is shown is called. Nothing while no row of it is here, unless it is known by the person it is with.
  get titleOfOnlyChat() {
    return this.chats.get(this.onlyChat) || (this.onlyChat.includes("@") ? this.nameOf(this.onlyChat) : "");
  }

  get rate() {
    const now = Date.now();
    while (this.counts.length && this.counts[0][0] < now - RATE_MS) this.counts.shift();
    const rows = this.counts.reduce((sum, count) => sum + count[1], 0);
    return rows / (Math.min(RATE_MS, Math.max(1000, now - this.born)) / 1000);
  }

  // -- requests

  ask(request, answered, wait = RETRY_MS) {
    this.requests += 1;
    const re = `${this.page}-${this.requests}`;
    this.asked.set(re, { request: { ...request, re }, answered, at: Date.now(), wait });
    this.post(this.asked.get(re).request);
    return re;
  }

  // Ask for something that must not be done twice, however late the answer.
  askOnce(request, answered) {
    this.ask(request, answered, Infinity);
  }

  post(request) {
    if (!this.watch.isReached) return; // it would not arrive; what is asked for is asked again
    try {
      this.model.send(request);
    } catch (error) {
      console.warn("tcnb feed: the kernel cannot be asked", error); // a saved page without a kernel
    }
  }

  answered(answer) {
    const asked = this.asked.get(answer.re);
    if (!asked) return; // another page asked
    this.asked.delete(answer.re);
    if (answer.error) console.warn("tcnb feed:", answer.error);
    else if (answer.rows) this.meet(answer.rows);
    asked.answered(answer);
  }

  // Have the past of the one chat that is shown read into the record; its rows come as all rows do.
  askPast() {
    if (this.past.how === "asking") return;
    this.past = { how: "asking" };
    this.askOnce({ type: "past" }, (answer) => {
      if (answer.refused) this.past = { how: "refused", why: answer.refused, details: answer.details };
      else this.past = { how: answer.done.more ? "" : "none" };
      for (const view of this.views) view.redraw(false);
    });
    for (const view of this.views) view.redraw(false);
  }

  // A message did not come: ask for its rows at once.
  askAgain() {
    const [first] = this.missing;
    if (!first || this.isAskingAgain) return;
    this.isAskingAgain = true;
    this.ask({ type: "again", after: first.after, until: first.last }, (answer) => {
      this.isAskingAgain = false;
      if (answer.error) return;
      first.after = answer.last;
      if (first.after >= first.last) this.missing.shift();
      this.spread(answer.rows, gapsFromKernel(answer.gaps));
      this.askAgain();
    });
  }

  get lost() {
    return this.missing.reduce((sum, one) => sum + (one.isLost ? one.last - one.after : 0), 0);
  }

  // A person has looked at everything up to a place; the kernel keeps that for the page that opens next.
  look(place) {
    if (!place || !Number.isFinite(place.t) || (this.looked && !isBefore(this.looked, place))) return;
    this.looked = place;
    this.isLookNews = true;
  }

  tellLook() {
    if (!this.isLookNews) return;
    this.isLookNews = false;
    this.post({ type: "looked", at: toKernel(this.looked) });
  }

  tick() {
    const now = Date.now();
    for (const asked of this.watch.isReached ? this.asked.values() : []) {
      if (now - asked.at < asked.wait) continue;
      asked.at = now;
      asked.wait *= 2;
      this.post(asked.request);
    }
    for (const view of this.views) view.tick();
    if (now - this.toldAt > LOOKED_MS) { this.toldAt = now; this.tellLook(); }
  }
}

// --------------------------------------------------------------------------------------------------------- building nodes

const ICONS = {
  photo: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01",
  sticker: "M5 4h14v9l-6 7H5zM13 20v-7h6M9 9h.01M14 9h.01",
  video: "M4 6h11v12H4zM15 10l5-3v10l-5-3",
  audio: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0M19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0",
  voice: "M12 4a2.5 2.5 0 0 1 2.5 2.5v5a2.5 2.5 0 0 1-5 0v-5A2.5 2.5 0 0 1 12 4M6 11a6 6 0 0 0 12 0M12 17v3",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  contact: "M12 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M5 20c.5-4 3-6 7-6s6.500 2 7 6",
  location: "M12 21c-4-4.500-6-7.500-6-10.500a6 6 0 0 1 12 0c0 3-2 6-6 10.500M12 12.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  survey: "M5 20V11M12 20V4M19 20v-6",
  pause: "M9 6v12M15 6v12",
  play: "M8 5.500v13l10-6.500z",
  search: "M11 17a6 6 0 1 0 0-12 6 6 0 0 0 0 12M15.500 15.500L20 20",
  down: "M6 9.500l6 6 6-6",
  up: "M6 14.500l6-6 6 6",
  close: "M7 7l10 10M17 7L7 17",
  reply: "M10 6L4 12l6 6M4 12h9a7 7 0 0 1 7 7",
  forward: "M14 6l6 6-6 6M20 12h-9a7 7 0 0 0-7 7",
  pen: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
};

const icon = (name) => drawnIcon(ICONS[name], "tcf-icon");

const SPEAKERS = /@/; // a person's id has a server; the system's author has none (protocol, section 4.1)

const counted = (drawn) => Object.assign(drawn, { count: 1 + drawn.node.getElementsByTagName("*").length, isBrief: false });

const isLong = (text) => text.length > 900 || text.split("\n", 15).length === 15;

function setHue(element, key) {
  const value = hue(key).toFixed(0);
  if (element.style.getPropertyValue("--tcf-hue") !== value) element.style.setProperty("--tcf-hue", value);
}

// What the top of the list says of what was said before, and what its button is called, if there is one.
function pastInWords(words, past, mayAsk, isReached) {
  if (!isReached) return {}; // nobody can say now whether there is more
  if (past.how === "none") return { text: words.beginning };
  if (!mayAsk) return { text: words.beginningOfRecord };
  if (past.how === "asking") return { text: words.pastComes };
  return past.how === "refused" ? { text: past.why, details: past.details, button: words.pastAgain } : { button: words.past };
}

// Builds the nodes of one item; what a row says is always text, never markup.
class Painter {
  constructor(store, locale, actions) {
    this.store = store;
    this.locale = locale;
    this.words = locale.words;
    this.actions = actions; // toggleText(row), isOpen(row), toggleKeys(row), isKeysOpen(row), copy(text)
  }

  paint(item, context) {
    if (item.type === "day") return this.day(item);
    if (item.type === "new") return this.newHere();
    if (item.type === "gap") return this.gap(item, context);
    if (item.type === "top") return this.top(context);
    return SPOKEN.has(item.row.k) ? this.message(item, context) : this.event(item, context);
  }

  day(item) {
    const line = node("div", "tcf-day");
    line.append(node("span", "", this.locale.dayName(item.time)));
    return line;
  }

  newHere() {
    const line = node("div", "tcf-new");
    line.append(node("span", "", this.words.newHere));
    return line;
  }

  gap({ gap }, context) {
    const line = node("div", "tcf-gap"), { words } = this;
    const isBeginning = gap.start.t === -Infinity, comes = isBeginning ? words.pastComes : words.loading;
    const name = !this.store.watch.isReached ? words.unread : context.slow ? words.waiting : comes;
    line.append(node("span", "", isBeginning || context.asking === gap ? name : words.gap(gap.count && this.locale.number(gap.count))));
    return line;
  }

  // What stands before the first row: of one chat the server may know more.
  top(context) {
    const line = node("div", "tcf-gap tcf-top"), { words } = this, { past } = this.store;
    const { text, details, button } = pastInWords(words, past, context.mayAskPast, this.store.watch.isReached);
    if (text) line.append(node("span", "", text));
    if (details) line.lastChild.title = details;
    if (button) {
      const again = control("button", "tcf-word");
      again.textContent = button;
      again.addEventListener("click", () => this.actions.askPast());
      line.append(again);
    }
    return line;
  }

  message(item, context) {
    const { row, edit, removal } = item;
    const line = node("div", "tcf-row");
    line.dataset.seq = row.s;
    line.classList.toggle("tcf-first", item.head);
    line.classList.toggle("tcf-own", Boolean(row.o));
    line.classList.toggle("tcf-gone", Boolean(removal));
    line.append(item.head ? this.avatar(row) : this.time(row, "tcf-sidetime"));
    const main = node("div", "tcf-main");
    if (item.head) main.append(this.heading(row, context));
    if (row.k === "forward") main.append(node("div", "tcf-label", this.words.forwarded(row.f ? this.store.nameOf(row.f) : "")));
    if (row.r) main.append(this.quote(item.answered));
    this.content(main, edit ? { ...row, x: edit.x, q: edit.q, g: edit.g, h: edit.h || row.h, writtenIn: edit.s } : row, context);
    if (!removal) this.keyboard(main, row, edit, context);
    if (edit || row.e || removal) {
      if (main.lastChild?.className === "tcf-text") main.lastChild.classList.add("tcf-noted");
      main.append(this.note(row, edit, removal));
    }
    line.append(main);
    return line;
  }

  // What nodes a plain text is made of, if it is one: such nodes can be used again for another text of the same shape.
  shapeOf(item, context) {
    const { row, head, edit, removal } = item;
    if (row?.k !== "text" || edit || removal || row.e || row.r || !row.x || isLong(row.x) || hasAddress(row.x) || this.store.contents.of(row.s)) return "";
    const own = row.o ? "own " : "";
    return head ? `${own}${this.namesChat(row, context) ? "head chat" : "head"}` : `${own}plain`;
  }

  // Let the nodes of a text show another one. In a flood every row in sight is another ten times a second, and changing what a node says costs the
  // browser a fraction of making, matching and laying out a new one.
  refill(line, { row, head }) {
    this.store.contents.unwant(Number(line.dataset.seq), line);
    line.dataset.seq = row.s;
    const [first, main] = line.children, text = main.lastChild;
    if (head) {
      this.nameAvatar(first, row);
      const [author] = main.firstChild.children, time = main.firstChild.lastChild, chat = time.previousSibling;
      this.nameAuthor(author, row);
      if (chat.className === "tcf-chat") this.nameChat(chat, row.n || row.c || "");
      this.setTime(time, row);
    } else this.setTime(first, row);
    setText(text, row.x);
    if (row.g) this.store.contents.want(row.s, text);
    this.store.contents.want(row.s, main);
  }

  authorOf(row) {
    return row.w || (row.a ? this.store.nameOf(row.a) : "");
  }

  avatar(row) {
    const badge = node("div", "tcf-avatar");
    badge.setAttribute("aria-hidden", "true");
    this.nameAvatar(badge, row);
    return badge;
  }

  nameAvatar(badge, row) {
    const name = this.authorOf(row) || "?";
    setText(badge, initials(name));
    setHue(badge, row.a || name);
  }

  nameAuthor(author, row) {
    setText(author, this.authorOf(row));
    setHue(author, row.a || row.w || "");
    author.title = row.a || "";
  }

  time(row, className) {
    const time = node("time", className);
    this.setTime(time, row);
    return time;
  }

  setTime(time, row) {
    const clock = time.className === "tcf-sidetime" ? this.locale.shortClock : this.locale.clock;
    setText(time, row.t ? clock(row.t) : "");
    if (time.title) time.title = "";
  }

  heading(row, context) {
    const line = node("div", "tcf-meta");
    const author = node("b", "tcf-author");
    this.nameAuthor(author, row);
    line.append(author);
    if (row.o) line.append(node("span", "tcf-you", this.words.you));
    if (this.namesChat(row, context)) line.append(this.chat(row.n || row.c || ""));
    line.append(this.time(row, "tcf-time"));
    return line;
  }

  // Whether a heading says in which chat it was.
  namesChat(row, context) {
    const title = row.n || row.c || "";
    return Boolean(title) && title !== this.authorOf(row) && !this.isOfOneChat(context);
  }

  isOfOneChat(context) {
    return Boolean(context.filter.chat || this.store.onlyChat);
  }

  chat(title) {
    const chip = node("span", "tcf-chat");
    this.nameChat(chip, title);
    return chip;
  }

  nameChat(chip, title) {
    setText(chip, title);
    chip.title = title;
  }

  quote(answered) {
    const box = node("div", "tcf-quote");
    if (!answered) {
      box.append(node("span", "", this.words.replyUnknown));
      return box;
    }
    setHue(box, answered.a || answered.w || "");
    box.append(node("b", "", this.authorOf(answered)), node("span", "", this.inBrief(answered)));
    return box;
  }

  inBrief(row) {
    const kind = kindOf(row);
    return kind === "text" ? (row.x || "").slice(0, 160) : [this.words[kind], row.d || row.h].filter(Boolean).join(" · ");
  }

  content(main, row, context) {
    const kind = kindOf(row);
    if (kind === "location") main.append(this.chip(kind, row.h || this.words.location, [row.y, row.j].filter((one) => one !== undefined && one !== null).join(", ")));
    else if (kind === "survey") main.append(this.survey(row));
    else if (kind !== "text") main.append(this.file(row, kind));
    if (row.x && kind !== "survey") main.append(this.text(row, context));
  }

  survey(row) {
    const { contents } = this.store, said = { ...contents.of(row.s)?.survey, ...contents.of(row.writtenIn)?.survey };
    const card = drawSurvey(row.h || row.x || this.words.survey, said);
    contents.want(row.s, card);
    if (row.writtenIn) contents.want(row.writtenIn, card);
    return card;
  }

  // An edit replaces the buttons too: those that it does not repeat are gone (protocol, section 9).
  keyboard(main, row, edit, context) {
    if (row.k !== "text") return;
    const { contents } = this.store, seq = edit ? edit.s : row.s, keys = contents.of(seq)?.keyboard;
    if (keys) main.append(drawKeyboard(keys, this.howToShow(row, keys, context), this.actions));
    contents.want(seq, main);
  }

  // How many of its buttons a message shows, and what leads to the others.
  howToShow(row, keys, context) {
    const count = keys.flat().length, isOpen = this.actions.isKeysOpen(row) && !context.isBrief;
    const shown = isOpen || (count <= MOST_KEYS && !context.isBrief) ? count : context.isBrief ? 0 : FOLDED_KEYS;
    return { shown, count: this.locale.number(count), toggle: shown < count || isOpen ? () => this.actions.toggleKeys(row) : null, isOpen };
  }

  file(row, kind) {
    if (PICTURE_KINDS.has(kind) && this.store.pictures.of(row.s) !== "") return this.picture(row, kind);
    const size = row.z === undefined ? "" : sizeText(row.z, this.locale);
    const named = row.d && kind !== "sticker";
    return this.chip(kind, named ? row.d : this.words[kind], [named ? this.words[kind] : "", size].filter(Boolean).join(" · "), this.store.pictures.whyNot(row.s));
  }

  // A picture in a box whose size is known before the picture is there, so that nothing moves when it comes.
  picture(row, kind) {
    const box = node("div", `tcf-picture tcf-of-${kind}`), url = this.store.pictures.of(row.s);
    const name = kind === "sticker" ? this.words.sticker : row.d || this.words.photo;
    if (url) {
      const image = node("img", "");
      image.src = url;
      image.alt = name;
      image.title = row.z === undefined ? name : `${name} · ${sizeText(row.z, this.locale)}`;
      box.append(image);
    } else {
      box.append(icon(kind));
      this.store.pictures.want(row.s, box);
    }
    return box;
  }

  chip(kind, title, detail, why = "") {
    const chip = node("div", `tcf-chip tcf-${kind}`);
    const tile = node("span", "tcf-tile");
    tile.append(icon(kind));
    const about = node("span", "tcf-about");
    const name = node("b", "", title);
    name.dir = "auto";
    name.title = title;
    about.append(name, node("span", "", detail));
    if (why) about.append(node("span", "tcf-why", why));
    chip.append(tile, about);
    return chip;
  }

  text(row, context) {
    const text = node("div", "tcf-text"), seq = row.writtenIn || row.s, tree = row.g && !context.isBrief ? this.store.contents.of(seq)?.tree : null;
    if (tree) drawTree(tree, text, styled); else if (row.g || context.isBrief) text.textContent = row.x; else drawPlain(row.x, text, row.q !== undefined);
    if (row.g) this.store.contents.want(seq, text);
    text.dir = "auto";
    if (!isLong(row.x)) return text;
    const box = node("div", "tcf-long"), open = this.actions.isOpen(row);
    text.classList.toggle("tcf-clamped", !open);
    const toggle = control("button", "tcf-link");
    toggle.textContent = open ? this.words.less : this.words.more;
    toggle.addEventListener("click", () => this.actions.toggleText(row));
    box.append(text, toggle);
    if (open && row.q) box.append(node("span", "tcf-note", this.words.cut(this.locale.number(row.q))));
    return box;
  }

  note(row, edit, removal) {
    const words = [];
    if (removal) words.push(this.words.removedBy(removal.a && removal.a !== row.a ? this.authorOf(removal) : ""));
    else words.push(this.words.edited);
    const note = node("span", "tcf-note", words.join(" · "));
    if (edit && row.x) note.title = row.x;
    return note;
  }

  // What happened rather than what was said: one quiet line in the middle.
  event(item, context) {
    const { row } = item;
    const line = node("div", "tcf-event");
    line.dataset.seq = row.s;
    const about = { who: this.authorOf(row), user: this.store.nameOf(row.u), title: row.h || row.n || "",
      role: ownValue(this.words.roles, row.l) || row.l || "?", progress: row.p === undefined ? "" : sizeText(row.p, this.locale) };
    const said = this.eventText(row, about);
    line.append(node("span", "tcf-said", said));
    if (row.n && !said.includes(row.n) && !this.isOfOneChat(context)) line.append(this.chat(row.n));
    line.append(this.time(row, "tcf-time"));
    return line;
  }

  eventText(row, about) {
    const byOther = row.a && row.u && row.a !== row.u && SPEAKERS.test(row.a);
    if (row.k === "join") return byOther ? this.words.joinBy(about) : this.words.join(about);
    if (row.k === "leave") return byOther ? this.words.leaveBy(about) : this.words.leave(about);
    if (row.k === "unknown") return [`${this.words.unknown()}: ${row.v}`, row.x].filter(Boolean).join(" · ");
    const said = this.words[row.k](about);
    const isAct = ["edit", "remove", "title", "avatar", "cleared", "new_personal", "new_group", "new_channel", "press"].includes(row.k);
    const words = isAct && about.who ? this.words.act(about.who, said) : said.charAt(0).toUpperCase() + said.slice(1);
    return row.x ? `${words}: ${row.x}` : words;
  }
}

// ------------------------------------------------------------------------------------------------------------ one view

class View {
  constructor(store, root, height) {
    this.store = store;
    this.root = root;
    this.locale = makeLocale();
    this.words = this.locale.words;
    this.filter = NO_FILTER;
    this.timeline = Timeline.of(store.tail, MOST_ROWS, NO_FILTER);
    this.mark = null; // what is behind this place came while nobody looked, once there is something: {t, s}
    this.unread = 0; // how many rows of others that are
    this.readFor = 0; // milliseconds that the line before them was in sight
    this.isLooking = false;
    this.follow = true;
    this.paused = false;
    this.fresh = 0; // rows that came while the end was out of sight
    this.opened = new Set(); // long texts shown whole, by sequence number
    this.openKeys = null; // the message of which all buttons are shown, by sequence number: one at a time, for the sake of the budget
    this.backTo = null; // the row whose folding gets the focus back once it is drawn
    this.list = new Items();
    this.nodes = new Map(); // key → {node, sign, shape}
    this.isSeen = true; // whether any of it is on the screen
    this.anchor = null; // {t, s, delta}: the row that stays where it is while others come and go
    this.setTop = 0;
    this.endedAt = 0;
    this.dirty = true;
    this.frame = 0;
    this.restUntil = 0;
    this.asking = null;
    this.blockedUntil = 0;
    this.painter = new Painter(store, this.locale, {
      toggleText: (row) => this.toggleText(row),
      isOpen: (row) => this.opened.has(row.s),
      toggleKeys: (row) => this.toggleKeys(row),
      isKeysOpen: (row) => this.openKeys === row.s,
      copy: (text) => this.dock.copy(text),
      askPast: () => { this.scroller.focus({ preventScroll: true }); this.store.askPast(); },
    });
    this.dock = new Dock(this, this.locale);
    this.tools = new Tools(this, this.dock.words);
    this.build(height);
    this.listen();
    store.views.add(this);
    if (store.looked) this.markNew(store.looked, this.timeline.rows);
    this.stateChanged();
    if (store.views.size === 1) this.setFilter(store.filter);
    this.redraw();
  }

  close() {
    this.store.views.delete(this);
    cancelAnimationFrame(this.frame);
    this.takeTyped();
    removeEventListener("pagehide", this.leaving);
    this.observer.disconnect();
    this.sight.disconnect();
    document.removeEventListener("selectionchange", this.selected);
    document.removeEventListener("visibilitychange", this.seen);
    this.root.replaceChildren();
  }

  // -- building

  build(height) {
    const root = node("section", "tcnb-feed");
    root.setAttribute("aria-label", this.words.feed);
    root.setAttribute("data-jp-suppress-context-menu", "true");
    root.style.height = `${height}px`;
    root.addEventListener("keydown", (event) => this.keptIn(event));
    root.append(this.buildStatus(), this.buildTools(), this.buildList(), this.dock.box);
    this.root.append(root);
    this.box = root;
  }

  // VS Code takes letters that leave an output for commands of its own ("d d" deletes the cell); what comes with Ctrl is meant for the host.
  keptIn(event) {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  }

  buildStatus() {
    const bar = node("div", "tcf-status");
    this.dot = node("span", "tcf-dot");
    this.stateText = node("span", "tcf-state");
    this.stateText.setAttribute("role", "status");
    this.which = node("span", "tcf-which");
    this.where = node("span", "tcf-where");
    const numbers = node("span", "tcf-numbers");
    this.rateText = node("span", "");
    this.rateText.title = this.words.rateTitle;
    this.totalText = node("span", "");
    this.totalText.title = this.words.eventsTitle;
    this.lostText = node("span", "tcf-lost");
    this.lostText.title = this.words.lostTitle;
    numbers.append(this.rateText, this.totalText, this.lostText);
    this.failButton = control("button", "tcf-failed");
    this.failButton.title = this.dock.words.failuresTitle;
    this.failButton.addEventListener("click", () => this.dock.showFailures());
    bar.append(this.dot, this.stateText, this.which, this.where, this.failButton, numbers);
    return bar;
  }

  buildTools() {
    const bar = node("div", "tcf-tools");
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", this.words.filters);
    this.searchBox = control("input", "tcf-search");
    this.searchBox.type = "search";
    this.searchBox.placeholder = this.words.search;
    this.searchBox.setAttribute("aria-label", this.words.searchLabel);
    this.chatBox = this.buildChoice(this.words.chat, this.words.allChats, () => [...this.store.chats], "chat");
    this.authorBox = this.buildChoice(this.words.author, this.words.everyone, () => [...this.store.people], "author");
    this.kindBox = this.buildChoice(this.words.kind, this.words.allKinds, () => Object.keys(KIND_GROUPS).map((group) => [group, this.words[group]]), "group");
    this.clearButton = this.buildButton("tcf-clear", "close", this.words.clear, () => { this.searchBox.value = ""; this.setFilter(NO_FILTER); });
    this.pauseButton = this.buildButton("tcf-pause", "pause", this.words.pause, () => this.setPaused(!this.paused));
    this.pauseButton.setAttribute("aria-pressed", "false");
    const choices = this.store.onlyChat || this.store.isChatChosenElsewhere ? [this.authorBox, this.kindBox] : [this.chatBox, this.authorBox, this.kindBox];
    bar.append(this.searchBox, ...choices, this.clearButton, this.pauseButton);
    return bar;
  }

  // A native choice whose options are made when it is about to open: hundreds of authors are no nodes of an idle feed.
  buildChoice(label, all, options, part) {
    const box = control("select", "tcf-choice");
    box.setAttribute("aria-label", label);
    const show = (pairs) => {
      const chosen = this.filter[part];
      box.replaceChildren(new Option(all, ""));
      for (const [value, name] of pairs) box.append(new Option(name, value));
      box.value = chosen;
      box.classList.toggle("tcf-active", Boolean(chosen));
    };
    box.showChosen = () => show(this.filter[part] ? options().filter(([value]) => value === this.filter[part]) : []);
    box.showAll = () => show(options().sort((a, b) => a[1].localeCompare(b[1])).slice(0, 300));
    if (part === "group") box.showAll = box.showChosen = () => show(options()); // few and fixed
    box.addEventListener("pointerdown", () => { if (document.activeElement !== box) box.showAll(); });
    box.addEventListener("focus", box.showAll);
    box.addEventListener("blur", box.showChosen);
    box.addEventListener("change", () => this.pick(part, box.value));
    box.showChosen();
    return box;
  }

  buildButton(className, iconName, label, action) {
    const button = control("button", `tcf-button ${className}`);
    button.title = label;
    button.setAttribute("aria-label", label);
    button.append(icon(iconName));
    button.addEventListener("click", action);
    return button;
  }

  buildList() {
    const frame = node("div", "tcf-frame");
    this.scroller = control("div", "tcf-scroller");
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "log");
    this.scroller.setAttribute("aria-label", this.words.feed);
    this.canvas = node("div", "tcf-canvas");
    this.drawn = node("div", "tcf-drawn");
    this.canvas.append(this.drawn, this.tools.box);
    this.scroller.append(this.canvas);
    this.emptyBox = node("div", "tcf-empty");
    this.emptyHead = node("b", "");
    this.emptyHint = node("span", "");
    this.emptyHint.setAttribute("role", "status");
    this.pastButton = control("button", "tcf-word tcf-past");
    this.pastButton.addEventListener("click", () => { this.scroller.focus({ preventScroll: true }); this.store.askPast(); });
    this.emptyBox.append(this.emptyHead, this.emptyHint, this.pastButton);
    this.endButton = control("button", "tcf-fresh");
    this.endButton.append(icon("down"), node("span", ""));
    this.endButton.addEventListener("click", () => { this.toEnd(); this.scroller.focus({ preventScroll: true }); });
    this.newButton = control("button", "tcf-above");
    this.newButton.append(icon("up"), node("span", ""));
    this.newButton.addEventListener("click", () => { this.toNew(); this.scroller.focus({ preventScroll: true }); });
    frame.append(this.scroller, this.emptyBox, this.newButton, this.endButton);
    return frame;
  }

  listen() {
    const scroller = this.scroller;
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    scroller.addEventListener("wheel", (event) => { if (event.deltaY < 0) { this.leaveEnd(); this.wantPast(); } }, { passive: true });
    scroller.addEventListener("touchmove", () => this.leaveEnd(), { passive: true });
    scroller.addEventListener("pointerdown", (event) => { if (event.target === scroller && event.offsetX >= scroller.clientWidth) this.leaveEnd(); });
    scroller.addEventListener("keydown", (event) => this.keyed(event));
    scroller.addEventListener("pointermove", (event) => this.pointed(event));
    this.drawn.addEventListener("click", (event) => this.clicked(event));
    scroller.addEventListener("pointerleave", () => { if (!this.tools.isChosen) this.tools.show(null); });
    this.searchBox.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.takeTyped(), 150);
    });
    this.leaving = () => this.takeTyped();
    addEventListener("pagehide", this.leaving);
    this.selected = () => this.keepSelection();
    document.addEventListener("selectionchange", this.selected);
    this.seen = () => { this.noteLooking(); if (document.hidden) this.store.tellLook(); };
    document.addEventListener("visibilitychange", this.seen);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(scroller);
    this.sight = new IntersectionObserver((seen) => { this.isSeen = seen[seen.length - 1].isIntersecting; this.noteLooking(); if (this.isSeen) this.redraw(false); });
    this.sight.observe(this.box);
  }

  // -- what comes

  batchCame(rows, gaps) {
    this.noteLooking();
    const came = this.timeline.take(rows, gaps, this.paused);
    if (this.paused || !this.follow) this.fresh += came;
    this.timeline.trim(this.nearPlace());
    this.keepForAsked(rows, gaps);
    this.noteUnread(rows);
    this.redraw();
  }

  // What comes while a gap is asked for may be too late for the answer, and is kept until that is there.
  keepForAsked(rows, gaps) {
    if (!this.asking) return;
    const { gap, came } = this.asking, isInside = (start, end) => !isBefore(end, gap.start) && !isBefore(gap.end, start);
    const late = rows.filter((row) => isInside(row, row)), lateGaps = gaps.filter(({ start, end }) => isInside(start, end));
    if (late.length || lateGaps.length) came.push({ rows: late, gaps: lateGaps });
    if (came.length > MOST_LATE) this.asking = null; // it is asked for anew
  }

  nearPlace() {
    return this.follow || !this.anchor ? END : this.anchor;
  }

  // -- what a person has looked at

  // Whether somebody sees what comes: the end is in sight, and the connection is there.
  noteLooking() {
    const isLooking = this.follow && !this.paused && this.isSeen && !document.hidden && this.stateName() === "connected" && !this.timeline.endGap && isEmptyFilter(this.filter);
    if (!isLooking && !this.unread && (this.isLooking || !this.mark)) this.mark = finite(this.timeline.newest);
    this.isLooking = isLooking;
    if (isLooking) this.store.look(this.timeline.newest);
  }

  // What others said behind the mark is new if nobody saw it come: nobody looked, or it is from an absence and stands somewhere above.
  noteUnread(rows) {
    if (this.mark) this.markNew(this.mark, this.isLooking ? rows.filter((row) => row.late) : rows);
  }

  markNew(mark, rows) {
    const count = rows.filter((row) => !row.o && isBefore(mark, row)).length;
    if (!count) return;
    this.mark = mark;
    this.unread += count;
    this.readFor = 0;
  }

  get shownMark() {
    return this.unread ? this.mark : null;
  }

  newIndex() {
    return this.unread ? this.list.all.findIndex((item) => item.type === "new") : -1;
  }

  // What is new is read when the line before it has been in sight for a while.
  noteReading(passed) {
    const index = this.newIndex(), { offsets } = this.list;
    if (index < 0 || document.hidden || !this.isSeen || offsets[index] < this.setTop || offsets[index + 1] > this.setTop + this.height) return;
    this.readFor += passed;
    if (this.readFor < READ_MS) return;
    this.unread = 0;
    this.mark = this.isLooking ? null : finite(this.timeline.newest);
    if (!this.follow) this.holdAnchor();
    this.redraw();
  }

  toNew() {
    const index = this.newIndex();
    if (index < 0) return;
    this.leaveEnd();
    this.setTop = this.scroller.scrollTop = Math.max(0, this.list.offsets[index] - 8);
    this.holdAnchor();
    this.redraw(false);
  }

  // The kernel is gone or out of reach, or there again: what can be done with a row, and what lacks, is another thing.
  kernelTurned() {
    this.stateChanged();
    this.tools.show(null);
    this.dock.kernelTurned();
    this.asking = null;
    this.clearNodes();
    this.redraw();
  }

  // -- what a person does

  // What stands in the search field now is sought together with what is picked elsewhere.
  pick(part, value) {
    this.setFilter({ ...this.filter, text: this.searchBox.value.trim(), [part]: value });
  }

  takeTyped() {
    this.pick("text", this.searchBox.value.trim());
  }

  setFilter(filter) {
    clearTimeout(this.typing);
    if (sameFilter(filter, this.filter)) return;
    this.filter = Object.freeze({ ...filter });
    if (this.searchBox.value.trim() !== filter.text) this.searchBox.value = filter.text;
    for (const box of [this.chatBox, this.authorBox, this.kindBox]) if (document.activeElement === box) box.showAll(); else box.showChosen();
    this.clearButton.classList.toggle("tcf-shown", !isEmptyFilter(filter));
    this.asking = null;
    this.tools.show(null);
    this.store.keepFilter(this.filter);
    this.clearNodes();
    this.toEnd();
  }

  setPaused(paused) {
    this.paused = paused;
    this.pauseButton.setAttribute("aria-pressed", String(paused));
    const label = paused ? this.words.resume : this.words.pause;
    this.pauseButton.title = label;
    this.pauseButton.setAttribute("aria-label", label);
    this.pauseButton.replaceChildren(icon(paused ? "play" : "pause"));
    this.box.classList.toggle("tcf-paused", paused);
    if (!paused && this.follow) this.toEnd();
    else this.redraw();
    this.stateChanged();
  }

  // Show the latest rows and go on following them.
  toEnd() {
    if (this.paused) this.setPausedOff();
    if (this.timeline.endGap || !sameFilter(this.timeline.filter, this.filter)) {
      this.timeline = Timeline.of(this.store.tail, MOST_ROWS, this.filter);
      this.asking = null;
    }
    this.follow = true;
    this.endedAt = Date.now();
    this.fresh = 0;
    this.anchor = null;
    this.redraw();
  }

  setPausedOff() {
    this.follow = false;
    this.setPaused(false);
  }

  leaveEnd() {
    if (!this.follow || this.canvas.offsetHeight <= this.scroller.clientHeight) return;
    this.follow = false;
    this.noteLooking();
    this.holdAnchor();
    this.redraw();
  }

  // Somebody goes on upwards: at the beginning of what is recorded the server is asked for more.
  wantPast() {
    const isThere = this.start === 0 && this.list.all[0]?.type === "top" && this.setTop < this.list.offsets[1];
    if (isThere && this.mayAskPast && this.stateName() === "connected" && !this.store.past.how) this.store.askPast();
  }

  // Whether the server may know what was said before: of one chat, of which nothing is hidden here.
  get mayAskPast() {
    return Boolean(this.store.onlyChat) && isEmptyFilter(this.filter) && ["connected", "connecting", "reconnecting"].includes(this.stateName());
  }

  drawnItem(seq) {
    for (let i = this.start; i < this.end; i += 1) if (this.list.all[i].key === seq) return this.list.all[i];
    return null;
  }

  pointed(event) {
    if (this.tools.box.contains(event.target)) return;
    const line = event.target.closest?.("[data-seq]");
    if (event.target.tagName === "TIME") this.wordTime(event.target, Number(line.dataset.seq));
    this.choose(line && this.drawnItem(Number(line.dataset.seq)), false);
  }

  // A name leads to what its person, or its chat, said.
  clicked(event) {
    const name = event.target.closest(".tcf-author, .tcf-chat"), line = event.target.closest("[data-seq]");
    const row = name && line && this.drawnItem(Number(line.dataset.seq))?.row;
    if (!row) return;
    if (name.className !== "tcf-chat") this.pick("author", row.a || "");
    else if (this.store.isChatChosenElsewhere) this.store.post({ type: "chat", chat: row.c || "" });
    else this.pick("chat", row.c || "");
  }

  // Exact times are slow to word: it is done when somebody points at one, or chooses its row with the keys.
  wordTime(time, seq) {
    const { row } = this.drawnItem(seq) || {};
    if (!time.title && row && row.t) time.title = `${this.locale.exact(row.t)} · № ${row.s}`;
  }

  // Show the tools of a row: the one under the pointer, or the one chosen with the arrow keys.
  choose(item, isChosen) {
    this.tools.show(item && !item.removal && item.row.k !== "remove" ? item.row : null, isChosen);
    this.placeTools();
  }

  placeTools() {
    const { row } = this.tools;
    for (const drawn of this.drawn.querySelectorAll(".tcf-chosen")) drawn.classList.remove("tcf-chosen");
    const index = row ? this.list.indexOf(row) : -1, item = this.list.all[index];
    if (!item || item.s !== row.s) { if (row) this.tools.show(null); return; }
    this.tools.box.style.transform = `translateY(${Math.max(0, this.list.offsets[index] - 6)}px)`;
    const chosen = this.tools.isChosen && this.nodes.get(item.key)?.node;
    if (!chosen) return;
    chosen.classList.add("tcf-chosen");
    for (const time of chosen.querySelectorAll("time")) this.wordTime(time, item.s);
  }

  // Go to the row before or behind the chosen one; at first to the last one in sight.
  step(by) {
    let index = this.tools.isChosen ? this.list.indexOf(this.tools.row) + by : Math.min(this.list.indexAt(this.setTop + this.height - END_GAP), this.list.all.length - 1);
    while (this.list.all[index] && this.list.all[index].type !== "row") index += by;
    const item = this.list.all[index];
    if (!item) { if (by < 0) this.wantPast(); return; }
    this.leaveEnd();
    const top = this.list.offsets[index], bottom = this.list.offsets[index + 1];
    const wanted = Math.min(Math.max(this.setTop, bottom - this.height), top);
    if (wanted !== this.setTop) { this.setTop = this.scroller.scrollTop = wanted; this.holdAnchor(); this.redraw(false); }
    this.choose(item, true);
  }

  keyed(event) {
    if (event.target !== this.scroller) return;
    if (["PageUp", "Home"].includes(event.key) || (event.key === " " && event.shiftKey)) { this.leaveEnd(); this.wantPast(); }
    if (event.key === "ArrowUp" || event.key === "ArrowDown") { event.preventDefault(); this.step(event.key === "ArrowUp" ? -1 : 1); }
    if (event.key === "Escape" && this.tools.isChosen) this.choose(null, false);
    if (event.key === "Enter" && this.tools.isChosen) { event.preventDefault(); this.tools.box.querySelector("button")?.focus({ preventScroll: true }); }
    if (event.key === "End") { event.preventDefault(); this.toEnd(); }
  }

  keepSelection() {
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && this.drawn.contains(selection.anchorNode)) this.leaveEnd();
  }

  toggleText(row) {
    if (this.opened.has(row.s)) this.opened.delete(row.s); else this.opened.add(row.s);
    this.unfolded(row);
  }

  toggleKeys(row) {
    this.openKeys = this.openKeys === row.s ? null : row.s;
    this.unfolded(row);
  }

  unfolded(row) {
    this.leaveEnd();
    this.nodes.get(row.s)?.node.remove();
    this.nodes.delete(row.s);
    this.backTo = row.s;
    this.redraw();
  }

  scrolled() {
    const top = this.scroller.scrollTop;
    if (Math.abs(top - this.setTop) < 1 || this.scroller.clientHeight !== this.height) return; // our own doing, or a new size
    const isDown = top > this.setTop;
    this.setTop = top;
    const isAtEnd = top + this.scroller.clientHeight >= this.canvas.offsetHeight - 2;
    if (isDown && isAtEnd && !this.timeline.endGap) { this.follow = true; this.fresh = 0; }
    else if (!isDown && Date.now() - this.endedAt > SETTLE_MS) this.follow = false;
    this.noteLooking();
    this.holdAnchor();
    this.redraw(false);
  }

  resized() {
    this.takeSize();
    this.setTop = this.scroller.scrollTop; // a taller list may have been moved by the browser, and by no person
    this.redraw();
  }

  // Kept, since asking for it while drawing would have the browser lay out everything once more.
  takeSize() {
    const { clientWidth, clientHeight } = this.scroller;
    if (clientWidth !== this.width) this.list.forgetHeights();
    this.width = clientWidth;
    this.height = clientHeight;
  }

  // -- drawing

  redraw(dirty = true) {
    this.dirty = this.dirty || dirty;
    if (!this.frame) this.frame = requestAnimationFrame(() => this.framed(this.isFlooded));
  }

  // In a flood what came is drawn a frame later than it was taken in, so that no frame bears both, and a page that draws slowly draws less often.
  framed(isLater) {
    const now = performance.now();
    if (isLater || (this.isFlooded && now < this.restUntil)) { this.frame = requestAnimationFrame(() => this.framed(false)); return; }
    this.frame = 0;
    this.draw();
    this.restUntil = now + REST * (performance.now() - now);
  }

  get isFlooded() {
    return this.follow && this.store.rate > BUSY_RATE;
  }

  draw() {
    if (!this.height) this.takeSize();
    const { height, list } = this;
    if (!height || (this.isFlooded && !this.isSeen)) return; // nobody can see it; the observers call again
    if (this.dirty) list.follow(this.timeline, this.shownMark);
    this.dirty = false;
    const guess = (item) => guessedHeight(item, this.width);
    for (let round = 0; round < 4; round += 1) {
      list.lay(guess);
      this.drawRange(this.wantedTop(height), height);
      if (!this.measureDrawn()) break;
    }
    list.lay(guess);
    this.place(height);
    if (this.backTo !== null) this.nodes.get(this.backTo)?.node.querySelector(".tcf-link")?.focus({ preventScroll: true });
    this.backTo = null;
    this.placeTools();
    this.fillGaps(height);
    if (!this.follow) this.wantPast();
    this.showEdges();
  }

  wantedTop(height) {
    const most = Math.max(0, this.list.total - height);
    if (this.follow) return most;
    if (!this.anchor) return Math.min(most, this.scroller.scrollTop);
    const index = Math.min(this.list.indexOf(this.anchor), this.list.all.length - 1);
    return index < 0 ? 0 : Math.min(most, Math.max(0, this.list.offsets[index] - this.anchor.delta));
  }

  // Draw what is in sight, and of what is around it as much as the budget of nodes allows. What is in sight is drawn briefly where the budget would
  // not hold otherwise: texts without their styles, buttons folded away.
  drawRange(top, height) {
    const { list } = this, range = this.rangeOf(top, height), spare = this.leave(range), made = new Map();
    const context = { filter: this.filter, asking: this.asking?.gap, slow: this.isSlow(), mayAskPast: this.mayAskPast };
    let left = range.seenEnd - range.seen, room = this.roomForRows(), first = Infinity, last = -1;
    for (const i of this.inOrder(range)) {
      if (i >= range.seen && i < range.seenEnd) left -= 1;
      const drawn = this.drawItem(list.all[i], context, spare, room - ROW_NODES * left - this.openRoom(range, made, i), room);
      if (!drawn) break;
      room -= drawn.count;
      made.set(i, drawn);
      first = Math.min(first, i);
      last = Math.max(last, i);
    }
    this.start = Math.min(first, list.all.length);
    this.end = last + 1;
    this.put(made, spare);
    this.canvas.style.height = `${list.total}px`;
    this.drawn.style.transform = `translateY(${list.offsets[this.start] ?? 0}px)`;
  }

  rangeOf(top, height) {
    const { list } = this, margin = this.isFlooded ? FLOOD_OVERSCAN : OVERSCAN, most = list.all.length;
    const until = (offset) => Math.min(most, list.indexAt(offset) + 1);
    return { start: list.indexAt(top - margin), seen: list.indexAt(top), seenEnd: until(top + height), end: until(top + height + margin) };
  }

  // First what is in sight, from the end while that is followed, then what is around it.
  * inOrder({ start, seen, seenEnd, end }) {
    if (this.follow) for (let i = seenEnd - 1; i >= seen; i -= 1) yield i;
    else for (let i = seen; i < seenEnd; i += 1) yield i;
    for (let i = seenEnd; i < end; i += 1) yield i;
    for (let i = seen - 1; i >= start; i -= 1) yield i;
  }

  roomForRows() {
    const others = 1 + this.box.getElementsByTagName("*").length - this.drawn.getElementsByTagName("*").length;
    return Math.max(LEAST_ROOM, MOST_NODES - others);
  }

  // What is kept free while others are drawn for the message whose buttons are all shown.
  openRoom({ seen, seenEnd }, made, other) {
    if (this.openKeys === null) return 0;
    let i = seen;
    while (i < seenEnd && this.list.all[i].key !== this.openKeys) i += 1;
    const item = this.list.all[i];
    if (i === seenEnd || i === other || made.has(i)) return 0;
    const keys = this.store.contents.of((item.edit || item.row).s)?.keyboard || [];
    return keys.length + keys.flat().length;
  }

  // Take away what is not to be drawn any more. While the end is followed, nodes that can be used again stay where they are for now.
  leave({ start, end }) {
    const keep = new Set(), spare = [];
    for (let i = start; i < end; i += 1) keep.add(this.list.all[i].key);
    for (const [key, drawn] of this.nodes) {
      if (keep.has(key)) continue;
      this.nodes.delete(key);
      if (drawn.shape && this.follow) spare.push(drawn); else drawn.node.remove();
    }
    return spare;
  }

  // Give an item its nodes, briefly if they are more than `share`; null if they are more than there is room for even so.
  drawItem(item, context, spare, share, room) {
    const sign = this.signOf(item, context);
    const before = this.nodes.get(item.key), isSame = before && before.sign === sign;
    let drawn = isSame && (before.isBrief ? before.whole > share : before.count <= share) ? before : null;
    if (!drawn) drawn = isSame && !before.isBrief ? before : this.make(item, context, spare, sign);
    if (drawn.count > share && !drawn.isBrief) drawn = this.makeBrief(item, context, sign, drawn);
    if (before && before !== drawn) { before.node.remove(); this.nodes.delete(item.key); }
    return drawn.count <= room ? drawn : null;
  }

  // Spare nodes of the same shape that show another row now, or new ones.
  make(item, context, spare, sign) {
    const shape = this.painter.shapeOf(item, context);
    const at = shape ? spare.findLastIndex((one) => one.shape === shape) : -1;
    if (at < 0) return counted({ node: this.painter.paint(item, context), sign, shape });
    const [used] = spare.splice(at, 1);
    this.painter.refill(used.node, item);
    used.sign = sign;
    return used;
  }

  makeBrief(item, context, sign, whole) {
    const made = counted({ node: this.painter.paint(item, { ...context, isBrief: true }), sign, shape: "" });
    return made.count < whole.count ? { ...made, isBrief: true, whole: whole.count } : whole;
  }

  // Put what was drawn into the document, in its order; nodes that stand where they should are not touched.
  put(made, spare) {
    for (const drawn of spare) drawn.node.remove();
    const now = new Map();
    for (let i = this.start; i < this.end; i += 1) now.set(this.list.all[i].key, made.get(i));
    for (const [key, drawn] of this.nodes) if (!now.has(key)) drawn.node.remove();
    this.nodes = now;
    let place = this.drawn.firstChild;
    for (const { node: one } of now.values()) {
      if (one === place) place = place.nextSibling;
      else this.drawn.insertBefore(one, place);
    }
  }

  // What an item's nodes depend on; rows that show a name learnt elsewhere are drawn again when names come.
  signOf(item, context) {
    const { row, head, edit, removal, answered, gap } = item, { past } = this.store;
    if (gap) return `${gap.count}|${gap === context.asking}|${context.slow}`;
    if (item.type === "top") return `${past.how}|${past.why}|${context.mayAskPast}`;
    if (!row) return `${item.today}`;
    const { contents, pictures, namesVersion } = this.store;
    const isSettled = row.w && !row.u && !row.f && !(answered && !answered.w);
    const more = mayHaveMore(edit || row) || mayHaveMore(row) ? Boolean(contents.of(row.s)) + 2 * Boolean(edit && contents.of(edit.s)) + 4 * (this.openKeys === row.s) : "";
    return `${head}|${edit ? edit.s : ""}|${removal ? removal.s : ""}|${answered ? 1 : 0}|${isSettled ? "" : namesVersion}|${more}|${PICTURE_KINDS.has(kindOf(row)) ? pictures.of(row.s) : ""}`;
  }

  // Whether a drawn item has another height than thought.
  measureDrawn() {
    let changed = false;
    for (let i = this.start; i < this.end; i += 1) {
      const item = this.list.all[i];
      changed = this.list.measured(item, this.nodes.get(item.key).node.getBoundingClientRect().height) || changed;
    }
    return changed;
  }

  place(height) {
    this.canvas.style.height = `${this.list.total}px`;
    this.drawn.style.transform = `translateY(${this.list.offsets[this.start] ?? 0}px)`;
    const top = this.wantedTop(height);
    if (Math.abs(this.scroller.scrollTop - top) > 0.5) this.scroller.scrollTop = top;
    this.setTop = this.scroller.scrollTop;
    // At the top nothing can be moved down: what stands there now is what stays where it is.
    if (!this.follow && (!this.anchor || this.setTop <= 0)) this.holdAnchor();
  }

  // Remember which row is where. Not one right under a gap or a line: that one's heading may go when earlier rows come.
  holdAnchor() {
    const top = this.scroller.scrollTop;
    let best = -1;
    for (let i = this.list.indexAt(top); i < this.list.all.length && this.list.offsets[i] < top + this.scroller.clientHeight; i += 1) {
      if (this.list.all[i].type !== "row") continue;
      if (best < 0) best = i;
      if (i > 0 && this.list.all[i - 1].type === "row") { best = i; break; }
    }
    const { t, s } = this.list.all[best] || {};
    this.anchor = best < 0 ? null : { t, s, delta: this.list.offsets[best] - top };
  }

  clearNodes() {
    this.drawn.replaceChildren();
    this.nodes.clear();
  }

  // -- gaps

  isSlow() {
    return Boolean(this.asking && Date.now() - this.asking.at > SLOW_MS);
  }

  // Ask for what a person looks at. While the end is followed in a flood the gaps run by; then only those that stay are asked for.
  fillGaps(height) {
    if (this.asking || Date.now() < this.blockedUntil || !this.store.watch.isReached) return;
    const top = this.setTop - OVERSCAN, bottom = this.setTop + height + OVERSCAN;
    for (let i = this.end - 1; i >= this.start; i -= 1) {
      const { type, gap } = this.list.all[i];
      if (type !== "gap" || this.list.offsets[i + 1] < top || this.list.offsets[i] > bottom) continue;
      if (this.paused && gap === this.timeline.endGap) continue;
      if (this.follow && gap.start.t > -Infinity && Date.now() - gap.since < 1000) continue;
      this.fillGap(gap);
      return;
    }
  }

  fillGap(gap) {
    const { filter, timeline } = this, isEnd = gap === timeline.endGap, known = this.store.tail.covering(gap, !isEnd);
    if (known) { this.filled(known.start, known.end, known.rows); return; }
    const asking = { gap, at: Date.now(), came: [] };
    this.asking = asking;
    const request = isEnd ? { type: "later", at: toKernel(rightBefore(gap.start)) } : { type: "earlier", at: toKernel(rightBehind(gap.end)), floor: toKernel(gap.start) };
    this.store.ask({ ...request, limit: PAGE, filter: filterForKernel(filter) }, (answer) => {
      if (this.asking !== asking) return; // the filter has changed since, or too much came meanwhile
      this.asking = null;
      if (answer.error) { this.blockedUntil = Date.now() + RETRY_MS; this.redraw(false); return; }
      const reached = fromKernel(answer.reached);
      this.filled((!isEnd && reached) || gap.start, (isEnd && reached) || gap.end, answer.rows);
      for (const late of asking.came) this.timeline.take(late.rows, late.gaps, this.paused);
    });
    this.redraw(false);
  }

  filled(start, end, rows) {
    this.timeline.fill(start, end, rows);
    this.timeline.trim(this.nearPlace());
    this.redraw();
  }

  // -- status

  tick() {
    this.stateChanged();
    this.noteReading(1000);
    if (this.asking || this.timeline.gaps.length || this.emptyBox.classList.contains("tcf-shown")) this.redraw(false);
  }

  stateChanged() {
    this.noteLooking();
    const { store, words, locale } = this;
    const name = this.stateName();
    setText(this.stateText, this.stateLine(name));
    this.stateText.title = [this.stateText.textContent, store.state.problem].filter(Boolean).join("\n");
    this.stateText.classList.toggle("tcf-bad", Boolean(store.state.problem));
    this.dot.className = `tcf-dot tcf-is-${this.paused && name === "connected" ? "paused" : name}`;
    this.box.classList.toggle("tcf-cutoff", !store.watch.isReached);
    setText(this.which, store.titleOfOnlyChat);
    setText(this.where, [store.name === "default" ? "" : store.name, store.server].filter(Boolean).join(" · "));
    const rate = store.rate;
    setText(this.rateText, words.rate(locale.number(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate))));
    setText(this.totalText, words.events(locale.number(store.last)));
    const { lost } = store;
    setText(this.lostText, words.lost(locale.number(lost)));
    this.lostText.classList.toggle("tcf-bad", lost > 0);
    this.failButton.classList.toggle("tcf-shown", store.failed > 0);
    setText(this.failButton, store.failed ? this.dock.words.failures(store.failed) : "");
    const live = this.follow && !this.paused && rate < FLOOD_RATE ? "polite" : "off";
    if (this.scroller.getAttribute("aria-live") !== live) this.scroller.setAttribute("aria-live", live);
  }

  // How the connection is, if the kernel that said so is still there.
  stateName() {
    const { store } = this, now = Date.now();
    if (store.watch.isGone) return "gone";
    if (!store.synced && now - store.born > SAVED_MS) return "saved";
    return store.watch.state && store.state.state !== "closed" ? "away" : store.state.state;
  }

  stateLine(name) {
    const { words } = this, { state, watch } = this.store;
    if (["gone", "away"].includes(name)) return watch.words;
    const parts = [words[name] || name];
    if (this.paused && name === "connected") parts[0] = words.paused;
    if (name === "reconnecting" && state.retry_at) {
      const seconds = Math.ceil(state.retry_at - Date.now() / 1000);
      parts.push(seconds > 0 ? words.nextTry(seconds) : words.now);
    }
    if (["reconnecting", "closed"].includes(name) && state.reason) parts.push(state.reason); // last, for it may be cut off
    if (state.problem) parts.splice(1, 0, words.journal); // the whole sentence is what the pointer shows
    return parts.join(" · ");
  }

  // Nothing is there; of one chat alone the server may know more.
  wordEmptiness() {
    const { words } = this, { past, missing } = this.store, filtered = !isEmptyFilter(this.filter), mayAsk = this.mayAskPast && !missing.length;
    setText(this.emptyHead, missing.length ? words.loading : filtered ? words.none : words.empty);
    let hint = missing.length ? "" : filtered ? words.noneHint : mayAsk ? words.pastHint : this.store.watch.isReached ? words.emptyHint : this.store.watch.words;
    if (mayAsk && past.how === "asking") hint = words.pastComes;
    if (mayAsk && past.how === "none") hint = words.pastNone;
    if (mayAsk && past.how === "refused") hint = past.why;
    setText(this.emptyHint, hint);
    this.emptyHint.title = past.details || "";
    setText(this.pastButton, past.how === "refused" ? words.pastAgain : words.past);
    this.pastButton.classList.toggle("tcf-shown", mayAsk && !["asking", "none"].includes(past.how));
  }

  showEdges() {
    const isEmpty = this.list.all.every((item) => item.type !== "row");
    const loading = this.timeline.gaps.length > 0;
    const empty = isEmpty && !loading;
    this.emptyBox.classList.toggle("tcf-shown", empty);
    if (empty) this.wordEmptiness();
    const away = !isEmpty && (!this.follow || this.paused);
    this.endButton.classList.toggle("tcf-shown", away && (!this.paused || this.fresh > 0 || !this.follow));
    this.endButton.tabIndex = away ? 0 : -1;
    const newIndex = this.newIndex(), isAbove = newIndex >= 0 && this.list.offsets[newIndex] < this.setTop;
    this.newButton.classList.toggle("tcf-shown", isAbove);
    this.newButton.tabIndex = isAbove ? 0 : -1;
    if (isAbove) setText(this.newButton.lastChild, this.words.newAbove(this.locale.number(this.unread)));
    setText(this.endButton.lastChild, this.fresh ? this.words.fresh(this.locale.number(this.fresh)) : this.words.toEnd);
  }
}

// ------------------------------------------------------------------------------------------------------------ the widget

export default function () {
  let store = null;
  return {
    initialize({ model }) {
      store = new Store(model);
      return () => store.close();
    },
    render({ model, el }) {
      const view = new View(store, el, model.get("height"));
      return () => view.close();
    },
  };
}
