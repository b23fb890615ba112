// What a person can do with a row of the feed: the tools at the row, and the dock below the list where it is done; the list itself is in feed.js.
// The files of the feed and page.js reach the page as one module, so names of the others are used here freely.

const BUSY_MS = 1500; // after this time without an answer the dock says that it waits for the kernel
const NOTICE_MS = 6000;
const PICTURE_WAIT_MS = 200; // a picture is asked for when its row has stayed in sight for so long
const MOST_PICTURES = 150; // pictures kept in memory
const PICTURE_KINDS = new Set(["photo", "sticker"]);
const FILE_KINDS = new Set(["photo", "sticker", "video", "audio", "file", "contact", "voice"]);
const LONGEST = 4096; // characters of a message

const DOCK_WORDS = {
  en: {
    tools: "What to do with this row", reply: "Reply", editOwn: "Edit", removeOwn: "Delete", forward: "Forward", copyId: "Copy the message's id", code: "Code that would handle this",
    keep: (name) => `Save ${name} beside the notebook`, kept: (path) => `Saved as ${path}`, copied: "Copied", copy: "Copy",
    replyTo: (who, chat) => `Reply to ${who} in “${chat}”`, editing: (chat) => `Edit your message in “${chat}”`, removing: (chat) => `Delete this message in “${chat}” for everybody?`,
    forwarding: "Forward to", choose: "Choose a chat", send: "Send", save: "Save", cancel: "Cancel", close: "Close", mode: "Markup", text: "Text", markdown: "Markdown", html: "HTML",
    sending: "Sending…", waits: "Waiting for the kernel: it is busy.", write: "Write a message", failures: (n) => (n === 1 ? "1 handler failure" : `${n} handler failures`),
    failuresTitle: "Exceptions in handlers: show them", codeTitle: "Run this in a cell to handle events like this one",
    left: (n) => `${n} left`, unknown: (why) => `Not known whether it was done. ${why}`,
  },
  ru: {
    tools: "Действия со строкой", reply: "Ответить", editOwn: "Изменить", removeOwn: "Удалить", forward: "Переслать", copyId: "Скопировать id сообщения", code: "Код обработчика",
    keep: (name) => `Сохранить ${name} рядом с блокнотом`, kept: (path) => `Сохранено: ${path}`, copied: "Скопировано", copy: "Скопировать",
    replyTo: (who, chat) => `Ответ: ${who}, чат «${chat}»`, editing: (chat) => `Правка своего сообщения, чат «${chat}»`, removing: (chat) => `Удалить это сообщение у всех, чат «${chat}»?`,
    forwarding: "Переслать в", choose: "Выберите чат", send: "Отправить", save: "Сохранить", cancel: "Отмена", close: "Закрыть", mode: "Разметка", text: "Текст", markdown: "Markdown", html: "HTML",
    sending: "Отправляется…", waits: "Ждём ядро: оно занято.", write: "Напишите сообщение", failures: (n) => `ошибок обработчиков: ${n}`,
    failuresTitle: "Исключения в обработчиках: показать", codeTitle: "Выполните в ячейке, чтобы обрабатывать такие события",
    left: (n) => `осталось ${n}`, unknown: (why) => `Неизвестно, выполнено ли. ${why}`,
  },
};

// ------------------------------------------------------------------------------------------------------------- pictures

// Pictures of rows, fetched when looked at; what the kernel hands over it has made itself, so it is an image and nothing else.
class Pictures {
  constructor(store) {
    this.store = store;
    this.known = new Map(); // sequence number → object URL, or "" for one that cannot be shown
    this.refused = new Map(); // sequence number → why it cannot be shown
    this.wanted = new Map(); // sequence number → node
    this.asked = new Set();
  }

  of(seq) {
    return this.known.get(seq);
  }

  whyNot(seq) {
    return this.refused.get(seq) || "";
  }

  want(seq, box) {
    this.wanted.set(seq, box);
    if (!this.timer) this.timer = setTimeout(() => this.askForVisible(), PICTURE_WAIT_MS);
  }

