// The composer in the page: writing, choosing, attaching, and files on their way to the kernel; colours and spacing are in composer.css.
// What all widgets share is in page.js and page_kernel.js, which are put before this file; what the browser keeps is in composer_drafts.js, behind it.
//
// What is handed in has a key made here; the kernel takes each key once, so a message that is repeated sends nothing twice.
// The page owns what a person writes, the kernel what becomes of what was handed in. Until it has said that it knows a key, the page says that it waits for the kernel.
// A file goes to the kernel in pieces, at most `window` bytes ahead of what the kernel has said to be written.

const MOST_TEXT = 4096; // visible characters of a message or a caption
const WAITING_MS = 1000; // without a word from the kernel for so long, a sending says that it waits for it
const REPEAT_MS = 15000; // an unanswered message is repeated after this time, doubling
const DRAFT_MS = 250; // a pause in typing after which the kernel is told the draft
const PREVIEW_MS = 60;
const STUCK_MS = 8000; // a file that does not move for so long is taken up again where the kernel says
const MOST_SUGGESTIONS = 60;
const PICTURES_AT_ONCE = 8;
const LIST_GAP = 8; // pixels under the list of chats
const PHOTOS = new Set(["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/avif"]);
const MODES = ["text", "markdown", "html"];
const SIGNS = {
  markdown: { b: ["**", "**"], i: ["*", "*"], k: ["[", "](https://)"] },
  html: { b: ["<b>", "</b>"], i: ["<i>", "</i>"], k: ['<a href="https://">', "</a>"] },
};

// ---------------------------------------------------------------------------------------------------------------- words

const WORDS = {
  en: {
    composer: "Composer", to: "To", chat: "Chat or person to write to", choose: "Choose a chat or a person",
    chooseFirst: "Choose a chat first: the message waits here.", noMatch: "Nothing known by that name. Press Enter to ask the server.",
    asking: "Looking…", ambiguous: (n) => `${n} chats have that name. Choose one of them.`, message: "Message",
    write: (chat) => (chat ? `Message to ${chat}` : "Write a message"), caption: "Caption", captionOf: (name) => `Caption of ${name}`,
    send: "Send", save: "Save the change", hint: "Enter sends, Shift+Enter breaks the line", attach: "Attach files", stickers: "Stickers",
    mode: "How the text is written", text: "Plain", markdown: "Markdown", html: "HTML", preview: "Preview", previewOf: "How it will look",
    hidePreview: "Hide the preview", showPreview: "Show the preview",
    link: "The server refuses a message with such a link. It takes http, https, mailto and trueconf.",
    address: "Such a link leads nowhere. Links begin with http, https, mailto or trueconf.",
    quote: "A reply's quotation is shown empty unless the message answers another.", length: (n, most) => `${n} of ${most} characters`,
    tooLong: (n) => `${n} characters too many. Shorten it, or attach it as a file.`, asFile: "Attach as a file",
    reply: (who) => `Reply to ${who}`, editing: "Changing your message", cancel: "Cancel", remove: "Remove", stop: "Stop",
    retry: "Try again", again: "Take back to edit", edit: "Edit", chooseAgain: "Choose the file again", attachments: "Attached files",
    sendAs: "Send as", photo: "Photo", document: "File", sticker: "Sticker", drop: "Drop to attach", folder: "A folder cannot be sent. Pack it first.", checking: "Checking…",
    tooBig: "Some files cannot be sent. Remove them first.", sendings: "On their way", queued: "Queued",
    waitKernel: "Waiting for the kernel: a cell is running", waitConnection: "Waits for the connection",
    waitJupyter: "Waits for the connection to Jupyter", gone: "Not sent: the kernel is gone",
    unknown: "Not known whether it was sent: the kernel is gone. Look into the chat before you send it again.", receiving: "To the kernel", sending: "Sending", toServer: "To the server", sent: "Sent", removed: "deleted since",
    failed: "Failed", failedWhy: (why) => `Not sent · ${why}`,
    unsure: (why) => `Perhaps sent, perhaps not. Look into the chat before you try again. ${why}`,
    reloaded: "Interrupted: the page was reloaded before the whole file had reached the kernel.",
    stalled: "Interrupted: the page stopped sending the file.", notSame: (name) => `That is another file. Choose ${name} as it was.`,
    unreadable: "the file can no longer be read", of: (a, b) => `${a} of ${b}`, connecting: "Connecting", reconnecting: "Reconnecting",
    closed: "The connection is closed", waitsToo: "what you send waits for it", ofFolder: "From the folder",
    ofChats: "Seen in chats", makeSticker: "From a picture…",
    noStickers: "No stickers yet. Those seen in chats appear here, and any picture can become one.", loading: "Loading…",
    sentTo: (what, chat) => `${what}: sent to ${chat}`,
    kinds: { p2p: "personal", group: "group", channel: "channel", favorites: "favorites", system: "system", undefined: "chat", person: "person" },
    bytes: ["B", "kB", "MB", "GB"], pasted: "pasted", textFile: "message",
    lostFiles: (names) => `Attached and not sent before the page was reloaded: ${names}. Attach them again.`,
    lostWithKernel: (names) => `Attached and not sent while there was a kernel: ${names}. Attach them again.`,
    kept: "What you wrote is kept: the next composer of this chat in this notebook has it.", keptFiles: (names) => `Files cannot be kept; attach them again there: ${names}.`,
    handedOver: "What you wrote here is in the composer that was made since.",
  },
  ru: {
    composer: "Редактор сообщений", to: "Кому", chat: "Чат или человек, кому написать", choose: "Выберите чат или человека",
    chooseFirst: "Сначала выберите чат: сообщение подождёт здесь.", noMatch: "Такое имя неизвестно. Enter: спросить сервер.",
    asking: "Ищем…", ambiguous: (n) => `Чатов с таким названием: ${n}. Выберите один из них.`, message: "Сообщение",
    write: (chat) => (chat ? `Сообщение: ${chat}` : "Напишите сообщение"), caption: "Подпись", captionOf: (name) => `Подпись к ${name}`,
    send: "Отправить", save: "Сохранить правку", hint: "Enter отправляет, Shift+Enter начинает строку", attach: "Приложить файлы",
    stickers: "Стикеры", mode: "Как написан текст", text: "Текст", markdown: "Markdown", html: "HTML", preview: "Просмотр",
    previewOf: "Так это будет выглядеть", hidePreview: "Скрыть просмотр", showPreview: "Показать просмотр",
    link: "Сообщение с такой ссылкой сервер не примет. Он принимает http, https, mailto и trueconf.",
    address: "Такая ссылка никуда не ведёт. Ссылки начинаются с http, https, mailto или trueconf.",
    quote: "Цитата ответа будет пустой, если сообщение ни на что не отвечает.", length: (n, most) => `Символов: ${n} из ${most}`,
    tooLong: (n) => `Лишних символов: ${n}. Сократите текст или приложите его файлом.`, asFile: "Приложить файлом",
    reply: (who) => `Ответ: ${who}`, editing: "Правка вашего сообщения", cancel: "Отменить", remove: "Убрать", stop: "Остановить",
    retry: "Ещё раз", again: "Вернуть в поле", edit: "Изменить", chooseAgain: "Выбрать файл снова", attachments: "Приложенные файлы",
    sendAs: "Отправить как", photo: "Фото", document: "Файл", sticker: "Стикер", drop: "Отпустите, чтобы приложить", folder: "Папку отправить нельзя. Сначала упакуйте её.", checking: "Проверка…",
    tooBig: "Некоторые файлы отправить нельзя. Сначала уберите их.", sendings: "В пути", queued: "В очереди",
    waitKernel: "Ждём ядро: выполняется ячейка", waitConnection: "Ждёт подключения", waitJupyter: "Ждёт связи с Jupyter", gone: "Не отправлено: ядра нет",
    unknown: "Неизвестно, отправлено ли: ядра нет. Загляните в чат, прежде чем отправлять снова.",
    receiving: "В ядро", sending: "Отправляется", toServer: "На сервер", sent: "Отправлено", removed: "с тех пор удалено", failed: "Не вышло",
    failedWhy: (why) => `Не отправлено · ${why}`,
    unsure: (why) => `Возможно, отправлено, а возможно, и нет. Загляните в чат, прежде чем повторять. ${why}`,
    reloaded: "Прервано: страница перезагружена раньше, чем файл весь дошёл до ядра.",
    stalled: "Прервано: страница перестала передавать файл.", notSame: (name) => `Это другой файл. Выберите ${name}, каким он был.`,
    unreadable: "файл больше не читается", of: (a, b) => `${a} из ${b}`, connecting: "Подключение", reconnecting: "Переподключение",
    closed: "Подключение закрыто", waitsToo: "отправленное подождёт", ofFolder: "Из папки",
    ofChats: "Встречались в чатах", makeSticker: "Из картинки…",
    noStickers: "Стикеров пока нет. Здесь появятся те, что встретятся в чатах; стикером станет и любая картинка.", loading: "Загрузка…",
    sentTo: (what, chat) => `${what}: отправлено, ${chat}`,
    kinds: { p2p: "личный", group: "группа", channel: "канал", favorites: "избранное", system: "системный", undefined: "чат", person: "человек" },
    bytes: ["Б", "кБ", "МБ", "ГБ"], pasted: "вставлено", textFile: "сообщение",
    lostFiles: (names) => `Приложено и не отправлено до перезагрузки страницы: ${names}. Приложите снова.`,
    lostWithKernel: (names) => `Приложено и не отправлено, пока было ядро: ${names}. Приложите снова.`,
    kept: "Написанное сохранено: оно появится в следующем редакторе этого чата в этом блокноте.", keptFiles: (names) => `Файлы сохранить нельзя; приложите их там снова: ${names}.`,
    handedOver: "Написанное здесь теперь в редакторе, созданном позже.",
  },
};

