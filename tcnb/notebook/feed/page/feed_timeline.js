// The part of the timeline that is in memory: rows in the order of time, and gaps where the record has more. How it gets to the page is in feed.js.
// The files of the feed and page.js reach the page as one module.
//
// A place in the timeline is {t, s}: the time at which something happened, and its number in the record, which decides between rows of one moment. A row
// is a place. A gap is {start, end, count, since}, both ends included: rows of the record that stand there may be missing here.

const START = Object.freeze({ t: -Infinity, s: -Infinity }), END = Object.freeze({ t: Infinity, s: Infinity });

const isBefore = (a, b) => a.t < b.t || (a.t === b.t && a.s < b.s);
const earlierOf = (a, b) => (isBefore(b, a) ? b : a);
const laterOf = (a, b) => (isBefore(a, b) ? b : a);
const placeOf = ({ t, s }) => ({ t, s });
const rightBefore = ({ t, s }) => ({ t, s: s - 1 });
const rightBehind = ({ t, s }) => ({ t, s: s + 1 });

// A place on its way to the kernel and back; what lies beyond every row is null there.
const toKernel = ({ t, s }) => (Number.isFinite(t) ? [t, s] : null);
const fromKernel = (pair) => (pair ? { t: pair[0], s: pair[1] } : null);
const gapsFromKernel = (gaps) => gaps.map(([t1, s1, t2, s2, count]) => ({ start: { t: t1, s: s1 }, end: { t: t2, s: s2 }, count }));

// How many of some sorted things (rows, items of the list) stand before a place.
function countBefore(sorted, place) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(sorted[middle], place)) low = middle + 1; else high = middle;
  }
  return low;
}

class Timeline {
  constructor(limit, filter = NO_FILTER) {
    this.limit = limit;
    this.filter = filter;
    this.rows = []; // sorted
    this.gaps = []; // sorted, disjoint
    this.newest = START; // the last place of which this has heard
    this.shape = 0; // counts changes other than new rows and gaps, and rows that go at the beginning
    this.changed = null; // the earliest place of such new rows and gaps since `taken`
    this.came = []; // these rows
  }

  static of(tail, limit, filter) {
    const copy = new Timeline(limit, filter);
    copy.rows = isEmptyFilter(filter) ? tail.rows.slice() : tail.rows.filter((row) => passes(row, filter));
    copy.gaps = tail.gaps.slice();
    copy.newest = tail.newest;
    return copy;
  }

  // The gap at the end, where the latest rows would be, if there is one.
  get endGap() {
    const gap = this.gaps[this.gaps.length - 1];
    return gap && gap.end.t === Infinity ? gap : null;
  }

  get hasBeginning() {
    return !this.gaps.length || this.gaps[0].start.t !== -Infinity;
  }

  // Take rows and gaps that are news; what stands in a gap here stays out until the gap is filled. `hold` keeps out what comes at the end, too.
  // Returns how many came at the end (with a filter: at least how many).
  take(rows, gaps, hold = false) {
    const { newest } = this, wanted = rows.filter((row) => passes(row, this.filter)), old = countBefore(wanted, rightBehind(newest));
    let count = wanted.length - old;
    for (const gap of gaps) {
      if (isBefore(newest, gap.start) && isEmptyFilter(this.filter)) count += gap.count;
      this.addGap(gap.start, gap.end, gap.count);
      this.newest = laterOf(this.newest, gap.end);
    }
    if (rows.length) this.newest = laterOf(this.newest, placeOf(rows[rows.length - 1]));
    if (hold && old < wanted.length && !this.endGap) this.addGap(placeOf(wanted[old]), END, 0);
    this.insert(wanted.filter((row) => !this.isInGap(row)));
    return count;
  }

  isInGap(place) {
    for (let i = this.gaps.length - 1; i >= 0; i -= 1) {
      const { start, end } = this.gaps[i];
      if (isBefore(end, place)) return false;
      if (!isBefore(place, start)) return true;
    }
    return false;
  }

  insert(rows) {
    if (!rows.length) return;
    const last = this.rows[this.rows.length - 1];
    let came = rows;
    if (!last || isBefore(last, rows[0])) for (const row of rows) this.rows.push(row);
    else {
      came = rows.filter((row) => !this.has(row));
      if (!came.length) return;
      this.rows = mergedRows(this.rows, came);
    }
    for (const row of came) this.came.push(row);
    this.touch(came[0]);
    if (this.came.length > this.limit) { this.taken(); this.shape += 1; } // nobody draws this, or not for long
  }

