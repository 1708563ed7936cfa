// A bad network, as a piece of pure logic: what comes in goes out later, or only when enough has gathered. The buffering
// is that of a proxy with default settings: nothing passes until 4 KiB are full or the answer ends.

export const BUFFER_BYTES = 4096;

export interface Conditions {
  delay_ms: number;
  buffering: boolean;
}

export interface Clock {
  now(): number;
  after(ms: number, then: () => void): void;
}

/** Keeps the order of what passes, whatever the conditions become meanwhile. */
export class Dam {
  private held: (() => void)[] = [];
  private held_bytes = 0;
  /** On their way: each batch has a timer of its own, and every timer lets the oldest through. */
  private coming: (() => void)[][] = [];
  private last_due = 0;
  private closed = false;

  constructor(
    private readonly conditions: Conditions,
    private readonly clock: Clock,
  ) {}

  /** `pass` is called when these bytes come through; never after `close`. */
  push(bytes: number, pass: () => void): void {
    this.held.push(pass);
    this.held_bytes += bytes;
    if (!this.conditions.buffering || this.held_bytes >= BUFFER_BYTES) this.release();
  }

  /** The answer is over: what is left comes through, then `pass`. */
  end(pass: () => void): void {
    this.held.push(pass);
    this.release();
  }

  close(): void {
    this.closed = true;
  }

  private release(): void {
    const ready = this.held;
    this.held = [];
    this.held_bytes = 0;
    const now = this.clock.now();
    // At once where nothing is before us: a timer of zero would add its own 1 to 4 ms to every measurement.
    if (this.conditions.delay_ms === 0 && this.coming.length === 0) return this.pass(ready);
    this.last_due = Math.max(this.last_due, now + this.conditions.delay_ms);
    this.coming.push(ready);
    this.clock.after(this.last_due - now, () => this.pass(this.coming.shift() ?? []));
  }

  private pass(ready: (() => void)[]): void {
    for (const pass of ready) if (!this.closed) pass();
  }
}
