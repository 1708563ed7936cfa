// How long the connection has been away, and what came in when it returned. Shorter interruptions than
// AWAY_MS are nobody's business; after a longer one, the page says how much is new instead of only flickering.
import type { State } from "wigeon-client";

export const AWAY_MS = 2_000;
/** What was missed arrives in this time; what comes later is simply new. */
const CATCH_UP_MS = 1_500;
const SHOWN_MS = 5_000;

export class Absence {
  /** Since when there is no connection; null while there is one. */
  since: number | null = Date.now();
  /** How many messages the absence brought; null when there is nothing to say. */
  news: number | null = null;
  /** Messages that came before the new connection was proven: those are of the absence too. */
  private early = 0;
  private counting = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly changed: () => void) {}

  state(status: State["status"], now: number): void {
    if (status !== "online") {
      if (this.since !== null) return;
      this.since = now;
      this.early = 0;
      return this.stop();
    }
    const long = this.since !== null && now - this.since > AWAY_MS;
    this.since = null;
    if (!long) return;
    this.counting = true;
    this.news = this.early;
    this.timer = setTimeout(() => {
      this.counting = false;
      this.timer = setTimeout(() => {
        this.stop();
        this.changed();
      }, SHOWN_MS);
    }, CATCH_UP_MS);
  }

  /** The first connection of all is no return. */
  began(): void {
    this.since = null;
  }

  message(count = 1): void {
    if (this.since !== null) this.early += count;
    else if (this.counting && this.news !== null) this.news += count;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.counting = false;
    this.news = null;
  }
}
