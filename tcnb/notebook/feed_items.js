// What stands in the list of the feed: rows and holes in order, with day lines between, and where each of them begins. What a row is, and how it is
// drawn, is in feed.js. The files of the feed and page.js reach the page as one module.

const END_GAP = 10; // pixels under the last row
const GROUP_MS = 5 * 60 * 1000; // messages of one author within this time share one heading
const GUESSED = { day: 40, hole: 36, event: 27, heading: 32, line: 20, picture: 196, chip: 54 }; // pixels, until something has been drawn and measured

// Edits and removals whose message is here change that message instead of standing alone. In a flood ten batches a second go through thousands of
// rows, so what came at the end and what went at the beginning is carried over; whatever else happens, the list is made anew.
class Items {
  constructor() {
    this.all = [];
    this.offsets = new Float64Array(1);
    this.total = 0;
    this.heights = new Map(); // key → measured height
  }

  // Bring the list up to date with what is in memory.
  follow(stretch) {
    const isSame = stretch === this.stretch && stretch.shape === this.shape && this.missed.size + this.matched.size < 2 * MOST_ROWS;
    if (!isSame || !this.cut(stretch) || !this.goOn(stretch)) this.build(stretch);
    this.first = stretch.rows.length ? stretch.rows[0].s : 0;
  }

  build(stretch) {
    this.stretch = stretch;
    this.shape = stretch.shape;
    this.all = [];
    this.before = this.day = null;
    this.last = this.hole = 0;
    this.messages = new Map(); // message id → row
    this.edits = new Map();
    this.removals = new Map();
    this.changed = new Map(); // message id → the item that an edit or a removal changes
    this.twice = new Set(); // ids of messages that are here more than once
    this.unnamed = new Map(); // chat and text → edits whose message the server did not name, and nobody found yet
    this.matched = new Set(); // such edits whose message was found: it came as another edit, which names it
    this.missed = new Set(); // ids of messages that were answered and are not here
    for (const row of stretch.rows) this.note(row);
    for (const row of stretch.rows) this.add(row);
    this.passHoles(Infinity);
  }

  note(row) {
    if (row.k === "edit") this.match(row);
    if (!row.m) return;
    if (row.k === "edit") this.edits.set(row.m, row);
    else if (row.k === "remove") this.removals.set(row.m, row);
    else this.messages.set(row.m, row);
  }

  // What is found out comes behind what it is about: of several edits of one text in one chat, the oldest is meant.
  match(row) {
    const key = `${row.c}|${row.x}`, waiting = this.unnamed.get(key) || [];
    if (!row.m) this.unnamed.set(key, [...waiting, row]);
    else if (waiting.length) { this.matched.add(waiting[0]); this.unnamed.set(key, waiting.slice(1)); }
  }

  add(row) {
    this.last = row.s;
    const isChange = row.k === "edit" || row.k === "remove";
    if (isChange && row.m && this.messages.has(row.m)) return;
    if (this.matched.has(row)) return;
    this.passHoles(row.s);
    const today = row.t ? dayNumber(row.t) : this.day;
    if (today !== this.day) {
      this.all.push(this.dayLine(row, today, this.day !== null && today < this.day));
      this.day = today;
      this.before = null;
    }
    const answered = row.r ? this.messages.get(row.r) : undefined;
    if (row.r && !answered) this.missed.add(row.r);
    const item = { type: "row", key: row.s, seq: row.s, row, head: !isFollowedBy(this.before, row), answered,
      height: this.heights.get(row.s), edit: undefined, removal: undefined };
    if (row.m && !isChange) {
      item.edit = this.edits.get(row.m);
      item.removal = this.removals.get(row.m);
      if (this.changed.has(row.m)) this.twice.add(row.m);
      this.changed.set(row.m, item);
    }
    this.all.push(item);
    this.before = row;
  }

  passHoles(seq) {
    const { holes } = this.stretch;
    for (; this.hole < holes.length && holes[this.hole].last < seq; this.hole += 1) {
      this.all.push(this.holeLine(holes[this.hole]));
      this.before = null;
    }
  }

  holeLine(hole) {
    const key = hole.after === 0 ? "top" : `h${hole.last}`;
    return { type: "hole", key, seq: hole.last, hole, height: this.heights.get(key) };
  }

  // Rows stand in the order in which they were recorded: what was read or sent again later goes back in time behind newer rows.
  dayLine(row, today, isBack = false) {
    const key = `d${row.s}`;
    return { type: "day", key, seq: row.s - 0.5, time: row.t, today, isBack, height: this.heights.get(key) };
  }

