// What the selector remembers: the transport that worked here last (localStorage, for a week), which ones to leave alone
// for now, and how long to wait. Storage may be blocked, full or absent: then it just forgets.
import type { TransportName, WigeonError } from "./types.ts";
import type { Env } from "./env.ts";
import type { Site } from "./site.ts";
import { json } from "./text.ts";

const REMEMBER_MS = 7 * 86400e3;

export interface Memory { best(): TransportName | null; save(name: TransportName): void }

/** `only`: a client that may use some transports has no say in what is best for one that may use all. */
export function createMemory(site: Site, only: readonly TransportName[] | ""): Memory {
  const { env } = site, key = "wigeon.best." + site.base + only;
  // Even reading the property throws where cookies are blocked.
  const attempt = <T>(use: (storage: any) => T): T | null => {
    try { return use(env.root.localStorage); } catch (_) { return null; }
  };
  return {
    best() {
      const saved = json(attempt(s => s.getItem(key)) || "null");
      return saved && env.now() - saved.at < REMEMBER_MS ? saved.best : null;
    },
    save(best) { attempt(s => s.setItem(key, JSON.stringify({ best, at: env.now() }))); },
  };
}

export interface Bans {
  active(name: TransportName): boolean;
  /** It failed while another one worked; a refusal at once counts double. */
  failed(name: TransportName, at_once: boolean): void;
  worked(name: TransportName): void;
  clear(): void;
}

const BAN_MS = 60000, BAN_MS_MAX = 3600e3;

export function createBans(env: Env): Bans {
  let rows: { [name: string]: { failures: number; bans: number; until: number } } = {};
  const row = (name: string) => rows[name] || (rows[name] = { failures: 0, bans: 0, until: 0 });
  return {
    active: name => row(name).until > env.now(),
    failed(name, at_once) {
      const r = row(name);
      r.failures += at_once ? 2 : 1;
      if (r.failures < 2) return;
      r.failures = 0;
      r.until = env.now() + Math.min(BAN_MS_MAX, BAN_MS * Math.pow(2, r.bans++)) * (0.7 + 0.6 * env.chance());
    },
    worked(name) { delete rows[name]; },
    clear() { rows = {}; },
  };
}

export interface Backoff { next(error?: WigeonError | null): number; count(): number; reset(): void }

/** Full jitter: after a restart of the server thousands must not come back in step. */
export function createBackoff(env: Env): Backoff {
  let n = 0;
  return {
    next: error => Math.max(error?.retry_after_ms || 0, env.chance() * Math.min(30000, 500 * Math.pow(2, n++))),
    count: () => n,
    reset() { n = 0; },
  };
}