function makeLocale() {
  const words = IN_RUSSIAN ? WORDS.ru : WORDS.en, locale = LOCALE;
  const number = new Intl.NumberFormat(locale);
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  return { words, number: (n) => number.format(n), clock: (t) => clock.format(t) };
}

// The form in which names are compared, as the kernel does: as they look, in one case.
const folded = (name) => name.normalize("NFC").replace(/\p{Default_Ignorable_Code_Point}/gu, "").trim().split(/\s+/).join(" ").toLowerCase();

function codePoints(text) {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count -= 1;
  }
  return count;
}

// --------------------------------------------------------------------------------------------- what all views of a composer share

// One per widget model: it hears the kernel, keeps draft and sendings, and moves files.
class Store {
  constructor(model) {
    this.model = model;
    this.locale = makeLocale();
    this.changes = new Changes(model);
    this.page = this.changes.page;
    this.at = { draft: 0, chat: 0, bar: 0 }; // the last changes of a person, by their number
    this.kept = new KeptDrafts(model);
    this.watch = new KernelWatch(model, () => this.kernelChanged());
    this.views = new Set();
    this.asked = new Map(); // request id → {request, answered, at, wait}
    this.requests = 0;
    this.sendings = new Map(); // key → what the kernel says of it
    this.local = new Map(); // key → {sending, at, wait, posted}: handed in, and not yet acknowledged
    this.files = new Map(); // key → the File behind a sending of this page
    this.uploads = new Map(); // key → {file, sent, written, moving, at}
    this.thumbs = new Map(); // key → object URL
    this.attachments = [];
    this.aside = new Map(); // chat id → what was begun there: {chat, text, mode, change}
    this.carried = new Map(); // key → what an earlier composer had handed in, and of which nobody knows what became
    this.seenAt = new Map(); // key → when it was seen to be sent
    this.pictures = new Map(); // sticker key → object URL, "" if it is gone
    this.preview = { nodes: [], problems: [], length: 0, text: "", mode: "text" };
    this.notice = "";
    this.connection = { state: "connecting" };
    this.open(JSON.parse(model.get("opening") || "{}"));
    this.hear = (content, buffers) => this.heard(content, buffers);
    model.on("msg:custom", this.hear);
    this.leaving = () => { this.flushDraft(); this.keep(); };
    addEventListener("pagehide", this.leaving);
    this.timer = setInterval(() => this.tick(), 500);
    this.ask({ type: "open" }, (answer) => this.opened(answer));
    this.takeKept();
    if (this.draft.text) this.askPreview();
  }

  close() {
    this.flushDraft();
    this.isClosed = true;
    this.keep();
    this.watch.close();
    clearInterval(this.timer);
    clearTimeout(this.previewing);
    removeEventListener("pagehide", this.leaving);
    this.model.off("msg:custom", this.hear);
    for (const view of [...this.views]) view.close();
    for (const url of [...this.thumbs.values(), ...this.pictures.values()]) if (url) URL.revokeObjectURL(url);
    for (const one of this.attachments) if (one.url) URL.revokeObjectURL(one.url);
  }

  open(opening) {
    this.n = opening.n || 0;
    this.chunk = opening.chunk || 262144;
    this.window = opening.window || 1048576;
    this.keepSent = opening.keep_sent || 12000;
    this.draft = opening.draft || { text: "", mode: "text" };
    this.directory = opening.directory || { chats: [], people: [] };
    this.chat = opening.chat || null;
    this.bar = opening.bar || null;
    this.turn = opening.turn || 0;
    this.connection = opening.state || this.connection;
    for (const one of opening.sendings || []) this.takeSending(one);
    this.server = opening.server || "";
    this.account = opening.account || "";
    this.tellNotice(opening);
    const lost = this.draft.attached || [];
    if (lost.length) this.setNotice(this.locale.words.lostFiles(lost.join(", ")));
    this.restore();
  }

  // What this tab has that the kernel does not: what it wrote in the last moment before it was reloaded.
  restore() {
    const kept = this.kept.own();
    if (!kept) return;
    for (const one of kept.sendings) if (one.isCarried) this.carried.set(one.key, one);
    for (const one of kept.aside) this.aside.set(one.chat.chat_id, { ...one, change: 0 });
    if (!this.changes.wasNews(kept.page, kept.change)) return;
    this.draft = kept.draft;
    this.chat = kept.chat;
    if (kept.attached.length) this.setNotice(this.locale.words.lostFiles(kept.attached.join(", ")));
    this.at.chat = this.changes.next();
    this.draftChanged();
  }

  // What the kernel has now: Colab hands a page the state of the moment in which the widget was made. What a person does meanwhile stands.
  opened(answer) {
    const { all, draft } = answer;
    if (draft && all.turn !== this.turn) {
      this.takeTurn({ turn: all.turn, chat: all.chat, put: { ...draft, why: all.bar && all.bar.kind === "edit" ? "edit" : "chat", aside: true } });
    } else if (draft && !this.changes.isNews(Math.max(this.at.draft, this.at.chat))) {
      this.draft = { text: draft.text, mode: draft.mode };
      this.chat = all.chat;
      this.askPreview();
      this.changed("put");
    }
    this.takeAll(all);
  }

  changed(what) {
    if (what !== "time") this.keep();
    for (const view of this.views) view.show(what);
  }

  // -- the kernel is there, or not

  kernelChanged() {
    if (this.watch.turn() === "back") {
      for (const asked of [...this.asked.values(), ...this.local.values()]) asked.at = 0; // repeated at the next tick
      this.flushDraft();
      this.ask({ type: "open" }, (answer) => this.opened(answer));
    }
    if (this.watch.isGone) this.uploads.clear();
    this.changed("all");
  }

  // Whether nothing can be sent from here any more.
  get isEnded() {
    return this.isClosed || this.watch.isGone || this.connection.state === "closed";
  }

  // Let the browser keep what is written and not sent. What another composer has taken over since is its own.
  keep() {
    const left = this.isHandedOver ? null : this.kept.left();
    if (left) this.giveUp(left);
    const sendings = this.unsettled();
    if (this.isHandedOver || (!this.changes.count && !sendings.length && !this.kept.own())) return;
    const { server, account, page, draft, chat, bar, isEnded } = this;
    const aside = [...this.aside.values()].filter((one) => one.text.trim()).map(({ change, ...one }) => one);
    const attached = this.attachments.map((one) => one.file.name);
    this.kept.write({ server, account, page, change: Math.max(this.at.draft, this.at.chat), isEnded, chat, attached, aside, sendings,
      draft: { text: draft.text, mode: draft.mode }, bar: bar && { kind: bar.kind, message_id: bar.message_id, author: bar.author } });
  }

  // Another composer has taken over what was written here, or a part of it.
  giveUp(left) {
    const { draft, sendings = [], aside = [] } = left;
    this.sendings.clear();
    this.local.clear();
    this.carried = new Map(sendings.map((one) => [one.key, one]));
    this.aside = new Map(aside.map((one) => [one.chat.chat_id, { ...one, change: 0 }]));
    if (draft && draft.text) return;
    this.isHandedOver = !hasContent({ draft, sendings, aside });
    this.draft = { ...this.draft, text: "" };
    this.attachments = [];
    this.bar = null;
    this.setNotice(this.locale.words.handedOver);
    for (const view of this.views) view.show("put");
  }

  // Take over what was written in composers that can send it no more: for the chat that is chosen here, or with its chat where none is.
  takeKept() {
    if (!this.account || this.isEnded || !this.watch.isReached) return;
    for (const orphan of this.kept.orphans(this.server, this.account)) {
      if (!hasContent(orphan.entry)) continue;
      const isFree = !this.draft.text.trim() && !this.bar && !this.attachments.length;
      const isFor = (one) => one && this.chat && one.chat_id === this.chat.chat_id;
      const { entry } = orphan, isOurs = isFor(entry.chat) || entry.aside.some((one) => isFor(one.chat)) || !this.chat;
      if (isFree && isOurs) this.takeOver(takeOut(orphan, this.chat && this.chat.chat_id));
      else if (entry.sendings.length) this.takeOver(takeOut(orphan, NOWHERE));
    }
  }

  takeOver({ draft, chat, bar, attached, aside, sendings }) {
    for (const one of sendings) this.carried.set(one.key, { ...one, isCarried: true });
    if (draft) this.draft = draft;
    if (chat && !this.chat) { this.chat = chat; this.at.chat = this.changes.next(); }
    for (const one of aside) {
      const isHere = !draft && this.chat && one.chat.chat_id === this.chat.chat_id;
      if (isHere) this.draft = { text: one.text, mode: one.mode };
      else this.setAside(one.chat, one);
    }
    if (attached && attached.length) this.setNotice(this.locale.words.lostWithKernel(attached.join(", ")));
    if (draft || aside.length) { this.draftChanged(); this.flushDraft(); this.askPreview(); }
    if (bar) this.goOnWith(bar);
    this.changed("put");
  }

  // A reply or an edit that was begun in another composer: the kernel says whether its message is still there.
  goOnWith(bar) {
    this.bar = { ...bar, nodes: [] };
    this.isBarAsked = true;
    this.tell({ type: bar.kind, message_id: bar.message_id, ...(bar.kind === "edit" ? { written: this.draft } : {}) });
  }

  // -- the kernel speaks

