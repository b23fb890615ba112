// What was written in the composers of this tab and is not sent, as the browser keeps it: it outlives a reload of which the kernel did not hear in
// time, and the kernel itself. It is kept under server, account and notebook, and forgotten when it has been sent or handed on.
// This file and composer.js reach the page as one module.

const KEPT = "tcnb.composer.";
const MOST_KEPT = 40; // composers of a tab; the oldest go

class KeptDrafts {
  constructor(model) {
    this.model = model;
    this.key = model.get("key") || newKey();
    this.kernel = model.get("kernel_session") || "";
    this.written = null; // what stands there, if this page wrote it
  }

  get name() {
    return KEPT + this.key;
  }

  // The notebook, where the host says which it is. VS Code and Colab give each notebook a memory of its own.
  get place() {
    const context = this.model.widget_manager && this.model.widget_manager.context;
    return (context && context.path) || "";
  }

  own() {
    return remembered(this.name);
  }

  write(entry) {
    const { kernel, place } = this;
    const written = JSON.stringify({ ...entry, kernel, place });
    if (written === this.written) return;
    this.written = written;
    remember(this.name, { ...entry, kernel, place, at: Date.now() });
    for (const { name } of keptEntries().slice(0, -MOST_KEPT)) tabMemory().removeItem(name);
  }

  // What another composer has left of it, once there is less than was written; null where nothing was taken.
  left() {
    if (this.written === null) return null;
    const entry = remembered(this.name);
    return !entry ? {} : entry.isShared ? entry : null;
  }

  // What composers wrote that can send it no more: their kernel is another one, or gone, or their session is closed.
  orphans(server, account) {
    const isOrphan = ({ name, entry }) => name !== this.name && entry.server === server && entry.account === account && entry.place === this.place
      && (entry.isEnded || entry.kernel !== this.kernel);
    return keptEntries().filter(isOrphan);
  }
}

function keptEntries() {
  const names = Object.keys(tabMemory()).filter((name) => name.startsWith(KEPT));
  const entries = names.map((name) => ({ name, entry: remembered(name) })).filter(({ entry }) => entry);
  return entries.sort((a, b) => a.entry.at - b.entry.at);
}

const NOWHERE = "-"; // the id of no chat

// Take out of what is kept what belongs to a chat (to whatever chat it was for, where none is chosen), and whatever was on its way: nobody knows
// what became of that. The rest stays.
function takeOut({ name, entry }, chatId) {
  const isWhole = chatId ? Boolean(entry.chat) && entry.chat.chat_id === chatId : true;
  const isOf = (one) => isWhole || one.chat.chat_id === chatId;
  const taken = { sendings: entry.sendings, aside: entry.aside.filter(isOf) };
  if (isWhole) Object.assign(taken, { draft: entry.draft, chat: entry.chat, bar: entry.bar, attached: entry.attached });
  const left = { ...entry, sendings: [], aside: entry.aside.filter((one) => !isOf(one)), isShared: true };
  if (isWhole) Object.assign(left, { draft: { ...entry.draft, text: "" }, bar: null, attached: [] });
  if (hasContent(left)) remember(name, left); else tabMemory().removeItem(name);
  return taken;
}

function hasContent({ draft, attached, aside, sendings }) {
  return Boolean((draft && draft.text.trim()) || (attached && attached.length) || aside.length || sendings.length);
}
