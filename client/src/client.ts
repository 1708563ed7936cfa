// The client itself, in callback style: it owns the cursor and the state, and joins the parts. Frames come in through
// `onFrame` alone, commands go out through the outbox (what must happen once) or the queries (what leaves nothing behind).
// The facades (wigeon.ts with promises, legacy.ts with callbacks) add only the calling style.
import type { Client, Command, Frame, Options, OutboxEntry, Raw, Snapshot, State, Status, TransportName, UplinkName, WigeonError } from "./types.ts";
import type { PollAnswer, Transport } from "./transport.ts";
import type { HttpChoice } from "./site.ts";
import type { Tags } from "./up/script.ts";
import type { Reader } from "./reader.ts";
import { type Env, commandId, random } from "./env.ts";
import { site as siteOf } from "./site.ts";
import { createAuth } from "./auth.ts";
import { createBackoff, createMemory } from "./memory.ts";
import { createEmitter } from "./emitter.ts";
import { type Done, createOutbox } from "./outbox.ts";
import { createQueries, isQuery } from "./queries.ts";
import { createSelector } from "./selector.ts";
import { createUplinks } from "./up/uplinks.ts";
import { fault, fromWire, isAuth } from "./fault.ts";
import { isSeen, redact, subject, utf8Length } from "./text.ts";
import { isVisible, watchWaking } from "./wake.ts";

/** The public object's fields are written, never computed: old engines have no getters. */
type Fields = { -readonly [K in "state" | "user" | "cursor" | "session" | "outbox" | "guestToken" | "transports"]: Client[K] };

export interface Core {
  connect(): void;
  close(): void;
  on(type: string, listener: (value: any) => void): () => void;
  command(type: string, fields: any, done: Done | null): string;
  snapshot(done: Done): void;
  typing(room: string): void;
  focus(rooms: string[]): void;
  retry(id: string): void;
  discard(id: string): void;
  force(transport: TransportName | null, uplink?: UplinkName | null): void;
  dropNetwork(ms: number): void;
  retryNow(): void;
}

const ACK_SOCKET_MS = 2000, ACK_STREAM_MS = 5000;
/** A presence lease lives 45 s; a stream over HTTP renews it only by what we send. */
const PING_MS = 20000;
const TYPING_MS = 3000;
const RESET_AGAIN_MS = 5000;

/** What a build brings along. */
export interface Kit {
  env: Env;
  /** Best first. */
  transports: Transport[];
  http: HttpChoice;
  tags: Tags;
}

