// A hostile page, in the browser of somebody who is logged in, tries everything that needs no permission
// from the browser: it gets nothing and it does nothing. Authority travels in no cookie, so there is nothing
// to ride on; origins are refused all the same, and a stolen ticket is worth nothing on another origin.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { useSite } from "./lib/site.mjs";

const HOSTILE = "evil.test";

/** What a hostile page does with one way in. Runs inside the page; resolves when the browser is done with it. */
const ATTACKS = {
  async forms({ command, urls }) {
    for (const enctype of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]) {
      const frame = Object.assign(document.createElement("iframe"), { name: `sink-${enctype}` });
      const form = Object.assign(document.createElement("form"), {
        method: "POST", action: urls.commands, enctype, target: frame.name,
      });
      const field = Object.assign(document.createElement("input"), { name: "d", value: command });
      form.append(field);
      document.body.append(frame, form);
      const loaded = new Promise((resolve) => (frame.onload = resolve));
      form.submit();
      await loaded;
    }
  },
  async scripts({ command, urls }) {
    const sources = [
      `${urls.commands}&transport=jsonp&callback=steal&d=${encodeURIComponent(command)}`,
      `${urls.events}&transport=jsonp&callback=steal&last=10`,
      `${urls.events}&transport=poll&last=10`,
    ];
    for (const src of sources) {
      const script = Object.assign(document.createElement("script"), { src });
      await new Promise((resolve) => {
        script.onload = script.onerror = resolve;
        document.head.append(script);
      });
    }
  },
  async images({ command, urls }) {
    for (const src of [`${urls.commands}&d=${encodeURIComponent(command)}`, `${urls.events}&last=10`]) {
      await new Promise((resolve) => {
        const image = new Image();
        image.onload = image.onerror = resolve;
        image.src = src;
      });
    }
  },
  async frames({ urls }) {
    window.addEventListener("message", (event) => steal(event.data));
    const here = encodeURIComponent(location.origin);
    const sources = [
      urls.page,
      `${urls.events}&transport=iframe&callback=parent.steal&last=10`,
      `${urls.events}&transport=iframe&target=${here}&last=10`,
      `${urls.events}&transport=htmlfile&callback=parent.steal&last=10`,
    ];
    for (const src of sources) {
      const frame = Object.assign(document.createElement("iframe"), { src });
      await new Promise((resolve) => {
        frame.onload = resolve;
        document.body.append(frame);
      });
      try {
        steal(frame.contentDocument.body.textContent || undefined);
      } catch {
        // The browser keeps documents of other origins closed, as it should.
      }
    }
  },
  async fetches({ command, urls }) {
    // First, so that it has arrived when the last of the others is answered.
    navigator.sendBeacon(urls.commands, command);
    const tries = [
      [urls.commands, { method: "POST", body: command, mode: "no-cors", credentials: "include" }],
      [urls.commands, { method: "POST", body: command, credentials: "include" }],
      [urls.commands, { method: "POST", body: command, credentials: "omit" }],
      [urls.commands, { method: "POST", body: command, headers: { "content-type": "application/json" } }],
      [urls.commands, { method: "POST", body: command, mode: "no-cors", keepalive: true }],
      [urls.guests, { method: "POST", body: '{"name":"Mallory"}' }],
      [urls.tickets, { method: "POST", body: "{}" }],
      [`${urls.events}&last=10`, { credentials: "include" }],
      [`${urls.events}&last=10`, { credentials: "include", mode: "no-cors" }],
      [urls.info, {}],
    ];
    for (const [url, options] of tries) {
      await fetch(url, options).then((response) => response.text()).then((text) => steal(text || undefined), () => {});
    }
  },
  async eventSource({ urls }) {
    for (const withCredentials of [false, true]) {
      const source = new EventSource(`${urls.events}&transport=sse&last=10`, { withCredentials });
      source.onmessage = (event) => steal(event.data);
      source.onopen = () => steal("an open EventSource");
      await new Promise((resolve) => (source.onerror = resolve));
      source.close();
    }
  },
  async webSocket({ command, urls }) {
    const socket = new WebSocket(urls.events.replace("http", "ws"));
    socket.onopen = () => {
      steal("an open WebSocket");
      socket.send(command);
    };
    socket.onmessage = (event) => steal(event.data);
    await new Promise((resolve) => (socket.onclose = resolve));
  },
};

