// What stands in the list of the feed: rows and gaps in the order of time, with lines between them (days, what is new, the beginning), and where each of
// them begins. What a row is, and how it is drawn, is in feed.js. The files of the feed and page.js reach the page as one module.

const END_GAP = 10; // pixels under the last row
const GROUP_MS = 5 * 60 * 1000; // messages of one author within this time share one heading
const GUESSED = { day: 40, gap: 36, top: 42, new: 34, event: 27, heading: 32, line: 20, picture: 196, chip: 54 }; // pixels, until something has been drawn and measured

// Edits and removals whose message is here change that message instead of standing alone. In a flood ten batches a second go through thousands of
// rows, so what stands before the earliest news is carried over, as long as these concern nothing there; whatever else happens, the list is made anew.
// An item has a place as rows have (feed_timeline.js); a line stands right before its row.
class Items {
  constructor() {
    this.all = [];
    this.offsets = new Float64Array(1);
    this.total = 0;
    this.heights = new Map(); // key → measured height
  }

  // Bring the list up to date with what is in memory; behind `mark`, if it is a place, what others said is new.
  follow(timeline, mark = null) {
    const isSame = timeline === this.timeline && timeline.shape === this.shape && mark === this.mark && this.missed.size + this.matched.size < 2 * MOST_ROWS;
    if (!isSame || !this.cut(timeline) || !this.goOn(timeline)) this.build(timeline, mark);
    this.first = timeline.rows[0] || null;
    timeline.taken();
  }

  build(timeline, mark) {
    this.timeline = timeline;
    this.shape = timeline.shape;
    this.mark = mark;
    this.all = [];
    this.before = this.day = null;
    this.isNew = false; // whether the line before what is new stands there
    this.gap = 0; // how many gaps were passed
    this.last = 0; // the highest number of a row
    this.messages = new Map(); // message id → row
    this.edits = new Map();
    this.removals = new Map();
    this.changed = new Map(); // message id → the item that an edit or a removal changes
    this.twice = new Set(); // ids of messages that are here more than once
    this.unnamed = new Map(); // chat and text → edits whose message the server did not name, and nobody found yet
    this.matched = new Set(); // such edits whose message was found: it came as another edit, which names it
    this.missed = new Set(); // ids of messages that were answered and are not here
    this.noteAll(timeline.rows);
    if (timeline.rows.length && timeline.hasBeginning) this.all.push(this.topLine());
    for (const row of timeline.rows) this.add(row);
    this.passGaps(END);
  }

  noteAll(rows) {
    for (const row of rows) {
      this.note(row);
      this.last = Math.max(this.last, row.s);
    }
    for (const row of rows.filter(({ k }) => k === "edit").sort((a, b) => a.s - b.s)) this.match(row);
  }

  // Of several edits of a message the one that was recorded last says what is known now.
  note(row) {
    if (!row.m) return;
    const { s } = (row.k === "edit" ? this.edits : row.k === "remove" ? this.removals : this.messages).get(row.m) || { s: 0 };
    if (row.k === "edit") { if (s < row.s) this.edits.set(row.m, row); }
    else if (row.k === "remove") { if (s < row.s) this.removals.set(row.m, row); }
    else this.messages.set(row.m, row);
  }

  // What is found out is recorded behind what it is about: of several edits of one text in one chat, the oldest is meant.
  match(row) {
    const key = `${row.c}|${row.x}`, waiting = this.unnamed.get(key) || [];
    if (!row.m) this.unnamed.set(key, [...waiting, row]);
    else if (waiting.length) { this.matched.add(waiting[0]); this.unnamed.set(key, waiting.slice(1)); }
  }

  add(row) {
    const isChange = row.k === "edit" || row.k === "remove";
    if (isChange && row.m && this.messages.has(row.m)) return;
    if (this.matched.has(row)) return;
    this.passGaps(row);
    const today = dayNumber(row.t);
    if (today !== this.day) {
      this.all.push(this.dayLine(row, today));
      this.day = today;
      this.before = null;
    }
    if (this.mark && !this.isNew && !row.o && isBefore(this.mark, row)) {
      this.all.push(this.newLine(row));
      this.isNew = true;
      this.before = null;
    }
    const answered = row.r ? this.messages.get(row.r) : undefined;
    if (row.r && !answered) this.missed.add(row.r);
    const item = { type: "row", key: row.s, t: row.t, s: row.s, row, head: !isFollowedBy(this.before, row), answered,
      height: this.heights.get(row.s), edit: undefined, removal: undefined };
    if (row.m && !isChange) {
      this.showChanges(item);
      if (this.changed.has(row.m)) this.twice.add(row.m);
      this.changed.set(row.m, item);
    }
    this.all.push(item);
    this.before = row;
  }

