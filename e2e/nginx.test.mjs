// Deployment as it is: a real nginx between the server and its clients, set up well, badly, and not at all. Ann
// has a page in Chromium, Bob a program in Node.js. Whatever nginx does, each has every message once, in order;
// what it costs them is which transport they end on, and that is what docs/transports.md tells.
import { suite, test, before, after } from "node:test";
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { blankPageOf } from "./lib/site.mjs";
import { until } from "./lib/until.mjs";
import { Proxy, nginx } from "./nginx/proxy.mjs";
import { witness } from "./nginx/witness.mjs";

// Which of the streams does not matter to people, and hangs on chance on a busy machine.
const STREAM = { page: ["fetch-stream", "sse"], program: ["fetch-stream"] };
const LONG_POLL = { page: ["longpoll"], program: ["longpoll"] };
// Node.js has a WebSocket from version 22 on.
const SOCKET = { page: ["websocket"], program: globalThis.WebSocket ? ["websocket"] : STREAM.program };

/**
 * A server block of nginx/nginx.conf and what becomes of people behind it. `ends`: the transports they are left
 * with, without having been offline for a moment. `held`: streams are tried and given up. `cut`: so many idle
 * requests nginx ends, and they go on all the same. `learns`: their long polls become so short that they are answered in time.
 * `waits`: a message may have to wait for a heartbeat.
 */
const CASES = [
  { block: "plain", is: "nginx as it comes: HTTP/1.0, buffering, no upgrade", ends: STREAM },
  { block: "held", is: "buffering that ignores X-Accel-Buffering", ends: LONG_POLL, held: true },
  { block: "unbuffered", is: "proxy_buffering off", ends: STREAM },
  { block: "http11", is: "proxy_http_version 1.1", ends: STREAM },
  { block: "http11_held", is: "proxy_http_version 1.1, buffering that ignores X-Accel-Buffering", waits: true },
  { block: "gzip", is: "gzip on", ends: STREAM },
  { block: "gzip_held", is: "gzip that ignores X-Accel-Buffering", ends: LONG_POLL, held: true },
  { block: "upgrade", is: "the upgrade is configured", ends: SOCKET },
  { block: "impatient", is: "proxy_read_timeout 3s", cut: 3 },
  { block: "impatient_upgrade", is: "proxy_read_timeout 3s, the upgrade is configured", cut: 3 },
  { block: "impatient_held", is: "proxy_read_timeout 3s, buffering that ignores X-Accel-Buffering", ends: LONG_POLL, cut: 2, learns: true },
  { block: "tls", is: "TLS, else as it comes", ends: STREAM },
  { block: "recommended", is: "what docs/operating.md recommends, with TLS and HTTP/2", ends: SOCKET },
];

/** What people send when they have found their transport. */
const NASTY = [
  "</script><!--<script>", "\u2028\u2029", "\u0000\u0001\u001b", "中文 \u{1F986}", "a\r\nb\n\nc", "data: x\n\n",
  '\\"\\u0041&amp;', "\ufeff\u200b\u202e", "é".repeat(3000), " ",
];

/** And while they look for it: less than the 4 KiB which would fill a buffer and push out what it holds back. */
const EARLY = NASTY.slice(0, 4);

/** Less than the 13.5 s in which the next heartbeat comes at the earliest: nothing waited for one to push it along. */
const SLOWEST_MS_MAX = 10_000;
/** A machine that is busy may miss the proof of a stream by its clock, and looks again within 39 s. */
const SETTLED_MS_MAX = 90_000;
const READ_TIMEOUT_S = 3;

const reason = nginx ? false : "nginx is not installed (Debian: apt-get install nginx-light)";

