// The library in pages that are not ours: loaded by a script tag, on Wigeon's own origin and on another site
// that the server lists; the modern build over each of its transports, the legacy build over those that only
// old engines have, with stand-ins for what Chromium lacks. Two pages talk; each has everything once, in order.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { blankPageOf, useSite } from "./lib/site.mjs";
import { htmlfile, xDomainRequest } from "./lib/standins.mjs";
import { until } from "./lib/until.mjs";

const MODERN = ["websocket", "fetch-stream", "xhr-stream", "sse", "iframe", "longpoll", "jsonp", "poll"];
const ROUNDS = 3;

/** Engines that have nothing better: what they lack is taken away before any code runs. */
const OLD_ENGINE = () => {
  for (const name of ["WebSocket", "EventSource", "fetch", "ReadableStream"]) delete window[name];
};

/** IE 8 and 9 have an XMLHttpRequest, but none that crosses origins. */
const NO_XHR = () => delete window.XMLHttpRequest;

suite("the library", () => {
  const site = useSite({ "/": "<!doctype html><title>a shop</title><body>" });
  const server = useServer({ args: () => ["--allow-origin", site.originAs("shop.test")] });
  const browser = useBrowser({ hosts: ["shop.test"] });

  async function client(t, { name, cross, build = "wigeon.js", transport, prepare = [], byTicket = false }) {
    const page = await browser.open(t);
    for (const script of prepare) await page.addInitScript(script);
    if (cross) await page.goto(site.originAs("shop.test"));
    else await blankPageOf(server, page);
    const { token } = await server.guest(name);
    // An engine that cannot set a header across origins is handed a ticket by its own site.
    const authority = byTicket ? { ticket: await server.ticket(token, site.originAs("shop.test")) } : { token };
    await page.addScriptTag({ url: `${server.origin}/${build}` });
    await page.evaluate(
      ({ url, authority, transport }) => {
        window.seen = [];
        window.chat = new Wigeon({ url, ...authority, transports: [transport] });
        chat.on("message", (message) => seen.push(message.body.text));
        chat.connect();
      },
      { url: server.origin, authority, transport },
    );
    await until(`${name} reads by ${transport}`, () =>
      page.evaluate((transport) => chat.state.status === "online" && chat.state.transport === transport, transport),
    );
    return page;
  }

  /** Sends, and waits for the server's answer: a promise in the modern build, a callback in the legacy one. */
  const send = (page, text) =>
    page.evaluate(
      (text) =>
        new Promise((resolve, reject) => {
          const started = chat.send({ room: "lobby", body: { text } }, (error, ok) => (error ? reject(error) : resolve(ok.seq)));
          started?.then?.((ok) => resolve(ok.seq), reject);
        }),
      text,
    );

  async function talk(t, options) {
    const label = `${options.transport} ${options.cross ? "across" : "at home"} ${Math.random().toString(36).slice(2)}`;
    const ann = await client(t, { name: "Ann", ...options });
    const bob = await client(t, { name: "Bob", ...options });
    const said = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [from, to] of [[ann, bob], [bob, ann]]) {
        const text = `${label} ${said.length} </script>\u2028中文 \u{1F986}`;
        await send(from, text);
        said.push(text);
        await until(`"${text}" arrives`, () => to.evaluate((text) => seen.includes(text), text));
      }
    }
    for (const page of [ann, bob]) {
      await until("the own ones too", async () => (await page.evaluate("seen.length")) >= said.length);
      assert.deepEqual(await page.evaluate("seen"), said);
      assert.deepEqual(page.problems, []);
    }
  }

  for (const cross of [false, true]) {
    for (const transport of MODERN) {
      test(`${transport}, ${cross ? "from another site" : "at home"}`, (t) => talk(t, { transport, cross }));
    }
  }

  test("legacy build, htmlfile", (t) =>
    talk(t, { transport: "htmlfile", build: "wigeon-legacy.js", prepare: [OLD_ENGINE, htmlfile] }));
  test("legacy build, XDomainRequest from another site", (t) =>
    talk(t, { transport: "xdr", cross: true, build: "wigeon-legacy.js", prepare: [xDomainRequest, OLD_ENGINE, NO_XHR], byTicket: true }));
  for (const transport of ["xhr-stream", "iframe", "longpoll", "jsonp", "poll"]) {
    test(`legacy build, ${transport}`, (t) => talk(t, { transport, build: "wigeon-legacy.js", prepare: [OLD_ENGINE] }));
  }
});
