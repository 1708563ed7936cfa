// A hostile page, in the browser of somebody who is logged in, tries everything that needs no permission
// from the browser: it gets nothing and it does nothing. Authority travels in no cookie, so there is nothing
// to ride on; origins are refused all the same, and a stolen ticket is worth nothing on another origin.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";
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
      // A page may keep its address to itself, and hope to be taken for one that has none.
      for (const referrerPolicy of ["", "no-referrer"]) {
        const script = Object.assign(document.createElement("script"), { src, referrerPolicy });
        await new Promise((resolve) => {
          script.onload = script.onerror = resolve;
          document.head.append(script);
        });
      }
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
      for (const referrerPolicy of ["", "no-referrer"]) {
        const frame = Object.assign(document.createElement("iframe"), { src, referrerPolicy });
        // A frame that streams never says that it is loaded; what it brings in this time is enough.
        await new Promise((resolve) => {
          frame.onload = resolve;
          setTimeout(resolve, 2000);
          document.body.append(frame);
        });
        // The browser keeps documents of other origins closed, as it should: this throws or is null.
        try {
          steal(frame.contentDocument?.body.textContent || undefined);
        } catch {}
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

  let secrets = 0;

  /** The victim chats in one tab, the hostile page runs in another tab of the same browser. */
  async function attack(t, host, ways, ticket) {
    const context = await browser.context(t);
    const victim = await Chat.openIn(context, server, { as: "Victim" });
    // A text of its own: one that stood there before would say that the server has this one, too.
    const secret = `our secret ${++secrets}`;
    await victim.send(secret);
    const said = () => server.texts(witness.token, "lobby");
    await until("the server has the secret", async () => (await said()).includes(secret));
    const before = await said();
    const members = (await server.command(witness.token, { type: "room.get", room: "lobby" })).room.user_count;

    const page = await openIn(context, site.originAs(host));
    const tried = [];
    const answers = [];
    page.on("request", (request) => {
      if (request.url().startsWith(server.origin)) tried.push(request);
    });
    page.on("response", (response) => {
      if (response.url().startsWith(server.origin)) answers.push([response.status(), new URL(response.url())]);
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

    const loot = (await page.evaluate("loot")).filter((thing) => !isRefusal(thing));
    assert.deepEqual(loot, [], "nothing is taken");
    assert.deepEqual(await server.texts(witness.token, "lobby"), before, "nothing is said");
    const after = (await server.command(witness.token, { type: "room.get", room: "lobby" })).room.user_count;
    assert.equal(after, members, "nobody is made");
    // Scripts and frames cannot see a status, so theirs is 200 with the refusal inside, which `loot` would show.
    const inside = (url) => ["jsonp", "iframe", "htmlfile"].includes(url.searchParams.get("transport"));
    const letIn = answers.filter(([status, url]) => status < 400 && url.pathname.startsWith("/v1/") && !inside(url));
    assert.deepEqual(letIn, [], "every request is refused");

    // It is the server that refused, not the browser that never asked. Upgrades are no requests to Playwright.
    if (ways.some((way) => way !== "webSocket")) assert.ok(tried.length > 0, "it did try");
    const unasked = tried.map((request) => request.failure()?.errorText).filter((error) => /LOCAL_NETWORK|BLOCKED_BY_CLIENT/.test(error));
    assert.deepEqual(unasked, []);
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

/** An answer that holds nothing but why there is none. */
function isRefusal(thing) {
  try {
    const { type = "error", error, ...more } = typeof thing === "string" ? JSON.parse(thing) : thing;
    return type === "error" && ["forbidden", "unauthenticated"].includes(error.code) && Object.keys(more).length === 0;
  } catch {
    return false;
  }
}

/** The source of an object's method as a function expression. */
function method(attack) {
  return attack.toString().replace(/^async \w+/, "async function");
}