  askForVisible() {
    this.timer = 0;
    for (const [seq, box] of this.wanted) {
      if (!box.isConnected || this.asked.has(seq)) continue;
      this.asked.add(seq);
      this.store.askOnce({ type: "picture", seq }, (answer) => this.came(seq, answer));
    }
    this.wanted.clear();
  }

  came(seq, answer) {
    this.asked.delete(seq);
    const webp = answer.done && answer.done.webp;
    this.known.set(seq, webp ? URL.createObjectURL(new Blob([bytesOf(webp)], { type: "image/webp" })) : "");
    if (answer.refused) this.refused.set(seq, answer.refused);
    while (this.known.size > MOST_PICTURES) this.forget(this.known.keys().next().value);
    for (const view of this.store.views) view.redraw(false);
  }

  forget(seq) {
    const url = this.known.get(seq);
    if (url) URL.revokeObjectURL(url);
    this.known.delete(seq);
    this.refused.delete(seq);
  }

  close() {
    clearTimeout(this.timer);
    for (const seq of [...this.known.keys()]) this.forget(seq);
  }
}

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// ---------------------------------------------------------------------------------------------------------- a row's tools

// The buttons of the row under the pointer, or of the one chosen with the arrow keys: one set of them for the whole list.
class Tools {
  constructor(view, words) {
    this.view = view;
    this.words = words;
    this.row = null;
    this.naming = new Set(); // rows whose file's name is being asked for
    this.box = node("div", "tcf-actions");
    this.box.setAttribute("role", "toolbar");
    this.box.setAttribute("aria-label", words.tools);
    this.box.addEventListener("keydown", (event) => this.keyed(event));
  }

  // As in every toolbar: the arrow keys lead from button to button, Escape leads back to the list.
  keyed(event) {
    const buttons = [...this.box.children], at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === "Escape") { this.show(null); this.view.scroller.focus({ preventScroll: true }); }
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[(to + buttons.length) % buttons.length].focus({ preventScroll: true });
  }

  show(row, isChosen = false) {
    if (row === this.row && isChosen === this.isChosen) return;
    this.row = row;
    this.isChosen = isChosen;
    this.box.replaceChildren();
    this.box.classList.toggle("tcf-shown", Boolean(row));
    if (row) for (const [name, iconName, label] of this.choices(row)) this.box.append(this.view.buildButton(`tcf-do-${name}`, iconName, label, () => this.view.dock.begin(name, row)));
    if (this.keepButton) this.nameFile(row);
  }

  get keepButton() {
    return this.box.querySelector(".tcf-do-keep");
  }

  // The kernel knows under which name a file would be saved: its own may be taken, or unsafe.
  nameFile(row) {
    if (this.naming.has(row.s)) return; // a busy kernel answers later
    this.naming.add(row.s);
    this.view.store.askOnce({ type: "keep_name", seq: row.s }, ({ done }) => {
      this.naming.delete(row.s);
      if (!done || !this.row || this.row.s !== row.s) return;
      this.keepButton.title = this.words.keep(done.path);
      this.keepButton.setAttribute("aria-label", this.keepButton.title);
    });
  }

  choices(row) {
    const { words } = this, found = [];
    const isMessage = Boolean(row.m) && SPOKEN.has(row.k);
    if (!this.view.store.watch.isReached) return row.m ? [["copy", "copy", words.copyId]] : []; // all else is the kernel's to do
    if (isMessage && row.c) found.push(["reply", "reply", words.reply]);
    if (isMessage && row.o && row.k === "text") found.push(["edit", "pen", words.editOwn]);
    if (isMessage) found.push(["forward", "forward", words.forward]);
    if (FILE_KINDS.has(kindOf(row))) found.push(["keep", "save", words.keep(row.d || "")]);
    if (row.m) found.push(["copy", "copy", words.copyId]);
    found.push(["code", "code", words.code]);
    if (isMessage && row.o) found.push(["remove", "bin", words.removeOwn]);
    return found;
  }
}

