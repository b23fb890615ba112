// The list of chats in the panel: who spoke last, how much is unread, and which one is looked at; colours and spacing are in panel.css.
// The kernel sends the whole list whenever something in it changed, at most a few times a second; a choice goes back as an id.
// What all widgets share is in page.js and page_kernel.js, which are put before this file.

const WORDS = {
  en: { chats: "Chats", search: "Find a chat", all: "All chats", unread: (n) => `${n} unread`, empty: "No chats yet", none: "No such chat", yesterday: "Yesterday" },
  ru: { chats: "Чаты", search: "Найти чат", all: "Все чаты", unread: (n) => `непрочитанных: ${n}`, empty: "Чатов пока нет", none: "Такого чата нет", yesterday: "Вчера" },
};
const words = IN_RUSSIAN ? WORDS.ru : WORDS.en;
const clock = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });

function timeText(time) {
  if (!time) return "";
  const date = new Date(time), now = new Date();
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  return date.toDateString() === new Date(now - 86400000).toDateString() ? words.yesterday : day.format(date);
}

class View {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.entries = new Map(); // chat id ("" is every chat) → nodes
    this.changes = new Changes(model);
    this.choice = 0; // the last choice of a chat here, by its number
    this.take(JSON.parse(model.get("opening") || "{}"));
    this.build(model.get("height"));
    this.watch = new KernelWatch(model, () => this.kernelChanged());
    this.hear = (content, buffers) => {
      if (!content || content.type !== "panel" || !buffers || !buffers.length) return;
      const said = JSON.parse(new TextDecoder().decode(buffers[0]));
      this.changes.take(said);
      if (!said.chats) return; // a sign of life
      this.take(said);
      this.show();
    };
    model.on("msg:custom", this.hear);
    this.show();
    this.post({ type: "open" }); // Colab hands a page the state of the moment in which the widget was made
  }

  close() {
    this.watch.close();
    this.model.off("msg:custom", this.hear);
    this.root.replaceChildren();
  }

  kernelChanged() {
    setText(this.told, this.watch.isReached ? "" : this.watch.words);
    if (this.watch.turn() === "back") this.post({ type: "open" });
    this.show();
  }

  post(request) {
    if (!this.watch.isReached) return;
    try {
      this.model.send(request);
    } catch (error) {
      console.warn("tcnb panel: the kernel cannot be told", error); // a saved page without a kernel
    }
  }

  take(said) {
    this.chats = said.chats || [];
    if (!this.changes.isNews(this.choice)) this.chosen = said.chosen || "";
    const chosen = this.chats.find((one) => one.chat_id === this.chosen);
    if (chosen) chosen.unread = 0; // it is looked at
  }

  build(height) {
    const box = node("nav", "tcnb-chats");
    box.setAttribute("aria-label", words.chats);
    box.setAttribute("data-jp-suppress-context-menu", "true");
    box.style.height = `${height}px`;
    this.search = node("input", "tcp-search");
    this.search.type = "search";
    this.search.placeholder = words.search;
    this.search.setAttribute("aria-label", words.search);
    this.search.setAttribute("data-lm-suppress-shortcuts", "true");
    this.search.addEventListener("input", () => this.show());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); this.buttons()[0]?.focus(); }
      if (event.key === "Enter") { event.preventDefault(); const [first] = this.shown.filter((one) => one.chat_id); if (first) this.choose(first.chat_id); }
    });
    this.list = node("ul", "tcp-list");
    this.list.addEventListener("keydown", (event) => this.keyed(event));
    this.nothing = node("div", "tcp-nothing");
    this.told = node("div", "tcp-told");
    this.told.setAttribute("role", "status");
    box.append(this.told, this.search, this.list, this.nothing);
    box.addEventListener("keydown", (event) => event.stopPropagation());
    this.root.append(box);
  }

  buttons() {
    return [...this.list.querySelectorAll("button")];
  }

  keyed(event) {
    const all = this.buttons(), at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0) this.search.focus();
    else all[Math.min(to, all.length - 1)].focus();
  }

  choose(chatId) {
    if (!this.watch.isReached) return;
    this.chosen = chatId;
    const line = this.chats.find((one) => one.chat_id === chatId);
    if (line) line.unread = 0;
    this.choice = this.changes.next();
    this.post(this.changes.signed({ type: "choose", chat: chatId || null }));
    this.show();
  }

  show() {
    const sought = this.search.value.trim().toLowerCase();
    const found = this.chats.filter((one) => !sought || one.title.toLowerCase().includes(sought));
    this.shown = sought ? found : [{ chat_id: "", title: words.all, unread: 0, last: "", at: 0 }, ...found];
    const keep = new Set(this.shown.map((one) => one.chat_id));
    for (const [id, entry] of this.entries) if (!keep.has(id)) { entry.item.remove(); this.entries.delete(id); }
    let place = this.list.firstChild;
    for (const one of this.shown) {
      const entry = this.entries.get(one.chat_id) || this.entry(one);
      this.fill(entry, one);
      if (entry.item === place) place = place.nextSibling;
      else this.list.insertBefore(entry.item, place);
    }
    setText(this.nothing, found.length ? "" : sought ? words.none : words.empty);
  }

  entry(one) {
    const item = node("li", "");
    const button = node("button", one.chat_id ? "tcp-chat" : "tcp-chat tcp-all");
    button.type = "button";
    button.setAttribute("data-lm-suppress-shortcuts", "true");
    const badge = node("span", "tcp-badge");
    badge.setAttribute("aria-hidden", "true");
    const about = node("span", "tcp-about"), top = node("span", "tcp-top"), bottom = node("span", "tcp-bottom");
    const title = node("span", "tcp-title"), time = node("span", "tcp-time"), last = node("span", "tcp-last"), unread = node("span", "tcp-unread");
    title.dir = "auto";
    last.dir = "auto";
    top.append(title, time);
    bottom.append(last, unread);
    about.append(top, bottom);
    button.append(badge, about);
    button.addEventListener("click", () => this.choose(one.chat_id));
    item.append(button);
    const entry = { item, button, badge, title, time, last, unread };
    this.entries.set(one.chat_id, entry);
    return entry;
  }

  fill(entry, one) {
    setText(entry.title, one.title);
    setText(entry.badge, one.chat_id ? initials(one.title) : "∗");
    entry.badge.style.setProperty("--tcp-hue", hue(one.chat_id).toFixed(0));
    setText(entry.time, timeText(one.at));
    setText(entry.last, one.last);
    setText(entry.unread, one.unread ? (one.unread > 999 ? "999+" : String(one.unread)) : "");
    entry.button.classList.toggle("tcp-new", one.unread > 0);
    entry.button.title = one.title;
    entry.button.setAttribute("aria-disabled", String(!this.watch.isReached));
    entry.button.setAttribute("aria-label", one.unread ? `${one.title}, ${words.unread(one.unread)}` : one.title);
    if (one.chat_id === this.chosen) entry.button.setAttribute("aria-current", "true");
    else entry.button.removeAttribute("aria-current");
  }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.close();
  },
};
