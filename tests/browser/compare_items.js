// A list that is carried over from batch to batch, compared with one that is made anew; run in the page by test_feed_items.py.
//
// Batches of every kind of row, most of them later than all that is there, some from the past, some skipped, lost and sent again, go through a timeline
// that holds few rows. After each, the timeline is compared with the sorted record, and the list that was carried over with one that was made anew: its
// keys, headings, edits, removals, answered messages, gaps and the line before what is new.
async ([seed, rounds]) => {
  const { Items, Timeline, START, END, rightBefore, rightBehind } = await import('/feed-parts.js');
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const pick = (most) => Math.floor(random() * most);
  const comes = (a, b) => a.t - b.t || a.s - b.s;
  const timeline = new Timeline(60), carried = new Items(), record = [], lost = [], seen = new Set();
  const said = (items) => JSON.stringify(items.all.map((one) => [one.type, one.key, one.t, one.s, one.head, kept(one.edit), kept(one.removal), kept(one.answered),
    one.today, one.gap && [one.gap.start, one.gap.end]]));
  // What a row says of another stays when the other is forgotten; a list made anew cannot know it.
  const kept = (row) => (row && comes(row, timeline.rows[0]) >= 0 ? row.s : 0);
  const kinds = ['text', 'text', 'text', 'text', 'text', 'text', 'photo', 'edit', 'remove', 'join', 'untold'];
  const now = (s) => 1.7e12 + s * 2.5e6;
  const one = (isPast) => {
    const s = record.length + 1, k = kinds[pick(kinds.length)], back = s - pick(30), t = isPast ? now(pick(s)) : now(s - pick(2)) + pick(3);
    const row = { s, k: k === 'untold' ? 'edit' : k, c: `c${pick(2)}`, a: `a${pick(2)}`, t, x: `x${pick(4)}` };
    if (['text', 'photo'].includes(k)) row.m = `m${pick(40) ? s : back}`; else if (['edit', 'remove'].includes(k)) row.m = `m${back}`;
    if (!pick(4)) row.r = `m${s + 3 - pick(40)}`;
    if (!pick(5)) row.o = 1;
    record.push(row);
    return row;
  };
  // The rows that are sent are the latest; the others are told as gaps, with nothing older between them.
  const batchOf = (came) => {
    const sorted = came.slice().sort(comes), isSkipped = !pick(8), sent = isSkipped ? sorted.slice(1 + pick(sorted.length)) : sorted;
    const left = new Set(sorted.slice(0, sorted.length - sent.length)), gaps = [];
    let gap = null;
    for (const row of record.slice().sort(comes)) {
      if (!left.has(row)) { gap = null; continue; }
      const place = { t: row.t, s: row.s };
      if (gap) { gap.end = place; gap.count += 1; } else gaps.push((gap = { start: place, end: place, count: 1 }));
    }
    return [sent, gaps];
  };
  const isHere = (row) => timeline.gaps.every((gap) => comes(row, gap.start) < 0 || comes(row, gap.end) > 0);
  let mark = null;
  for (let round = 0; round < rounds; round += 1) {
    const isPast = !pick(6), came = Array.from({ length: pick(12) }, () => one(isPast));
    if (!pick(15)) lost.push(came); else timeline.take(...batchOf(came), !pick(25));
    if (lost.length && !pick(3)) timeline.take(...batchOf(lost.pop()));
    const gap = timeline.gaps[pick(timeline.gaps.length + 3)];
    if (gap && !pick(2)) {
      const inside = record.filter((row) => comes(row, gap.start) >= 0 && comes(row, gap.end) <= 0 && !lost.flat().includes(row)).sort(comes);
      const part = pick(2) ? inside.slice(-10) : inside, start = part.length < inside.length ? { t: part[0].t, s: part[0].s } : gap.start;
      timeline.fill(start, gap.end, part);
    }
    timeline.trim(pick(12) ? END : START);
    if (!pick(20)) mark = pick(2) && timeline.rows.length ? rightBehind(timeline.rows[pick(timeline.rows.length)]) : null;
    const here = record.filter((row) => isHere(row) && !lost.flat().includes(row)).sort(comes).map((row) => row.s);
    const held = timeline.rows.map((row) => row.s);
    if (JSON.stringify(here) !== JSON.stringify(held)) return { round, here, held, gaps: timeline.gaps };
    carried.follow(timeline, mark);
    const anew = new Items();
    anew.follow(timeline, mark);
    if (said(carried) !== said(anew)) return { round, carried: said(carried), anew: said(anew) };
    if (carried.all.some((item, i) => i && comes(carried.all[i - 1], item) >= 0)) return { round, unsorted: said(carried) };
    for (const item of anew.all) seen.add(item.type + (item.edit ? ' edited' : '') + (item.removal ? ' removed' : ''));
  }
  return [...seen].sort();
}
