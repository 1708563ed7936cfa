// The library in real pages, treated badly: transports are forced at random, the network is cut, the server is
// killed and comes back, while thousands of messages are sent through all of it. In the end every page has had
// every message once, in the order of the log, and nothing was sent twice.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { useBrowser } from "./lib/browser.mjs";
import { Dice } from "./lib/dice.mjs";
import { slowness } from "./lib/pace.mjs";
import { useServer } from "./lib/server.mjs";
import { blankPageOf } from "./lib/site.mjs";
import { until } from "./lib/until.mjs";

const PAGES = 3;
const MESSAGES_PER_PAGE = 700;
/** Below the 100 commands a second that a user may send. */
const PER_SECOND = 35;
const KILLS = 3;
/** Each page reads by so many, or the story has not been told. */
const TRANSPORTS_MIN = 5;

suite("torture", () => {
  const server = useServer();
  const browser = useBrowser();

  async function client(t, name) {
    const page = await browser.open(t);
    await blankPageOf(server, page);
    const { token } = await server.guest(name);
    await page.addScriptTag({ url: `${server.origin}/wigeon.js` });
    await page.evaluate(
      ({ token, url }) => {
        Object.assign(window, { seen: [], waits: [], resets: [], used: new Set() });
        window.chat = new Wigeon({ token, url });
        chat.on("message", (message) => {
          seen.push(message.body.text);
          waits.push(Date.now() - message.at);
        });
        chat.on("reset", (frame) => resets.push(frame));
        chat.on("state", (state) => state.transport && used.add(state.transport));
        chat.connect();
      },
      { token, url: server.origin },
    );
    await until(`${name} is online`, () => page.evaluate(() => chat.state.status === "online"));
    return page;
  }

  /** Sends at a steady pace; the outbox of the library keeps what cannot leave now. */
  const talk = (page, name) =>
    page.evaluate(
      ({ name, count, ms }) => {
        let sent = 0;
        window.acked = 0;
        const timer = setInterval(() => {
          chat.send({ room: "lobby", body: { text: `${name} ${sent++}` } }).then(() => acked++);
          if (sent === count) clearInterval(timer);
        }, ms);
      },
      { name, count: MESSAGES_PER_PAGE, ms: 1000 / PER_SECOND },
    );

  /** Does something bad every now and then until all is sent. */
  async function torment(page, dice, over) {
    const transports = await page.evaluate(() => [...chat.transports]);
    while (!over()) {
      const kind = dice.roll();
      if (kind < 0.7) await page.evaluate((transport) => chat.force(transport), dice.pick([...transports, null]));
      else if (kind < 0.85) await page.evaluate((ms) => chat.dropNetwork(ms), dice.between(50, 1500));
      await pause(dice.between(50, 600));
    }
    await page.evaluate(() => chat.force(null));
  }

  test("every message, once, in order, through switches, cuts and kills", async (t) => {
    const dice = new Dice();
    t.diagnostic(`seed ${dice.seed} (WIGEON_SEED repeats it)`);
    const names = Array.from({ length: PAGES }, (_, n) => `page${n}`);
    const pages = [];
    for (const name of names) pages.push(await client(t, name));
    await Promise.all(pages.map((page, n) => talk(page, names[n])));

    let over = false;
    const torments = pages.map((page) => torment(page, new Dice(dice.between(1, 2 ** 31)), () => over));
    const acked = async () => (await Promise.all(pages.map((page) => page.evaluate("acked")))).reduce((a, b) => a + b);
    const total = PAGES * MESSAGES_PER_PAGE;
    for (let kill = 1; kill <= KILLS; kill++) {
      await until(`a part is sent, before kill ${kill}`, async () => (await acked()) > (total * kill) / (KILLS + 1), { ms: 90_000 });
      await server.kill();
      await pause(dice.between(0, 1000));
      await server.start();
    }
    await until("all is sent", async () => (await acked()) === total, { ms: 120_000 });
    const used = async () => Math.min(...(await Promise.all(pages.map((page) => page.evaluate("used.size")))));
    await until("many transports were in use", async () => (await used()) >= TRANSPORTS_MIN);
    over = true;
    await Promise.all(torments);

    const told = await server.texts((await server.guest("Reader")).token, "lobby");
    for (const name of names) {
      const own = told.filter((text) => text.startsWith(`${name} `));
      assert.deepEqual(own, Array.from({ length: MESSAGES_PER_PAGE }, (_, n) => `${name} ${n}`), "sent once, in order");
    }
    for (const page of pages) {
      await until("the page has the last", () => page.evaluate((last) => seen.at(-1) === last, told.at(-1)));
      onceInOrder(await page.evaluate("seen"), told);
      assert.deepEqual(await page.evaluate("resets"), []);
    }
    const waits = (await Promise.all(pages.map((page) => page.evaluate("waits")))).flat().sort((a, b) => a - b);
    const at = (share) => waits[Math.floor(waits.length * share)];
    t.diagnostic(`from the log to the page, kills and cuts included: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${waits.at(-1)} ms`);
  });

  test("a change of transport makes no visible pause", async (t) => {
    const page = await client(t, "switching");
    const { token } = await server.guest("Metronome");
    /** Ticks until it reads by `transport`; resolves with the longest that one of them took from the log to the page. */
    const change = async (transport) => {
      const before = await page.evaluate("waits.length");
      await page.evaluate((transport) => chat.force(transport), transport);
      await until(`by ${transport}`, async () => {
        await server.send(token, "lobby", "tick");
        return page.evaluate((transport) => chat.state.transport === transport && chat.state.status === "online", transport);
      });
      await until("a tick has come", () => page.evaluate((before) => waits.length > before, before));
      return page.evaluate((before) => Math.max(...waits.slice(before)), before);
    };
    for (const [from, to] of [["longpoll", "websocket"], ["websocket", "longpoll"], ["sse", "websocket"], ["websocket", "sse"]]) {
      const most = [];
      let limit;
      // A machine that does much else stops now and then. What the library does, it does each time.
      do {
        await change(from);
        most.push(await change(to));
        limit = VISIBLE_MS * slowness();
      } while (most.at(-1) >= limit && most.length < TRIES_MAX);
      t.diagnostic(`from the log to the page, from ${from} to ${to}: at most ${most.join(", ")} ms`);
      assert.ok(most.at(-1) < limit, `${from} to ${to}: ${most.join(", ")} ms`);
    }
  });

  test("one message too few, too many or out of place would be noticed", () => {
    const told = ["a", "b", "c", "d"];
    onceInOrder(told, told);
    for (const wrong of [["a", "c", "d"], ["a", "b", "b", "c", "d"], ["a", "c", "b", "d"]]) {
      assert.throws(() => onceInOrder(wrong, told));
    }
  });
});

/** What a person takes for at once; the machine that measures is busy. */
const VISIBLE_MS = 500;
const TRIES_MAX = 5;

function onceInOrder(seen, told) {
  const first = told.findIndex((text, n) => seen[n] !== text);
  assert.equal(first, -1, `at ${first}: "${seen[first]}" instead of "${told[first]}"`);
  assert.equal(seen.length, told.length);
}