  heard(content, buffers) {
    if (!content || content.type !== "composer" || !buffers || !buffers.length) return;
    const message = JSON.parse(new TextDecoder().decode(buffers[0]));
    this.changes.take(message);
    if (message.n === undefined) return; // a sign of life
    const isGap = message.n > this.n + 1 && !message.all;
    this.n = Math.max(this.n, message.n);
    if (isGap) this.ask({ type: "open" }, (answer) => this.opened(answer));
    if (message.all) this.takeAll(message.all);
    if (message.state) this.connection = message.state;
    for (const one of message.sendings || []) this.takeSending(one);
    for (const key of message.gone || []) this.forget(key);
    for (const key of message.refused || []) this.fail(key, this.locale.words.closed);
    if (message.turn !== undefined) this.takeTurn(message);
    if (message.bar !== undefined || message.notice) this.takeBar(message);
    if (message.ended) this.endEdit(message.ended);
    this.tellNotice(message);
    for (const [key, written] of Object.entries(message.written || {})) this.credit(key, written);
    for (const answer of message.answers || []) this.answered(answer, buffers);
    this.changed("all");
  }

  takeAll(all) {
    if (!all) return;
    this.n = Math.max(this.n, all.n);
    this.connection = all.state;
    this.account ||= all.account || "";
    if (!this.isBarAsked) this.takeBar(all);
    if (!this.changes.isNews(this.at.draft)) this.tellNotice(all);
    if (all.turn !== this.turn) this.ask({ type: "open" }, (answer) => this.opened(answer));
    const known = new Set(all.sendings.map((one) => one.key));
    for (const key of [...this.sendings.keys()]) if (!known.has(key)) this.forget(key);
    for (const one of all.sendings) this.takeSending(one);
    this.takeKept();
    this.changed("all");
  }

  tellNotice({ notice, details }) {
    if (!notice) return;
    this.notice = notice;
    this.details = details || "";
  }

  setNotice(notice) {
    this.notice = notice;
    this.details = "";
  }

  // What is answered or changed, unless the person has left that since.
  takeBar({ bar, notice }) {
    if (this.isBarAsked && notice) this.bar = null; // its message is not there, or cannot be changed
    this.isBarAsked = false;
    if (bar !== undefined && !this.changes.isNews(this.at.bar)) this.bar = bar;
  }

  // Another chat, or another text, is put before the person. A chat that was chosen here since is the later wish.
  takeTurn({ turn, chat, put }) {
    const isOutdated = chat && this.changes.isNews(this.at.chat) && !(put && put.why === "edit");
    this.turn = turn;
    clearTimeout(this.drafting);
    this.isUntold = false; // what was not told yet is put aside, or told below as what stands in the field
    if (!isOutdated && put) this.takePut(put, chat);
    if (!isOutdated && chat) this.chat = chat;
    if (!isOutdated && !this.isBarAsked) this.setNotice(""); // an edit that goes on after its kernel went says which files are missing
    this.draftChanged();
    this.takeKept();
    this.changed("put");
  }

  // What the kernel puts into the field it knows from this page; what was written here since is later.
  takePut(put, chat) {
    const { chat: before, draft } = this, to = chat || before;
    if (put.why === "chat" && before && to.chat_id === before.chat_id) return; // chosen again: what stands in the field is for it
    if (put.aside && before && this.at.draft) this.setAside(before, draft);
    const own = put.why === "edit" || !to ? null : this.asideOf(to.chat_id);
    const { text, mode } = own || put;
    const unaddressed = put.why === "chat" && !before ? draft.text : "";
    this.draft = { text: [text, unaddressed].filter(Boolean).join("\n"), mode: unaddressed ? draft.mode : mode };
    this.askPreview();
  }

  setAside(chat, { text, mode }) {
    this.aside.set(chat.chat_id, { chat, text, mode, change: this.changes.next() });
    this.tell({ type: "stash", chat: chat.chat_id, text, mode });
  }

  // Take back what was put aside for a chat, if the kernel has not heard of it; otherwise it has it.
  asideOf(chatId) {
    const one = this.aside.get(chatId);
    this.aside.delete(chatId);
    return one && this.changes.isNews(one.change) ? one : null;
  }

  // The message that was being changed is gone: what was put aside for it comes back, and what was written stays below it.
  endEdit({ text, mode, edited }) {
    const own = this.chat && this.asideOf(this.chat.chat_id), aside = own || { text, mode };
    const written = this.draft.text === edited ? "" : this.draft.text;
    this.draft = { text: [aside.text, written].filter(Boolean).join("\n"), mode: written ? this.draft.mode : aside.mode };
    this.draftChanged();
    this.askPreview();
    this.changed("put");
  }

  takeSending(one) {
    const before = this.sendings.get(one.key);
    this.local.delete(one.key);
    this.sendings.set(one.key, one);
    if (one.state === "sent" && (!before || before.state !== "sent")) {
      this.seenAt.set(one.key, before || Date.now() - one.at < this.keepSent ? Date.now() : 0);
      this.uploads.delete(one.key);
      if (before) for (const view of this.views) view.announce(one);
    }
    if (one.state === "interrupted" && this.files.has(one.key) && (!before || before.state !== "interrupted")) this.resume(one.key);
  }

  forget(key) {
    this.sendings.delete(key);
    this.carried.delete(key);
    this.local.delete(key);
    this.uploads.delete(key);
    this.files.delete(key);
    if (this.thumbs.get(key)) URL.revokeObjectURL(this.thumbs.get(key));
    this.thumbs.delete(key);
  }

  fail(key, reason) {
    const one = this.local.get(key)?.sending || this.sendings.get(key);
    if (one) { this.local.delete(key); this.sendings.set(key, { ...one, state: "failed", reason, can_retry: false }); }
  }

  // -- requests

  ask(request, answered) {
    this.requests += 1;
    const re = `${this.page}-${this.requests}`;
    this.asked.set(re, { request: { ...request, re, page: this.page }, answered, at: Date.now(), wait: REPEAT_MS });
    this.post(this.asked.get(re).request);
  }

  // Tell what a person has done. What was written before is told first, so that the kernel hears of all changes up to this one.
  tell(request) {
    this.flushDraft();
    this.post(this.changes.signed(request));
  }

  // What cannot arrive is not said: it is said anew when the kernel is reached again.
  post(request, buffers) {
    if (!this.watch.isReached) return;
    try {
      this.model.send(request, undefined, buffers);
    } catch (error) {
      console.warn("tcnb composer: the kernel cannot be told", error); // a saved page without a kernel
    }
  }

  answered(answer, buffers) {
    const asked = this.asked.get(answer.re);
    if (!asked) return; // another page asked
    this.asked.delete(answer.re);
    asked.answered(answer, buffers);
  }

  tick() {
    const now = Date.now();
    if (this.isEnded && !this.isHandedOver && this.kept.left()) this.keep();
    for (const asked of this.watch.isReached ? [...this.asked.values(), ...this.local.values()] : []) {
      if (now - asked.at < asked.wait) continue;
      asked.at = now;
      asked.wait *= 2;
      this.post(asked.request);
    }
    for (const [key, upload] of this.uploads) if (this.watch.isReached && now - upload.at > STUCK_MS && upload.written < upload.file.size) this.resume(key);
    this.changed("time");
  }

  // -- what a person writes

  setText(text) {
    this.draft = { ...this.draft, text };
    this.setNotice("");
    this.draftChanged();
    this.askPreview();
    this.changed("text");
  }

  setMode(mode) {
    this.draft = { ...this.draft, mode };
    this.draftChanged();
    this.askPreview();
    this.changed("mode");
  }

  setChat(chat) {
    this.chat = chat;
    this.setNotice("");
    if (this.bar) this.leaveBar();
    this.at.chat = this.changes.next();
    this.draftChanged();
    this.flushDraft();
    this.takeKept();
    this.changed("chat");
  }

  draftChanged() {
    clearTimeout(this.drafting);
    this.drafting = setTimeout(() => this.flushDraft(), DRAFT_MS);
    this.at.draft = this.changes.next();
    this.isUntold = true;
  }

  flushDraft() {
    clearTimeout(this.drafting);
    if (!this.isUntold || !this.watch.isReached) return;
    this.isUntold = false;
    const { text, mode } = this.draft;
    this.post(this.changes.signed({ type: "draft", turn: this.turn, chat: this.chat, text, mode, attached: this.attachments.map((one) => one.file.name) }));
  }

  // A reply is left at once; what an edit leaves behind, the kernel says.
  leaveBar() {
    this.at.bar = this.changes.next();
    this.tell({ type: "leave" });
    if (this.bar && (this.bar.kind === "reply" || !this.watch.isReached)) this.bar = null;
    this.changed("all");
  }

  // How long the text is: at once by its code points, then as the kernel counts without markup.
  get length() {
    const { text, mode } = this.draft, { preview } = this;
    return mode !== "text" && preview.text === text && preview.mode === mode ? preview.length : codePoints(text);
  }

  askPreview() {
    clearTimeout(this.previewing);
    const { text, mode } = this.draft;
    if (mode === "text" || !text) { this.preview = { nodes: [], problems: [], length: 0, text, mode }; return; }
    if (this.isPreviewing) { this.previewAgain = true; return; } // one at a time: a kernel that is busy is not flooded
    this.previewing = setTimeout(() => {
      this.isPreviewing = true;
      this.ask({ type: "preview", text, mode, reply: Boolean(this.bar) }, (answer) => {
        this.isPreviewing = false;
        if (!answer.error && this.draft.mode === mode) this.preview = { nodes: answer.nodes, problems: answer.problems, length: answer.length, text, mode };
        if (this.previewAgain) { this.previewAgain = false; this.askPreview(); }
        this.changed("preview");
      });
    }, PREVIEW_MS);
  }

  // -- files that are attached

