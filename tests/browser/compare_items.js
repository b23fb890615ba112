// A list that is carried over from batch to batch, compared with one that is made anew; run in the page by test_feed_items.py.
//
// Batches of every kind of row, some of them lost or skipped, go through a stretch that holds few rows. After each, the list that was carried over is
// compared with one that was made anew: its keys, headings, edits, removals, answered messages and holes.
async ([seed, rounds]) => {
  const { Items, Stretch } = await import('/feed-parts.js');
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const pick = (most) => Math.floor(random() * most);
  const stretch = new Stretch(60), carried = new Items(), record = [], seen = new Set();
  const said = (items) => JSON.stringify(items.all.map((one) => [one.type, one.key, one.seq, one.head, kept(one.edit), kept(one.removal), kept(one.answered),
    one.today, one.hole && [one.hole.after, one.hole.last]]));
  // What a row says of another stays when the other is forgotten; a list made anew cannot know it.
  const kept = (row) => (row && row.s >= stretch.rows[0].s ? row.s : 0);
  const kinds = ['text', 'text', 'text', 'text', 'text', 'text', 'photo', 'edit', 'remove', 'join', 'untold'];
  const one = () => {
    const s = record.length + 1, k = kinds[pick(kinds.length)], back = s - pick(30);
    const row = { s, k: k === 'untold' ? 'edit' : k, c: `c${pick(2)}`, a: `a${pick(2)}`, t: 1.7e12 + s * 2.5e6 * (pick(9) ? 0 : 1), x: `x${pick(4)}` };
    if (['text', 'photo'].includes(k)) row.m = `m${pick(40) ? s : back}`; else if (['edit', 'remove'].includes(k)) row.m = `m${back}`;
    if (!pick(4)) row.r = `m${s + 3 - pick(40)}`;
    record.push(row);
    return row;
  };
  for (let round = 0; round < rounds; round += 1) {
    const after = record.length, came = Array.from({ length: pick(12) }, one), last = record.length;
    const from = pick(9) ? after : after + pick(came.length + 1), isLost = !pick(15);
    if (!isLost) stretch.take({ after, from, last, rows: came.filter((row) => row.s > from) }, !pick(25));
    const hole = stretch.holes[pick(stretch.holes.length + 3)];
    if (hole && !pick(2)) stretch.fill(hole.after, hole.last, record.slice(hole.after, hole.last));
    stretch.trim(pick(12) ? stretch.last : 0);
    carried.follow(stretch);
    const anew = new Items();
    anew.follow(stretch);
    if (said(carried) !== said(anew)) return { round, carried: said(carried), anew: said(anew) };
    for (const item of anew.all) seen.add(item.type + (item.edit ? ' edited' : '') + (item.removal ? ' removed' : ''));
  }
  return [...seen].sort();
}
