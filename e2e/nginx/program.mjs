// A witness in a Node.js program of its own, because Node reads NODE_EXTRA_CA_CERTS only as it starts. Asked by
// messages from its parent, it answers by messages; it ends with the channel.
import { Wigeon } from "wigeon-client";
import { witness } from "./witness.mjs";

let self;

process.on("message", async ({ call, method, args }) => {
  if (method === "start") self = witness(Wigeon, ...args);
  const value = method === "start" ? true : await self[method](...args);
  process.send({ call, value });
});
process.on("disconnect", () => process.exit(0));
