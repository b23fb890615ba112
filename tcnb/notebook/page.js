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