  // Take rows away that memory no longer holds; false if more changes than the beginning.
  cut(stretch) {
    const first = stretch.rows.length ? stretch.rows[0].s : 0;
    if (first === this.first || !this.first) return true;
    const start = this.all.findIndex((item) => item.row && item.seq >= first), top = this.all[start];
    if (start <= 0) return false;
    for (const { s } of this.matched) if (s < first) return false;
    for (const { row, edit, removal } of this.all.slice(0, start)) {
      if (edit || removal || (row && (row.k === "edit" || row.k === "remove"))) return false;
      if (row && this.messages.get(row.m) === row) { this.messages.delete(row.m); this.changed.delete(row.m); }
    }
    top.head = true;
    const before = stretch.holes.filter((hole) => hole.last < top.seq).map((hole) => this.holeLine(hole));
    if (top.row.t) before.push(this.dayLine(top.row, dayNumber(top.row.t)));
    this.all = [...before, ...this.all.slice(start)];
    return true;
  }

  // Add what came; false if it changes something that stands elsewhere.
  goOn(stretch) {
    while (this.all.length && this.all[this.all.length - 1].type === "hole") this.all.pop();
    const { rows, holes } = stretch;
    const shown = this.all.length ? this.all[this.all.length - 1].seq : 0;
    this.hole = holes.findIndex((hole) => hole.last > shown);
    if (this.hole < 0) this.hole = holes.length;
    let next = rows.length;
    while (next > 0 && rows[next - 1].s > this.last) next -= 1;
    const came = rows.slice(next);
    if (came.some((row) => this.touchesOthers(row))) return false;
    for (const row of came) { this.note(row); this.change(row); }
    for (const row of came) this.add(row);
    this.passHoles(Infinity);
    return true;
  }

  touchesOthers(row) {
    const { m } = row;
    if (!m) return false;
    if (row.k === "edit" && this.unnamed.get(`${row.c}|${row.x}`)?.length) return true;
    if (row.k === "edit" || row.k === "remove") return this.twice.has(m);
    return this.messages.has(m) || this.edits.has(m) || this.removals.has(m) || this.missed.has(m);
  }

  // Show an edit or a removal in its message.
  change(row) {
    const item = row.m && (row.k === "edit" || row.k === "remove") ? this.changed.get(row.m) : null;
    if (item) item[row.k === "edit" ? "edit" : "removal"] = row;
  }

  // -- where everything is

  // Compute where each item begins; `guess` gives the height of one that was never drawn.
  lay(guess) {
    const { all } = this;
    if (this.offsets.length < all.length + 1) this.offsets = new Float64Array(all.length * 2 + 1);
    let offset = 0;
    for (let i = 0; i < all.length; i += 1) {
      const item = all[i];
      this.offsets[i] = offset;
      offset += item.height ?? (item.guessed ??= guess(item));
    }
    this.offsets[all.length] = offset;
    this.total = offset + (all.length ? END_GAP : 0);
  }

  // Note how tall a drawn item is; whether that is news.
  measured(item, height) {
    const before = item.height ?? item.guessed;
    if (item.height === height) return false;
    item.height = height;
    this.heights.set(item.key, height);
    if (this.heights.size > 4 * MOST_ROWS) this.forgetOldHeights();
    return !(Math.abs(before - height) <= 0.5);
  }

  forgetOldHeights() {
    const known = new Set(this.all.map((item) => item.key));
    for (const key of this.heights.keys()) if (!known.has(key)) this.heights.delete(key);
  }

  // Everything has another width now.
  forgetHeights() {
    this.heights.clear();
    for (const item of this.all) item.height = item.guessed = undefined;
  }

  indexOfSeq(seq) {
    let low = 0, high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.all[middle].seq < seq) low = middle + 1; else high = middle;
    }
    return low;
  }

  indexAt(offset) {
    let low = 0, high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1] <= offset) low = middle + 1; else high = middle;
    }
    return low;
  }
}

function isFollowedBy(before, row) {
  return Boolean(before && before.a === row.a && before.c === row.c && SPOKEN.has(before.k) && SPOKEN.has(row.k) && !row.r && row.k !== "forward"
    && row.t - before.t < GROUP_MS && row.t >= before.t);
}

// About how tall an item will be in a list of this width.
function guessedHeight(item, width) {
  if (item.type !== "row") return GUESSED[item.type];
  const { row, head } = item;
  if (!SPOKEN.has(row.k)) return GUESSED.event;
  const kind = kindOf(row), perLine = Math.max(12, Math.min(78, (width - 75) / 7.2)), text = kind === "survey" ? "" : row.x || "";
  const lines = text ? Math.min(10, Math.max(text.split("\n", 10).length, Math.ceil(text.length / perLine))) : 0;
  const beside = PICTURE_KINDS.has(kind) ? GUESSED.picture : kind === "text" ? 0 : GUESSED.chip;
  return (head ? GUESSED.heading : 3) + lines * GUESSED.line + beside + (row.r ? 25 : 0);
}
