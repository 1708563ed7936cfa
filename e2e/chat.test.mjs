// Two pages chat through one server, over each transport in turn: both ways, everything once, in one order.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { Chat, TRANSPORTS } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";

const ROUNDS = 5;
const NASTY = "</script><!--<script> 中文 \u{1F986} \"q\" & \\ <b>bold</b>";

/** What each of them asks for on the wire. */
const ON_THE_WIRE = { "fetch-stream": "ndjson", "xhr-stream": "ndjson" };

suite("two pages chat", () => {
  const server = useServer();
  const browser = useBrowser();

  for (const [entry, transport] of Object.entries(TRANSPORTS)) {
    test(`over ${transport}`, async (t) => {
      const ann = await Chat.open(t, browser, server, { as: `Ann ${transport}` });
      const bob = await Chat.open(t, browser, server, { as: `Bob ${transport}` });
      for (const chat of [ann, bob]) await chat.force(entry);
      for (const chat of [ann, bob]) assert.ok(chat.page.asked.has(ON_THE_WIRE[transport] ?? transport));

      const said = [];
      for (let round = 0; round < ROUNDS; round++) {
        for (const [from, to] of [[ann, bob], [bob, ann]]) {
          const text = `${transport} ${round} ${from === ann ? NASTY : "answer"}`;
          await from.send(text);
          await to.sees(text);
          said.push(text);
        }
      }
      // Both at once: the order is the server's, and the same for both.
      await Promise.all([ann.send(`${transport} ann at once`), bob.send(`${transport} bob at once`)]);
      for (const chat of [ann, bob]) {
        await chat.sees(`${transport} ann at once`);
        await chat.sees(`${transport} bob at once`);
      }
      const ours = (texts) => texts.filter((text) => text.startsWith(`${transport} `));
      const kept = ours(await server.texts((await server.guest("Reader")).token, "lobby"));
      assert.deepEqual(kept.slice(0, said.length), said);
      assert.equal(kept.length, said.length + 2);
      assert.deepEqual(ours(await ann.texts()), kept);
      assert.deepEqual(ours(await bob.texts()), kept);
      assert.deepEqual([...ann.page.problems, ...bob.page.problems], []);
    });
  }

  test("in one conversation that changes its transport all the time", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann changing" });
    const bob = await Chat.open(t, browser, server, { as: "Bob changing" });
    const said = [];
    for (const entry of ["Long poll", "WebSocket", "Polling", "Server-sent events", "WebSocket", "Automatic"]) {
      // Not waiting for the change: messages are on their way while it happens.
      await bob.pickConnection(entry);
      for (let n = 0; n < 3; n++) {
        said.push(`changing to ${entry}, ${said.length}`);
        await ann.send(said.at(-1));
      }
    }
    await bob.sees(said.at(-1));
    assert.deepEqual((await bob.texts()).filter((text) => text.startsWith("changing")), said);
  });
});
