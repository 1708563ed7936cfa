// The modern facade: promises around the callback core. Rejections nobody listens to stay quiet: the outbox and the
// `reply` and `state` events tell the same.
import type { Client, GuestToken, History, Options, OutboxEntry, SendFields, SendOk, Snapshot, State, TransportName, UplinkName } from "./types.ts";
import type { Done } from "./outbox.ts";
import { engine } from "./env.ts";
import { createClient } from "./client.ts";
import type { Transport } from "./transport.ts";
import { byXhr, hasXhr } from "./http/xhr.ts";
import { byFetch, hasFetch } from "./http/fetch.ts";
import { byScript } from "./up/script.ts";
import { websocket } from "./down/websocket.ts";
import { ndjson, PRELUDE } from "./down/ndjson.ts";
import { sse } from "./down/sse.ts";
import { iframe } from "./down/iframe.ts";
import { jsonp, longpoll, poll } from "./down/polls.ts";

/** No engine that can read this build has ActiveXObject or XDomainRequest: those two are in the legacy build only. */
const transports: Transport[] = [
  websocket,
  ndjson("fetch-stream", byFetch, 0, hasFetch, () => true),
  ndjson("xhr-stream", byXhr, PRELUDE, hasXhr, () => false),
  sse, iframe, longpoll, jsonp, poll,
];

export class Wigeon implements Client {
  declare readonly state: State;
  declare readonly user: string | null;
  declare readonly cursor: string | null;
  declare readonly session: string;
  declare readonly outbox: readonly OutboxEntry[];
  declare readonly guestToken: GuestToken | null;
  declare readonly transports: readonly TransportName[];

  declare connect: () => void;
  declare close: () => void;
  declare on: Client["on"];
  declare typing: (room: string) => void;
  declare focus: (rooms: string[]) => void;
  declare retry: (id: string) => void;
  declare discard: (id: string) => void;
  declare force: (transport: TransportName | null, uplink?: UplinkName | null) => void;
  declare dropNetwork: (ms: number) => void;
  declare retryNow: () => void;
  declare send: (message: SendFields, options?: { id?: string }) => Promise<SendOk> & { readonly id: string };
  declare command: (type: string, fields?: any) => Promise<any> & { readonly id: string };
  declare snapshot: () => Promise<Snapshot>;
  declare history: (query: any) => Promise<History>;
  declare read: (room: string, seq: number) => Promise<any>;

  constructor(options: Options = {}) {
    const core: any = createClient(this as any, options, { env: engine, transports, http: () => byFetch, tags: byScript });
    const { command, snapshot } = core;
    Object.assign(this, core, {
      command: (type: string, fields?: any) => promise(done => command(type, fields, done)),
      send: (message: SendFields, more?: { id?: string }) => promise(done => command("send", { ...message, ...more }, done)),
      snapshot: () => promise(snapshot),
      history: (query: any) => promise(done => command("history", query, done)),
      read: (room: string, seq: number) => promise(done => command("read", { room, seq }, done)),
    });
  }
}

function promise(start: (done: Done) => any): any {
  let id;
  const result: any = new Promise((resolve, reject) => {
    id = start((error, ok) => error ? reject(error) : resolve(ok));
  });
  result.catch(() => {});
  if (id) result.id = id;
  return result;
}

export default Wigeon;
