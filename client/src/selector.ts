// Which transport reads now. Floor first, race upward, prove, then swap:
//
//            ┌────────────── all readers ended: wait (full jitter) ─────────────┐
//            ▼                                                                   │
//   begin ─ floor (long poll at once, is `current`) ── it answers ─▶ race ───────┤
//                                                       │ one WebSocket probe    │ `current` ended: begin again
//                                                       │ one HTTP stream probe  │ (a proven answer that just ended: reopen)
//                                     proven: swap ◀────┘                        │
//                                     `current` = the probe, the old one closes ─┘
//
// Both read after the same cursor, and the client drops what it has seen: so a swap loses nothing and doubles nothing.
// A transport that fails while another works is banned for a while; one that fails alone says only that the network is down.
import type { TransportName, WigeonError } from "./types.ts";
import type { Transport } from "./transport.ts";
import { type Reader, type ReaderHost, createReader } from "./reader.ts";
import { type Bans, type Backoff, type Memory, createBackoff, createBans } from "./memory.ts";
import { commandId } from "./env.ts";
import { has, pick, some } from "./list.ts";
import { fault, isAuth } from "./fault.ts";

/** The second kind of probe starts this much after the first, and four round trips: so the first mostly wins alone. */
const STAGGER_MS = 300;
/** While below the best: look again. */
const UPGRADE_MS = [30e3, 120e3, 600e3, 1800e3];
/** A link that held so long was good: the next failure counts from zero. */
const STABLE_MS = 30000;
/** A WebSocket refused within this was refused by something on the way, not lost. */
const AT_ONCE_MS = 100;
const WAKE_PROBE_MS = 3000, WAKE_APART_MS = 10000;
/** A stream that ended before its second heartbeat was ended for being idle: that will happen again. */
const SHORT_LIFE_MS = 20000;

export interface SelectorHost extends ReaderHost {
  /** Best first. */
  transports: Transport[];
  /** Use only these, each also where it would not be tried by itself. */
  only: TransportName[] | null;
  memory: Memory;
  /** `current()` changed, or came alive. */
  changed(): void;
  /** Nothing can be read; the next try begins at that time. */
  waiting(retry_at: number, error: WigeonError | null): void;
  /** Not accepted, or forbidden: no other transport would help. The selector has stopped. */
  refused(error: WigeonError): void;
}

export interface Selector {
  current(): Reader | null;
  start(): void;
  stop(): void;
  force(name: TransportName | null): void;
  forced(): TransportName | null;
  /** Go on at this moment and not before (`bye`, `Retry-After`). */
  holdUntil(at: number): void;
  /** End everything, as if the network did, until then. */
  cut(until: number, error: WigeonError): void;
  /** Something may have changed: the page woke, or the network did (`fresh`: another network, old bans mean nothing). */
  wake(fresh: boolean): void;
  retryNow(): void;
}