  // A message that was recorded after its edit (read from the history) has the new text already.
  showChanges(item) {
    const edit = this.edits.get(item.row.m);
    item.edit = edit && edit.s > item.row.s ? edit : undefined;
    item.removal = this.removals.get(item.row.m);
  }

  passGaps(place) {
    const { gaps } = this.timeline;
    for (; this.gap < gaps.length && (place === END || isBefore(gaps[this.gap].end, place)); this.gap += 1) {
      this.all.push(this.gapLine(gaps[this.gap]));
      this.before = null;
    }
  }

  gapLine(gap) {
    const key = gap.start.t === -Infinity ? "top" : `g${gap.end.t}|${gap.end.s}`;
    return { type: "gap", key, t: gap.end.t, s: gap.end.s, gap, height: this.heights.get(key) };
  }

  // What stands before the first row there is.
  topLine() {
    return { type: "top", key: "beginning", ...START, height: this.heights.get("beginning") };
  }

  dayLine(row, today) {
    const key = `d${row.s}`;
    return { type: "day", key, t: row.t, s: row.s - 0.5, time: row.t, today, height: this.heights.get(key) };
  }

  newLine(row) {
    return { type: "new", key: "new", t: row.t, s: row.s - 0.25, height: this.heights.get("new") };
  }

  // Take rows away that memory no longer holds; false if more changes than the beginning.
  cut(timeline) {
    const [first] = timeline.rows;
    if (!first || !this.first || first === this.first) return Boolean(first) === Boolean(this.first);
    if (isBefore(first, this.first)) return false;
    const start = this.all.findIndex((item) => item.row && !isBefore(item, first)), top = this.all[start];
    if (start <= 0) return false;
    for (const row of this.matched) if (isBefore(row, first)) return false;
    for (const { type, row, edit, removal } of this.all.slice(0, start)) {
      if (type === "new" || edit || removal || (row && (row.k === "edit" || row.k === "remove"))) return false;
      if (row && this.messages.get(row.m) === row) { this.messages.delete(row.m); this.changed.delete(row.m); }
    }
    top.head = true;
    const before = timeline.gaps.filter((gap) => isBefore(gap.end, top)).map((gap) => this.gapLine(gap));
    this.all = [...before, this.dayLine(top.row, dayNumber(top.t)), ...this.all.slice(start)];
    return true;
  }

  // Put in what came; false if it changes something that stands elsewhere.
  goOn(timeline) {
    const { rows, gaps, changed } = timeline;
    if (!changed) return true;
    const came = timeline.came.filter((row) => !isBefore(row, rows[0])).sort((a, b) => a.s - b.s);
    if (!rows.length || !isBefore(rows[0], changed) || came[0]?.s < this.last || came.some((row) => this.touchesOthers(row))) return false;
    this.goBack(changed);
    this.gap = countOf(gaps, (gap) => isBefore(gap.end, changed));
    this.noteAll(came);
    for (const row of came) this.change(row);
    for (let i = countBefore(rows, changed); i < rows.length; i += 1) this.add(rows[i]);
    this.passGaps(END);
    return true;
  }

  // Take away what stands from a place on.
  goBack(place) {
    const { all } = this;
    while (all.length && !isBefore(all[all.length - 1], place)) {
      const { type, row } = all.pop();
      if (type === "new") this.isNew = false;
      if (row && row.m && this.changed.get(row.m)?.row === row) this.changed.delete(row.m);
    }
    const dated = all.findLast(({ type }) => type === "row" || type === "day"), last = all[all.length - 1];
    this.day = dated ? dayNumber(dated.t) : null;
    this.before = last?.row || null;
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
    if (item) this.showChanges(item);
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

  // The index of the first item that does not stand before a place; of a row that is here, its own.
  indexOf(place) {
    return countBefore(this.all, place);
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

// How many of the first things in an array have something in common.
function countOf(array, has) {
  const count = array.findIndex((one) => !has(one));
  return count < 0 ? array.length : count;
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
