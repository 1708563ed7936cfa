// What was asked for and is not yet confirmed. Each durable command has its id from the call on and is repeated under it,
// over whatever transport, until the server answers; the server knows the id and does it once. One batch is in flight,
// so commands arrive in the order they were given; only what a slow room refuses for now is overtaken by what goes elsewhere.
import type { Command, Frame, OutboxEntry, OutboxStorage, Reply, WigeonError } from "./types.ts";
import type { Env } from "./env.ts";
import type { Uplinks } from "./up/uplinks.ts";
import { createBackoff } from "./memory.ts";
import { fault, fromWire, isAuth, isTransient } from "./fault.ts";
import { pick } from "./list.ts";
import { json, utf8Length } from "./text.ts";

export type Done = (error: WigeonError | null, ok?: any) => void;

interface Entry { id: string; command: Command; at: number; tries: number; error?: WigeonError; not_before: number; done: Done[] }

export interface OutboxHost {
  env: Env;
  uplinks: Uplinks;
  storage: OutboxStorage | null | undefined;
  /** Whose server this is. */
  place: string;
  online(): boolean;
  changed(entries: OutboxEntry[]): void;
  /** Our token or ticket is no longer accepted. */
  refused(error: WigeonError): void;
  replied(reply: Reply): void;
}

export interface Outbox {
  add(command: Command, done: Done | null): void;
  /** Takes in what an earlier page of this user left. */
  adopt(user: string | null): void;
  /** An event: it may be the answer to one of ours. */
  seen(frame: Frame): void;
  pump(): void;
  retry(id: string): void;
  discard(id: string): void;
  stop(): void;
}

const BATCH_BYTES_MAX = 60000;
const COMMAND_BYTES_MAX = 128 * 1024;
/** The server may forget an id after 30 days; a person has forgotten the message after one. */
const GIVE_UP_MS = 86400e3;
/** A room that is slow may ask for hours. It is asked again before: that it has become faster may have been missed. */
const HOLD_MS_MAX = 60000;
/** Sent by a way that brings no answer: so long its own event may take. */
const ECHO_MS = 10000;

