// Commands up: over the WebSocket when one is being read, else by the best POST the engine has, else by script tag
// and form. One function, `send`: a batch in, its replies out, or an error that says they may have happened.
import type { Command, Options, Reply, UplinkName, WigeonError } from "../types.ts";
import type { Site } from "../site.ts";
import type { Auth } from "../auth.ts";
import type { Reader } from "../reader.ts";
import { fault, fromResponse, fromWire } from "../fault.ts";
import { json, query } from "../text.ts";
import type { Tags } from "./script.ts";
import { has, pick, some } from "../list.ts";

export type Sent = (error: WigeonError | null, replies: Reply[]) => void;

export interface UplinkHost {
  site: Site;
  tags: Tags;
  auth: Auth;
  options: Options;
  session: string;
  current(): Reader | null;
  blocked(): boolean;
  rtt(ms: number): void;
  tap(name: UplinkName, direction: "up" | "down", text: string, requests?: number): void;
}

export interface Uplinks {
  name(): UplinkName;
  force(name: UplinkName | null): void;
  /** How many commands one `send` may carry now. */
  batchMax(): number;
  send(commands: Command[], done: Sent): void;
  /** A reply came down the WebSocket. */
  reply(reply: Reply): void;
  /** The current reader changed: what waits on another WebSocket has lost its way back. */
  readerChanged(): void;
  /** Abort everything. */
  cut(): void;
}

const TIMEOUT_MS = 20000;

interface Waiting { done: Sent; reader: Reader | null; left: { [id: string]: boolean }; replies: Reply[]; abort(): void; timer?: any }

export function createUplinks(host: UplinkHost): Uplinks {
  const { site, auth, options, tap } = host, { env } = site;
  let waiting: Waiting[] = [], forced: UplinkName | null = null;

  const mayUse = (name: UplinkName): boolean => forced ? forced === name : !options.uplinks || has(options.uplinks, name);

  function name(): UplinkName {
    const reader = host.current();
    if (reader?.live && reader.transport.family === "websocket" && mayUse("websocket")) return "websocket";
    const headers = site.http && !site.http.bare && (options.token || options.guest);
    // Across origins JSON and a token cost a preflight for each URL; text/plain and a ticket cost none.
    if (headers && mayUse("post") && (!site.cross || !mayUse("text"))) return "post";
    if (site.http && mayUse("text")) return "text";
    return mayUse("jsonp") || !mayUse("form") ? "jsonp" : "form";
  }

  function track(done: Sent, reader: Reader | null): Waiting {
    const row: Waiting = { done, reader, left: {}, replies: [], abort() {} };
    waiting.push(row);
    return row;
  }

  /** What was answered counts, also when the rest was not. */
  function finish(row: Waiting, error: WigeonError | null, replies?: Reply[]): void {
    if (!has(waiting, row)) return;
    waiting = pick(waiting, other => other !== row);
    env.cancel(row.timer);
    row.done(error, replies || row.replies);
  }

  function bySocket(commands: Command[], text: string, done: Sent): void {
    const row = track(done, host.current());
    for (const command of commands) row.left[command.id] = true;
    row.timer = env.after(TIMEOUT_MS, () => finish(row, fault("timeout")));
    if (!row.reader!.send(text)) finish(row, fault("network"));
  }

  function post(as: "post" | "text", text: string, done: Sent): void {
    const row = track(done, null);
    const go = (error: WigeonError | null, credential: string): void => {
      if (error) return finish(row, error);
      const url = site.base + "/v1/commands" + query({ ticket: as === "text" ? credential : "", session: host.session });
      tap(as, "up", "POST " + url + "\n" + text, 1);
      row.abort = site.http!(env, {
        method: "POST", url, body: text, bearer: as === "post" ? credential : null, timeout_ms: TIMEOUT_MS,
        type: as === "post" ? "application/json" : "text/plain;charset=UTF-8",
      }, (status, answer, retry) => {
        tap(as, "down", answer);
        result(row, status === 200 ? json(answer) : undefined, fromResponse(status, answer, retry));
      });
    };
    auth[as === "post" ? "token" : "ticket"](go);
  }

  function result(row: Waiting, value: any, error: WigeonError): void {
    finish(row, value?.replies ? null : value?.error ? fromWire(value.error) : error, value?.replies);
  }

  function byTag(as: "jsonp" | "form", commands: Command[], text: string, done: Sent): void {
    const row = track(done, null);
    auth.ticket((error, ticket) => {
      if (error) return finish(row, error);
      row.abort = host.tags(site, as, commands[0]!, text, { ticket, session: host.session }, TIMEOUT_MS, (by, line) => tap(by, "up", line, 1), (value, posted) => {
        if (posted) return finish(row, null);
        tap("jsonp", "down", JSON.stringify(value) || "");
        result(row, value, fault("network"));
      });
    });
  }

  return {
    name,
    force(to) { forced = to; },
    batchMax: () => /form|jsonp/.test(name()) ? 1 : 50,
    send(commands, done) {
      if (host.blocked()) return done(fault("network"), []);
      const as = name(), text = JSON.stringify(commands), began = env.now();
      const sent: Sent = (error, replies) => {
        if (!error && replies.length) host.rtt(env.now() - began);
        done(error, replies);
      };
      if (as === "websocket") bySocket(commands, text, sent);
      else if (as === "post" || as === "text") post(as, text, sent);
      else byTag(as, commands, text, sent);
    },
    reply(reply) {
      for (const row of waiting) {
        if (!reply.re || !row.left[reply.re]) continue;
        delete row.left[reply.re];
        row.replies.push(reply);
        for (const _ in row.left) return;
        return finish(row, null);
      }
    },
    readerChanged() {
      const now = host.current();
      some(waiting, row => { if (row.reader && row.reader !== now) finish(row, fault("network")); });
    },
    cut() {
      some(waiting, row => {
        row.abort();
        finish(row, fault("network"));
      });
    },
  };
}