suite("a hostile page", () => {
  const server = useServer();
  const browser = useBrowser({ hosts: [HOSTILE] });
  const site = useSite({ "/": "<!doctype html><title>free kittens</title><body>" });
  let witness;
  before(async () => {
    witness = await server.guest("Witness");
  });

  /** The victim chats in one tab, the hostile page runs in another tab of the same browser. */
  async function attack(t, host, ways, ticket) {
    const context = await browser.context(t);
    const victim = await Chat.openIn(context, server, { as: "Victim" });
    await victim.send("our secret");
    await victim.sees("our secret");
    const before = await server.texts(witness.token, "lobby");
    const members = (await server.command(witness.token, { type: "room.get", room: "lobby" })).room.user_count;

    const page = await openIn(context, site.originAs(host));
    const answers = [];
    page.on("response", (response) => {
      if (response.url().startsWith(server.origin)) answers.push([response.status(), response.url()]);
    });
    await page.evaluate(() => {
      window.loot = [];
      window.steal = (thing) => thing !== undefined && loot.push(thing);
    });
    const query = `?x=1${ticket ? `&ticket=${ticket}` : ""}`;
    const reach = {
      command: JSON.stringify({ id: "evil", type: "send", room: "lobby", body: { text: "evil" } }),
      urls: {
        page: `${server.origin}/`,
        events: `${server.origin}/v1/events${query}`,
        commands: `${server.origin}/v1/commands${query}`,
        guests: `${server.origin}/v1/guests`,
        tickets: `${server.origin}/v1/tickets`,
        info: `${server.origin}/v1/info`,
      },
    };
    for (const way of ways) await page.evaluate(`(${method(ATTACKS[way])})(${JSON.stringify(reach)})`);

    assert.deepEqual(await page.evaluate("loot"), [], "nothing is taken");
    assert.deepEqual(await server.texts(witness.token, "lobby"), before, "nothing is said");
    const after = (await server.command(witness.token, { type: "room.get", room: "lobby" })).room.user_count;
    assert.equal(after, members, "nobody is made");
    // Playwright shows no answer to a refused upgrade; everything else has to have got as far as the server.
    if (ways.some((way) => way !== "webSocket")) assert.ok(answers.length > 0, "it did try");
    const let_in = answers.filter(([status, url]) => status < 400 && new URL(url).pathname.startsWith("/v1/"));
    assert.deepEqual(let_in, [], "every request is refused");
    return answers;
  }

  for (const way of Object.keys(ATTACKS)) {
    test(`from another site, by ${way}`, (t) => attack(t, HOSTILE, [way]));
  }
  test("from another port of the same host, where cookies would come along", (t) =>
    attack(t, "127.0.0.1", Object.keys(ATTACKS)));

  test("with a ticket that it has stolen", async (t) => {
    const ticket = await server.ticket(witness.token, server.origin);
    const answers = await attack(t, HOSTILE, Object.keys(ATTACKS), ticket);
    assert.ok(answers.some(([status]) => status === 403), "it did reach the server, and was refused there");
  });

  test("by making its own name lead to this server (DNS rebinding)", async (t) => {
    const page = await browser.open(t);
    const response = await page.goto(`http://${HOSTILE}:${server.port}/`);
    assert.equal(response.status(), 421);
    const guests = await page.evaluate(() => fetch("/v1/guests", { method: "POST", body: "{}" }).then((r) => r.status));
    assert.equal(guests, 421);
  });

  test("by framing the chat page", async (t) => {
    const response = await fetch(server.origin);
    assert.match(response.headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
  });
});

/** The source of an object's method as a function expression. */
function method(attack) {
  return attack.toString().replace(/^async \w+/, "async function");
}
