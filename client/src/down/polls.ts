// The floor: one request, one answer, and again. Long polling (held by the server), polling (at an interval), and JSONP
// (held, by a script tag). The first request of each never waits: it catches up, and shows at once that this works.
import type { Channel, Link, PollAnswer, Transport } from "../transport.ts";
import type { TransportName, WigeonError } from "../types.ts";
import type { Site } from "../site.ts";
import { fault, fromResponse, fromWire, isTransient } from "../fault.ts";
import { json } from "../text.ts";
import { callScript } from "../script.ts";

const WAIT_S = 25;
/** A held request that failed after this was perhaps ended for being idle, by something on the way. */
const IDLE_END_MS = 2000;
/** Polling by interval: while something happens, when nothing does, and when nobody looks. */
const ACTIVE_MS = 2000, IDLE_MS = 10000, HIDDEN_MS = 60000, ACTIVE_FOR_MS = 60000;

type Got = (error: WigeonError | null, answer: PollAnswer | null) => void;
type Get = (link: Link, wait_s: number, got: Got) => () => void;

const byHttp: Get = (link, wait_s, got) => {
  const url = link.url(wait_s ? "longpoll" : "poll", { wait: wait_s || null });
  link.tap("up", "GET " + url, 1);
  return link.site.http!(link.site.env, { method: "GET", url, bearer: link.bearer, timeout_ms: (wait_s + 10) * 1000 }, (status, text, retry) => {
    const answer = status === 200 ? json(text) : undefined;
    link.tap("down", text);
    if (answer?.frames) got(null, answer);
    else got(text === "timeout" ? fault("timeout") : fromResponse(status, text, retry), null);
  });
};

const byScript: Get = (link, wait_s, got) =>
  callScript(link.site.env, callback => {
    const url = link.url("jsonp", { wait: wait_s, callback });
    link.tap("up", "GET " + url, 1);
    return url;
  }, (wait_s + 10) * 1000, value => {
    if (value) link.tap("down", JSON.stringify(value));
    if (value?.frames) got(null, value);
    else got(value?.error ? fromWire(value.error) : fault("network"), null);
  });

function loop(link: Link, get: Get, held: boolean): Channel {
  const { env } = link.site;
  let open = true, abort = () => {}, timer: any, hold_s = WAIT_S, wait_s = 0, active_at = env.now();

  function step(): void {
    const began = env.now();
    abort = get(link, wait_s, (error, answer) => {
      if (!open) return;
      const took = env.now() - began;
      abort = () => {};
      if (!answer) {
        // Then ask for less next time. Whether the network is there at all, a request that does not wait will tell.
        if (wait_s && took > IDLE_END_MS && isTransient(error!) && !error!.retry_after_ms) {
          hold_s = Math.floor(Math.min(hold_s, took / 1000) * 0.7) || 1;
          wait_s = 0;
          return step();
        }
        open = false;
        return link.end(error);
      }
      if (!wait_s) link.rtt(took);
      if (answer.frames.length) active_at = env.now();
      const empty = !answer.frames.length && !answer.more;
      // An empty answer that was not held long (a proxy, a server in a hurry) must not make us spin.
      const pause = held ? (wait_s && empty && took < 1000 ? 1000 : 0) : answer.more ? 0 : interval();
      wait_s = held && !answer.more ? hold_s : 0;
      link.answer(answer);
      if (open) timer = env.after(pause, step);
    });
  }

  function interval(): number {
    const ms = !link.visible() ? HIDDEN_MS : env.now() - active_at < ACTIVE_FOR_MS ? ACTIVE_MS : IDLE_MS;
    return ms * (0.8 + 0.4 * env.chance());
  }

  const stop = () => {
    env.cancel(timer);
    abort();
  };
  step();
  return {
    close() { open = false; stop(); },
    poke() {
      active_at = env.now();
      wait_s = 0;
      stop();
      step();
    },
  };
}

function poller(name: TransportName, get: Get, held: boolean, ticket: Transport["ticket"], usable: (site: Site) => boolean, auto: (site: Site) => boolean): Transport {
  return { name, family: "poll", ticket, usable, auto, open: link => loop(link, get, held) };
}

const hasHttp = (site: Site): boolean => !!site.http;

export const longpoll = poller("longpoll", byHttp, true, "cross", hasHttp, () => true);
export const poll = poller("poll", byHttp, false, "cross", hasHttp, () => true);
export const jsonp = poller("jsonp", byScript, true, "always", site => !!site.env.root.document, site => !hasHttp(site));