  attach(files, as) {
    const made = files.map((file) => {
      const isPhoto = PHOTOS.has(file.type);
      const kind = !isPhoto ? "document" : as === "sticker" ? "sticker" : "photo";
      const url = isPhoto ? URL.createObjectURL(file) : "";
      return { key: newKey(), file, isPhoto, as: kind, caption: "", url, problem: null, checking: true };
    });
    this.attachments = [...this.attachments, ...made];
    this.ask({ type: "check", files: made.map(({ file }) => ({ name: file.name, size: file.size })) }, (answer) => {
      made.forEach((one, i) => { one.checking = false; one.problem = answer.error ? null : answer.problems[i]; });
      this.changed("tray");
    });
    this.draftChanged();
    this.changed("tray");
  }

  detach(key) {
    const gone = this.attachments.find((one) => one.key === key);
    if (gone && gone.url) URL.revokeObjectURL(gone.url);
    this.attachments = this.attachments.filter((one) => one.key !== key);
    this.draftChanged();
    this.changed("tray");
  }

  // -- handing in

  // What Enter would hand in, in order: the text is the caption of the first file that can have one.
  compose() {
    const { chat, draft, bar } = this;
    const base = { chat_id: chat.chat_id, chat: chat.title, mode: draft.mode };
    const text = draft.text.trim() ? draft.text : "";
    if (bar && bar.kind === "edit") return text ? [{ ...base, key: newKey(), kind: "edit", text, target: bar.message_id }] : [];
    const reply = bar ? { reply_to: bar.message_id } : {};
    const files = this.attachments.map(({ key, file, as, caption }) => (
      { ...base, key, kind: as, name: file.name, size: file.size, text: as === "sticker" ? "" : caption }));
    const captioned = files.find((one) => one.kind !== "sticker");
    if (captioned && text) captioned.text = text;
    const texts = text && !captioned ? [{ ...base, key: newKey(), kind: "text", text }] : [];
    return [...files, ...texts].map((one, i) => (i === 0 ? { ...one, ...reply } : one));
  }

  handIn(sendings) {
    const batch = newKey();
    for (const one of sendings) {
      one.batch = batch; // files that are handed in together arrive in their order
      const attachment = this.attachments.find((other) => other.key === one.key);
      if (attachment) this.files.set(one.key, attachment.file);
      if (attachment && attachment.url) this.thumbs.set(one.key, attachment.url);
      const request = this.changes.signed({ type: "send", sendings: [one] });
      this.local.set(one.key, { sending: { ...one, state: "queued", moved: 0 }, request, since: Date.now(), at: Date.now(), wait: REPEAT_MS });
    }
    this.tell({ type: "send", sendings });
    this.attachments = this.attachments.filter((one) => !sendings.some((sending) => sending.key === one.key));
    this.changed("all");
  }

  submit() {
    const sendings = this.compose();
    const isEdit = sendings.length === 1 && sendings[0].kind === "edit";
    if (!isEdit) this.at.bar = this.changes.next();
    this.handIn(sendings);
    if (!isEdit) this.bar = null;
    this.draft = { ...this.draft, text: "" };
    this.preview = { nodes: [], problems: [], length: 0, text: "", mode: this.draft.mode };
    this.setNotice("");
    this.draftChanged();
    if (!isEdit) this.flushDraft();
    this.changed("put");
  }

  sendSticker(sticker) {
    const reply = this.bar && this.bar.kind === "reply" ? { reply_to: this.bar.message_id } : {};
    const chat = { chat_id: this.chat.chat_id, chat: this.chat.title };
    this.handIn([{ key: newKey(), kind: "sticker", ...chat, mode: "text", name: `${sticker.name}.webp`, sticker: sticker.key, ...reply }]);
  }

  // -- files on their way

  credit(key, written) {
    const file = this.files.get(key);
    if (!file) return; // another page sends it
    let upload = this.uploads.get(key);
    if (!upload) this.uploads.set(key, upload = { file, sent: written, written, moving: false, resuming: false, at: Date.now() });
    if (upload.resuming) { upload.resuming = false; upload.sent = written; }
    if (written > upload.written) upload.at = Date.now();
    upload.written = Math.max(upload.written, written);
    if (written >= file.size) this.uploads.delete(key);
    else this.move(key, upload);
  }

  async move(key, upload) {
    if (upload.moving) return;
    upload.moving = true;
    try {
      while (!upload.resuming && upload.sent < upload.file.size && upload.sent - upload.written < this.window && this.uploads.get(key) === upload) {
        const offset = upload.sent;
        const piece = await upload.file.slice(offset, offset + this.chunk).arrayBuffer();
        if (upload.resuming || this.uploads.get(key) !== upload) break;
        upload.sent = offset + piece.byteLength;
        this.post({ type: "chunk", key, offset }, [piece]);
      }
    } catch (error) {
      console.warn("tcnb composer: a file cannot be read", error);
      this.post({ type: "remove", key });
      this.fail(key, this.locale.words.unreadable);
      this.uploads.delete(key);
      this.changed("all");
    } finally {
      upload.moving = false;
    }
  }

  resume(key) {
    const file = this.files.get(key);
    if (!file) return;
    const upload = this.uploads.get(key) || { file, sent: 0, written: 0, moving: false };
    this.uploads.set(key, Object.assign(upload, { resuming: true, at: Date.now() }));
    this.post({ type: "resume", key, page: this.page });
  }

  chooseAgain(one, file) {
    if (file.name !== one.name || file.size !== one.size) { this.setNotice(this.locale.words.notSame(one.name)); this.changed("all"); return; }
    this.files.set(one.key, file);
    this.resume(one.key);
  }

  // -- what a person does with a sending

  rows() {
    const now = Date.now();
    const carried = [...this.carried.values()];
    if (this.watch.isGone) return [...carried, ...this.unsettled().filter((one) => !one.isCarried)];
    const known = [...this.sendings.values()].filter((one) => one.state !== "sent" || now - (this.seenAt.get(one.key) || 0) < this.keepSent);
    const stateOf = (since) => (!this.watch.isReached ? "cutOff" : now - since > WAITING_MS ? "waiting" : "queued");
    const waiting = [...this.local.values()].map(({ sending, since }) => ({ ...sending, state: stateOf(since) }));
    return [...carried, ...known, ...waiting];
  }

  // What is not sent for certain, as it stands once the kernel is gone. A file that had not arrived whole was not sent; of what the kernel had, or
  // may have had, nobody knows.
  unsettled() {
    const fate = (one) => (one.state === "failed" ? one.state : ["receiving", "interrupted"].includes(one.state) ? "gone" : "unknown");
    const slim = ({ key, kind, chat_id, chat, text, mode, name, reply_to, target, reason, is_unsure }, state) => ({ key, kind, chat_id, chat, text, mode, name, reply_to, target, reason, is_unsure, state });
    const known = [...this.sendings.values()].filter((one) => one.state !== "sent").map((one) => slim(one, fate(one)));
    const local = [...this.local.values()].map(({ sending }) => slim(sending, sending.size && !sending.sticker ? "gone" : "unknown"));
    return [...this.carried.values(), ...known, ...local];
  }

  remove(one) {
    this.post({ type: "remove", key: one.key });
    if (one.state !== "sending") this.forget(one.key);
    this.changed("all");
  }

  // Take the text of something that was not sent back into the field, before what stands there.
  takeBack(one) {
    const text = [one.text, this.draft.text].filter(Boolean).join("\n");
    this.remove(one);
    this.draft = { text, mode: one.mode || this.draft.mode };
    this.draftChanged();
    this.askPreview();
    this.changed("put");
  }
}

const canEdit = (one) => one.state === "sent" && one.kind === "text" && Boolean(one.message_id) && !one.is_removed;

// --------------------------------------------------------------------------------------------------------- building nodes

const ICONS = {
  clip: "M20 11.500l-8 8a5 5 0 0 1-7-7l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700l-8.300 8.300a1.600 1.600 0 0 1-2.300-2.300l7.400-7.400",
  sticker: "M5 4h14v9l-6 7H5zM13 20v-7h6M9 9h.01M14 9h.01",
  send: "M4 12l16-8-5 17-4-7zM11 14l9-10",
  check: "M5 12.500l4.500 4.500L19 7.500",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  photo: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01",
  close: "M7 7l10 10M17 7L7 17",
  retry: "M19 12a7 7 0 1 1-2.200-5.100M19 4v4h-4",
  text: "M5 6h14M5 12h14M5 18h8",
  pencil: "M5 19l1-4L16.500 4.500l3 3L9 18zM14 7l3 3",
  reply: "M9 7l-5 5 5 5M4 12h10a6 6 0 0 1 6 6",
  eye: "M3 12c3-5 6-7 9-7s6 2 9 7c-3 5-6 7-9 7s-6-2-9-7M12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5",
  clock: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16M12 8v4l3 2",
  alert: "M12 4l9 16H3zM12 10v4M12 17h.01",
};
const TAGS = new Set(["b", "i", "s", "u"]);

const icon = (name) => drawnIcon(ICONS[name], "tcc-icon");

function button(className, iconName, label, action) {
  const made = control("button", `tcc-button ${className}`);
  made.title = label;
  made.setAttribute("aria-label", label);
  made.append(icon(iconName));
  made.addEventListener("click", action);
  return made;
}

function link(label, action) {
  const made = control("button", "tcc-link");
  made.textContent = label;
  made.addEventListener("click", action);
  return made;
}

function badge(name, key) {
  const made = node("span", "tcc-badge", initials(name));
  made.style.setProperty("--tcc-hue", hue(key).toFixed(0));
  made.setAttribute("aria-hidden", "true");
  return made;
}

// The node of a part of what the kernel says a text will look like; an address is shown, and leads nowhere from here.
function previewed(part) {
  if (part.t === "quote") return node("div", "tcc-quoted");
  if (part.t !== "a") return TAGS.has(part.t) ? node(part.t) : null;
  const made = node("span", part.h ? "tcc-address" : "tcc-address tcc-bad");
  made.title = part.h;
  return made;
}

