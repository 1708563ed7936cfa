// What links lead to: cards under messages, looked up by the server; and media that no site is asked for before the
// reader wants it. The site is a real one, on this machine, and counts who asks for what.
import { after, before, suite, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { judge, overflow } from "./lib/looks.mjs";
import { usePair } from "./lib/pair.mjs";
import { useServer } from "./lib/server.mjs";
import { DEADLINE_MS, until } from "./lib/until.mjs";

// One red pixel.
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==", "base64");
const HTML = "text/html; charset=utf-8";
const description = "Which birds come when, what they eat, and where one may stand to see them. With a map of the ponds and the hours of the ferry.";

const PAGES = {
  "/ducks": [HTML, `<title>Ducks &amp; geese of the northern ponds</title><meta property="og:site_name" content="The Pond"><meta name="description" content="${description}">`],
  "/picture": [HTML, `<title>A duck</title><meta property="og:image" content="/duck.png">`],
  "/gbk": ["text/html", Buffer.concat([Buffer.from('<meta charset="gb2312"><title>'), Buffer.from([0xd1, 0xbc, 0xd7, 0xd3]), Buffer.from("</title>")])],
  "/hebrew": [HTML, `<title>ברווזים בבריכה הצפונית</title><meta name="description" content="אילו ציפורים באות ומתי">`],
  "/hostile": [HTML, `<title>&lt;img src=x onerror=alert(1)&gt; \u202egnp.exe</title><meta property="og:image" content="javascript:alert(1)">`],
  "/duck.png": ["image/png", PNG],
  "/duck.mp3": ["audio/mpeg", Buffer.alloc(16)],
};

/** A site, and what was asked of it by whom: the server says who it is, and a browser is what is not the server. */
function useOrigin() {
  const site = {
    asked: [],
    /** Those whose answers are kept back. */
    waiting: null,
    hold: () => (site.waiting = []),
    held: () => site.waiting.length,
    letGo: () => {
      const { waiting } = site;
      site.waiting = null;
      for (const go of waiting) go();
    },
  };
  const server = createServer(async (request, response) => {
    const path = request.url.split("?")[0];
    const byServer = /^Wigeon\//.test(request.headers["user-agent"]);
    site.asked.push({ path, byServer, referer: request.headers.referer });
    if (site.waiting) await new Promise((resolve) => site.waiting.push(resolve));
    const [type, body] = PAGES[path] ?? [HTML, `<title>Page ${path}</title><meta name="description" content="${description}">`];
    response.writeHead(200, { "content-type": type }).end(body);
  });
  before(async () => {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    site.port = server.address().port;
    site.url = (path) => `http://127.0.0.1:${site.port}${path}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  site.times = (path, byServer) => site.asked.filter((one) => one.path === path && one.byServer === byServer).length;
  return site;
}

suite("what links lead to", () => {
  const server = useServer({ args: () => ["--previews", "on", "--preview-allow", "127.0.0.1"] });
  const browser = useBrowser();
  const site = useOrigin();
  const pair = usePair(server, browser);
  const { room, open } = pair;
  let ann, bo;
  before(() => {
    ({ ann, bo } = pair);
  });

  const cards = (chat) => chat.page.getByTestId("preview");

  test("a card says it in the page's words, whatever they are written in, and is a link", async (t) => {
    const id = await room("Cards");
    await server.send(bo, id, `look: ${site.url("/ducks")} and ${site.url("/second")}`);
    await server.send(bo, id, `见${site.url("/gbk")}。`);
    await server.send(bo, id, site.url("/hebrew"));
    await server.send(bo, id, site.url("/hostile"));
    await server.send(bo, id, `\`${site.url("/code")}\``);
    const recalled = await server.send(bo, id, site.url("/recalled"));
    await server.command(bo, { type: "recall", room: id, seq: recalled.seq });
    const chat = await open(t, ann, id);
    await cards(chat).nth(3).waitFor();
    assert.equal(await cards(chat).count(), 4);
    const card = (text) => cards(chat).filter({ hasText: text });
    assert.equal(await card("northern ponds").innerText(), `The Pond · 127.0.0.1:${site.port}\nDucks & geese of the northern ponds\n${description}`);
    assert.equal(await card("northern ponds").getAttribute("href"), site.url("/ducks"));
    assert.equal(await card("northern ponds").getAttribute("rel"), "noopener noreferrer nofollow");
    await card("鸭子").waitFor();
    await card("<img src=x onerror=alert(1)> gnp.exe").waitFor();
    const towards = card("ברווזים").locator(".preview-title").evaluate((title) => getComputedStyle(title).direction);
    assert.equal(await towards, "rtl");
    for (const path of ["/second", "/code", "/recalled"]) assert.equal(site.times(path, true), 0, path);
    assert.deepEqual([chat.page.problems, chat.page.strangers, await judge(chat.page), await overflow(chat.page)], [[], [], [], []]);
  });

  test("an image is asked for by nobody until the reader presses the button that names its site", async (t) => {
    const id = await room("Images");
    await server.send(bo, id, `a page ${site.url("/picture")}`);
    await server.send(bo, id, `an image ${site.url("/duck.png")}?b`);
    await server.send(bo, id, `a sound ${site.url("/duck.mp3")}`);
    const chat = await open(t, ann, id);
    const load = chat.page.getByRole("button", { name: `Load image from 127.0.0.1:${site.port}` });
    await load.nth(1).waitFor();
    await chat.page.getByRole("button", { name: `Load audio from 127.0.0.1:${site.port}` }).waitFor();
    assert.equal(site.asked.filter((one) => one.path.startsWith("/duck.")).length, 0);
    assert.deepEqual(chat.page.strangers, []);
    await chat.messages.filter({ hasText: "an image" }).getByRole("button", { name: /^Load image/ }).click();
    const image = chat.page.getByRole("img", { name: `Image from 127.0.0.1:${site.port}` });
    await until("the image is there", () => image.evaluate((element) => element.complete && element.naturalWidth === 1));
    assert.deepEqual(site.asked.filter((one) => one.path === "/duck.png"), [{ path: "/duck.png", byServer: false, referer: undefined }]);
    await chat.page.getByRole("button", { name: /^Load audio/ }).click();
    await chat.page.getByLabel(`Audio from 127.0.0.1:${site.port}`).or(chat.page.getByText("It could not be loaded.")).waitFor();
    assert.deepEqual(await judge(chat.page), []);
  });

  test("cards that come in leave the reader where they are: at the end, and far above it", async (t) => {
    const id = await room("Place");
    for (let n = 0; n < 120; n++) await server.send(bo, id, n % 3 === 0 ? `link ${n} ${site.url(`/n/${n}`)}` : `words ${n}`);
    const chat = await open(t, ann, id);
    await cards(chat).last().waitFor();
    const left = () => chat.page.getByTestId("timeline").evaluate((view) => view.scrollHeight - view.clientHeight - view.scrollTop);
    await until("it stands at the end", async () => (await left()) <= 1);
    assert.ok(site.asked.filter((one) => one.path.startsWith("/n/")).length < 40, "what is far away is not asked for");

    // The site keeps its answers back until the reader stands above, and scrolls on while they come. The first row in
    // view has no link, and the one above it neither: what comes is above them, or below.
    site.hold();
    const timeline = chat.page.getByTestId("timeline");
    await timeline.evaluate((view) => {
      view.scrollTop -= 1500;
      const top = view.getBoundingClientRect().top;
      const row = [...view.querySelectorAll("article")].find((row) => row.getBoundingClientRect().top > top && Number(row.dataset.seq) % 3 === 0);
      view.scrollTop += row.getBoundingClientRect().top - top - 4;
    });
    const scrolled = timeline.evaluate(async (view, until) => {
      const top = view.getBoundingClientRect().top;
      const row = [...view.querySelectorAll("article")].find((row) => row.getBoundingClientRect().top > top);
      const above = () => [...view.querySelectorAll(".preview")].filter((card) => card.getBoundingClientRect().bottom < top).length;
      const [begun, cards] = [row.getBoundingClientRect().top, above()];
      let moved = 0;
      // Back and forth, so that there is a scroll event in each frame.
      for (let frames = 0; above() < cards + 2 && Date.now() < until; frames++) {
        const by = frames % 2 ? 2 : -2;
        view.scrollTop += by;
        moved -= by;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        document.documentElement.dataset.moving = "yes";
      }
      return { off: row.getBoundingClientRect().top - begun - moved, cards: above() - cards };
    }, Date.now() + DEADLINE_MS);
    await chat.page.locator("[data-moving]").waitFor();
    await until("a card is asked for", () => site.held() > 0);
    site.letGo();
    const { off, cards: come } = await scrolled;
    assert.ok(come >= 2, `${come} cards came above`);
    // A view stands at whole pixels, cards do not, and a redraw may come between a step and its scroll event. A card has
    // more than 40.
    assert.ok(Math.abs(off) <= 8, `what was read is ${off} pixels from where it was`);
    assert.deepEqual(chat.page.problems, []);
  });

  test("in a thread, by keyboard, on a phone", async (t) => {
    const id = await room("Thread");
    const root = await server.send(bo, id, "a root");
    await server.command(bo, { type: "send", room: id, thread: root.seq, body: { text: `in it ${site.url("/ducks")}` } });
    const chat = await open(t, ann, id, { viewport: { width: 320, height: 640 }, colorScheme: "dark" });
    await cards(chat).waitFor();
    assert.deepEqual(await overflow(chat.page), []);
    await chat.page.getByTestId("thread-link").click();
    const card = chat.page.getByTestId("side").getByTestId("preview");
    await card.waitFor();
    await chat.page.getByTestId("thread-message").last().focus();
    const onCard = () => card.evaluate((element) => element === document.activeElement);
    for (let stops = 0; stops < 10 && !(await onCard()); stops++) await chat.page.keyboard.press("Tab");
    assert.ok(await onCard(), "Tab leads from the message to its card");
    assert.equal(await card.evaluate((element) => getComputedStyle(element).outlineStyle), "solid");
    assert.deepEqual([await overflow(chat.page), await judge(chat.page)], [[], []]);
  });

  test("switched off in the settings, nothing is asked and nothing shown", async (t) => {
    const id = await room("Off");
    const chat = await open(t, ann, id);
    await chat.page.getByTestId("account").click();
    await chat.page.getByRole("menuitem", { name: "Settings" }).click();
    await chat.page.getByRole("switch", { name: /^Show link previews/ }).uncheck();
    await chat.page.keyboard.press("Escape");
    await server.send(bo, id, `off ${site.url("/off")}`);
    await server.send(bo, id, `picture ${site.url("/off.png")}`);
    await chat.messages.filter({ hasText: "picture" }).waitFor();
    await chat.page.reload();
    await chat.messages.filter({ hasText: "picture" }).waitFor();
    await server.send(bo, id, "after it");
    await chat.sees("after it");
    assert.equal(await cards(chat).count(), 0);
    assert.equal(await chat.page.getByRole("button", { name: /^Load/ }).count(), 0);
    assert.deepEqual(site.asked.filter((one) => one.path.startsWith("/off")), []);
  });
});

suite("what links lead to, where the server does not look them up", () => {
  const server = useServer({ args: () => ["--previews", "off", "--preview-allow", "127.0.0.1"] });
  const browser = useBrowser();
  const site = useOrigin();

  test("no page asks", async (t) => {
    const ann = server.token("ann", { name: "Ann" });
    const id = (await server.command(ann, { type: "room.create", kind: "group", title: "Off" })).room.id;
    await server.send(ann, id, `see ${site.url("/page")}`);
    const context = await browser.context(t);
    const page = await openIn(context);
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${server.origin}/?room=${id}#token=${ann}`);
    await new Chat(page, "").sees(`see ${site.url("/page")}`);
    await until("the page has asked what there is", () => asked.includes("/v1/info"));
    await server.send(ann, id, "the end");
    await new Chat(page, "").sees("the end");
    assert.ok(!asked.includes("/v1/preview"), asked.join(" "));
    assert.deepEqual([site.asked, page.problems], [[], []]);
  });
});
