// `sockjs-client` from npm, as thousands of pages have it, over each of its transports, on Wigeon's own origin and on
// another site that the server lists. A page on SockJS and one on Wigeon's library talk in one room: both see
// everything once, in order; a stream that ends after its limit is followed by the next; each side may close.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { blankPageOf, useSite } from "./lib/site.mjs";
import { until } from "./lib/until.mjs";

const TRANSPORTS = [
  "websocket",
  "xhr-streaming",
  "eventsource",
  "iframe-eventsource",
  "htmlfile",
  "iframe-htmlfile",
  "xhr-polling",
  "iframe-xhr-polling",
  "jsonp-polling",
];
/** A bare frame cannot speak across origins; that is what the other one is for. */
const AT_HOME_ONLY = ["htmlfile"];
const ROUNDS = 3;
const NASTY = "</script>\u2028中文 \u{1F986} \"q\" \\ &amp;";

/** More than one streamed response carries: 60 messages of 4 kB are twice 128 KiB on the wire. */
const MANY = 60;
const LONG = "x".repeat(4000);

const CLIENT = fileURLToPath(import.meta.resolve("sockjs-client/dist/sockjs.min.js"));
const CLIENT_PATH = "/sockjs-client-for-tests.js";

/** What its pages in frames make Chromium say, whoever serves them: `document.domain` is fixed by the protocol. */
const EXPECTED = /document\.domain|unload/i;

