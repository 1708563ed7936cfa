// A proxy in front, as the world has them: a real nginx in the configurations that people write. Whatever it
// holds back, cuts off or does not know, two pages chat through it with nothing lost or doubled, over the best
// transport that it lets through.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useNginx } from "./lib/nginx.mjs";
import { until } from "./lib/until.mjs";

const UPGRADE = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`;
const STREAMS = ["fetch-stream", "xhr-stream", "sse"];
const CUT_AFTER_S = 3;

const WAYS = {
  "as it is installed: HTTP/1.0, buffering, no upgrades": { best: STREAMS },
  "that holds everything back": { location: "proxy_ignore_headers X-Accel-Buffering;", best: ["longpoll"] },
  "that does not buffer": { location: "proxy_buffering off;", best: STREAMS },
  "that compresses": { more: "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;", best: [...STREAMS, "longpoll"] },
  "that lets WebSocket through": { location: UPGRADE, best: ["websocket"] },
  "with TLS and HTTP/2": { location: UPGRADE, tls: true, best: ["websocket"] },
};
const IMPATIENT = "that cuts what is quiet";

suite("through a proxy", () => {
  const { nginx, server } = useNginx({
    ...WAYS,
    [IMPATIENT]: { location: `${UPGRADE} proxy_read_timeout ${CUT_AFTER_S}s;` },
  });
  const browser = useBrowser();

  const open = (t, way, as) => Chat.open(t, browser, { origin: nginx.origin(way) }, { as, ignoreHTTPSErrors: true });
  const transport = (chat) => chat.chip.getAttribute("data-transport");

  async function converse(ann, bob, label) {
    const said = [];
    for (let round = 0; round < 3; round++) {
      for (const [from, to] of [[ann, bob], [bob, ann]]) {
        const text = `${label} ${said.length}`;
        await from.send(text);
        await to.sees(text);
        said.push(text);
      }
    }
    return said;
  }

  async function agree(label, said, chats) {
    const ours = (texts) => texts.filter((text) => text.startsWith(label));
    for (const chat of chats) assert.deepEqual(ours(await chat.texts()), said);
    const reader = await server.guest("Reader");
    assert.deepEqual(ours(await server.texts(reader.token, "lobby")), said);
  }

  for (const [way, { best }] of Object.entries(WAYS)) {
    test(way, async (t) => {
      const label = `[${way}]`;
      const ann = await open(t, way, "Ann");
      const bob = await open(t, way, "Bob");
      // It talks at once, over whatever works at once, and finds the best while it talks.
      const said = await converse(ann, bob, label);
      for (const chat of [ann, bob]) {
        await until(`${chat.name} has found one of ${best}`, async () => best.includes(await transport(chat)), { ms: 30_000 });
      }
      // What it stays with is the best only if it has tried better ones.
      await until("a stream has been tried", () => ["ndjson", "sse", "websocket"].some((one) => ann.page.asked.has(one)));
      said.push(...(await converse(ann, bob, `${label} then`)));
      for (const chat of [ann, bob]) assert.ok(best.includes(await transport(chat)));
      await agree(label, said, [ann, bob]);
    });
  }

  test(IMPATIENT, async (t) => {
    const label = `[${IMPATIENT}]`;
    const ann = await open(t, IMPATIENT, "Ann");
    const bob = await open(t, IMPATIENT, "Bob");
    const said = await converse(ann, bob, label);
    let cuts = 0;
    ann.page.on("requestfailed", () => cuts++);
    ann.page.on("response", (response) => (cuts += response.status() === 504 ? 1 : 0));
    ann.page.on("websocket", (socket) => socket.on("close", () => cuts++));
    await until("Ann has been cut off a few times", () => cuts >= 2, { ms: 60_000 });
    said.push(...(await converse(ann, bob, `${label} then`)));
    await agree(label, said, [ann, bob]);
  });
});
