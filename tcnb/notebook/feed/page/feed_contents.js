// What a row's frame says and its columns do not, drawn: texts in their styles, the buttons under a message, surveys. When it is asked for and how it
// is built stands here; where it goes in a row is in feed.js. The files of the feed and page.js reach the page as one module.

const CONTENTS_WAIT_MS = 200; // contents are asked for when their row has stayed in sight for so long
const MOST_KEYS = 12; // buttons of a message that are shown without being asked for
const FOLDED_KEYS = 8; // buttons that are shown of more than so many
const CONTENTS_AT_ONCE = 24; // rows asked for in one request

const CONTENT_WORDS = {
  en: {
    keyboard: "Buttons under the message. People press them in their application.", allKeys: (n) => `Show all ${n} buttons`, fewerKeys: "Show fewer buttons",
    does: { command: (d) => `Callback: ${d}`, url: (d) => d, message: (d) => `Writes: ${d}`, copy: (d) => `Copies: ${d}` },
    keys: { "{{Survey}}": "Survey", "{{Anonymous survey}}": "Anonymous survey", "{{Go to survey}}": "Go to survey" },
  },
  ru: {
    keyboard: "Кнопки под сообщением. Их нажимают в приложении.", allKeys: (n) => `Показать все кнопки: ${n}`, fewerKeys: "Показать меньше кнопок",
    does: { command: (d) => `Команда: ${d}`, url: (d) => d, message: (d) => `Пишет: ${d}`, copy: (d) => `Копирует: ${d}` },
    keys: { "{{Survey}}": "Опрос", "{{Anonymous survey}}": "Анонимный опрос", "{{Go to survey}}": "Перейти к опросу" },
  },
};
const contentWords = IN_RUSSIAN ? CONTENT_WORDS.ru : CONTENT_WORDS.en;

// Whether the columns of a row may not be all there is to show of it. Whose account is a bot's nobody says, so any text may have buttons.
const mayHaveMore = (row) => Boolean(row.g) || row.k === "text" || kindOf(row) === "survey";

// What rows say beyond their columns, asked for when looked at, in portions.
class Contents {
  constructor(store) {
    this.store = store;
    this.known = new Map(); // sequence number → {tree, keyboard, survey}, or null for a row that says no more or was just asked for
    this.wanted = new Map(); // sequence number → {box, since}
    this.timer = 0;
  }

  of(seq) {
    return this.known.get(seq) || null;
  }

  want(seq, box) {
    if (this.known.has(seq)) return;
    const before = this.wanted.get(seq);
    this.wanted.set(seq, { box, since: before ? before.since : Date.now() });
    this.start();
  }

  // The nodes that wanted them show another row now.
  unwant(seq, line) {
    if (line.contains(this.wanted.get(seq)?.box || null)) this.wanted.delete(seq);
  }

  start() {
    if (!this.timer && this.wanted.size) this.timer = setTimeout(() => this.ask(), CONTENTS_WAIT_MS);
  }

  ask() {
    this.timer = 0;
    const now = Date.now(), seqs = [];
    for (const [seq, { box, since }] of this.wanted) {
      const isDue = now - since >= CONTENTS_WAIT_MS && seqs.length < CONTENTS_AT_ONCE;
      if (box.isConnected && !isDue) continue;
      this.wanted.delete(seq);
      if (box.isConnected && !this.known.has(seq)) seqs.push(seq);
    }
    this.start();
    if (!seqs.length) return;
    for (const seq of seqs) this.known.set(seq, null);
    while (this.known.size > MOST_ROWS) this.known.delete(this.known.keys().next().value);
    this.store.askOnce({ type: "contents", seqs }, (answer) => this.came(answer));
  }

  came(answer) {
    const told = Object.entries((answer.done && answer.done.contents) || {});
    for (const [seq, contents] of told) this.known.set(Number(seq), contents);
    if (told.length) for (const view of this.store.views) view.redraw(false);
  }

  close() {
    clearTimeout(this.timer);
  }
}

// ----------------------------------------------------------------------------------------------------------------- texts

const TAGS = new Map([["b", "strong"], ["i", "em"], ["s", "s"], ["u", "u"], ["quote", "blockquote"]]);
const SCHEMES = new Set(["http:", "https:", "mailto:", "trueconf:"]);

// The node of a part of a text, from the allow-list.
function styled(part) {
  if (part.t === "a") return safeLink(part.h, "tcf-a");
  return TAGS.has(part.t) ? node(TAGS.get(part.t)) : null;
}

// A link leads where its address says, in a new window, and only by a scheme that is known; null for one that leads nowhere.
function safeLink(address, className) {
  if (!isSafe(address)) return null;
  const made = control("a", className);
  made.href = address;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  made.title = address;
  return made;
}

