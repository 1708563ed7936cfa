// Who may hold a connection now. Over HTTP/1.1 a browser opens at most six to a host, for all its tabs together; eight
// of our transports hold one each. So they take turns: whoever waits keeps its cursor, and goes on from it.

const TURN_STEP_MS = 4_000;
/** While somebody has not run at all yet: so that a newcomer soon sees all of them work. */
const FIRST_STEP_MS = 1_500;

export class Turns {
  private running = new Map<string, number>();
  private waiting = new Map<string, number>();
  private known = new Set<string>();
  private stepped_at = -TURN_STEP_MS;

  /** `slots`: how many may hold a connection at once. */
  constructor(public slots: number) {}

  /** Those of `wanted` that may run from now on. Call it often; it changes one place every few seconds. */
  at(now: number, wanted: readonly string[]): ReadonlySet<string> {
    for (const id of [...this.running.keys()]) if (!wanted.includes(id)) this.running.delete(id);
    for (const id of [...this.waiting.keys()]) if (!wanted.includes(id) || this.running.has(id)) this.waiting.delete(id);
    for (const id of wanted) if (!this.running.has(id) && !this.waiting.has(id)) this.waiting.set(id, now);
    while (this.running.size > this.slots) this.rest(now);
    while (this.running.size < this.slots && this.waiting.size > 0) this.admit(now);
    const [next] = this.waiting.keys();
    if (next !== undefined && now - this.stepped_at >= (this.known.has(next) ? TURN_STEP_MS : FIRST_STEP_MS)) {
      this.rest(now);
      this.admit(now);
    }
    return new Set(this.running.keys());
  }

  /** Maps keep the order of insertion: the first has been there longest. */
  private rest(now: number): void {
    const [id] = this.running.keys();
    if (id === undefined) return;
    this.running.delete(id);
    this.waiting.set(id, now);
  }

  private admit(now: number): void {
    const [id] = this.waiting.keys();
    if (id === undefined) return;
    this.waiting.delete(id);
    this.running.set(id, now);
    this.known.add(id);
    this.stepped_at = now;
  }
}
