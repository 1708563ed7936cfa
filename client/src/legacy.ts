// The legacy facade: the same core and the same names, Node-style callbacks as last argument, no promise anywhere.
// A callback may be left out. What returns a promise with an id in the modern build returns the id here.
import type { Options } from "./types.ts";
import type { Done } from "./outbox.ts";
import { createClient } from "./client.ts";
import { engine } from "./env.ts";
import { legacy } from "./transports.ts";

function Wigeon(this: any, options?: Options): void {
  const core: any = createClient(this, options || {}, legacy), command = core.command;
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

engine.root.Wigeon = Wigeon;
