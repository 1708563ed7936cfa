// What links lead to, as the server tells. It is asked for a link when its message comes near the screen, few at a
// time; answers are kept as long as the page, and only so many of them.
import { serverInfo } from "./enter.ts";
import { storedIdentity } from "./identity.ts";

export interface Preview {
  /** Where redirects led to. */
  url: string;
  title?: string;
  description?: string;
  site_name?: string;
  image?: string;
}

const AT_ONCE_MAX = 4;
const KEPT_MAX = 500;
/** The server is asked again no sooner than this after it had no time. */
const PAUSE_MS = 2_000;
/** Longer than any answer takes. */
const ANSWER_MS_MAX = 20_000;

export class Previews {
  /** The media that the reader wished to see: they are shown when their message comes back on screen. */
  readonly opened = new Kept<true>();
  private readonly kept = new Kept<Preview | null>();
  /** Links that somebody waits for, in the order in which they came near. */
  private readonly wanted = new Map<string, Set<() => void>>();
  private readonly asked = new Set<string>();
  /** Whether the server looks links up at all; asked once. */
  private offered: boolean | undefined;
  private info: ReturnType<typeof serverInfo> | undefined;
  private pause: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  /** Undefined while it is not known; null where there is nothing to show. */
  look(url: string): Preview | null | undefined {
    return this.offered === false ? null : this.kept.get(url);
  }

  /** Asks, unless it is known. `told` is called when it is; the caller takes it back when its message goes. */
  want(url: string, told: () => void): () => void {
    const waiting = this.wanted.get(url) ?? new Set();
    this.wanted.set(url, waiting.add(told));
    this.next();
    return () => {
      waiting.delete(told);
      if (waiting.size === 0 && this.wanted.get(url) === waiting && !this.asked.has(url)) this.wanted.delete(url);
    };
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.pause);
    this.wanted.clear();
  }

  private next(): void {
    if (this.stopped || this.pause !== undefined) return;
    for (const url of this.wanted.keys()) {
      if (this.asked.size >= AT_ONCE_MAX) return;
      if (this.asked.has(url)) continue;
      this.asked.add(url);
      void this.ask(url);
    }
  }

  private async ask(url: string): Promise<void> {
    const answer = await this.fetch(url).catch(() => undefined);
    this.asked.delete(url);
    if (answer === "later") {
      this.pause ??= setTimeout(() => {
        this.pause = undefined;
        this.next();
      }, PAUSE_MS);
      return;
    }
    const waiting = this.wanted.get(url);
    this.wanted.delete(url);
    // Without an answer (no network, say) it is asked when the message comes on screen another time.
    if (answer !== undefined) {
      this.kept.set(url, answer);
      for (const told of waiting ?? []) told();
    }
    this.next();
  }

  private async fetch(url: string): Promise<Preview | null | "later" | undefined> {
    if (this.offered === undefined) {
      const info = await (this.info ??= serverInfo());
      if (info) this.offered = info.previews === true;
      else this.info = undefined;
    }
    if (!this.offered) return this.offered === false ? null : undefined;
    const token = storedIdentity()?.token;
    if (!token) return undefined;
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`v1/preview?url=${encodeURIComponent(url)}`, { headers, signal: timeLimit(ANSWER_MS_MAX) });
    if (response.status === 429 || response.status === 503) return "later";
    if (!response.ok) return null;
    const preview = (await response.json()) as Preview;
    return preview.title || preview.description || preview.image ? preview : null;
  }
}

function timeLimit(ms: number): AbortSignal {
  const limit = new AbortController();
  setTimeout(() => limit.abort(), ms);
  return limit.signal;
}

/** What was used longest ago goes first. */
class Kept<T> {
  private readonly map = new Map<string, T>();

  get(key: string): T | undefined {
    const value = this.map.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: T): void {
    this.map.delete(key);
    this.map.set(key, value);
    if (this.map.size > KEPT_MAX) for (const oldest of this.map.keys()) return void this.map.delete(oldest);
  }
}
