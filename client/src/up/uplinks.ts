// Commands up: over the WebSocket when one is being read, else by the best POST the engine has, else by script tag
// and form. One function, `send`: a batch in, its replies out, or an error that says they may have happened.
import type { Command, Options, Reply, UplinkName, WigeonError } from "../types.ts";
import type { Site } from "../env.ts";
import type { Auth } from "../auth.ts";
import type { Reader } from "../reader.ts";
import { hasFetch, hasXhr, httpClient } from "../http.ts";
import { fault, fromResponse, fromWire } from "../fault.ts";
import { json, query, redact, utf8Length } from "../text.ts";
import { callScript } from "../script.ts";
import { postForm } from "./form.ts";

export type Sent = (error: WigeonError | null, replies: Reply[]) => void;

export interface UplinkHost {
  site: Site;
  auth: Auth;
  options: Options;
  session: string;
  current(): Reader | null;
  blocked(): boolean;
  rtt(ms: number): void;
  raw: ((name: UplinkName, direction: "up" | "down", bytes: number, text: string, requests: number) => void) | null;
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
/** IE allows 2,083 characters of URL. */
const SCRIPT_URL_MAX = 2000;

interface Waiting { done: Sent; reader: Reader | null; left: { [id: string]: boolean }; replies: Reply[]; abort(): void; timer?: any }

export function createUplinks(host: UplinkHost): Uplinks {
  const { site, auth, options } = host, { env } = site;
  let waiting: Waiting[] = [], forced: UplinkName | null = null;

  const mayUse = (name: UplinkName): boolean => {
    if (forced) return forced === name;
    if (!options.uplinks) return true;
    for (let i = 0; i < options.uplinks.length; i++) if (options.uplinks[i] === name) return true;
    return false;
  };

  function name(): UplinkName {
    const reader = host.current();
    if (reader && reader.transport.kind === "websocket" && reader.live && mayUse("websocket")) return "websocket";
    const headers = (hasFetch(site) || hasXhr(site)) && (options.token || options.guest);
    // Across origins JSON and a token cost a preflight for each URL; text/plain and a ticket cost none.
    if (headers && mayUse("post") && (!site.cross || !mayUse("text"))) return "post";
    if (httpClient(site) && mayUse("text")) return "text";
    return mayUse("jsonp") || !mayUse("form") ? "jsonp" : "form";
  }

  function track(done: Sent, reader: Reader | null): Waiting {
    const row: Waiting = { done, reader, left: {}, replies: [], abort() {} };
    waiting.push(row);
    return row;
  }

  function finish(row: Waiting, error: WigeonError | null, replies: Reply[]): void {
    for (let i = waiting.length; i--;) if (waiting[i] === row) {
      waiting.splice(i, 1);
      env.cancel(row.timer);
      row.done(error, replies);
    }
  }

  const lost = (): WigeonError => fault("network", "the connection was lost", { outcome: "unknown" });

  function bySocket(commands: Command[], text: string, done: Sent): void {
    const row = track(done, host.current());
    for (let i = 0; i < commands.length; i++) row.left[commands[i]!.id] = true;
    row.timer = env.after(TIMEOUT_MS, () => finish(row, fault("timeout", "no reply", { outcome: "unknown" }), []));
    if (!row.reader!.send(text)) finish(row, fault("network", "the connection is full"), []);
  }

  function post(as: "post" | "text", text: string, done: Sent): void {
    const row = track(done, null);
    const go = (error: WigeonError | null, credential: string): void => {
      if (error) return finish(row, error, []);
      const url = site.base + "/v1/commands" + query({ ticket: as === "text" ? credential : "", session: host.session });
      note(as, "up", "POST " + url + "\n" + text, 1);
      row.abort = httpClient(site)!(env, {
        method: "POST", url, body: text, bearer: as === "post" ? credential : null, timeout_ms: TIMEOUT_MS,
        // XDomainRequest sets no type; naming ours makes the others alike.
        type: as === "post" ? "application/json" : hasXhr(site) || hasFetch(site) ? "text/plain;charset=UTF-8" : "",
      }, (status, answer, retry) => {
        note(as, "down", answer, 0);
        result(row, status === 200 ? json(answer) : undefined, fromResponse(status, answer, retry));
      });
    };
    if (as === "post") auth.token(go);
    else auth.ticket(go);
  }

  function result(row: Waiting, value: any, error: WigeonError): void {
    if (value && value.replies) return finish(row, null, value.replies);
    if (value && value.error) error = fromWire(value.error);
    if (!error.outcome && (error.code === "network" || error.code === "timeout")) error.outcome = "unknown";
    finish(row, error, []);
  }

  function byTag(as: "jsonp" | "form", commands: Command[], text: string, done: Sent): void {
    const row = track(done, null);
    auth.ticket((error, ticket) => {
      if (error) return finish(row, error, []);
      const params: any = { ticket, session: host.session };
      const url = (callback: string): string => {
        params.transport = "jsonp";
        params.callback = callback;
        params.d = text;
        return site.base + "/v1/commands" + query(params);
      };
      // A form's answer cannot be read; only what comes back as an event may go that way.
      const type = commands[0]!.type, echoed = type === "send" || type === "edit";
      if (echoed && (as === "form" || url("wigeon_123456789abc").length > SCRIPT_URL_MAX)) {
        const to = site.base + "/v1/commands" + query({ ticket, session: host.session });
        note("form", "up", "POST " + to + "\nd=" + text, 1);
        row.abort = postForm(env, to, text, TIMEOUT_MS, () => finish(row, null, []));
      } else row.abort = callScript(env, callback => {
        const from = url(callback);
        note("jsonp", "up", "GET " + from, 1);
        return from;
      }, TIMEOUT_MS, value => {
        note("jsonp", "down", value ? JSON.stringify(value) : "", 0);
        result(row, value, fault("network", "the script brought no answer"));
      });
    });
  }

  function note(as: UplinkName, direction: "up" | "down", text: string, requests: number): void {
    if (host.raw) host.raw(as, direction, utf8Length(text), redact(text), requests);
  }

  return {
    name,
    force(to) { forced = to; },
    batchMax: () => /form|jsonp/.test(name()) ? 1 : 50,
    send(commands, done) {
      if (host.blocked()) return done(fault("network", "the network is off"), []);
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
      for (let i = 0; i < waiting.length; i++) {
        const row = waiting[i]!;
        if (!reply.re || !row.left[reply.re]) continue;
        delete row.left[reply.re];
        row.replies.push(reply);
        for (const _ in row.left) return;
        return finish(row, null, row.replies);
      }
    },
    readerChanged() {
      const now = host.current(), all = waiting.slice();
      for (let i = 0; i < all.length; i++) if (all[i]!.reader && all[i]!.reader !== now) finish(all[i]!, lost(), all[i]!.replies);
    },
    cut() {
      const all = waiting.slice();
      for (let i = 0; i < all.length; i++) {
        all[i]!.abort();
        finish(all[i]!, lost(), []);
      }
    },
  };
}