// --------------------------------------------------------------------------------------------------------------- the dock

// Below the list: the answer being written, the question before a removal, code, failures of handlers. One thing at a time.
class Dock {
  constructor(view, locale) {
    this.view = view;
    this.store = view.store;
    this.words = IN_RUSSIAN ? DOCK_WORDS.ru : DOCK_WORDS.en;
    this.box = node("div", "tcf-dock");
    this.box.setAttribute("role", "group");
    this.box.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.close(); } });
    this.task = 0; // which opening of the dock an answer belongs to
  }

  close() {
    this.task += 1;
    this.isActing = false;
    clearTimeout(this.timer);
    const hadFocus = this.box.contains(document.activeElement);
    this.box.replaceChildren();
    this.box.classList.remove("tcf-shown");
    if (hadFocus) this.view.scroller.focus({ preventScroll: true });
  }

  // What was being written stays to be read and copied; what was being done may have been done or not.
  kernelTurned() {
    const { watch } = this.store, buttons = [...this.box.querySelectorAll(".tcf-word")];
    if (!this.said || !buttons.length) return;
    if (!watch.isReached) { this.say(this.isActing ? this.words.unknown(watch.words) : watch.words, true); for (const button of buttons) button.disabled = true; return; }
    this.say(this.isActing ? this.words.waits : "");
    if (!this.isActing) for (const button of buttons) button.disabled = false;
  }

  say(text, isBad = false, details = "") {
    setText(this.said, text);
    this.said.title = details;
    this.said.classList.toggle("tcf-bad", isBad);
  }

  begin(name, row) {
    if (name === "reply") this.write(name, row);
    else if (name === "edit") this.act({ type: "source", seq: row.s }, (done) => this.write(name, row, done));
    else if (name === "remove") this.confirm(row);
    else if (name === "forward") this.forward(row);
    else if (name === "copy") this.copy(row.m);
    else if (name === "code") this.act({ type: "code", seq: row.s }, (done) => this.showCode(done.code));
    else if (name === "keep") this.act({ type: "keep", seq: row.s }, (done) => this.notice(this.words.kept(done.path)));
  }

  open(title, ...parts) {
    this.close();
    const head = node("div", "tcf-dockhead");
    const label = node("b", "", title);
    label.dir = "auto";
    head.append(label, this.view.buildButton("tcf-dockclose", "close", this.words.close, () => this.close()));
    this.said = node("div", "tcf-docksaid");
    this.said.setAttribute("role", "status");
    this.box.append(head, ...parts, this.said);
    this.box.setAttribute("aria-label", title);
    this.box.classList.add("tcf-shown");
    this.view.redraw();
  }

  chatOf(row) {
    return row.n || row.c || "";
  }

  write(name, row, written = { text: "", mode: "text" }) {
    const { words } = this, isReply = name === "reply";
    const area = control("textarea", "tcf-area");
    area.rows = 2;
    area.setAttribute("aria-label", words.write);
    area.placeholder = words.write;
    area.dir = "auto";
    area.value = written.text;
    const mode = control("select", "tcf-choice");
    mode.setAttribute("aria-label", words.mode);
    for (const value of ["text", "markdown", "html"]) mode.append(new Option(words[value], value, false, value === written.mode));
    const left = node("span", "tcf-note");
    const count = () => setText(left, area.value.length > LONGEST - 500 ? words.left(LONGEST - area.value.length) : "");
    area.addEventListener("input", count);
    const send = this.wordButton(isReply ? words.send : words.save, () => this.act({ type: name, seq: row.s, text: area.value, mode: mode.value }, () => this.close()));
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!send.disabled) send.click();
    });
    const bar = node("div", "tcf-dockbar");
    bar.append(mode, left, send);
    const who = this.view.painter.authorOf(row);
    this.open(isReply ? words.replyTo(who, this.chatOf(row)) : words.editing(this.chatOf(row)), area, bar);
    area.focus({ preventScroll: true });
    count();
  }

  confirm(row) {
    const { words } = this, bar = node("div", "tcf-dockbar");
    const text = node("div", "tcf-dockquote", this.view.painter.inBrief(row));
    text.dir = "auto";
    const yes = this.wordButton(words.removeOwn, () => this.act({ type: "remove", seq: row.s }, () => this.close()));
    yes.classList.add("tcf-danger");
    const no = this.wordButton(words.cancel, () => this.close());
    no.classList.add("tcf-second");
    bar.append(no, yes);
    this.open(words.removing(this.chatOf(row)), text, bar);
    no.focus({ preventScroll: true });
  }

  forward(row) {
    const { words } = this, bar = node("div", "tcf-dockbar");
    const text = node("div", "tcf-dockquote", this.view.painter.inBrief(row));
    text.dir = "auto";
    const choice = control("select", "tcf-choice");
    choice.setAttribute("aria-label", words.forwarding);
    choice.append(new Option(words.choose, ""));
    for (const [id, title] of [...this.store.chats].sort((a, b) => a[1].localeCompare(b[1]))) choice.append(new Option(title, id));
    const send = this.wordButton(words.forward, () => this.act({ type: "forward", seq: row.s, chat: choice.value }, () => this.close()));
    send.disabled = true;
    choice.addEventListener("change", () => { send.disabled = !choice.value; });
    bar.append(choice, send);
    this.open(words.forwarding, text, bar);
    choice.focus({ preventScroll: true });
  }

  showCode(code) {
    const { words } = this, text = node("pre", "tcf-code", code), bar = node("div", "tcf-dockbar");
    bar.append(this.wordButton(words.copy, () => this.copy(code, true)));
    this.open(words.codeTitle, text, bar);
  }

  showFailures() {
    const list = node("div", "tcf-failures");
    for (const failure of this.store.failures.slice(-20).reverse()) {
      const one = node("details", "tcf-failure"), head = node("summary", "", `${this.view.locale.clock(failure.when * 1000)} · ${failure.handler || failure.event} · ${failure.error}`);
      head.setAttribute("data-lm-suppress-shortcuts", "true");
      one.append(head, node("pre", "tcf-code", failure.traceback));
      list.append(one);
    }
    if (list.firstChild) list.firstChild.open = true;
    this.open(this.words.failures(this.store.failed), list);
  }

  notice(text, details = "") {
    this.open(text);
    this.box.firstChild.title = details;
    const { task } = this;
    this.timer = setTimeout(() => { if (this.task === task) this.close(); }, NOTICE_MS);
  }

  async copy(text, stays = false) {
    try {
      await navigator.clipboard.writeText(text);
      if (stays) setText(this.said, this.words.copied); else this.notice(`${this.words.copied}: ${text}`);
    } catch {
      if (!stays) this.notice(text); // a page that is not served over TLS has no clipboard: show it, to be copied by hand
    }
  }

  wordButton(label, action) {
    const button = control("button", "tcf-word");
    button.textContent = label;
    button.addEventListener("click", action);
    return button;
  }

  // Ask the kernel once. Whatever was written stays until the kernel has said that it is done.
  act(request, done) {
    const { task, words } = this, buttons = [...this.box.querySelectorAll(".tcf-word")];
    const say = (text, isBad, details) => { if (this.task === task && this.said) this.say(text, isBad, details); };
    for (const button of buttons) button.disabled = true;
    this.isActing = true;
    say(words.sending);
    const timer = setTimeout(() => { if (this.store.watch.isReached) say(words.waits); }, BUSY_MS);
    this.store.askOnce(request, (answer) => {
      clearTimeout(timer);
      if (this.task !== task) return;
      this.isActing = false;
      for (const button of buttons) button.disabled = false;
      if (answer.done) { say(""); done(answer.done); }
      else if (this.box.classList.contains("tcf-shown")) say(answer.refused || answer.error, true, answer.details);
      else this.notice(answer.refused || answer.error, answer.details);
    });
  }
}
