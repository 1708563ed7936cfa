// Who we are: a token given, asked for or got by a guest login, and the ticket that stands for it where no header can
// be set. Each is fetched once for all who wait for it.
import type { GuestToken, Options, WigeonError } from "./types.ts";
import type { Site } from "./site.ts";
import { fault, fromResponse } from "./fault.ts";
import { json } from "./text.ts";

type Done = (error: WigeonError | null, value: string) => void;

export interface Auth {
  /** "" where the page brought only tickets. */
  token(done: Done): void;
  ticket(done: Done): void;
  /** The server handed out the next ticket. */
  renewed(ticket: { ticket: string; expires_in: number }): void;
  /** The server refused what we showed: forget it. False when there is nothing new to try. */
  forget(): boolean;
  /** The server accepts us. */
  accepted(): void;
  /** The ticket that is good now, or "". */
  current(): string;
}

export function createAuth(site: Site, options: Options, blocked: () => boolean, guest: (token: GuestToken) => void): Auth {
  const env = site.env;
  let token: string | null = null, ticket: string | null = null, ticket_until = 0, refused = false;

  /** One fetch for all who ask meanwhile. */
  function shared(fetch: (done: Done) => void): (done: Done) => void {
    let waiting: Done[] | null = null;
    return done => {
      if (waiting) { waiting.push(done); return; }
      waiting = [done];
      fetch((error, value) => {
        const all = waiting!;
        waiting = null;
        for (const done of all) done(error, value);
      });
    };
  }

  function ask(source: any, done: Done): void {
    const take = (value: any) => done(value ? null : fault("unauthenticated", "no token"), value);
    // The page's own backend may only be out of reach: that is a reason to wait, not to give up.
    const failed = (error: any) => done(fault("unavailable", String(error)), "");
    try {
      const value = typeof source === "function" ? source() : source;
      if (value?.then) value.then(take, failed);
      else take(value);
    } catch (error) {
      failed(error);
    }
  }

  function post(path: string, body: any, bearer: string | null, done: (error: WigeonError | null, value: any) => void): void {
    const http = site.http;
    if (!http || blocked()) return done(fault("network"), null);
    http(env, { method: "POST", url: site.base + path, body: JSON.stringify(body), type: "application/json", bearer, timeout_ms: 15000 },
      (status, text, retry) => {
        const value = status === 200 || status === 201 ? json(text) : undefined;
        done(value ? null : fromResponse(status, text, retry), value);
      });
  }

  const fetchToken = shared(done => {
    if (options.token) return ask(options.token, done);
    if (!options.guest) return done(options.ticket ? null : fault("unauthenticated", "no token"), "");
    post("/v1/guests", { name: options.guest.name }, null, (error, value) => {
      if (value) guest(value);
      done(error, value?.token);
    });
  });

  const fetchTicket = shared(done => {
    if (options.ticket) return ask(options.ticket, (error, value) => {
      if (!error) auth.renewed({ ticket: value, expires_in: 600 });
      done(error, value);
    });
    auth.token((error, bearer) => {
      if (error) return done(error, "");
      post("/v1/tickets", {}, bearer, (error, value) => {
        if (value) auth.renewed(value);
        done(error, value?.ticket);
      });
    });
  });

  const auth: Auth = {
    token(done) {
      if (token != null) return done(null, token);
      fetchToken((error, value) => {
        if (!error) token = value;
        done(error, value);
      });
    },
    ticket(done) {
      if (ticket && env.now() < ticket_until) done(null, ticket);
      else fetchTicket(done);
    },
    renewed(next) {
      ticket = next.ticket;
      ticket_until = env.now() + (next.expires_in - 30) * 1000;
    },
    forget() {
      if (refused) return false;
      refused = true;
      ticket = null;
      // A fixed token may still be good when only its ticket has run out; a guest's name would become somebody else.
      if (typeof options.token === "function") token = null;
      return true;
    },
    accepted() { refused = false; },
    current: () => ticket || "",
  };
  return auth;
}

