// The chat page: asks the server what there is, draws it, and sends what the person does. Words and markup are elsewhere.

import { dayOf, label, language, sizeOf, timeOf, words } from "./words.js";
import { render, safeAddress } from "./markup.js";

const PAGE = 100;
const MOST_UPLOAD = 100_000_000;
const NEAR_END = 60;
const GROUPED_MS = 300_000;
const DOUBT_MS = 2_000;

const ICONS = {
  back: "M15 5l-7 7 7 7", close: "M6 6l12 12M18 6L6 18", send: "M5 12h13M12 5l7 7-7 7", reply: "M10 7L5 12l5 5M5 12h9a5 5 0 0 1 5 5v1",
  clip: "M20 11.500l-8 8a5 5 0 0 1-7-7l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.600 1.600 0 0 1-2.300-2.300l7.600-7.600",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500c1.800 2.300 5.200 2.300 7 0M9 9.500v.2M15 9.500v.2", edit: "M4 20l1-4L16 5l3 3L8 19z",
  remove: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13", file: "M7 3h7l4 4v14H7zM14 3v4h4", place: "M12 21s6.500-6 6.500-11a6.500 6.500 0 0 0-13 0c0 5 6.500 11 6.500 11zM12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  survey: "M6 20V10M12 20V4M18 20v-7",
};

const $ = (id) => document.getElementById(id);
const state = { people: [], stickers: [], me: null, chats: [], chat: null, messages: [], count: PAGE, replyTo: null, editing: null, seen: new Map(), drawn: new Map(), atEnd: true, top: 0 };

// -- small parts

function make(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content.filter((part) => part !== null && part !== undefined));
  return node;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function button(className, action, ...content) {
  const node = make("button", className, ...content);
  node.type = "button";
  node.addEventListener("click", action);
  return node;
}

function iconButton(name, title, action) {
  const node = button("icon-button", action, icon(name));
  node.title = title;
  node.setAttribute("aria-label", title);
  return node;
}

function dress(avatar, name, key) {
  let hue = 0;
  for (const letter of key) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  avatar.style.setProperty("--hue", hue);
  avatar.textContent = name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
  return avatar;
}

