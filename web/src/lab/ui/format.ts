// Numbers as people read them: few digits, always with a unit.
export function milliseconds(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

export function bytes(count: number): string {
  if (count < 1_000) return `${Math.round(count)} B`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(count < 10_000 ? 1 : 0)} kB`;
  return `${(count / 1_000_000).toFixed(count < 10_000_000 ? 1 : 0)} MB`;
}

/** A ratio: 0.03, 1.2, 15. */
export const ratio = (value: number): string => value.toFixed(value < 0.1 ? 2 : value < 10 ? 1 : 0);

export const secondsLeft = (until: number, now: number): number => Math.max(0, Math.ceil((until - now) / 1_000));