export function createOutbox(host: OutboxHost): Outbox {
  const { env, storage } = host, backoff = createBackoff(env);
  let entries: Entry[] = [], in_flight = false, one_by_one = 0, hold_until = 0, timer: any;
  let loaded_for: string | undefined, finished: { [id: string]: boolean } = {};

  function find(id: string | null): Entry | undefined {
    return pick(entries, e => e.id === id)[0];
  }

  function view(e: Entry, error?: any): any {
    const out: any = { id: e.id, command: e.command, at: e.at, tries: e.tries };
    if (error) out.error = error;
    return out;
  }

  function changed(): void {
    const list: OutboxEntry[] = [];
    for (const e of entries) list.push(view(e, e.error));
    save();
    host.changed(list);
  }

  // Storage: plain values or promises. A full or blocked one must not break sending; memory still holds everything.

  function call(method: "getItem" | "setItem" | "removeItem", value?: string): any {
    try {
      const result: any = storage![method]("wigeon.outbox." + host.place + " " + loaded_for, value!);
      return result?.then ? result.then(null, () => null) : result;
    } catch (_) {
      return null;
    }
  }

  function read(then: (rows: Entry[]) => void): void {
    const take = (text: any) => {
      const rows = json(text);
      then(rows?.length ? rows : []);
    };
    const text = call("getItem");
    if (text?.then) text.then(take);
    else take(text);
  }

  const isOthers = (row: Entry): boolean => !find(row.id) && !finished[row.id];

  /** Another tab of this user may keep its own there: only what we know is replaced. */
  function save(): void {
    if (!storage || !loaded_for) return;
    read(rows => {
      const all: any[] = pick(rows, isOthers);
      for (const e of entries) all.push(view(e, e.error && { code: e.error.code, message: e.error.message }));
      if (all.length) call("setItem", JSON.stringify(all));
      else call("removeItem");
    });
  }

  // The life of an entry.

  function remove(e: Entry): void {
    entries = pick(entries, other => other !== e);
    if (storage) finished[e.id] = true;
  }

  function settle(e: Entry, error: WigeonError | null, ok?: any): void {
    const done = e.done;
    e.done = [];
    // A refused message stays visible until somebody decides; other refusals are only told.
    if (error && e.command.type === "send") e.error = error;
    else remove(e);
    changed();
    for (const tell of done) tell(error, ok);
  }

  function pump(): void {
    if (in_flight || !entries.length || !host.online()) return;
    const now = env.now();
    env.cancel(timer);
    const batch: Entry[] = [], commands: Command[] = [], max = one_by_one ? 1 : host.uplinks.batchMax();
    const late: { [lane: string]: number } = {};
    let bytes = 0, wake = 0;
    for (const e of entries) {
      if (e.error) continue;
      if (now - e.at > GIVE_UP_MS) return settle(e, fault("timeout")), pump();
      // What goes to one room keeps its order, and no other room waits for it.
      const c = e.command, lane = c.type + c.room + c.to;
      const until = late[lane] = Math.max(late[lane] || hold_until, e.not_before);
      if (until > now) {
        wake = Math.min(wake || until, until);
        continue;
      }
      bytes += utf8Length(JSON.stringify(c));
      if (batch.length && (batch.length === max || bytes > BATCH_BYTES_MAX)) break;
      batch.push(e);
      commands.push(c);
    }
    if (wake) timer = env.after(wake - now, pump);
    if (!batch.length) return;
    in_flight = true;
    if (one_by_one) one_by_one--;
    for (const e of batch) e.tries++;
    changed();
    host.uplinks.send(commands, (error, replies) => {
      in_flight = false;
      if (error) failed(batch, error);
      // What went by a form has no reply: its event will come, or it goes again.
      else for (const e of batch) e.not_before = env.now() + ECHO_MS;
      for (const reply of replies) answered(reply);
      pump();
    });
  }

  function failed(batch: Entry[], error: WigeonError): void {
    if (isAuth(error)) return host.refused(error);
    if (isTransient(error)) hold_until = env.now() + backoff.next(error);
    // One bad command must not condemn its neighbours.
    else if (batch.length > 1) one_by_one = batch.length;
    else if (find(batch[0]!.id)) settle(batch[0]!, error);
  }

  function answered(reply: Reply): void {
    const e = find(reply.re);
    if (!e) return;
    host.replied(reply);
    if (!reply.error) {
      backoff.reset();
      return settle(e, null, reply.ok);
    }
    const error = fromWire(reply.error);
    if (!isTransient(error)) return settle(e, error);
    e.not_before = env.now() + Math.min(HOLD_MS_MAX, backoff.next(error));
    // A busy server is so for all; a slow room only for what goes there.
    if (error.code !== "rate_limited") hold_until = e.not_before;
  }

  return {
    add(command, done) {
      if (utf8Length(JSON.stringify(command)) > COMMAND_BYTES_MAX) return done?.(fault("too_large"));
      // A read mark not yet sent is overtaken by a later one.
      if (command.type === "read") for (const e of entries) {
        if (e.command.type === "read" && e.command.room === command.room && !e.tries) settle(e, null, { seq: command.seq });
      }
      const e = find(command.id) || { id: command.id, command, at: 0, tries: 0, not_before: 0, done: [] };
      if (done) e.done.push(done);
      if (!e.at) entries.push(e);
      retry(e.id);
    },
    adopt(user) {
      if (!storage || !user || loaded_for === user) return;
      loaded_for = user;
      read(rows => {
        const old = pick(rows, isOthers);
        for (const e of old) {
          e.not_before = 0;
          e.done = [];
          if (e.error) e.error = fromWire(e.error);
        }
        entries = old.concat(entries);
        if (entries.length) changed();
        pump();
      });
    },
    seen(frame) {
      for (const e of entries) {
        const c = e.command;
        if (frame.type === "message" ? frame.id === e.id
          : frame.type === "message.edited" && c.type === "edit" && e.tries && c.room === frame.room && c.seq === frame.seq && c.body?.text === frame.body?.text) {
          // An event has all the fields of the reply, and more.
          return settle(e, null, frame);
        }
        // It may be slow no longer.
        if (frame.type === "room" && c.room === frame.room) e.not_before = 0;
      }
      pump();
    },
    pump,
    retry,
    discard(id) {
      const e = find(id);
      if (!e) return;
      remove(e);
      settle(e, fault("closed"));
    },
    stop() { env.cancel(timer); },
  };

  function retry(id: string): void {
    const e = find(id);
    if (!e) return;
    delete e.error;
    e.at = env.now();
    e.not_before = 0;
    changed();
    pump();
  }
}