  has(row) {
    const there = this.rows[countBefore(this.rows, row)];
    return Boolean(there) && there.s === row.s;
  }

  touch(place) {
    this.changed = this.changed ? earlierOf(this.changed, place) : place;
  }

  // The list has taken in what came.
  taken() {
    this.changed = null;
    this.came = [];
  }

  // Note that rows are missing; what is here of them is forgotten, and comes with the others.
  addGap(start, end, count) {
    if (this.gaps.some((gap) => !isBefore(start, gap.start) && !isBefore(gap.end, end))) return;
    const from = countBefore(this.rows, start), to = countBefore(this.rows, rightBehind(end));
    if (to > from) {
      count += to - from;
      this.rows.splice(from, to - from);
      this.shape += 1;
    }
    let gap = { start, end, count, since: Date.now() };
    const before = this.rows[from - 1] || START, behind = this.rows[from] || END, others = [];
    for (const one of this.gaps) {
      // With no row between them two gaps are one.
      if (isBefore(one.end, before) || isBefore(behind, one.start)) others.push(one);
      else gap = { start: earlierOf(one.start, gap.start), end: laterOf(one.end, gap.end), count: one.count + gap.count, since: one.since };
    }
    others.push(gap);
    this.gaps = others.sort((a, b) => (isBefore(a.start, b.start) ? -1 : 1));
    this.touch(gap.start);
  }

  // Put in all rows from one place to another, which closes the gaps there. Whether that was news.
  fill(start, end, rows) {
    const wanted = rows.filter((row) => passes(row, this.filter)), gaps = [];
    let touched = false;
    for (const gap of this.gaps) {
      if (isBefore(gap.end, start) || isBefore(end, gap.start)) { gaps.push(gap); continue; }
      touched = true;
      const left = gap.count && Math.max(1, gap.count - wanted.length);
      if (isBefore(gap.start, start)) gaps.push({ ...gap, end: rightBefore(start), count: left });
      if (isBefore(end, gap.end)) gaps.push({ ...gap, start: rightBehind(end), count: left });
    }
    if (!touched) return false;
    this.shape += 1;
    this.gaps = gaps;
    this.insert(wanted.filter((row) => !this.isInGap(row)));
    return true;
  }

  // Keep memory bounded: forget rows at the end that is farther from a place, and remember them as a gap.
  trim(near) {
    const surplus = this.rows.length - this.limit;
    if (surplus <= 0) return;
    const middle = this.rows[this.rows.length >> 1];
    if (!isBefore(near, middle)) {
      const end = placeOf(this.rows[surplus - 1]);
      this.rows = this.rows.slice(surplus);
      this.gaps = [{ start: START, end, count: 0, since: 0 }, ...this.gaps.filter((gap) => isBefore(end, gap.end))];
    } else {
      const start = placeOf(this.rows[this.rows.length - surplus]);
      this.rows.length -= surplus;
      this.shape += 1;
      this.gaps = [...this.gaps.filter((gap) => isBefore(gap.start, start)), { start, end: END, count: 0, since: 0 }];
    }
  }

  // What is here of a gap, as an answer that covers its end (or its start); null if there is nothing.
  covering({ start, end }, fromEnd) {
    const meeting = this.gaps.filter((gap) => !isBefore(gap.end, start) && !isBefore(end, gap.start));
    let from = start, to = end;
    if (meeting.length && fromEnd) from = rightBehind(meeting[meeting.length - 1].end);
    if (meeting.length && !fromEnd) to = rightBefore(meeting[0].start);
    if (isBefore(to, from)) return null;
    return { start: from, end: to, rows: this.rows.slice(countBefore(this.rows, from), countBefore(this.rows, rightBehind(to))) };
  }
}

// The rows of two sorted lists of which none is in both.
function mergedRows(left, right) {
  const from = countBefore(left, right[0]), rows = left.slice(0, from);
  let i = from, j = 0;
  while (i < left.length && j < right.length) rows.push(isBefore(left[i], right[j]) ? left[i++] : right[j++]);
  while (i < left.length) rows.push(left[i++]);
  while (j < right.length) rows.push(right[j++]);
  return rows;
}
