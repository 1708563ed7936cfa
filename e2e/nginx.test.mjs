// Deployment as it is: a real nginx between the server and its clients, set up well, badly, and not at all. Ann
// has a page in Chromium, Bob a program in Node.js. Whatever nginx does, each has every message once, in order;
// what it costs them is which transport they end on, and that is what docs/transports.md tells.
import { suite, test, before, after } from "node:test";
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { blankPageOf } from "./lib/site.mjs";
import { until } from "./lib/until.mjs";
import { Proxy, nginx } from "./nginx/proxy.mjs";
import { witness } from "./nginx/witness.mjs";

// Node.js has a WebSocket from version 22 on.
const SOCKET = { page: "websocket", program: globalThis.WebSocket ? "websocket" : "fetch-stream" };
const STREAM = { page: "fetch-stream", program: "fetch-stream" };
const LONG_POLL = { page: "longpoll", program: "longpoll" };

/** `ends`: the transports that they are left with. `idle`: so many requests that nginx ended are waited for. */
const CASES = [
  { block: "plain", is: "nginx as it comes: HTTP/1.0, buffering, no upgrade", ends: STREAM },
  { block: "held", is: "buffering that ignores X-Accel-Buffering", ends: LONG_POLL, held: true },
  { block: "unbuffered", is: "proxy_buffering off", ends: STREAM },
  { block: "http11", is: "proxy_http_version 1.1, buffering", ends: STREAM },
  { block: "gzip", is: "gzip on", ends: STREAM },
  { block: "gzip_held", is: "gzip that ignores X-Accel-Buffering", ends: LONG_POLL, held: true },
  { block: "upgrade", is: "upgrade configured", ends: SOCKET },
  { block: "impatient", is: "proxy_read_timeout 3s", idle: 3 },
  { block: "impatient_upgrade", is: "proxy_read_timeout 3s, upgrade configured", idle: 3 },
  { block: "impatient_held", is: "proxy_read_timeout 3s, buffering", idle: 3 },
  { block: "tls", is: "TLS, else as it comes", ends: STREAM },
  { block: "recommended", is: "what docs/operating.md recommends", ends: SOCKET },
];

const NASTY = ["</script><!--<script>", "\u2028\u2029", "\u0000\u0001\u001b", "中文 \u{1F986}", "a\r\nb\n\nc", "data: x\n\n", '\\"\\u0041', "é".repeat(3000)];
const EACH = 16;

suite("behind nginx", { skip: nginx ? false : "nginx is not installed (apt-get install nginx-light)" }, () => {
  const proxy = new Proxy();
  before(() => proxy.reserve(CASES.map(({ block }) => block)));
  const server = useServer({ args: () => ["--guests", "on", ...proxy.origins.flatMap((origin) => ["--public-url", origin])] });
  before(() => proxy.start(server.port));
  after(() => proxy.end());
  const browser = useBrowser({ args: ["--ignore-certificate-errors"] });

  for (const { block, is, ends, idle = 0, held = false } of CASES) {
    test(is, async (t) => {
      const url = proxy.origin(block);
      const { people, room } = await meet(url);
      const ann = await inPage(t, { url, token: people.ann.token, room });
      const bob = await inProgram(t, { url, token: people.bob.token, room });
      const both = { page: ann, program: bob };

      // At once, while they still look for their transport.
      await Promise.all([ann("send", texts("Ann", "early")), bob("send", texts("Bob", "early"))]);
      if (ends) await until("both have found their transport", async () => {
        for (const [who, ask] of Object.entries(both)) {
          const { state } = await ask("notes");
          assert.equal(`${who}: ${state.status} by ${state.transport}`, `${who}: online by ${ends[who]}`);
        }
        return true;
      });
      if (held) {
        await until("streams were tried", async () => /sse/.test((await ann("notes")).asked) && /fetch-stream/.test((await bob("notes")).asked));
        await until("and given up", async () => (await streams()) === 0);
      }
      if (idle) await until("nginx has cut idle connections", async () => (await cut(block)).length >= idle, { ms: 30_000 });
      await Promise.all([ann("send", texts("Ann", "late")), bob("send", texts("Bob", "late"))]);
      const log = await server.texts(people.ann.token, room);
      for (const [who, ask] of Object.entries(both)) {
        await until(`${who} has all`, async () => (await ask("notes")).texts.length >= log.length, {ms: 20000}).catch(async (e) => {
          const n = await ask("notes");
          console.log("MISSING", who, n.texts.length, log.length, log.map((x, i) => [i, x.slice(0, 20)]).filter(([i, x]) => !n.texts.some((y) => y.startsWith(x))), JSON.stringify({...n, texts: 0}), await fetch(server.origin + "/metrics").then((r) => r.text()).then((x) => x.split("\n").filter((l) => /feeds|streams/.test(l)).join("\n")));
          throw e;
        });
        const notes = await ask("notes");
        assert.deepEqual(notes.texts, log, `${who} has each once, in the order of the log`);
        assert.deepEqual(notes.refused, []);
        if (ends) assert.equal(notes.state.transport, ends[who]);
        t.diagnostic(`${is}: ${who} ${sentence(notes)}`);
      }
      if (idle) t.diagnostic(JSON.stringify(await cut(block)));
    });
  }

  async function meet() {
    const people = { ann: await server.guest("Ann"), bob: await server.guest("Bob") };
    const { room } = await server.command(people.ann.token, { type: "room.create", kind: "channel", title: "Behind nginx" });
    await server.command(people.bob.token, { type: "room.join", room: room.id });
    return { people, room: room.id };
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
    const ask = (method, ...args) => new Promise((resolve) => {
      waiting.set(++calls, resolve);
      program.send({ call: calls, method, args });
    });
    await ask("start", who);
    return ask;
  }

  /** What nginx ended because nothing came for 3 seconds. */
  const cut = async (block) => (await proxy.ended(block)).filter((request) => request.seconds > 2.9);

  /** Streams that the server holds open. */
  async function streams() {
    const metrics = await (await fetch(`${server.origin}/metrics`)).text();
    return [...metrics.matchAll(/^wigeon_streams\{.*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  }
});

const texts = (who, when) =>
  Array.from({ length: EACH }, (_, n) => `${who} ${when} ${n} ${NASTY[n % NASTY.length]}`);

function sentence({ path, asked, statuses, first_ms, delays, state }) {
  return `${path.join(" → ")} (asked ${asked.join(", ")}; ${statuses.join(" ")}); first message ${first_ms} ms, slowest ${Math.max(...delays)} ms; now ${state.transport}`;
}
