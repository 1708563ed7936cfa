// What the instruments measure: numbered messages, each with the time of its sending in its text, at the pace asked for.
import type { Client } from "wigeon-client";
import { Lane } from "./timeline.ts";
import { bytesOfText } from "./wire.ts";

export const RATES = [0, 1, 10, 100] as const;
export type Rate = (typeof RATES)[number];
export const SIZES = [32, 256, 2048, 16_384] as const;
export type Size = (typeof SIZES)[number];

/** A hundred a second is a show, not a state: each message stays in the server's log. */
export const FAST_FOR_MS = 20_000;
const TICK_MS = 20;
/** Texts kept to compare with what arrives: enough for every reader's longest absence at a usual pace. */
const TEXTS_MAX = 4_000;

/** Everything that has broken a framing somewhere: ends of elements and comments, line ends, quotes, text of other lengths. */
export const HOSTILE = "</script><script>alert(1)</script> <!--<script> ]]> \u2028\u2029 \r\n\r\ndata: no\n\nid: no \"'\\ &amp; %0A\0\u0007 ﷽ 赤颈鸭 🦆👩‍👩‍👧 ";

export function textOf(n: number, sent_at: number, size: number, hostile: boolean): string {
  const head = `#${n} ${sent_at.toFixed(1)} ${hostile ? HOSTILE : ""}`;
  return head + "quack ".repeat(Math.ceil(Math.max(0, size - bytesOfText(head)) / 6)).slice(0, Math.max(0, size - bytesOfText(head)));
}

export const wallClock = (): number => performance.timeOrigin + performance.now();

export class Publisher {
  rate: Rate = 1;
  size: Size = 32;
  hostile = false;
  sent = 0;
  /** The server has it on disk. */
  stored = 0;
  refused: string | null = null;
  /** When the pace falls back. */
  fast_until: number | null = null;
  readonly lane = new Lane();
  private texts = new Map<number, string>();
  private due_at = 0;

  constructor(
    private readonly client: Client,
    private readonly room: string,
  ) {
    setInterval(() => this.tick(), TICK_MS);
  }

  pace(rate: Rate): void {
    this.rate = rate;
    this.due_at = performance.now();
    this.fast_until = rate === 100 ? performance.now() + FAST_FOR_MS : null;
  }

  send(): void {
    const n = ++this.sent;
    const text = textOf(n, wallClock(), this.size, this.hostile);
    this.texts.set(n, text);
    this.texts.delete(n - TEXTS_MAX);
    this.lane.message(performance.now(), false);
    this.client.send({ room: this.room, body: { text } }).then(
      () => {
        this.stored++;
        this.refused = null;
      },
      (error) => (this.refused = error.message),
    );
  }

  /** What was sent as number `n`; a page before this one may have used the number too. */
  text(n: number, sent_at: number): string | undefined {
    const text = this.texts.get(n);
    return text?.startsWith(`#${n} ${sent_at.toFixed(1)} `) ? text : undefined;
  }

  private tick(): void {
    const now = performance.now();
    if (this.fast_until !== null && now >= this.fast_until) this.pace(1);
    // Nobody looks: then nothing is written. And after a sleep nothing is made up for.
    if (this.rate === 0 || document.hidden || now - this.due_at > 1_000) this.due_at = Math.max(this.due_at, now);
    if (document.hidden) return;
    while (this.rate > 0 && this.due_at <= now) {
      this.send();
      this.due_at += 1_000 / this.rate;
    }
  }
}