// The nearest box that cuts off what hangs out of it; null if one can scroll there already.
function cutter(element) {
  let box = element;
  while (box.parentElement && getComputedStyle(box).overflowY === "visible") box = box.parentElement;
  return box.scrollHeight > box.clientHeight + 1 ? null : box;
}

let lastId = 0;
const newId = (what) => `tcc-${what}-${(lastId += 1)}`;

// ------------------------------------------------------------------------------------------------------ choosing the chat

// A combobox: typing narrows what is known, Enter asks the server for what is not. What stands there is sent to only once it was chosen.
// Whether a name is the id of an option, or the login of its person.
function isId(one, sought) {
  return one.ids.some((id) => id && (folded(id) === sought || (id.includes("@") && folded(id.split("@")[0]) === sought)));
}

class ChatBox {
  constructor(store, locale, onChosen) {
    this.store = store;
    this.words = locale.words;
    this.onChosen = onChosen;
    this.options = [];
    this.active = -1;
    this.isOpen = false;
    this.root = node("div", "tcc-to");
    const label = node("label", "tcc-label", this.words.to);
    this.badge = node("span", "tcc-badge");
    this.input = control("input", "tcc-chat");
    this.input.id = newId("chat");
    label.htmlFor = this.input.id;
    this.kind = node("span", "tcc-kind");
    this.list = node("div", "tcc-list");
    this.list.id = newId("list");
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", this.words.chat);
    const attributes = { role: "combobox", "aria-label": this.words.chat, "aria-autocomplete": "list", "aria-expanded": "false",
      "aria-controls": this.list.id, autocomplete: "off", spellcheck: "false" };
    for (const [name, value] of Object.entries(attributes)) this.input.setAttribute(name, value);
    this.input.placeholder = this.words.choose;
    this.root.append(label, this.badge, this.input, this.kind, this.list);
    this.listen();
    this.show();
  }

  listen() {
    const { input, list } = this;
    input.addEventListener("focus", () => { input.select(); this.refresh(); });
    input.addEventListener("pointerdown", () => { if (document.activeElement === input) this.openList(""); });
    input.addEventListener("input", () => this.openList(input.value));
    input.addEventListener("blur", () => this.left());
    input.addEventListener("keydown", (event) => this.keyed(event));
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays where it is
    list.addEventListener("click", (event) => { const option = event.target.closest("[data-at]"); if (option) this.choose(this.options[Number(option.dataset.at)]); });
  }

  refresh() {
    this.openList("");
    this.store.ask({ type: "directory" }, (answer) => {
      if (answer.error) return;
      this.store.directory = answer.directory;
      if (!this.isOpen) return;
      const marked = this.options[this.active];
      this.openList(this.isTyped ? this.input.value : "");
      if (!marked) return;
      // A kernel that was busy answers late: what was marked meanwhile stays marked, wherever it stands now.
      const idOf = (one) => (one.chat ? one.chat.chat_id : one.person);
      this.active = this.options.findIndex((one) => idOf(one) === idOf(marked));
      this.mark();
    });
  }

  show() {
    const { chat } = this.store;
    if (document.activeElement === this.input && this.isOpen) return;
    this.isTyped = false;
    if (this.input.value !== (chat ? chat.title : "")) this.input.value = chat ? chat.title : "";
    this.badge.textContent = chat ? initials(chat.title) : "?";
    this.badge.style.setProperty("--tcc-hue", hue(chat ? chat.chat_id : "").toFixed(0));
    this.badge.setAttribute("aria-hidden", "true");
    setText(this.kind, chat ? this.words.kinds[chat.kind] || "" : "");
    this.root.classList.toggle("tcc-none", !chat);
    this.input.title = chat ? `${chat.title} · ${chat.chat_id}` : "";
  }

  openList(typed) {
    this.isTyped = Boolean(typed);
    if (!this.isOpen) this.cutter = cutter(this.root);
    this.options = this.matching(folded(typed));
    this.active = typed && this.options.length ? 0 : -1;
    this.isMarked = false;
    this.isOpen = true;
    const repeated = new Set();
    const titles = new Map();
    for (const one of this.options) titles.set(one.name, (titles.get(one.name) || 0) + 1);
    for (const [name, count] of titles) if (count > 1) repeated.add(name);
    if (this.isTyped && this.whole(typed).length > 1) this.active = -1;
    this.list.replaceChildren(...this.options.map((one, i) => this.option(one, i, repeated.has(one.name))));
    if (!this.options.length) this.list.append(node("div", "tcc-nothing", this.words.noMatch));
    this.list.classList.add("tcc-shown");
    this.input.setAttribute("aria-expanded", "true");
    this.makeRoom();
    this.mark();
  }

  // An output of VS Code and a frame of Colab are as tall as what flows in them: there the composer grows for as long as the list is open.
  makeRoom() {
    if (!this.cutter) return;
    const box = this.root.closest(".tcnb-composer"), end = box.getBoundingClientRect().bottom;
    const edge = this.cutter === document.documentElement ? innerHeight : this.cutter.getBoundingClientRect().bottom;
    const bottom = this.list.getBoundingClientRect().bottom + LIST_GAP;
    if (bottom > Math.max(end, edge)) box.style.paddingBottom = `${parseFloat(getComputedStyle(box).paddingBottom) + bottom - end}px`;
  }

  matching(typed) {
    const { chats, people } = this.store.directory;
    const met = new Set(chats.map((one) => one.person)); // people who have a chat
    const all = chats.map((chat) => ({ name: chat.title || chat.chat_id, detail: this.words.kinds[chat.kind] || "", chat, ids: [chat.chat_id, chat.person] }));
    for (const one of people) {
      if (!met.has(one.user_id)) all.push({ name: one.name, detail: one.user_id, person: one.user_id, ids: [one.user_id] });
    }
    const found = typed ? all.filter((one) => [one.name, ...one.ids].some((text) => folded(text).includes(typed))) : all;
    const rank = (one) => (isId(one, typed) ? -8 : folded(one.name) === typed ? -4 : folded(one.name).startsWith(typed) ? 0 : 1) + (one.chat ? 0 : 2);
    return found.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_SUGGESTIONS);
  }

  // The options that a name means as a whole. Ids and logins belong to one alone; what strangers choose may belong to several.
  whole(typed) {
    const sought = folded(typed), known = this.options.filter((one) => isId(one, sought));
    return known.length ? known : this.options.filter((one) => folded(one.name) === sought);
  }

  option(one, i, isRepeated) {
    const made = node("div", "tcc-option");
    made.id = `${this.list.id}-${i}`;
    made.dataset.at = i;
    made.setAttribute("role", "option");
    const name = node("span", "tcc-name", one.name);
    const detail = isRepeated && one.chat ? `${one.detail} · ${one.chat.chat_id.slice(0, 8)}` : one.detail;
    made.append(badge(one.name, one.chat ? one.chat.chat_id : one.person), name, node("span", "tcc-detail", detail));
    return made;
  }

  mark() {
    [...this.list.children].forEach((child, i) => {
      if (child.getAttribute("role") !== "option") return;
      child.setAttribute("aria-selected", String(i === this.active));
      if (i === this.active) child.scrollIntoView({ block: "nearest" });
    });
    if (this.active >= 0) this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  closeList() {
    this.isOpen = false;
    const box = this.root.closest(".tcnb-composer");
    if (box) box.style.paddingBottom = "";
    this.list.classList.remove("tcc-shown");
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  keyed(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!this.isOpen) this.openList("");
      const step = event.key === "ArrowDown" ? 1 : -1, count = this.options.length;
      if (count) this.active = this.active < 0 ? (step > 0 ? 0 : count - 1) : (this.active + step + count) % count;
      this.isMarked = true;
      this.mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.enter();
    } else if (event.key === "Escape" && this.isOpen) {
      event.preventDefault();
      this.closeList();
      this.show();
      this.input.select();
    }
  }

  enter() {
    const typed = this.input.value.trim(), same = this.isTyped ? this.whole(typed) : [];
    // One word may be somebody's login, whatever bears it as its name: that is for the kernel to say.
    const isOpenToDoubt = same.length === 1 && !this.isMarked && !/\s/.test(typed);
    if (this.isOpen && this.active >= 0 && !isOpenToDoubt) { this.choose(this.options[this.active]); return; }
    if (!this.isTyped) { if (this.store.chat) this.onChosen(); return; }
    if (same.length > 1) { this.store.setNotice(this.words.ambiguous(same.length)); this.store.changed("all"); return; }
    if (typed) this.resolve(typed);
  }

  // Who types a whole title and goes on has chosen that chat, if it is the only one; anything less chooses nothing.
  left() {
    const typed = this.input.value.trim(), same = this.isTyped ? this.whole(typed) : [];
    this.closeList();
    if (same.length === 1) {
      if (/\s/.test(typed) && same[0].chat) this.store.setChat({ chat_id: same[0].chat.chat_id, title: same[0].name, kind: same[0].chat.kind });
      else this.resolveLater(typed);
    }
    this.show();
  }

  // What is chosen meanwhile is the later wish.
  resolveLater(name) {
    const { chat } = this.store;
    this.store.ask({ type: "resolve", chat: name }, (answer) => {
      if (this.store.chat !== chat || this.isTyped) return;
      if (answer.error) this.store.notice = answer.error;
      else this.store.setChat(answer.chat);
      this.store.changed("all");
    });
  }

  choose(option) {
    if (option.chat) this.take({ chat_id: option.chat.chat_id, title: option.name, kind: option.chat.kind });
    else this.resolve(option.person);
  }

  resolve(name) {
    this.list.replaceChildren(node("div", "tcc-nothing", this.words.asking));
    this.active = -1;
    this.options = [];
    this.store.ask({ type: "resolve", chat: name }, (answer) => {
      if (!answer.error) { this.take(answer.chat); return; }
      this.store.tellNotice({ notice: answer.error, details: answer.details });
      if (this.isOpen) this.openList(this.input.value);
      this.active = -1;
      this.mark();
      this.store.changed("all");
    });
  }

  take(chat) {
    this.isTyped = false; // what was typed is not looked at again when the focus goes
    this.closeList();
    this.store.setChat(chat);
    this.show();
    this.onChosen();
  }
}

