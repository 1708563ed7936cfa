// Ann and Bo, and rooms the two of them are in: what a suite needs that is about messages and not about getting there.
import { before } from "node:test";
import { openIn } from "./browser.mjs";
import { Chat } from "./chat.mjs";

/** Their tokens, as `ann` and `bo` once the suite has begun; Bo's is a service's, which is not asked to slow down. */
export function usePair(server, browser) {
  const pair = {
    /** Makes a group of both, and returns its id. */
    async room(title) {
      return (await server.command(pair.ann, { type: "room.create", kind: "group", title, members: ["bo"] })).room.id;
    },
    /** Opens a room in a page of its own, as whoever the token is of. */
    async open(t, token, room, options) {
      const page = await openIn(await browser.context(t, options), `${server.origin}/?room=${room}#token=${token}`);
      const chat = new Chat(page, "");
      await chat.composer.waitFor();
      return chat;
    },
  };
  before(async () => {
    pair.ann = server.token("ann", { name: "Ann" });
    pair.bo = server.token("bo", { name: "Bo", role: "service" });
    for (const [token, name] of [[pair.ann, "Ann"], [pair.bo, "Bo"]]) await server.command(token, { type: "user.update", name });
  });
  return pair;
}