suite("sockjs-client", () => {
  const site = useSite({ "/": "<!doctype html><title>a shop</title><body>" });
  const server = useServer({
    args: () => ["--allow-origin", site.originAs("shop.test"), "--sockjs-client-url", CLIENT_PATH],
  });
  const browser = useBrowser({ hosts: ["shop.test"] });

  async function open(t, cross) {
    const page = await browser.open(t);
    await page.context().route(server.origin + CLIENT_PATH, (route) =>
      route.fulfill({ path: CLIENT, contentType: "text/javascript" }),
    );
    if (cross) await page.goto(site.originAs("shop.test"));
    else await blankPageOf(server, page);
    return page;
  }

  /** A page on SockJS that has said hello; it remembers what it is told. */
  async function sockjs(t, { transport, cross, token, ticket }) {
    const page = await open(t, cross);
    await page.addScriptTag({ path: CLIENT });
    await page.evaluate(
      ({ url, transport, token }) => {
        window.frames_ = [];
        window.seen = [];
        window.sock = new SockJS(url, null, { transports: [transport], timeout: 10_000 });
        sock.onopen = () => token && sock.send(JSON.stringify({ id: "hello", type: "hello", token }));
        sock.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          frames_.push(frame);
          if (frame.type === "message") seen.push(frame.body.text);
        };
        sock.onclose = ({ code, reason, wasClean }) => (window.ended = { code, reason, wasClean });
      },
      { url: `${server.origin}/sockjs${ticket ? `?ticket=${ticket}` : ""}`, transport, token },
    );
    return page;
  }

  const ready = (page, transport) =>
    until(`ready over ${transport}`, () =>
      page.evaluate((transport) => {
        if (window.ended) throw new Error(`closed: ${JSON.stringify(ended)}`);
        return frames_.some((frame) => frame.type === "ready") && sock.transport === transport;
      }, transport),
    );

  /** A page on Wigeon's own library, over whatever it chooses. */
  async function wigeon(t, { token }) {
    const page = await open(t, false);
    await page.addScriptTag({ url: `${server.origin}/wigeon.js` });
    await page.evaluate(
      ({ url, token }) => {
        window.seen = [];
        window.chat = new Wigeon({ url, token });
        chat.on("message", (message) => seen.push(message.body.text));
        chat.connect();
      },
      { url: server.origin, token },
    );
    await until("the library is online", () => page.evaluate(() => chat.state.status === "online"));
    return page;
  }

  async function guests() {
    const [ann, bob] = [await server.guest("Ann"), await server.guest("Bob")];
    const { room } = await server.command(ann.token, {
      type: "room.create",
      kind: "group",
      title: "SockJS",
      members: [bob.user],
    });
    return { ann, bob, room: room.id };
  }

  const problems = (page) => page.problems.filter((problem) => !EXPECTED.test(problem));

  for (const cross of [false, true]) {
    for (const transport of TRANSPORTS.filter((name) => !cross || !AT_HOME_ONLY.includes(name))) {
      test(`${transport} ${cross ? "from another site" : "at home"}`, async (t) => {
        const { ann, bob, room } = await guests();
        const theirs = await wigeon(t, bob);
        const ours = await sockjs(t, { transport, cross, token: ann.token });
        await ready(ours, transport);

        const said = [];
        for (let round = 0; round < ROUNDS; round++) {
          const mine = `${transport} ${round} ${NASTY}`;
          await ours.evaluate(
            ({ room, text }) =>
              sock.send(JSON.stringify({ id: `m${Math.random()}`, type: "send", room, body: { text } })),
            { room, text: mine },
          );
          await until("the library's page sees it", () => theirs.evaluate((text) => seen.includes(text), mine));
          const answer = `answer ${round} ${NASTY}`;
          await theirs.evaluate(({ room, text }) => chat.send({ room, body: { text } }), { room, text: answer });
          await until("the SockJS page sees it", () => ours.evaluate((text) => seen.includes(text), answer));
          said.push(mine, answer);
        }
        for (const page of [ours, theirs]) assert.deepEqual(await page.evaluate("seen"), said);

        const many = Array.from({ length: MANY }, (_, number) => `${number} ${LONG}`);
        for (const text of many) await server.send(bob.token, room, text);
        for (const page of [ours, theirs]) {
          await until("all of it", async () => (await page.evaluate("seen.length")) >= said.length + MANY);
          assert.deepEqual(await page.evaluate("seen"), [...said, ...many]);
        }

        await ours.evaluate(() => sock.close(3001, "enough"));
        await until("the page hears of its own close", () => ours.evaluate("window.ended"));
        assert.deepEqual(await ours.evaluate("ended"), { code: 3001, reason: "enough", wasClean: true });
        assert.deepEqual(problems(ours), []);
        assert.deepEqual(problems(theirs), []);
      });
    }
  }

  for (const transport of TRANSPORTS) {
    test(`${transport} hears why the server closes`, async (t) => {
      const page = await sockjs(t, { transport, cross: false, token: "nonsense" });
      await until("the close", () => page.evaluate("window.ended"));
      const { code, wasClean } = await page.evaluate("ended");
      assert.deepEqual([code, wasClean], [4401, true]);
      assert.equal(await page.evaluate("frames_[0].error.code"), "unauthenticated");
    });
  }

  test("a ticket in the one URL goes with every request", async (t) => {
    const { ann, bob, room } = await guests();
    const ticket = await server.ticket(ann.token, server.origin);
    for (const transport of ["websocket", "xhr-streaming", "jsonp-polling"]) {
      const page = await sockjs(t, { transport, cross: false, ticket });
      await ready(page, transport);
      await server.send(bob.token, room, `to ${transport}`);
      await until("the message", () => page.evaluate((text) => seen.includes(text), `to ${transport}`));
    }
  });

  test("a page of a site that is not listed gets nowhere", async (t) => {
    const page = await browser.open(t);
    await page.goto(site.originAs("127.0.0.1"));
    await page.addScriptTag({ path: CLIENT });
    const closed = await page.evaluate(
      (url) => new Promise((resolve) => (new SockJS(url).onclose = ({ code }) => resolve(code))),
      `${server.origin}/sockjs`,
    );
    assert.equal(closed, 1002, "no answer about the server, so no connection");
  });

  test("when the last page has closed, no session is left", async () => {
    await until("the sessions to end", async () => {
      const metrics = await (await fetch(`${server.origin}/metrics`)).text();
      return /^wigeon_sockjs_sessions 0$/m.test(metrics);
    });
  });
});