// ------------------------------------------------------------------------------------------------------------ one view

class View {
  constructor(store, root) {
    this.store = store;
    this.root = root;
    this.locale = store.locale;
    this.words = this.locale.words;
    this.rowNodes = new Map(); // key → {node, sign, bar, state}
    this.isPreviewShown = true;
    this.build();
    this.listen();
    store.views.add(this);
    this.show("put");
  }

  close() {
    this.store.views.delete(this);
    this.observer.disconnect();
    this.root.replaceChildren();
  }

  // -- building

  build() {
    const box = node("section", "tcnb-composer");
    box.setAttribute("aria-label", this.words.composer);
    box.setAttribute("data-jp-suppress-context-menu", "true");
    this.rows = node("div", "tcc-sendings");
    this.rows.setAttribute("role", "list");
    this.rows.setAttribute("aria-label", this.words.sendings);
    this.live = node("div", "tcc-live");
    this.live.setAttribute("role", "status");
    this.notice = node("div", "tcc-notice");
    this.notice.setAttribute("role", "alert");
    this.tray = node("div", "tcc-tray");
    this.tray.setAttribute("role", "group");
    this.tray.setAttribute("aria-label", this.words.attachments);
    this.drop = node("div", "tcc-drop");
    this.drop.append(icon("clip"), node("span", "", this.words.drop));
    const paper = node("div", "tcc-paper");
    paper.append(this.buildBar(), this.tray, this.buildText(), this.buildPreview(), this.buildTools(), this.buildStickers());
    // What comes and goes by itself stands below, so that the field keeps its place under the hands of whoever writes.
    box.append(this.buildHead(), paper, this.notice, this.rows, this.drop, this.live);
    this.box = box;
    this.root.append(box);
  }

  buildHead() {
    const head = node("div", "tcc-head");
    this.chatBox = new ChatBox(this.store, this.locale, () => this.area.focus());
    this.dot = node("span", "tcc-dot");
    this.stateText = node("span", "tcc-state");
    this.stateText.setAttribute("role", "status");
    head.append(this.chatBox.root, this.dot, this.stateText);
    return head;
  }

  buildBar() {
    this.bar = node("div", "tcc-bar");
    this.barIcon = node("span", "tcc-baricon");
    this.barName = node("b", "");
    this.barText = node("span", "tcc-bartext");
    const about = node("span", "tcc-about");
    about.append(this.barName, this.barText);
    this.bar.append(this.barIcon, about, button("tcc-leave", "close", this.words.cancel, () => { this.store.leaveBar(); this.area.focus(); }));
    return this.bar;
  }

  buildText() {
    this.area = control("textarea", "tcc-text");
    this.area.rows = 1;
    this.area.dir = "auto";
    this.area.setAttribute("aria-label", this.words.message);
    this.area.setAttribute("aria-description", this.words.hint);
    return this.area;
  }

  buildPreview() {
    this.preview = node("div", "tcc-preview");
    this.preview.setAttribute("role", "region");
    this.preview.setAttribute("aria-label", this.words.previewOf);
    this.painting = node("div", "tcc-painting");
    this.painting.dir = "auto";
    this.problems = node("div", "tcc-problems");
    this.preview.append(this.painting, this.problems);
    return this.preview;
  }

  buildTools() {
    const bar = node("div", "tcc-tools");
    this.picker = this.buildPicker((files) => this.store.attach(files, this.pickAs));
    this.attachButton = button("tcc-attach", "clip", this.words.attach, () => this.pick("", true));
    this.stickerButton = button("tcc-stickerbutton", "sticker", this.words.stickers, () => this.toggleStickers());
    this.stickerButton.setAttribute("aria-expanded", "false");
    this.modes = node("div", "tcc-modes");
    this.modes.setAttribute("role", "radiogroup");
    this.modes.setAttribute("aria-label", this.words.mode);
    for (const mode of MODES) this.modes.append(this.buildMode(mode));
    this.eye = button("tcc-eye", "eye", this.words.hidePreview, () => { this.isPreviewShown = !this.isPreviewShown; this.show("preview"); this.area.focus(); });
    this.hint = node("span", "tcc-hint", this.words.hint);
    this.counter = node("span", "tcc-counter");
    this.sendButton = button("tcc-send", "send", this.words.send, () => this.submit());
    bar.append(this.picker, this.attachButton, this.stickerButton, this.modes, this.eye, this.hint, this.counter, this.sendButton);
    return bar;
  }

