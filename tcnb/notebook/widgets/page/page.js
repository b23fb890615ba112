// What the pages of all widgets share: building nodes, names as colours and letters, sizes, the tree of a text with markup. It is put before
// each widget's own file, since a widget's module can import no neighbour.

document.documentElement.dataset.tcnb = ""; // a script of ours may run here: page.css says so where none may

const LANGUAGE = (typeof navigator !== "undefined" && navigator.language) || "en";
const IN_RUSSIAN = LANGUAGE.toLowerCase().startsWith("ru");
const LOCALE = IN_RUSSIAN ? "ru" : LANGUAGE;
const DEEPEST = 30; // nesting of markup that is drawn

function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

// An element that takes the focus. JupyterLab listens for its one-letter commands ("d d" deletes a cell) and Shift+Enter on the whole document
// and looks for this attribute on the focused element itself first.
function control(tag, className) {
  const made = node(tag, className);
  if (tag === "button") made.type = "button";
  made.setAttribute("data-lm-suppress-shortcuts", "true");
  return made;
}

function drawnIcon(outline, className) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", className);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", outline);
  svg.append(path);
  return svg;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What a table has under a name from outside; `constructor` and the like, which every object has, are in none.
function ownValue(table, name) {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function hue(key) {
  let hash = 2166136261;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619);
  return (((hash >>> 0) * 0.618033988749895) % 1) * 360;
}

function initials(name) {
  const parts = String(name).split(/[\s@._-]+/u).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = parts.length > 1 ? [parts[0], parts[1]] : parts.slice(0, 1);
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "•";
}

function sizeText(bytes, locale) {
  let amount = bytes, unit = 0;
  while (amount >= 1000 && unit < 3) { amount /= 1000; unit += 1; }
  const digits = unit === 0 || amount >= 100 ? 0 : 1;
  return `${locale.number(Number(amount.toFixed(digits)))} ${locale.words.bytes[unit]}`;
}

const newKey = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// ------------------------------------------------------------------------------------------ what both sides write

// What a person changes here, such as a draft, the kernel is told and keeps for pages that open later. The page counts its changes, and every
// message of the kernel says up to which of them it has heard. What the kernel says of something that was changed here since is out of date.
class Changes {
  constructor(model) {
    this.page = newKey();
    this.count = 0;
    this.atOpening = model.get("heard") || {};
    this.known = 0; // up to where the kernel has heard this page
  }

  // A person has changed something; gives the number of that change.
  next() {
    this.count += 1;
    return this.count;
  }

  // What is told of changes says which it is up to.
  signed(request) {
    return { ...request, page: this.page, version: this.count };
  }

  // Read in a message of the kernel up to where it has heard this page.
  take(message) {
    this.known = Math.max(this.known, (message.heard && message.heard[this.page]) || 0);
  }

  // Whether the kernel, in what it said last, did not know a change yet.
  isNews(change) {
    return change > this.known;
  }

  // The same for a change that this tab made before it was reloaded.
  wasNews(page, change) {
    return change > (this.atOpening[page] || 0);
  }
}

// ------------------------------------------------------------------------------------------------- what a tab remembers

// The browser's memory for this tab, which is gone with it; where a page may have none, one that is gone with the page.
function tabMemory() {
  try {
    sessionStorage.getItem("tcnb");
    return sessionStorage;
  } catch {
    return (globalThis[Symbol.for("tcnb.memory")] ||= new PageMemory());
  }
}

class PageMemory {
  getItem(key) { return this[key] ?? null; }
  setItem(key, value) { this[key] = value; }
  removeItem(key) { delete this[key]; }
}

function remember(key, value) {
  try {
    tabMemory().setItem(key, JSON.stringify(value));
  } catch (error) {
    console.warn("tcnb: the browser's memory is full", error);
  }
}

function remembered(key) {
  return JSON.parse(tabMemory().getItem(key) || "null");
}

// Draw the tree of a text: strings, and parts {t: style, c: parts} of which a link has its address under h. `make` gives the node of a part,
// or null for one that is drawn without its style; so nothing is ever made that the widget has not named.
function drawTree(tree, into, make, depth = 0) {
  for (const part of tree) {
    if (typeof part === "string") { into.append(part); continue; }
    if (part.t === "br") { into.append(node("br")); continue; }
    const made = make(part);
    if (made) into.append(made);
    if (depth < DEEPEST) drawTree(part.c || [], made || into, make, depth + 1);
  }
}