suite("behind nginx", { skip: reason, concurrency: 3 }, () => {
  const proxy = new Proxy();
  before(() => proxy.reserve(CASES.map(({ block }) => block)));
  const publicUrls = () => proxy.origins.flatMap((origin) => ["--public-url", origin]);
  const server = useServer({ args: () => ["--guests", "on", ...publicUrls()] });
  before(() => proxy.start(server.port));
  after(() => proxy.end());
  const browser = useBrowser({ args: ["--ignore-certificate-errors"] });

  for (const { block, is, ...expected } of CASES) {
    test(is, async (t) => {
      const { ann, bob, room, cursor } = await meet();
      const where = { url: proxy.origin(block), room, cursor };
      const both = {
        page: await inPage(t, { ...where, token: ann.token }),
        program: await inProgram(t, { ...where, token: bob.token }),
      };
      const say = (round) => Promise.all([both.page("send", texts("Ann", round)), both.program("send", texts("Bob", round))]);

      await say(EARLY);
      for (const [who, transports] of Object.entries(expected.ends ?? {})) {
        const isThere = async () => transports.includes((await both[who]("notes")).transport);
        await until(`the ${who} reads by ${transports.join(" or ")}`, isThere, { ms: SETTLED_MS_MAX });
      }
      if (expected.held) await until("streams were tried and given up", () => givenUp(block));
      if (expected.cut) await until("idle requests were cut", () => wereCut(block, expected.cut));
      if (expected.learns) await until("shorter answers are asked for", () => wereShort(block));
      await say(NASTY);

      const log = await server.texts(ann.token, room);
      for (const name of ["Ann", "Bob"]) {
        const own = log.filter((text) => text.startsWith(name));
        assert.deepEqual(own, [...texts(name, EARLY), ...texts(name, NASTY)], `what ${name} sent, once, in order`);
      }
      const told = [];
      for (const [who, ask] of Object.entries(both)) {
        await until(`the ${who} has everything`, async () => (await ask("notes")).texts.length >= log.length);
        const notes = await ask("notes");
        assert.deepEqual(notes.texts, log, `the ${who} has everything once, in order`);
        const slowest_ms = Math.max(...notes.delays);
        assert.ok(expected.waits || slowest_ms < SLOWEST_MS_MAX, `a message came ${slowest_ms} ms late`);
        if (expected.ends) {
          assert.ok(expected.ends[who].includes(notes.transport), `the ${who} stays with it`);
          assert.deepEqual(notes.statuses, ["connecting", "online"], "nobody saw anything of the search");
        }
        told.push(`${who} ${notes.path.join(" → ")}, first message after ${notes.first_ms} ms, slowest ${slowest_ms} ms`);
      }
      assert.ok((await both.page("notes")).asked.includes("websocket"), "WebSocket was given a chance");
      t.diagnostic(`${is}: ${told.join("; ")}`);
    });
  }

  async function meet() {
    const [ann, bob] = [await server.guest("Ann"), await server.guest("Bob")];
    const { room } = await server.command(ann.token, { type: "room.create", kind: "channel", title: "Behind nginx" });
    await server.command(bob.token, { type: "room.join", room: room.id });
    // They read on from here, so that what is sent before both are connected comes as messages too.
    return { ann, bob, room: room.id, cursor: await server.cursor(ann.token) };
  }

  async function inPage(t, who) {
    const page = await browser.open(t);
    await blankPageOf({ origin: who.url }, page);
    await page.addScriptTag({ url: `${who.url}/wigeon.js` });
    await page.evaluate(`window.witness = (${witness})(Wigeon, ${JSON.stringify(who)})`);
    return (method, ...args) => page.evaluate(([method, args]) => window.witness[method](...args), [method, args]);
  }

  async function inProgram(t, who) {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: proxy.certificate };
    const program = fork(new URL("./nginx/program.mjs", import.meta.url), { env });
    t.after(() => program.kill());
    const waiting = new Map();
    program.on("message", ({ call, value }) => waiting.get(call)(value));
    let calls = 0;
    const ask = (method, ...args) =>
      new Promise((resolve) => {
        waiting.set(++calls, resolve);
        program.send({ call: calls, method, args });
      });
    await ask("start", who);
    return ask;
  }

  /** The page has tried a fetch stream and an event source, the program a fetch stream, and all have hung up. */
  async function givenUp(block) {
    const transports = (await proxy.ended(block)).map((request) => request.transport);
    return transports.filter((transport) => transport === "ndjson").length >= 2 && transports.includes("sse");
  }

  /** Long polls that were held for a while and then answered, though there was nothing to say. */
  const wereShort = async (block) =>
    (await proxy.ended(block)).some(({ transport, status, seconds }) => transport === "longpoll" && status === 200 && seconds > 1);

  const wereCut = async (block, count) =>
    (await proxy.ended(block)).filter((request) => request.seconds >= READ_TIMEOUT_S - 0.1).length >= count;
});

const texts = (who, round) => round.map((text, n) => `${who} ${n} of ${round.length}: ${text}`);