  buildMode(mode) {
    const made = control("button", "tcc-mode");
    made.textContent = this.words[mode];
    made.dataset.mode = mode;
    made.setAttribute("role", "radio");
    made.addEventListener("click", () => { this.store.setMode(mode); this.area.focus(); });
    made.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = MODES[(MODES.indexOf(mode) + step + MODES.length) % MODES.length];
      this.store.setMode(next);
      this.modes.querySelector(`[data-mode="${next}"]`).focus();
    });
    return made;
  }

  buildPicker(chosen) {
    const picker = node("input", "tcc-picker");
    picker.type = "file";
    picker.tabIndex = -1;
    picker.multiple = true;
    picker.setAttribute("aria-label", this.words.attach);
    picker.addEventListener("change", () => { const files = [...picker.files]; picker.value = ""; if (files.length) chosen(files); this.area.focus(); });
    return picker;
  }

  pick(as, multiple) {
    this.pickAs = as;
    this.picker.accept = as === "sticker" ? "image/*" : "";
    this.picker.multiple = multiple;
    this.picker.click();
  }

  buildStickers() {
    this.stickers = node("div", "tcc-stickers");
    this.stickers.setAttribute("role", "group");
    this.stickers.setAttribute("aria-label", this.words.stickers);
    this.stickers.addEventListener("keydown", (event) => this.stickerKeyed(event));
    return this.stickers;
  }

  // -- listening

  listen() {
    const { area, box } = this;
    area.addEventListener("input", () => this.store.setText(area.value));
    this.observer = new ResizeObserver(() => {
      if (area.clientWidth === this.width) return;
      this.width = area.clientWidth; // in a narrower field the same text has more lines
      this.fitText();
    });
    this.observer.observe(area);
    area.addEventListener("keydown", (event) => this.keyed(event));
    area.addEventListener("blur", () => this.store.flushDraft());
    box.addEventListener("paste", (event) => this.pasted(event));
    box.addEventListener("keydown", (event) => event.stopPropagation());
    box.addEventListener("dragenter", (event) => this.dragged(event));
    box.addEventListener("dragover", (event) => this.dragged(event));
    box.addEventListener("dragleave", (event) => { if (!box.contains(event.relatedTarget)) box.classList.remove("tcc-dropping"); });
    box.addEventListener("drop", (event) => this.dropped(event));
  }

  keyed(event) {
    if (event.isComposing || event.keyCode === 229) return; // Enter ends the composition of a word, and sends nothing
    const { store, area } = this;
    const isCommand = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.stickers.classList.contains("tcc-shown")) {
      this.toggleStickers(false);
    } else if (event.key === "Escape" && store.bar) {
      event.preventDefault();
      store.leaveBar();
    } else if (event.key === "ArrowUp" && !area.value && !store.bar) {
      const last = [...store.sendings.values()].reverse().find((one) => canEdit(one) && store.chat && one.chat_id === store.chat.chat_id);
      if (last) { event.preventDefault(); store.post({ type: "edit", message_id: last.message_id }); }
    } else if (isCommand && !event.shiftKey && ["b", "i", "k"].includes(event.key.toLowerCase())) {
      event.preventDefault();
      this.decorate(event.key.toLowerCase());
    }
  }

  // Put signs around the selection, in the markup that is chosen (Markdown where none is).
  decorate(key) {
    const { store, area } = this;
    if (store.draft.mode === "text") store.setMode("markdown");
    const signs = SIGNS[store.draft.mode][key];
    const { selectionStart: start, selectionEnd: end } = area;
    area.setRangeText(signs[0] + area.value.slice(start, end) + signs[1], start, end, "end");
    area.setSelectionRange(start + signs[0].length, end + signs[0].length);
    store.setText(area.value);
  }

  pasted(event) {
    const files = [...(event.clipboardData ? event.clipboardData.files : [])];
    if (!files.length) return;
    event.preventDefault();
    event.stopPropagation();
    const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 19).replace("T", " ").replaceAll(":", "-");
    // Browsers call every picture image.png; a name that says when is better in a chat.
    const named = (file, i) => new File([file], `${this.words.pasted} ${now}${i ? ` ${i + 1}` : ""}.${file.name.split(".").pop()}`, { type: file.type });
    this.store.attach(files.map((file, i) => (/^image\.\w+$/.test(file.name) ? named(file, i) : file)));
    this.area.focus();
  }

  dragged(event) {
    if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
    this.box.classList.add("tcc-dropping");
  }

  dropped(event) {
    this.box.classList.remove("tcc-dropping");
    const items = [...(event.dataTransfer ? event.dataTransfer.items : [])];
    const isFolder = (item) => Boolean(item.webkitGetAsEntry && item.webkitGetAsEntry()?.isDirectory);
    const dropped = items.filter((item) => item.kind === "file");
    if (dropped.some(isFolder)) this.store.setNotice(this.words.folder);
    const files = dropped.filter((item) => !isFolder(item)).map((item) => item.getAsFile()).filter(Boolean);
    if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    if (files.length) this.store.attach(files);
    this.store.changed("all");
    this.area.focus();
  }

  // -- sending

  submit() {
    const { store, words } = this;
    const problem = this.obstacle();
    if (problem) { store.setNotice(problem); store.changed("all"); return; }
    if (!store.watch.isReached || !store.chat || !store.compose().length) return;
    store.submit();
    this.area.focus();
  }

  // Why nothing can be handed in now; empty if it can.
  obstacle() {
    const { store, words } = this;
    const isEmpty = !store.draft.text.trim() && !store.attachments.length;
    if (isEmpty) return "";
    if (!store.chat) { this.chatBox.input.focus(); return words.chooseFirst; }
    if (store.length > MOST_TEXT) return words.tooLong(this.locale.number(store.length - MOST_TEXT));
    if (store.attachments.some((one) => one.problem)) return words.tooBig;
    return "";
  }

  announce(one) {
    setText(this.live, this.words.sentTo(one.name || one.text || this.words[one.kind] || "", one.chat || ""));
  }

  // -- showing

  show(what) {
    if (what === "put" && this.area.value !== this.store.draft.text) {
      this.area.value = this.store.draft.text;
      if (document.activeElement === this.area) this.area.setSelectionRange(this.area.value.length, this.area.value.length);
    }
    if (what === "text" && this.area.value !== this.store.draft.text && document.activeElement !== this.area) this.area.value = this.store.draft.text;
    this.showRows();
    if (what === "time") { this.showState(); return; }
    this.showState();
    this.chatBox.show();
    const label = [this.words.composer, this.store.chat && this.store.chat.title].filter(Boolean).join(": ");
    if (this.box.getAttribute("aria-label") !== label) this.box.setAttribute("aria-label", label);
    this.showBar();
    if (["put", "tray", "all"].includes(what)) this.showTray();
    this.showText();
    this.showPreview();
  }

  showState() {
    const { store, words } = this;
    const { watch } = store, name = store.connection.state, isTold = watch.state && name !== "closed";
    this.dot.className = `tcc-dot tcc-is-${watch.isGone ? "gone" : isTold ? "away" : name}`;
    const hope = ["connecting", "reconnecting"].includes(name) ? words.waitsToo : "";
    const parts = name === "connected" ? [] : [words[name] || name, hope, store.connection.reason || ""]; // the reason last, for it may be cut off
    setText(this.stateText, watch.isGone || isTold ? watch.words : parts.filter(Boolean).join(" · "));
    this.stateText.title = this.stateText.textContent;
    this.stateText.classList.toggle("tcc-told", watch.isGone);
    for (const one of [this.attachButton, this.stickerButton, this.chatBox.input]) one.disabled = watch.isGone;
    this.area.readOnly = Boolean(store.isHandedOver);
  }

  showBar() {
    const { bar } = this.store;
    this.bar.classList.toggle("tcc-shown", Boolean(bar));
    const isEdit = Boolean(bar && bar.kind === "edit");
    this.box.classList.toggle("tcc-editing", isEdit);
    this.sendButton.title = isEdit ? this.words.save : this.words.send;
    this.sendButton.setAttribute("aria-label", this.sendButton.title);
    const sign = bar ? `${bar.kind}${bar.message_id}${bar.nodes.length}` : "";
    if (sign === this.barSign) return;
    this.barSign = sign;
    this.sendButton.replaceChildren(icon(isEdit ? "check" : "send"));
    if (!bar) return;
    this.barIcon.replaceChildren(icon(isEdit ? "pencil" : "reply"));
    setText(this.barName, isEdit ? this.words.editing : this.words.reply(bar.author));
    this.barText.replaceChildren();
    drawTree(bar.nodes, this.barText, previewed);
    this.area.focus();
  }

  // As tall as its text, up to a bound.
  fitText() {
    const { area } = this;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
  }

  showText() {
    const { store, area, words } = this;
    const count = store.attachments.length;
    const isCaption = store.attachments.some((one) => one.as !== "sticker");
    const placeholder = isCaption ? words.caption : words.write(store.chat && store.chat.title);
    if (area.placeholder !== placeholder) area.placeholder = placeholder;
    this.fitText();
    for (const one of this.modes.children) {
      const isChosen = one.dataset.mode === store.draft.mode;
      one.setAttribute("aria-checked", String(isChosen));
      one.tabIndex = isChosen ? 0 : -1;
    }
    const { length } = store;
    setText(this.counter, `${this.locale.number(length)} / ${this.locale.number(MOST_TEXT)}`);
    this.counter.title = words.length(this.locale.number(length), this.locale.number(MOST_TEXT));
    this.counter.classList.toggle("tcc-much", length > MOST_TEXT * 0.9);
    this.counter.classList.toggle("tcc-over", length > MOST_TEXT);
    this.counter.classList.toggle("tcc-shown", length > 0);
    this.hint.classList.toggle("tcc-away", length > 0);
    const isReady = Boolean(store.watch.isReached && store.chat && (store.draft.text.trim() || count) && length <= MOST_TEXT && !store.attachments.some((one) => one.problem));
    this.sendButton.classList.toggle("tcc-ready", isReady);
    this.sendButton.setAttribute("aria-disabled", String(!isReady));
    this.showNotice(length);
  }

  showNotice(length) {
    const over = length > MOST_TEXT ? this.words.tooLong(this.locale.number(length - MOST_TEXT)) : "";
    const notice = over || this.store.notice || this.keptNotice();
    const { details = "" } = this.store, sign = `${notice}\n${details}`;
    if (this.noticeSign === sign) return;
    this.noticeSign = sign;
    this.notice.title = notice === this.store.notice ? details : "";
    this.notice.classList.toggle("tcc-shown", Boolean(notice));
    this.notice.replaceChildren();
    if (!notice) return;
    const isCalm = !over && notice !== this.store.notice;
    this.notice.classList.toggle("tcc-calm", isCalm);
    this.notice.append(icon(isCalm ? "clock" : "alert"), node("span", "", notice));
    if (over) this.notice.append(link(this.words.asFile, () => this.textAsFile()));
  }

  // Where the kernel is gone: what becomes of what stands here.
  keptNotice() {
    const { store, words } = this;
    if (!store.watch.isGone || store.isHandedOver) return "";
    const names = store.attachments.map((one) => one.file.name);
    return [store.draft.text.trim() || store.aside.size || names.length ? words.kept : "", names.length ? words.keptFiles(names.join(", ")) : ""].filter(Boolean).join(" ");
  }

  textAsFile() {
    const { store } = this;
    const [ending, type] = { text: ["txt", "text/plain"], markdown: ["md", "text/markdown"], html: ["html", "text/html"] }[store.draft.mode];
    store.attach([new File([store.draft.text], `${this.words.textFile}.${ending}`, { type })]);
    store.setText("");
    store.changed("put");
    this.area.focus();
  }

  showPreview() {
    const { store, words } = this;
    const { preview, draft } = store;
    const isMarkup = draft.mode !== "text";
    this.eye.classList.toggle("tcc-shown", isMarkup);
    this.eye.setAttribute("aria-pressed", String(this.isPreviewShown));
    this.eye.title = this.isPreviewShown ? words.hidePreview : words.showPreview;
    this.eye.setAttribute("aria-label", this.eye.title);
    const isShown = isMarkup && this.isPreviewShown && Boolean(draft.text.trim()) && preview.nodes.length > 0 && preview.mode === draft.mode && (store.watch.isReached || preview.text === draft.text);
    this.preview.classList.toggle("tcc-shown", isShown);
    if (!isShown || this.previewed === preview) return;
    this.previewed = preview;
    this.painting.classList.toggle("tcc-flow", draft.mode === "html");
    this.painting.replaceChildren();
    drawTree(preview.nodes, this.painting, previewed);
    this.problems.replaceChildren(...preview.problems.filter((name) => ["link", "address", "quote"].includes(name)).map((name) => node("div", "", words[name])));
  }

  // -- what is attached

  showTray() {
    const { attachments } = this.store;
    const sign = attachments.map((one) => [one.key, one.as, one.problem, one.checking].join("|")).join("\n");
    if (sign === this.traySign) return;
    this.traySign = sign;
    this.tray.classList.toggle("tcc-shown", attachments.length > 0);
    // Whoever is writing a caption goes on writing it, though its field is made anew.
    const written = this.tray.contains(document.activeElement) ? document.activeElement : null, place = written && written.selectionStart;
    this.tray.replaceChildren(...attachments.map((one, i) => this.attachment(one, i)));
    const field = written && written.dataset.key ? [...this.tray.querySelectorAll(".tcc-caption")].find((one) => one.dataset.key === written.dataset.key) : null;
    if (field) { field.focus({ preventScroll: true }); field.setSelectionRange(place, place); }
  }

  attachment(one, i) {
    const { words, store } = this;
    const card = node("div", "tcc-card");
    card.classList.toggle("tcc-wrong", Boolean(one.problem));
    const tile = node("span", "tcc-tile");
    if (one.url) { const image = node("img"); image.src = one.url; image.alt = ""; tile.append(image); } else tile.append(icon("file"));
    const about = node("span", "tcc-about");
    const name = node("b", "", one.file.name);
    name.title = one.file.name;
    name.dir = "auto";
    about.append(name, node("span", "tcc-size", one.problem || [sizeText(one.file.size, this.locale), one.checking ? words.checking : ""].filter(Boolean).join(" · ")));
    const first = store.attachments.find((other) => other.as !== "sticker");
    if (one.isPhoto && !one.problem) about.append(this.choiceOfKind(one));
    if (one !== first && one.as !== "sticker" && !one.problem) about.append(this.captionField(one));
    card.append(tile, about, button("tcc-detach", "close", `${words.remove}: ${one.file.name}`, () => { store.detach(one.key); this.area.focus(); }));
    return card;
  }

  choiceOfKind(one) {
    const box = control("select", "tcc-as");
    box.setAttribute("aria-label", `${this.words.sendAs}: ${one.file.name}`);
    for (const kind of ["photo", "document", "sticker"]) box.append(new Option(this.words[kind], kind, false, one.as === kind));
    box.addEventListener("change", () => { one.as = box.value; this.store.changed("tray"); });
    return box;
  }

  captionField(one) {
    const field = control("input", "tcc-caption");
    field.placeholder = this.words.caption;
    field.dataset.key = one.key;
    field.setAttribute("aria-label", this.words.captionOf(one.file.name));
    field.value = one.caption;
    field.addEventListener("input", () => { one.caption = field.value; });
    field.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); this.submit(); } });
    return field;
  }

  // -- what is on its way

  showRows() {
    const rows = this.store.rows();
    const keep = new Set(rows.map((one) => one.key));
    for (const [key, drawn] of this.rowNodes) {
      // What was sent and is being looked at stays a little longer.
      if (keep.has(key) || (this.store.sendings.has(key) && drawn.node.matches(":hover, :focus-within"))) continue;
      drawn.node.remove();
      this.rowNodes.delete(key);
    }
    let isNew = false;
    for (const one of rows) {
      const sign = [one.state, one.reason, one.details, one.can_retry, one.is_unsure, one.is_removed].join("|");
      let drawn = this.rowNodes.get(one.key);
      if (!drawn || drawn.sign !== sign) {
        const made = this.row(one);
        if (drawn) drawn.node.replaceWith(made.node); else { this.rows.append(made.node); isNew = true; }
        this.rowNodes.set(one.key, drawn = { ...made, sign });
      }
      this.showProgress(one, drawn);
    }
    this.rows.classList.toggle("tcc-shown", this.rowNodes.size > 0);
    if (isNew) this.rows.scrollTop = this.rows.scrollHeight;
  }

  row(one) {
    const line = node("div", `tcc-row tcc-is-${one.state}`);
    line.setAttribute("role", "listitem");
    line.dataset.state = one.state;
    line.dataset.key = one.key;
    const about = node("span", "tcc-about");
    const title = node("span", "tcc-title");
    const what = node("span", "tcc-what", one.name || one.text || this.words[one.kind]);
    what.dir = "auto";
    title.append(what);
    if (one.chat) title.append(node("span", "tcc-where", one.chat));
    const state = node("span", "tcc-how");
    state.title = one.details || "";
    const bar = node("span", "tcc-progress");
    bar.append(node("i"));
    about.append(title, state, bar);
    line.append(this.rowTile(one), about, this.rowActions(one));
    return { node: line, state, bar };
  }

  rowTile(one) {
    const tile = node("span", "tcc-mark");
    const thumb = this.store.thumbs.get(one.key) || this.store.pictures.get(one.sticker);
    if (thumb && !["sent", "failed"].includes(one.state)) { const image = node("img"); image.src = thumb; image.alt = ""; tile.append(image); return tile; }
    const ofState = { sent: "check", failed: "alert", gone: "alert", unknown: "alert", interrupted: "alert", waiting: "clock", cutOff: "clock" };
    const ofKind = { edit: "pencil", photo: "photo", sticker: "sticker", document: "file", text: "clock" };
    tile.append(icon(ofState[one.state] || ofKind[one.kind] || "clock"));
    return tile;
  }

  rowActions(one) {
    const { words, store } = this;
    const actions = node("span", "tcc-actions");
    const what = one.name || one.text || "";
    if (one.state === "failed" && one.can_retry) actions.append(link(words.retry, () => { store.post({ type: "retry", key: one.key }); this.area.focus(); }));
    if ((["gone", "unknown"].includes(one.state) && one.text) || (one.state === "failed" && one.text && !one.name)) actions.append(link(words.again, () => { store.takeBack(one); this.area.focus(); }));
    if (one.state === "interrupted") actions.append(link(words.chooseAgain, () => this.chooseAgain(one)));
    if (canEdit(one)) actions.append(link(words.edit, () => store.post({ type: "edit", message_id: one.message_id })));
    const canStop = !["sent"].includes(one.state) && !(one.state === "sending" && !one.name);
    const verb = ["receiving", "sending"].includes(one.state) ? words.stop : words.remove;
    if (canStop) actions.append(button("tcc-remove", "close", `${verb}: ${what.slice(0, 60)}`, () => { store.remove(one); this.area.focus(); }));
    return actions;
  }

  chooseAgain(one) {
    const picker = this.buildPicker((files) => this.store.chooseAgain(one, files[0]));
    this.box.append(picker);
    picker.addEventListener("change", () => picker.remove());
    picker.addEventListener("cancel", () => picker.remove());
    picker.click();
  }

  // The bar is whole when the server has everything: the way to the kernel is its first half.
  showProgress(one, drawn) {
    const { words, locale } = this;
    const isMoving = one.size > 0 && ["receiving", "sending"].includes(one.state);
    drawn.bar.classList.toggle("tcc-shown", isMoving);
    let text = this.stateWords(one);
    if (isMoving) {
      const part = Math.min(1, (one.moved || 0) / one.size), whole = one.sticker ? part : one.state === "receiving" ? part / 2 : 0.5 + part / 2;
      const percent = Math.floor(whole * 100);
      drawn.bar.firstChild.style.width = `${whole * 100}%`;
      drawn.bar.setAttribute("role", "progressbar");
      drawn.bar.setAttribute("aria-label", one.name || "");
      drawn.bar.setAttribute("aria-valuenow", String(percent));
      drawn.bar.setAttribute("aria-valuemin", "0");
      drawn.bar.setAttribute("aria-valuemax", "100");
      text = `${one.state === "receiving" ? words.receiving : words.toServer} · ${words.of(sizeText(one.moved || 0, locale), sizeText(one.size, locale))} · ${percent} %`;
    }
    setText(drawn.state, text);
  }

  stateWords(one) {
    const { words } = this;
    if (one.state === "sent") return [words.sent, this.locale.clock(one.at), one.is_removed ? words.removed : ""].filter(Boolean).join(" · ");
    if (one.state === "failed") return one.is_unsure ? words.unsure(one.reason || "?") : words.failedWhy(one.reason || "?");
    if (one.state === "interrupted") return ownValue(words, one.reason) || one.reason || words.stalled;
    if (one.state === "waiting") return words.waitKernel;
    if (one.state === "cutOff") return words.waitJupyter;
    if (one.state === "queued" && one.reason === "connection") return words.waitConnection;
    return words[one.state] || one.state;
  }

  // -- stickers

  toggleStickers(wanted = !this.stickers.classList.contains("tcc-shown")) {
    this.stickers.classList.toggle("tcc-shown", wanted);
    this.stickerButton.setAttribute("aria-expanded", String(wanted));
    if (!wanted) { this.area.focus(); return; }
    this.stickers.replaceChildren(node("div", "tcc-nothing", this.words.loading));
    this.store.ask({ type: "stickers" }, (answer) => this.showStickers(answer.stickers || []));
  }

  showStickers(stickers) {
    const { words } = this;
    this.stickers.replaceChildren();
    const maker = control("button", "tcc-make");
    maker.append(icon("photo"), node("span", "", words.makeSticker));
    maker.addEventListener("click", () => { this.toggleStickers(false); this.pick("sticker", false); });
    for (const [from, label] of [["folder", words.ofFolder], ["chat", words.ofChats]]) {
      const some = stickers.filter((one) => one.from === from);
      if (!some.length) continue;
      const grid = node("div", "tcc-grid");
      grid.append(...some.map((one) => this.sticker(one)));
      this.stickers.append(node("div", "tcc-heading", label), grid);
    }
    if (!stickers.length) this.stickers.append(node("div", "tcc-nothing", words.noStickers));
    this.stickers.append(maker);
    this.stickers.querySelector("button").focus();
    this.loadPictures(stickers.filter((one) => !this.store.pictures.has(one.key)).map((one) => one.key));
  }

  sticker(one) {
    const made = control("button", "tcc-sticker");
    made.title = one.name;
    made.dataset.key = one.key;
    made.setAttribute("aria-label", `${this.words.sticker}: ${one.name}`);
    const image = node("img");
    image.alt = "";
    if (this.store.pictures.get(one.key)) image.src = this.store.pictures.get(one.key);
    made.append(image);
    made.addEventListener("click", () => {
      if (!this.store.chat) { this.store.setNotice(this.words.chooseFirst); this.store.changed("all"); this.chatBox.input.focus(); return; }
      this.store.sendSticker(one);
      this.toggleStickers(false);
    });
    return made;
  }

  loadPictures(keys) {
    const some = keys.slice(0, PICTURES_AT_ONCE), rest = keys.slice(PICTURES_AT_ONCE);
    if (!some.length) return;
    this.store.ask({ type: "pictures", keys: some }, (answer, buffers) => {
      for (const { key, image } of answer.pictures || []) this.store.pictures.set(key, URL.createObjectURL(new Blob([buffers[image]], { type: "image/webp" })));
      for (const made of this.stickers.querySelectorAll(".tcc-sticker")) {
        const url = this.store.pictures.get(made.dataset.key);
        if (url && !made.firstChild.src) made.firstChild.src = url;
        if ((answer.gone || []).includes(made.dataset.key)) made.remove();
      }
      this.loadPictures(rest);
    });
  }

  stickerKeyed(event) {
    const all = [...this.stickers.querySelectorAll("button")], at = all.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") { event.preventDefault(); this.toggleStickers(false); }
    else if (step && at >= 0) { event.preventDefault(); all[(at + step + all.length) % all.length].focus(); }
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
      const view = new View(store, el);
      return () => view.close();
    },
  };
}
