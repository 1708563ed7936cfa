// Numbers about numbers: how long messages took, lately.

/** Older samples say nothing about now. */
const KEPT_MS = 60_000;
const KEPT_MAX = 600;

export interface Spread {
  count: number;
  p50: number;
  p95: number;
  max: number;
}

/** The smallest value that at least `share` of all values do not exceed. `sorted` ascends and is not empty. */
export function quantile(sorted: readonly number[], share: number): number {
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return sorted[index] ?? NaN;
}

export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return { count: sorted.length, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: sorted.at(-1) ?? NaN };
}

export class Samples {
  private rows: { at: number; value: number }[] = [];

  add(value: number, now: number): void {
    this.rows.push({ at: now, value });
    // Cut seldom: a hundred messages a second must not move the array each time.
    if (this.rows.length > 2 * KEPT_MAX) this.rows = this.rows.slice(-KEPT_MAX);
  }

  recent(now: number): number[] {
    const kept: number[] = [];
    for (const row of this.rows.slice(-KEPT_MAX)) if (now - row.at <= KEPT_MS) kept.push(row.value);
    return kept;
  }
}

/** Where a latency stands between `low_ms` (0) and `high_ms` (1), each factor of ten the same distance. */
export function logShare(ms: number, low_ms = 1, high_ms = 20_000): number {
  const share = Math.log(Math.max(ms, low_ms) / low_ms) / Math.log(high_ms / low_ms);
  return Math.min(1, share);
}
