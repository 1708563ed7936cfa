// The legacy facade: the same core and the same names, Node-style callbacks as last argument, no promise anywhere.
// A callback may be left out. What returns a promise with an id in the modern build returns the id here.
import type { Options } from "./types.ts";
import type { Done } from "./outbox.ts";
import { createClient } from "./client.ts";
import { legacyEngine } from "./engine_legacy.ts";
import type { Transport } from "./transport.ts";
import { byXhr, hasXhr } from "./http/xhr.ts";
import { byXdr, hasXdr } from "./http/xdr.ts";
import { byTag } from "./up/tags.ts";
import { websocket } from "./down/websocket.ts";
import { ndjson, PRELUDE } from "./down/ndjson.ts";
import { sse } from "./down/sse.ts";
import { htmlfile } from "./down/htmlfile.ts";
import { iframe } from "./down/iframe.ts";
import { jsonp, longpoll, poll } from "./down/polls.ts";

const transports: Transport[] = [
  websocket,
  ndjson("xhr-stream", byXhr, PRELUDE, hasXhr, () => true),
  sse,
  ndjson("xdr", byXdr, PRELUDE, hasXdr, site => site.cross),
  htmlfile, iframe, longpoll, jsonp, poll,
];

function Wigeon(this: any, options?: Options): void {
  const core: any = createClient(this, options || {}, {
    env: legacyEngine, transports, tags: byTag,
    http: site => hasXhr(site) ? byXhr : hasXdr(site) ? byXdr : null,
  }), command = core.command;
  for (const name in core) this[name] = core[name];
  this.command = (type: string, fields: any, done?: Done) =>
    typeof fields === "function" ? command(type, {}, fields) : command(type, fields, done);
  this.send = (message: any, more: any, done?: Done) => {
    const id = more && more.id;
    const fields: any = {};
    for (const key in message) fields[key] = message[key];
    if (id) fields.id = id;
    return command("send", fields, typeof more === "function" ? more : done);
  };
  this.history = (query: any, done?: Done) => command("history", query, done);
  this.read = (room: string, seq: number, done?: Done) => command("read", { room, seq }, done);
}

legacyEngine.root.Wigeon = Wigeon;
