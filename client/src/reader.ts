// One attempt of one transport, watched: is it live (something true came), is it proven (it flows), is it dead (silence).
//
//   opened ──ready with my nonce──▶ live ──heartbeat, apart from it──▶ proven ──35 s without a byte──▶ ended
//
// Headers, a prelude or `ready` alone prove nothing: a buffering proxy lets the first piece through and holds the small ones
// after it. The server writes a heartbeat ≥ 150 ms after `ready`; when both arrive at one moment they were held back.
import type { Frame, TransportName, UplinkName, WigeonError } from "./types.ts";
import type { Channel, Link, PollAnswer, Transport } from "./transport.ts";
import { random } from "./env.ts";
import type { Site } from "./site.ts";
import { fault, fromWire } from "./fault.ts";
import { type Params, query } from "./text.ts";

/** Two heartbeats (15 s ± 10 %) may be late, a third may not. */
const SILENCE_MS = 35000;
const WATCH_MS = 5000;
/** `ready` and heartbeat leave the server 150 ms apart; the network may squeeze that, a buffer squeezes it to nothing. */
const APART_MS = 75;

export interface Reader {
  readonly transport: Transport;
  readonly opened_at: number;
  last_at: number;
  live: boolean;
  proven: boolean;
  start(): void;
  send(text: string): boolean;
  poke(): void;
  /** Ends it without a word. */
  close(): void;
  /** Ends it with a word to the selector. */
  fail(error: WigeonError): void;
}

/** What the client provides to every reader. */
export interface ReaderHost {
  site: Site;
  params: Params;
  cursor(): string;
  rtt(ms?: number): number | null;
  visible(): boolean;
  blocked(): boolean;
  /** The credentials this transport shows. */
  credentials(transport: Transport, done: (error: WigeonError | null, bearer: string) => void): void;
  ticket(): string;
  tap(transport: TransportName | UplinkName, direction: "up" | "down", text: string, requests?: number): void;
  frame(reader: Reader, frame: Frame): void;
  answer(reader: Reader, answer: PollAnswer): void;
}

export interface ReaderEvents {
  live(reader: Reader): void;
  proven(reader: Reader): void;
  ended(reader: Reader, error: WigeonError | null): void;
}

export const proofBudgetMs = (rtt_ms: number | null): number => Math.max(2500, Math.min(6000, 1000 + 4 * (rtt_ms || 0)));

export function createReader(transport: Transport, host: ReaderHost, events: ReaderEvents): Reader {
  const { site } = host, { env } = site;
  const nonce = random(env, 16);
  let channel: Channel | null = null, over = false, ready_at = 0, proof: any, watch: any;

  const reader: Reader = {
    transport, opened_at: env.now(), last_at: env.now(), live: false, proven: false,
    send: text => !!channel?.send?.(text),
    poke() { channel?.poke?.(); },
    close() {
      if (over) return;
      over = true;
      env.cancel(proof);
      env.cancel(watch);
      channel?.close();
    },
    fail: error => finish(error),
    start,
  };

  function finish(error: WigeonError | null): void {
    if (over) return;
    reader.close();
    events.ended(reader, error);
  }

  function live(): void {
    if (reader.live) return;
    reader.live = true;
    if (!over) events.live(reader);
  }

  function prove(): void {
    if (reader.proven || over) return;
    reader.proven = true;
    env.cancel(proof);
    events.proven(reader);
  }

  /** What is not JSON is not ours: it is left out, and the silence or the cursor tells the rest. */
  function onFrame(frame: Frame | undefined): void {
    if (over || !frame) return;
    const now = reader.last_at = env.now();
    if (frame.type === "error") return finish(fromWire(frame.error));
    if (frame.type === "ready") {
      // Someone else's answer, out of a cache.
      if (frame.nonce != null && frame.nonce !== nonce) return finish(fault("network"));
      if (frame.nonce === nonce && !ready_at) {
        ready_at = now;
        live();
      }
    } else if (frame.type === "heartbeat" && ready_at && now - ready_at >= APART_MS) prove();
    if (!over) host.frame(reader, frame);
  }

  /** By the time of the last byte, not by counting ticks: timers are throttled in hidden tabs and stop in sleep. */
  function watchSilence(): void {
    watch = env.after(WATCH_MS, () => {
      if (env.now() - reader.last_at > SILENCE_MS) finish(fault("timeout", "silent"));
      else watchSilence();
    });
  }

  const link: Link = {
    site, bearer: "",
    after: host.cursor,
    visible: host.visible,
    url: (name, more) => {
      const params: Params = { transport: name, after: host.cursor(), unread: 1 };
      for (const key in host.params) params[key] = host.params[key];
      if (transport.family !== "poll") params.nonce = nonce;
      if (!link.bearer) params.ticket = host.ticket();
      for (const key in more) params[key] = more[key];
      return site.base + "/v1/events" + query(params);
    },
    frame: onFrame,
    answer(answer) {
      if (over) return;
      reader.last_at = env.now();
      live();
      prove();
      if (!over) host.answer(reader, answer);
    },
    tap(direction, text, requests) {
      if (direction === "down") reader.last_at = env.now();
      if (!over) host.tap(transport.name, direction, text, requests);
    },
    rtt: ms => host.rtt(ms),
    end: finish,
  };

  function start(): void {
    host.credentials(transport, (error, bearer) => {
      if (over) return;
      if (error) return finish(error);
      link.bearer = bearer;
      if (transport.family !== "poll") {
        proof = env.after(proofBudgetMs(host.rtt()), () => finish(fault("timeout", ready_at ? "held back" : "")));
        watchSilence();
      }
      try {
        channel = transport.open(link);
        // It may have ended while it opened.
        if (over) channel.close();
      } catch (error) {
        finish(fault("network", String(error)));
      }
    });
  }
  return reader;
}