export function createSelector(host: SelectorHost): Selector {
  const { env } = host.site;
  const bans: Bans = createBans(env), backoff: Backoff = createBackoff(env);
  let readers: Reader[] = [], current: Reader | null = null, pinned: TransportName | null = null, running = false;
  let hold_until = 0, woke_at = -1e9, upgrade = 0, tried: { [name: string]: boolean } = {};
  let retry_timer: any, race_timer: any, upgrade_timer: any, stable_timer: any, hold_timer: any;

  // Which transports may be used, and which of them are worth a try now.

  const rank = (t: Transport): number => {
    let i = 0;
    while (host.transports[i] !== t) i++;
    return i;
  };

  function allowed(t: Transport): boolean {
    if (!t.usable(host.site)) return false;
    if (pinned) return t.name === pinned;
    return host.only ? has(host.only, t.name) : t.auto(host.site);
  }

  const choices = (test: (t: Transport) => boolean): Transport[] => pick(host.transports, t => allowed(t) && test(t));

  const floor = (): Transport | null => choices(t => t.family === "poll")[0] || null;
  const isOpen = (test: (r: Reader) => boolean): boolean => some(readers, test);

  // Readers: opened, swapped, dropped.

  function open(t: Transport, role: "current" | "probe" | Reader): Reader {
    tried[t.name] = true;
    const reader = createReader(t, host, {
      live(r) {
        if (r === current) settle();
      },
      proven(r) {
        bans.worked(t.name);
        if (t.family !== "poll") host.memory.save(t.name);
        if (r === current) return;
        if (!current || role === current || t.name === pinned || rank(t) < rank(current.transport)) swap(r);
        else drop(r);
      },
      ended: (r, error) => ended(r, error, role),
    });
    readers.push(reader);
    if (role === "current") current = reader;
    reader.start();
    return reader;
  }

  function forget(r: Reader): void {
    readers = pick(readers, other => other !== r);
  }

  function drop(r: Reader): void {
    forget(r);
    r.close();
  }

  function dropAll(): void {
    const all = readers;
    readers = [];
    current = null;
    some(all, r => r.close());
  }

  function swap(r: Reader): void {
    const old = current;
    current = r;
    if (old) drop(old);
    some(readers, other => { if (other !== r && (pinned || rank(other.transport) > rank(r.transport))) drop(other); });
    settle();
  }

  /** `current` delivers. */
  function settle(): void {
    env.cancel(stable_timer);
    stable_timer = env.after(STABLE_MS, backoff.reset);
    host.changed();
    race();
  }

  function ended(r: Reader, error: WigeonError | null, role: "current" | "probe" | Reader): void {
    forget(r);
    const lived = env.now() - r.opened_at;
    // Forbidden beside a reader that works is about the way, not about us: this transport is off there.
    if (isAuth(error) || (error?.code === "forbidden" && (r === current || !current?.live))) {
      stop();
      return host.refused(error!);
    }
    if (error?.retry_after_ms) hold_until = Math.max(hold_until, env.now() + error.retry_after_ms);
    if (r !== current) {
      // A failure beside a reader that works says something about the transport; alone it says the network is down.
      if (current?.live && !pinned) bans.failed(r.transport.name, r.transport.family === "websocket" && lived < AT_ONCE_MS);
      if (role === current && current && current.last_at < woke_at) return current.fail(error || fault("timeout"));
      if (!readers.length) return lose(error);
      return race();
    }
    current = null;
    if (r.transport.family === "poll") {
      if (!readers.length) lose(error);
      else host.changed();
      return;
    }
    // An answer that was proven and then ended did so by its size or age: come back at once, the same way.
    if (!error && r.proven && lived > 1000 && env.now() >= hold_until) {
      open(r.transport, "current");
      return;
    }
    if (r.proven ? lived < SHORT_LIFE_MS : !pinned) bans.failed(r.transport.name, false);
    host.changed();
    begin();
  }

  // Beginning, waiting, racing.

  function begin(): void {
    env.cancel(retry_timer);
    env.cancel(upgrade_timer);
    tried = {};
    if (!running || current) return;
    if (host.blocked() || env.now() < hold_until) return lose(null);
    const t = floor();
    if (t) open(t, "current");
    // What worked here last is worth its request before the floor has answered; so is a second way when the floor keeps failing.
    if (!t || host.memory.best() || backoff.count() > 1) race();
    for (const _ in tried) return;
    lose(fault("unavailable", "no transport"));
  }

  function lose(error: WigeonError | null): void {
    if (!running) return;
    dropAll();
    env.cancel(stable_timer);
    env.cancel(race_timer);
    env.cancel(upgrade_timer);
    env.cancel(retry_timer);
    const at = Math.ceil(Math.max(env.now() + backoff.next(), hold_until));
    // Timers may fire a moment early; then it would be "not before" still.
    retry_timer = env.after(at - env.now() + 2, begin);
    host.waiting(at, error);
  }

  function race(): void {
    env.cancel(race_timer);
    if (!running || env.now() < hold_until || host.blocked()) return;
    const best = host.memory.best();
    const next = choices(t => !tried[t.name] && (!!pinned || !bans.active(t.name))
      && (!current || (t !== current.transport && (!!pinned || rank(t) < rank(current.transport))))
      && !isOpen(r => r !== current && r.transport.family === t.family)
      && (t.family !== "poll" || !!current));
    const first = pick(next, t => t.name === best)[0] || next[0];
    if (first) {
      open(first, "probe");
      if (next.length > 1) race_timer = env.after(STAGGER_MS + 4 * (host.rtt() || 0), race);
    } else if (!isOpen(r => r !== current)) look();
  }

  /** Nothing better to try now: again later, when somebody looks. */
  function look(): void {
    env.cancel(upgrade_timer);
    const better = choices(t => !current || t !== current.transport && (!!pinned || rank(t) < rank(current.transport)));
    if (!current || !better.length) {
      upgrade = 0;
      return;
    }
    const ms = pinned ? 1000 + backoff.next() : UPGRADE_MS[Math.min(upgrade++, UPGRADE_MS.length - 1)]! * (0.7 + 0.6 * env.chance());
    upgrade_timer = env.after(ms, () => {
      if (!host.visible()) return look();
      tried = {};
      race();
    });
  }

  function stop(): void {
    running = false;
    dropAll();
    env.cancel(retry_timer);
    env.cancel(race_timer);
    env.cancel(upgrade_timer);
    env.cancel(stable_timer);
    env.cancel(hold_timer);
  }

  /** Asks the current reader for a sign of life, in the way its kind allows. */
  function suspect(r: Reader): void {
    if (r.transport.family === "poll") return r.poke();
    if (r.transport.family === "stream") {
      // A stream cannot be asked: a second one beside it answers instead.
      if (!isOpen(other => other !== r && other.transport === r.transport)) open(r.transport, r);
      return;
    }
    r.send(JSON.stringify({ id: commandId(env), type: "ping" }));
    env.after(WAKE_PROBE_MS, () => {
      if (r === current && r.last_at < woke_at) r.fail(fault("timeout"));
    });
  }

  function wake(fresh: boolean): void {
    if (!running || (!fresh && env.now() - woke_at < WAKE_APART_MS)) return;
    woke_at = env.now();
    upgrade = 0;
    if (fresh) bans.clear();
    if (!readers.length) begin();
    else if (current) {
      tried = {};
      suspect(current);
      race();
    }
  }

  return {
    current: () => current,
    forced: () => pinned,
    start() {
      if (running) return;
      running = true;
      begin();
    },
    stop,
    force(name) {
      pinned = name;
      if (name) bans.worked(name);
      tried = {};
      if (!running) return;
      some(readers, r => { if (r !== current) drop(r); });
      host.changed();
      if (current) race();
      else begin();
    },
    holdUntil(at) {
      hold_until = Math.max(hold_until, at);
      env.cancel(hold_timer);
      // The server may end what is open, or may not: at that moment we leave it in any case.
      hold_timer = env.after(hold_until - env.now(), () => {
        if (!running || !current) return;
        dropAll();
        begin();
      });
    },
    cut(until, error) {
      hold_until = until;
      backoff.reset();
      lose(error);
    },
    wake,
    retryNow() {
      hold_until = 0;
      backoff.reset();
      wake(true);
    },
  };
}
