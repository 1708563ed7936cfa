// What one lane of the timeline shows: bars while a request or a connection is open, dots for messages. Times are
// milliseconds of one clock; what has left the window is forgotten.

export const WINDOW_MS = 30_000;

export interface Span {
  from: number;
  /** Null: still open. */
  to: number | null;
}

export interface Dot {
  at: number;
  /** It came much later than it was sent: held back, or caught up after a pause. */
  late: boolean;
}

export class Lane {
  spans: Span[] = [];
  dots: Dot[] = [];

  /** A request leaves. Of a stream only one is meaningful at a time; polls close theirs by the answer. */
  begin(now: number): void {
    this.end(now);
    this.spans.push({ from: now, to: null });
  }

  end(now: number): void {
    const last = this.spans.at(-1);
    if (last && last.to === null) last.to = now;
    this.forget(now);
  }

  message(now: number, late: boolean): void {
    this.dots.push({ at: now, late });
    this.forget(now);
  }

  private forget(now: number): void {
    const since = now - WINDOW_MS;
    const spans = this.spans.findIndex((span) => (span.to ?? now) >= since);
    if (spans > 0) this.spans.splice(0, spans);
    // In one cut for many: at a hundred a second most of the array would move each time.
    if ((this.dots[0]?.at ?? now) < since - WINDOW_MS) this.dots = this.dots.filter((dot) => dot.at >= since);
  }
}

export interface Bar {
  x: number;
  width: number;
}

/** The bars of a lane in pixels; the right edge is now. Short requests stay visible: they are the comb of polling. */
export function bars(spans: readonly Span[], now: number, width: number): Bar[] {
  const scale = width / WINDOW_MS;
  const out: Bar[] = [];
  for (const span of spans) {
    const right = width - (now - (span.to ?? now)) * scale;
    const left = Math.max(0, width - (now - span.from) * scale);
    if (right < 0) continue;
    out.push({ x: left, width: Math.max(1.5, right - left) });
  }
  return out;
}

/** Where messages are drawn: at most one mark a pixel, late ones on top of prompt ones. */
export function marks(dots: readonly Dot[], now: number, width: number): Map<number, boolean> {
  const scale = width / WINDOW_MS;
  const out = new Map<number, boolean>();
  for (const dot of dots) {
    const x = Math.round(width - (now - dot.at) * scale);
    if (x >= 0 && x <= width) out.set(x, dot.late || out.get(x) === true);
  }
  return out;
}
