// Sets of message numbers as sorted, disjoint, inclusive ranges. A timeline keeps in one what it has
// asked for or received; what is missing between two of them is a hole to be filled from history.

export interface Range {
  from: number;
  to: number;
}

/** `ranges` with `add` included; touching neighbours become one. */
export function cover(ranges: readonly Range[], add: Range): Range[] {
  if (add.to < add.from) return [...ranges];
  const result: Range[] = [];
  let { from, to } = add;
  for (const range of ranges) {
    if (range.to < from - 1 || range.from > to + 1) {
      result.push(range);
    } else {
      from = Math.min(from, range.from);
      to = Math.max(to, range.to);
    }
  }
  result.push({ from, to });
  return result.sort((a, b) => a.from - b.from);
}

/** `ranges` without what is in `drop`. */
export function uncover(ranges: readonly Range[], drop: Range): Range[] {
  return ranges.flatMap(({ from, to }) => {
    const left = { from, to: Math.min(to, drop.from - 1) };
    const right = { from: Math.max(from, drop.to + 1), to };
    return [left, right].filter((part) => part.from <= part.to);
  });
}

export function covers(ranges: readonly Range[], seq: number): boolean {
  return ranges.some((range) => range.from <= seq && seq <= range.to);
}

/** What `ranges` leave out of `within`, ascending. */
export function holes(ranges: readonly Range[], within: Range): Range[] {
  const result: Range[] = [];
  let next = within.from;
  for (const range of ranges) {
    if (range.to < next) continue;
    if (range.from > within.to) break;
    if (range.from > next) result.push({ from: next, to: range.from - 1 });
    next = range.to + 1;
  }
  if (next <= within.to) result.push({ from: next, to: within.to });
  return result;
}