function reconcile(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((node, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
}

// An element is kept as long as what it shows stays the same, so that focus, selection and pictures do too.
function drawn(key, what, draw) {
  const shown = JSON.stringify(what);
  const old = state.drawn.get(key);
  if (old?.shown === shown) return old.node;
  const node = draw();
  state.drawn.set(key, { shown, node });
  return node;
}

// -- the server

function address(path, values = {}) {
  return `practice-page/${path}?${new URLSearchParams({ ...(state.me ? { as: state.me.id } : {}), ...values })}`;
}

async function ask(path, values, options) {
  let answer;
  try {
    answer = await fetch(address(path, values), options);
  } catch {
    throw new Error(words.unreachable);
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(words.refused(body.code ? `[${body.code}] ${body.error}` : (body.error ?? answer.status)));
  return body;
}

function post(deed, values) {
  return ask(deed, {}, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) });
}

async function attempt(work) {
  try {
    $("problem").hidden = true;
    const result = await work();
    refresh();
    return result;
  } catch (error) {
    $("problem").textContent = error.message;
    $("problem").hidden = false;
    return null;
  }
}

let isRefreshing = false;
let isStale = false;

async function refresh() {
  isStale = true;
  if (isRefreshing || !state.me) return;
  isRefreshing = true;
  try {
    while (isStale) {
      isStale = false;
      await look();
    }
  } catch (error) {
    $("state").textContent = error.message;
  } finally {
    isRefreshing = false;
  }
}

async function look() {
  const { me, count } = state;
  const { chats } = await ask("chats");
  const chat = chats.find((one) => one.id === state.chat) ?? null;
  const page = chat ? await ask("messages", { chat: chat.id, count }) : { messages: [], hasEarlier: false };
  // What was asked for somebody else, or for another chat, is of no use any more; the right thing is asked next.
  if (me !== state.me || (chat?.id ?? null) !== state.chat) {
    if (!chat && !chats.some((one) => one.id === state.chat)) state.chat = null;
    isStale = true;
    return;
  }
  state.chats = chats;
  state.messages = page.messages;
  draw(chat, page.hasEarlier);
}

// -- drawing

function draw(chat, hasEarlier) {
  for (const one of state.chats) if (!state.seen.has(one.id)) state.seen.set(one.id, one.box);
  if (chat && !document.hidden) state.seen.set(chat.id, chat.box);
  reconcile($("chats"), state.chats.map((one) => drawn(`chat ${one.id}`, [one, one.id === state.chat, state.seen.get(one.id), dayOf(Date.now())], () => chatEntry(one))));
  document.body.classList.toggle("has-chat", Boolean(chat));
  $("chat").classList.toggle("is-empty", !chat);
  $("state").textContent = "";
  if (!chat) return;
  drawHead(chat);
  $("earlier").hidden = !hasEarlier;
  const fromEnd = $("scroller").scrollHeight - $("scroller").scrollTop;
  reconcile($("log"), rows(chat));
  if (state.atEnd) toEnd();
  else if (state.isGrowing) $("scroller").scrollTop = $("scroller").scrollHeight - fromEnd;
  state.isGrowing = false;
}

function titleOf(chat) {
  return chat.title ?? words.favorites;
}

// A personal chat has the colour of the other person.
function colourKey(chat) {
  return chat.kind === "p2p" ? (chat.members.find((one) => one.id !== state.me.id)?.id ?? chat.id) : chat.id;
}

function chatEntry(chat) {
  const unread = Math.max(0, chat.box - (state.seen.get(chat.id) ?? chat.box));
  const isCurrent = chat.id === state.chat;
  const entry = button("entry", () => open(chat.id),
    dress(make("span", "avatar"), titleOf(chat), colourKey(chat)),
    make("span", "entry-about",
      make("span", "entry-top", make("b", "", titleOf(chat)), make("time", "", chat.last ? when(chat.last.time) : "")),
      make("span", "entry-bottom", make("span", "entry-last", chat.last ? summary(chat.last, chat.kind !== "p2p") : ""),
        unread && !isCurrent ? make("span", "badge", String(unread)) : null)));
  if (isCurrent) entry.setAttribute("aria-current", "true");
  if (unread && !isCurrent) entry.setAttribute("aria-label", `${titleOf(chat)}, ${words.unread(unread)}`);
  const item = make("div", "", entry);
  item.setAttribute("role", "listitem");
  return item;
}

function when(moment) {
  const isToday = new Date(moment).toDateString() === new Date().toDateString();
  return isToday ? timeOf(moment) : new Date(moment).toLocaleDateString(language === "ru" ? "ru" : navigator.language, { day: "numeric", month: "short" });
}

function summary(said, isNamed) {
  if (said.kind === "system") return words[said.event](said.who, said.title, said.role);
  const text = said.kind === "text" ? said.text : said.kind === "sticker" ? words.stickerKind : said.kind === "file" ? said.file.name : words[said.kind] ?? words.gone;
  return said.isOwn ? `${words.you}: ${text}` : isNamed ? `${said.author.split(" ")[0]}: ${text}` : text;
}

function drawHead(chat) {
  const others = chat.members.filter((one) => one.id !== state.me.id);
  const bots = chat.members.filter((one) => one.isAccount);
  $("title").textContent = titleOf(chat);
  dress($("chat-avatar"), titleOf(chat), colourKey(chat));
  const about = [chat.kind === "channel" ? words.channel : null];
  if (chat.kind === "p2p") about.push(others[0]?.isAccount ? `${words.bot} · ${others[0].id}` : others[0]?.id);
  else if (chat.kind !== "favorites") about.push(words.members(chat.members.length), bots.length ? `${words.bot}: ${bots.map((one) => one.name).join(", ")}` : null);
  $("members").textContent = about.filter(Boolean).join(" · ");
  $("composer").hidden = !chat.maySpeak;
  $("silent").hidden = chat.maySpeak;
}

function rows(chat) {
  const nodes = [];
  let before = null;
  for (const message of state.messages) {
    const day = dayOf(message.time);
    if (!before || dayOf(before.time) !== day) {
      nodes.push(drawn(`day ${day} ${message.id}`, day, () => make("div", "day", make("span", "", day))));
      before = null;
    }
    const isFirst = before?.authorId !== message.authorId || before.kind === "system" || message.time - before.time > GROUPED_MS;
    nodes.push(drawn(message.id, [message, isFirst, chat.maySpeak, chat.kind], () => row(message, isFirst, chat)));
    before = message;
  }
  return nodes;
}

function row(message, isFirst, chat) {
  if (message.kind === "system") return make("div", "event", `${words[message.event](message.who, message.title, message.role)} · ${timeOf(message.time)}`);
  const isNamed = isFirst && !message.isOwn && chat.kind !== "p2p";
  const bubble = make("div", `bubble kind-${message.kind}`,
    message.reply ? quoted(message.reply) : null,
    message.forwardedFrom ? make("p", "note", words.forwarded(message.forwardedFrom)) : null,
    ...content(message), meta(message));
  const main = make("div", "main", isNamed ? make("b", "author", message.author) : null, bubble, keyboard(message));
  const node = make("article", `row${message.isOwn ? " own" : ""}${isFirst ? " first" : ""}`,
    message.isOwn ? null : isFirst ? dress(make("span", "avatar"), message.author, message.authorId) : make("span", "gap"), main, actions(message, chat));
  node.dataset.id = message.id;
  node.setAttribute("aria-label", `${message.isOwn ? words.you : message.author}, ${timeOf(message.time)}`);
  const avatar = node.querySelector(":scope > .avatar");
  avatar?.setAttribute("aria-hidden", "true");
  if (isNamed) node.querySelector(".author").style.setProperty("--hue", avatar.style.getPropertyValue("--hue"));
  return node;
}

function quoted(reply) {
  const node = button("quoted", () => show(reply.id), make("b", "", reply.isOwn ? words.you : reply.author), make("span", "", summary({ ...reply, isOwn: false }, false)));
  return node;
}

function show(id) {
  const node = document.querySelector(`[data-id="${CSS.escape(id)}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.animate?.([{ backgroundColor: "var(--own)" }, { backgroundColor: "transparent" }], 1200);
}

function fileAddress(file, values = {}) {
  return `practice-page/files/${encodeURIComponent(file.id)}${Object.keys(values).length ? `?${new URLSearchParams(values)}` : ""}`;
}

function content(message) {
  const { file } = message;
  if (message.kind === "text") return [make("div", "text", render(message.text, message.mode))];
  if (message.kind === "photo" || message.kind === "sticker") return [picture(message)];
  if (message.kind === "voice") {
    const player = make("audio");
    Object.assign(player, { controls: true, preload: "none", src: fileAddress(file) });
    player.setAttribute("aria-label", words.voice);
    return [player];
  }
  if (message.kind === "file") {
    const node = make("a", "chip", make("span", "tile", icon("file")), make("span", "about", make("b", "", file.name), make("span", "", file.isWithheld ? `${sizeOf(file.size)} · ${words.withheld}` : sizeOf(file.size))));
    Object.assign(node, { href: fileAddress(file, { save: "1" }), download: file.name });
    return [node];
  }
  const { title, description, latitude, longitude } = message.about;
  const where = latitude === undefined ? null : `${latitude}, ${longitude}`;
  return [make("div", "chip", make("span", "tile", icon(message.kind === "location" ? "place" : "survey")),
    make("span", "about", make("b", "", title || description || words[message.kind] || words.gone), make("span", "", where ?? words[message.kind] ?? "")))];
}

function picture(message) {
  const image = make("img", message.kind);
  Object.assign(image, { src: fileAddress(message.file), alt: message.kind === "sticker" ? words.stickerKind : message.file.name, loading: "lazy" });
  if (message.kind === "sticker") return image;
  const node = make("a", "", image);
  Object.assign(node, { href: fileAddress(message.file), target: "_blank", rel: "noopener" });
  return node;
}

function meta(message) {
  const node = make("span", "meta", message.isEdited ? make("span", "", words.edited) : null, make("time", "", timeOf(message.time)));
  if (message.isOwn && message.readers) {
    const isRead = message.readBy.length > 0;
    const mark = make("span", `mark${isRead ? " read" : ""}`, isRead ? "✓✓" : "✓");
    mark.title = isRead ? words.readBy(message.readBy.join(", ")) : words.notRead;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", mark.title);
    node.append(mark);
  }
  return node;
}

function keyboard(message) {
  if (!message.buttons?.length) return null;
  const line = (buttons, row) => make("div", "keys", ...buttons.map((one, column) => key(message, one, [row, column])));
  return make("div", "keyboard", ...message.buttons.map(line));
}

function key(message, one, place) {
  const name = one.label ?? one.url ?? one.type;
  const style = ["primary", "danger", "success"].includes(one.style) ? ` ${one.style}` : "";
  if (one.type === "url" && safeAddress(one.url)) {
    const node = make("a", `key${style}`, name, " ↗");
    Object.assign(node, { href: one.url, target: "_blank", rel: "noopener noreferrer" });
    return node;
  }
  return button(`key${style}`, () => press(message, one, place), name);
}

// Labels and ids of buttons may be equal: a button is told by its place.
function press(message, one, place) {
  if (one.type === "copy") return attempt(async () => { await navigator.clipboard.writeText(one.data); say(words.copied); });
  if (one.type === "message" && one.draft) {
    $("text").value = one.message;
    grow();
    return $("text").focus();
  }
  return attempt(() => post("press", { message: message.id, button: place }));
}

function actions(message, chat) {
  const offered = [
    chat.maySpeak ? iconButton("reply", words.reply, () => replyTo(message)) : null,
    message.mayEdit && chat.maySpeak ? iconButton("edit", words.edit, () => edit(message)) : null,
    message.mayRemove ? iconButton("remove", words.remove, () => attempt(() => post("remove", { message: message.id }))) : null,
  ];
  return make("div", "actions", ...offered);
}

function say(text) {
  $("state").textContent = text;
  setTimeout(() => { if ($("state").textContent === text) $("state").textContent = ""; }, DOUBT_MS);
}

// -- where the person is

function open(id) {
  if (state.chat !== id) {
    Object.assign(state, { chat: id, count: PAGE, atEnd: true, messages: [] });
    state.drawn.clear();
    forget();
    $("problem").hidden = true;
    $("stickers").hidden = true;
    $("stick").setAttribute("aria-expanded", "false");
  }
  remember();
  refresh().then(() => matchMedia("(hover: hover)").matches && $("text").focus());
}

function close() {
  state.chat = null;
  remember();
  refresh();
}

function become(id) {
  const part = state.parts.find((one) => one.id === id) ?? state.parts[0];
  if (part === state.me) return;
  Object.assign(state, { me: part, chat: null, messages: [], chats: [] });
  state.seen.clear();
  state.drawn.clear();
  forget();
  $("who").value = part.id;
  dress($("part-avatar"), part.name, part.id);
  const others = state.people.filter((one) => one !== part && one.id !== part.id);
  const option = (one) => new Option(one.isAccount ? `${one.name} (${words.bot})` : one.name, one.id);
  $("other").replaceChildren(new Option(words.choose, ""), ...others.map(option));
}

function remember() {
  history.replaceState(null, "", `#${new URLSearchParams({ as: state.me.id, ...(state.chat ? { chat: state.chat } : {}) })}`);
}

function forget() {
  Object.assign(state, { replyTo: null, editing: null });
  $("context").hidden = true;
}

function about(what, text) {
  $("context-what").textContent = what;
  $("context-text").textContent = text;
  $("context").hidden = false;
  $("text").focus();
}

function replyTo(message) {
  Object.assign(state, { replyTo: message.id, editing: null });
  about(words.replyTo(message.isOwn ? words.you : message.author), summary({ ...message, isOwn: false }, false));
}

function edit(message) {
  Object.assign(state, { editing: message.id, replyTo: null });
  $("text").value = message.text;
  grow();
  about(words.editing, message.text);
}

function stopEditing() {
  if (state.editing) $("text").value = "";
  forget();
  grow();
}

// -- sending

async function send() {
  const text = $("text").value.trim();
  const { chat, editing } = state;
  if (!text || !chat) return;
  const deed = editing ? () => post("edit", { message: editing, text }) : () => post("send", { chat, text, replyTo: state.replyTo });
  const written = $("text").value;
  $("text").value = "";
  state.atEnd = true;
  if (await attempt(deed)) forget();
  else if (!$("text").value) $("text").value = written;
  grow();
}

async function sendFiles(files, isSticker = false) {
  for (const file of files) {
    if (!state.chat) return;
    await attempt(async () => {
      if (file.size > MOST_UPLOAD) throw new Error(words.tooLarge);
      $("state").textContent = words.sending(file.name);
      const values = { chat: state.chat, name: file.name, ...(isSticker ? { sticker: "1" } : {}), ...(state.replyTo ? { replyTo: state.replyTo } : {}) };
      state.atEnd = true;
      await ask("files", values, { method: "POST", headers: file.type ? { "Content-Type": file.type } : {}, body: file }).finally(() => { $("state").textContent = ""; });
      forget();
    });
  }
}

function sendSticker(number) {
  showStickers(false);
  const { chat, replyTo } = state;
  state.atEnd = true;
  attempt(() => post("sticker", { chat, sticker: number, replyTo })).then((sent) => sent && forget());
  $("text").focus();
}

function showStickers(isShown) {
  $("stickers").hidden = !isShown;
  $("stick").setAttribute("aria-expanded", String(isShown));
  if (isShown) $("stickers").querySelector("button").focus();
}

function fillStickers() {
  const entry = (id, number) => {
    const image = make("img");
    Object.assign(image, { src: fileAddress({ id }), alt: "" });
    const node = button("sticker-button", () => sendSticker(number), image);
    node.setAttribute("aria-label", words.stickerNumber(number + 1));
    return node;
  };
  $("stickers").replaceChildren(...state.stickers.map(entry), button("link", () => $("sticker-file").click(), words.ownStickerButton));
}

function grow() {
  const field = $("text");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 160)}px`;
}

function toEnd() {
  $("scroller").scrollTop = $("scroller").scrollHeight;
}

// -- what the person does

function listenToComposer() {
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  $("text").addEventListener("input", grow);
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && !$("text").value) {
      const last = state.messages.findLast((one) => one.mayEdit);
      if (last) { event.preventDefault(); edit(last); }
    }
  });
  $("text").addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); sendFiles([...event.clipboardData.files]); }
  });
  $("attach").addEventListener("click", () => $("file").click());
  $("stick").addEventListener("click", () => showStickers($("stickers").hidden));
  for (const [input, isSticker] of [[$("file"), false], [$("sticker-file"), true]]) {
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = "";
      if (isSticker) showStickers(false);
      sendFiles(files, isSticker);
    });
  }
  $("context-cancel").addEventListener("click", stopEditing);
}

function listenToRest() {
  $("who").addEventListener("change", () => { become($("who").value); remember(); refresh(); });
  $("other").addEventListener("change", async () => {
    const person = $("other").value;
    $("other").value = "";
    const made = person ? await attempt(() => post("open", { person })) : null;
    if (made) open(made.id);
  });
  $("back").addEventListener("click", close);
  $("earlier").addEventListener("click", () => { state.count += PAGE; state.isGrowing = true; state.atEnd = false; refresh(); });
  $("scroller").addEventListener("scroll", () => {
    const list = $("scroller");
    // A picture that has just been loaded moves the end away; only scrolling up leaves it.
    if (list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END) state.atEnd = true;
    else if (list.scrollTop < state.top) state.atEnd = false;
    state.top = list.scrollTop;
  });
  new ResizeObserver(() => state.atEnd && toEnd()).observe($("log"));
  new ResizeObserver(() => state.atEnd && toEnd()).observe($("scroller"));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (!$("stickers").hidden) { showStickers(false); $("stick").focus(); } else if (!$("context").hidden) stopEditing();
  });
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
  addEventListener("hashchange", follow);
}

function listenToDrops() {
  const hasFiles = (event) => state.chat && !$("composer").hidden && event.dataTransfer.types.includes("Files");
  $("chat").addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
  });
  $("chat").addEventListener("dragleave", (event) => { if (!$("chat").contains(event.relatedTarget)) $("drop").hidden = true; });
  $("chat").addEventListener("drop", (event) => {
    $("drop").hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    sendFiles([...event.dataTransfer.files]);
  });
}

function follow() {
  const place = new URLSearchParams(location.hash.slice(1));
  become(place.get("as") ?? state.me?.id);
  if (place.get("chat") && place.get("chat") !== state.chat) open(place.get("chat"));
  else refresh();
}

async function begin() {
  label(document);
  for (const node of document.querySelectorAll("[data-icon]")) node.append(icon(node.dataset.icon));
  const { parts, people, stickers, domain } = await ask("people");
  Object.assign(state, { parts, people, stickers });
  document.title = `${words.pageTitle} · ${domain}`;
  $("who").replaceChildren(...parts.map((one) => new Option(one.name, one.id)));
  $("chat").classList.add("is-empty");
  fillStickers();
  listenToComposer();
  listenToRest();
  listenToDrops();
  follow();
  const news = new EventSource("practice-page/news");
  news.addEventListener("news", refresh);
  news.onerror = () => { $("state").textContent = words.lost; };
}

begin().catch((error) => { document.body.textContent = error.message; });
