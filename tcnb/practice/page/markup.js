// Makes nodes of a message's markup; only the tags and links on the lists below ever come out, whatever was sent.

const TAGS = { B: "b", I: "i", S: "s", U: "u", BR: "br", QUOTE: "blockquote" };
const SCHEMES = ["http:", "https:", "mailto:", "trueconf:"];
const SIGNS = { "**": "b", __: "b", "~~": "s", "*": "i", _: "i" };
const TOKEN = /\\([_*[\]()~`>#+\-=|{}.!\\])|\[((?:[^[\]\\\n]|\\.)*)\]\(([^()\s]*)\)|(\*\*|__|~~|\*|_)/;
const DEEPEST = 20;

/** Give the nodes of a text in one of the modes `text`, `markdown` and `html`. */
export function render(text, mode) {
  const nodes = document.createDocumentFragment();
  if (mode === "html") copy(new DOMParser().parseFromString(text, "text/html").body, nodes, 0);
  else if (mode === "markdown") markdown(text, nodes);
  else nodes.append(text);
  return nodes;
}

/** Give an address that may be opened; null for any other. */
export function safeAddress(address) {
  try {
    return SCHEMES.includes(new URL(address).protocol) ? address : null;
  } catch {
    return null;
  }
}

function copy(from, to, depth) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.data.replace(/\s*\n\s*/g, " "));
    if (node.nodeType !== Node.ELEMENT_NODE || depth > DEEPEST) continue;
    const place = node.tagName === "A" ? link(node.getAttribute("href") ?? "") : TAGS[node.tagName] ? document.createElement(TAGS[node.tagName]) : to;
    copy(node, place, depth + 1);
    if (place !== to) to.append(place);
  }
}

function link(address) {
  const safe = safeAddress(address);
  const node = document.createElement(safe ? "a" : "span");
  if (safe) Object.assign(node, { href: safe, target: "_blank", rel: "noopener noreferrer" });
  return node;
}

function markdown(text, to) {
  let quote = null;
  text.split("\n").forEach((line, number) => {
    const isQuoted = /^> ?/.test(line);
    if (isQuoted && !quote) to.append((quote = document.createElement("blockquote")));
    else if (number && (isQuoted || !quote)) (quote ?? to).append("\n");
    if (!isQuoted) quote = null;
    spans(isQuoted ? line.replace(/^> ?/, "") : line, quote ?? to, 0);
  });
}

function spans(text, to, depth) {
  for (let rest = text; rest; ) {
    const token = depth < DEEPEST ? TOKEN.exec(rest) : null;
    if (!token) return to.append(rest);
    const [whole, escaped, name, address, sign] = token;
    const after = rest.slice(token.index + whole.length);
    to.append(rest.slice(0, token.index));
    rest = after;
    if (escaped) to.append(escaped);
    else if (name !== undefined) {
      const node = link(address);
      spans(name, node, depth + 1);
      to.append(node);
    } else {
      const end = closing(after, sign, text.slice(0, text.length - after.length - whole.length).at(-1));
      if (end < 0) to.append(sign);
      else {
        const node = document.createElement(SIGNS[sign]);
        spans(after.slice(0, end), node, depth + 1);
        to.append(node);
        rest = after.slice(end + sign.length);
      }
    }
  }
}

// Where the sign that closes this one stands; signs before a space or inside a word open nothing.
function closing(after, sign, before) {
  if (!after || /^\s/.test(after) || (sign[0] === "_" && /[\p{L}\p{N}]/u.test(before ?? ""))) return -1;
  for (let end = after.indexOf(sign); end >= 0; end = after.indexOf(sign, end + sign.length)) {
    const next = after[end + sign.length] ?? "";
    const isDouble = sign.length === 1 && (next === sign || after[end - 1] === sign);
    if (end > 0 && !isDouble && !/[\s\\]/.test(after[end - 1]) && !(sign[0] === "_" && /[\p{L}\p{N}]/u.test(next))) return end;
  }
  return -1;
}