function isSafe(address) {
  try {
    return SCHEMES.has(new URL(address).protocol);
  } catch {
    return false;
  }
}

// An address in a plain text. A backslash would lead to another host than it seems to, and characters that are not seen could hide where it leads.
const ADDRESS = /\bhttps?:\/\/[^\s<>"`\\^{|}\p{C}]+/giu;
const AFTER_ADDRESS = /[.,;:!?…'’”»*_~]/u; // at its end these belong to the sentence

const hasAddress = (text) => text.includes("://") && text.search(ADDRESS) >= 0;

// Put a plain text into a node, with the addresses in it as links. One that a cut text ends with would lead elsewhere than it did.
function drawPlain(text, into, isCut) {
  let from = 0;
  for (const found of hasAddress(text) ? text.matchAll(ADDRESS) : []) {
    if (isCut && found.index + found[0].length === text.length) break;
    const address = withoutEnd(found[0]), link = safeLink(address, "tcf-a");
    if (!link) continue;
    link.textContent = address;
    into.append(text.slice(from, found.index), link);
    from = found.index + address.length;
  }
  into.append(text.slice(from));
}

// Take away what stands behind an address: punctuation, and brackets that were opened before it.
function withoutEnd(found) {
  const open = { ")": 0, "]": 0 };
  for (const sign of found) {
    if (sign === "(") open[")"] += 1; else if (sign === "[") open["]"] += 1; else if (sign in open) open[sign] -= 1;
  }
  let end = found.length;
  for (; end > 0; end -= 1) {
    const sign = found[end - 1];
    if (open[sign] < 0) open[sign] += 1; else if (!AFTER_ADDRESS.test(sign)) break;
  }
  return found.slice(0, end);
}

// --------------------------------------------------------------------------------------------------- buttons and surveys

const KEY_KINDS = new Set(["command", "url", "message", "copy", "share"]);
const KEY_STYLES = new Set(["primary", "danger", "success"]);

// The buttons under a message, as people see them. The connector lets no client but theirs press one, so all that works here is to follow a link
// and to copy what a button would copy.
// Of many, whole rows are shown up to `shown` buttons, with a way to see all.
function drawKeyboard(rows, { shown, count, toggle, isOpen }, actions) {
  const box = node("div", "tcf-keys");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", contentWords.keyboard);
  let left = shown;
  for (const row of rows) {
    left -= row.length;
    if (left < 0) break;
    const line = node("div", row.length > 4 ? "tcf-keyline tcf-tight" : "tcf-keyline");
    for (const key of row) line.append(drawKey(key, actions.copy));
    box.append(line);
  }
  if (toggle) {
    const more = control("button", "tcf-link");
    more.textContent = isOpen ? contentWords.fewerKeys : contentWords.allKeys(count);
    more.setAttribute("aria-expanded", String(isOpen));
    more.addEventListener("click", toggle);
    box.append(more);
  }
  return box;
}

function drawKey(key, copy) {
  const kind = KEY_KINDS.has(key.k) ? key.k : "other", style = KEY_STYLES.has(key.s) ? ` tcf-key-${key.s}` : "";
  const className = `tcf-key tcf-key-${kind}${style}`;
  const link = kind === "url" ? safeLink(key.h, className) : null;
  const made = link || (kind === "copy" && key.d ? control("button", className) : node("span", `${className} tcf-inert`));
  made.textContent = key.l;
  made.dir = "auto";
  if (made.tagName === "BUTTON") made.addEventListener("click", () => copy(key.d));
  if (!link && key.d) made.title = (ownValue(contentWords.does, kind) || String)(key.d);
  return made;
}

// Strings in double braces are for each client to word (protocol, section 6.5).
function worded(text) {
  return ownValue(contentWords.keys, text) || text.replace(/^\{\{(.*)\}\}$/s, "$1");
}

// A survey as a card. It has its button from the beginning, so that nothing moves when the address comes.
function drawSurvey(title, said) {
  const card = node("div", "tcf-card"), head = node("div", "tcf-cardhead"), tile = node("span", "tcf-tile"), about = node("span", "tcf-about");
  tile.append(icon("survey"));
  const name = node("b", "", title), detail = node("span", "", worded(said.d || "{{Survey}}"));
  name.dir = detail.dir = "auto";
  name.title = title;
  about.append(name, detail);
  head.append(tile, about);
  const go = safeLink(said.h, "tcf-key tcf-key-url") || node("span", "tcf-key tcf-key-url tcf-inert");
  go.textContent = worded(said.b || "{{Go to survey}}");
  go.dir = "auto";
  card.append(head, go);
  return card;
}