export function createClient(self: Fields, options: Options, kit: Kit): Core {
  const env = kit.env, transports = kit.transports, site = siteOf(env, kit.http, options.url);
  const emitter = createEmitter(), emit = emitter.emit, backoff = createBackoff(env);
  const session = options.session || random(env, 26);
  let attempt = 0, boot_timer: any, unwatch: (() => void) | null | undefined;
  let blocked_until = 0, rtt_ms: number | null = null, reset_at = -1e9, acked: string | null = null, ack_timer: any, ping_timer: any;
  let typed: { [room: string]: number } = {}, focus = options.focus;

  const blocked = (): boolean => env.now() < blocked_until;
  const tap = (transport: TransportName | UplinkName, direction: "up" | "down", text: string, requests?: number): void => {
    if (emitter.heard("raw")) emit("raw", { transport, direction, bytes: utf8Length(text), text: redact(text), requests: requests || 0 } as Raw);
  };

  function rtt(ms?: number): number | null {
    if (ms != null) {
      rtt_ms = rtt_ms == null ? ms : Math.round(0.7 * rtt_ms + 0.3 * ms);
      update(self.state.status);
    }
    return rtt_ms;
  }

  const auth = createAuth(site, options, blocked, token => {
    self.guestToken = token;
    emit("guest", token);
  });

  const uplinks = createUplinks({
    site, auth, options, session, blocked, rtt, tap,
    tags: kit.tags,
    current: () => selector.current(),
  });

  const outbox = createOutbox({
    env, uplinks, refused, online, replied,
    storage: options.storage,
    place: site.base,
    changed(entries: OutboxEntry[]) {
      self.outbox = entries;
      emit("outbox", entries);
    },
  });

  const queries = createQueries({ env, uplinks, refused, online, replied });

  const selector = createSelector({
    site, transports, blocked, rtt, tap, refused, changed,
    only: options.transports || null,
    memory: createMemory(site, options.transports || ""),
    params: { session, rooms: (options.rooms || []).join(","), max_per_room: options.maxPerRoom },
    cursor: () => self.cursor || "",
    visible: () => isVisible(env),
    ticket: auth.current,
    credentials(transport, done) {
      const by_ticket = transport.ticket === "always" || (site.cross && transport.ticket === "cross") || !(options.token || options.guest);
      if (by_ticket) auth.ticket(error => done(error, ""));
      else auth.token(done);
    },
    frame: onFrame,
    answer: onAnswer,
    waiting: wait,
  });

  // State.

  function update(status: Status, retry_at?: number | null, error?: WigeonError | null): void {
    const reader = selector.current(), old = self.state;
    const next: State = {
      status,
      transport: status === "online" && reader?.live ? reader.transport.name : null,
      forced: selector.forced(),
      up: uplinks.name(),
      rtt_ms,
      retry_at: retry_at === undefined ? old.retry_at : retry_at,
    };
    if (error === undefined ? old.error : error) next.error = error || old.error!;
    for (const key in next) if ((next as any)[key] !== (old as any)[key]) {
      self.state = next;
      emit("state", next);
      return;
    }
  }

  function online(): boolean {
    return self.state.status === "online" && !blocked();
  }

  /** The reader changed or came alive. */
  function changed(): void {
    const reader = selector.current(), was = self.state.status;
    uplinks.readerChanged();
    if (!reader?.live) return update(was === "online" ? "connecting" : was);
    backoff.reset();
    update("online", null, null);
    // The lease may have lapsed meanwhile, and this with it.
    if (was !== "online" && focus) ask("focus", { rooms: focus });
    if (rtt_ms == null) ask("ping", {});
    outbox.pump();
    queries.flush();
  }

  function wait(retry_at: number, error: WigeonError | null): void {
    const offline = blocked() || (env.root.navigator?.onLine === false);
    update(offline ? "offline" : "waiting", retry_at, error);
    uplinks.readerChanged();
  }

  // Beginning: who we are, then where we are (a snapshot, unless there is a cursor), then read on from there.

  function boot(): void {
    const mine = ++attempt;
    env.cancel(boot_timer);
    boot_timer = null;
    const fail = (error: WigeonError): void => {
      if (isAuth(error) || error.code === "forbidden") return refused(error);
      const ms = Math.ceil(Math.max(backoff.next(error), blocked_until - env.now() + 2));
      wait(env.now() + ms, error);
      boot_timer = env.after(ms, boot);
    };
    update("connecting", null);
    auth.token((error, token) => {
      if (mine !== attempt) return;
      if (error) return fail(error);
      if (!self.user) self.user = subject(env.root, token);
      outbox.adopt(self.user);
      if (self.cursor) return selector.start();
      takeSnapshot((error, snapshot) => {
        if (mine !== attempt) return;
        if (error) return fail(error);
        self.user = snapshot.user;
        self.cursor = snapshot.cursor;
        auth.accepted();
        outbox.adopt(self.user);
        emit("snapshot", snapshot);
        // A listener may have closed us.
        if (mine === attempt) selector.start();
      });
    });
  }

  /** All pages; the first one's cursor stands for all, so that what changed between two pages comes again as events. */
  function takeSnapshot(done: Done): void {
    let whole: Snapshot | null = null;
    (function page(after?: string): void {
      const command: Command = { id: commandId(env), type: "snapshot" };
      if (after) command.after = after;
      uplinks.send([command], (error, replies) => {
        const reply = replies[0];
        if (!reply?.ok) return done(error || fromWire(reply?.error));
        if (whole) whole.rooms = whole.rooms.concat(reply.ok.rooms);
        else whole = reply.ok;
        if (reply.ok.next) page(reply.ok.next);
        else done(null, whole);
      });
    })();
  }

  /** Never fall back on this: another transport shows the same credentials. Once a new token, then the end. */
  function refused(error: WigeonError): void {
    if (self.state.status === "closed") return;
    selector.stop();
    if (isAuth(error) && auth.forget()) boot();
    else end(error);
  }

  function end(error: WigeonError | null): void {
    attempt++;
    selector.stop();
    uplinks.cut();
    outbox.stop();
    queries.stop();
    env.cancel(boot_timer);
    env.cancel(ack_timer);
    env.cancel(ping_timer);
    ack_timer = null;
    if (unwatch) unwatch();
    unwatch = null;
    update("closed", null, error);
  }

  // Down.

  function moveTo(cursor: string): void {
    if (!isSeen(cursor, self.cursor)) self.cursor = cursor;
  }

  function onFrame(reader: Reader, frame: Frame): void {
    const type = frame.type;
    if (frame.re !== undefined) {
      uplinks.reply(frame as any);
      if (frame.re === null) replied(frame as any);
    } else if (type === "ready") {
      auth.accepted();
      if (!self.cursor) self.cursor = frame.cursor!;
      emit(type, frame);
    } else if (type === "heartbeat") moveTo(frame.cursor!);
    else if (type === "ticket") auth.renewed(frame as any);
    else if (type === "bye") {
      selector.holdUntil(env.now() + env.chance() * frame.retry_ms);
      emit(type, frame);
    } else if (type === "reset") onReset(frame);
    else if (frame.cursor) {
      if (isSeen(frame.cursor, self.cursor)) return;
      self.cursor = frame.cursor;
      outbox.seen(frame);
      tell(frame);
      ackLater();
    } else if (type === "gap" || reader === selector.current()) tell(frame);
  }

  function tell(frame: Frame): void {
    emit(frame.type, frame);
    emit("*", frame);
  }

  function onAnswer(reader: Reader, answer: PollAnswer): void {
    const mine = attempt;
    auth.accepted();
    if (answer.ticket) auth.renewed(answer.ticket);
    for (const frame of answer.frames) if (mine === attempt) onFrame(reader, frame);
    if (mine === attempt) moveTo(answer.cursor);
    if (answer.unavailable) emit("ready", { type: "ready", cursor: answer.cursor, unavailable: answer.unavailable });
  }

  /** The stream cannot go on from where we were: what is missing is in a snapshot. */
  function onReset(frame: Frame): void {
    const soon = env.now() - reset_at < RESET_AGAIN_MS;
    reset_at = env.now();
    attempt++;
    selector.stop();
    self.cursor = null;
    if (soon) {
      wait(env.now() + RESET_AGAIN_MS, fault("unavailable"));
      boot_timer = env.after(RESET_AGAIN_MS, boot);
    } else boot();
    // Last: a listener may close us.
    tell(frame);
  }

  // What keeps "delivered" and presence true. Polls do both by asking.

  function ackLater(): void {
    const reader = selector.current();
    if (ack_timer || !reader || reader.transport.family === "poll") return;
    ack_timer = env.after(reader.transport.family === "websocket" ? ACK_SOCKET_MS : ACK_STREAM_MS, () => {
      ack_timer = null;
      if (self.cursor === acked || !online()) return;
      acked = self.cursor;
      ask("ack", { cursor: acked });
    });
  }

  function pingLater(): void {
    ping_timer = env.after(PING_MS, () => {
      const reader = selector.current();
      if (online() && reader && reader.transport.family !== "poll") ask("ping", {});
      pingLater();
    });
  }

  // Up.

  function ask(type: string, fields: any): void {
    queries.ask(copy(fields, { id: commandId(env), type }), null);
  }

  function replied(reply: any): void {
    emit("reply", reply);
  }

  const names: TransportName[] = [];
  for (const t of transports) if (t.usable(site)) names.push(t.name);
  self.session = session;
  self.user = self.guestToken = null;
  self.cursor = options.cursor || null;
  self.outbox = [];
  self.state = { status: "idle", transport: null, forced: null, up: uplinks.name(), rtt_ms: null, retry_at: null };
  self.transports = names;

  return {
    on: emitter.on,
    connect() {
      if (unwatch) return;
      unwatch = watchWaking(env, {
        wake: selector.wake,
        suspend() {
          attempt++;
          selector.stop();
          update("connecting");
        },
        resume: boot,
      });
      update("connecting", null, null);
      pingLater();
      boot();
    },
    close() {
      if (self.state.status !== "closed") end(null);
    },
    command(type, fields, done) {
      const id = fields?.id || commandId(env);
      const command: Command = copy(fields, { id, type });
      if (isQuery(type)) queries.ask(command, done);
      else outbox.add(command, done);
      return id;
    },
    snapshot: takeSnapshot,
    typing(room) {
      const now = env.now();
      if (now - (typed[room] || 0) < TYPING_MS) return;
      typed[room] = now;
      ask("typing", { room });
    },
    focus(rooms) {
      focus = rooms;
      if (online()) ask("focus", { rooms });
    },
    retry: outbox.retry,
    discard: outbox.discard,
    force(transport, uplink) {
      if (uplink !== undefined) uplinks.force(uplink);
      selector.force(transport);
      update(self.state.status);
    },
    dropNetwork(ms) {
      blocked_until = env.now() + ms;
      uplinks.cut();
      selector.cut(blocked_until, fault("network"));
    },
    retryNow() {
      if (self.state.status === "closed" || blocked()) return;
      if (self.cursor && !boot_timer) selector.retryNow();
      else boot();
    },
  };
}

function copy(fields: any, over: any): any {
  const out: any = {};
  for (const key in over) out[key] = over[key];
  for (const key in fields) if (out[key] === undefined) out[key] = fields[key];
  return out;
}
