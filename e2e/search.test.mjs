// Finding messages through the page: in a conversation and everywhere, by word, person and day, in Chinese too; each
// hit leads to its place, also far up in a long conversation, and nothing is found that one may not see.
import { before, suite, test } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { judge, overflow } from "./lib/looks.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

suite("searching", () => {
  const server = useServer();
  const browser = useBrowser();
  let ann, bo, pond, nest;
  before(async () => {
    ann = server.token("ann", { name: "Ann" });
    bo = server.token("bo", { name: "Bo", role: "service" });
    for (const [token, name] of [[ann, "Ann"], [bo, "Bo"]]) await server.command(token, { type: "user.update", name });
    const make = async (token, title, members) => (await server.command(token, { type: "room.create", kind: "group", title, members })).room.id;
    pond = await make(ann, "Pond", ["bo"]);
    nest = await make(ann, "Nest", ["bo"]);
    const secret = await make(bo, "Secret", []);
    await server.send(bo, pond, "The widgeon is back, and <b>whistles</b>");
    await server.send(bo, pond, "今天湖边有十几只赤颈鸭");
    await server.send(ann, nest, "Is a widgeon a duck?");
    await server.send(bo, secret, "a widgeon that nobody else may see");
    const filler = (n) => ({ id: `filler-number-${n}`, type: "send", room: pond, body: { text: `filler ${n}` } });
    for (let n = 0; n < 300; n += 100) await server.post("/v1/commands", Array.from({ length: 100 }, (_, i) => filler(n + i)), bo);
  });

  async function open(t, options) {
    const page = await openIn(await browser.context(t, options), `${server.origin}/?room=${pond}#token=${ann}`);
    const chat = new Chat(page, "Ann");
    await chat.composer.waitFor();
    await chat.sees("filler 299");
    chat.panel = page.getByRole("search");
    chat.hits = chat.panel.getByRole("list", { name: "Messages found" }).getByRole("button").filter({ has: page.locator("time") });
    return chat;
  }
  const found = (chat, texts) => until(`found: ${texts}`, async () => JSON.stringify(await chat.hits.locator(".hit-text").allTextContents()) === JSON.stringify(texts));
  const look = async (chat, words) => {
    await chat.page.keyboard.press("ControlOrMeta+f");
    await chat.panel.getByRole("searchbox").fill(words);
  };

  test("finds a word here or everywhere, marks it, and never what one may not see", async (t) => {
    const chat = await open(t);
    await look(chat, "WIDGEON");
    await found(chat, ["The widgeon is back, and <b>whistles</b>"]);
    assert.deepEqual(await chat.panel.locator("mark").allTextContents(), ["widgeon"]);
    await chat.panel.getByText("Everywhere").click();
    await found(chat, ["Is a widgeon a duck?", "The widgeon is back, and <b>whistles</b>"]);
    await chat.panel.getByLabel("From whom").selectOption({ label: "Bo" });
    await found(chat, ["The widgeon is back, and <b>whistles</b>"]);
    await chat.panel.getByLabel("When").selectOption("days");
    await chat.panel.getByLabel("To").fill("2020-01-01");
    await chat.panel.getByText("No message says “WIDGEON”.").waitFor();
    assert.deepEqual(chat.page.problems, []);
  });

  test("finds Chinese, and leads to a message far up with what stands around it", async (t) => {
    const chat = await open(t);
    await look(chat, "赤颈鸭");
    await found(chat, ["今天湖边有十几只赤颈鸭"]);
    const marked = await chat.notesMarks();
    await chat.page.keyboard.press("ArrowDown");
    await chat.page.keyboard.press("Enter");
    await marked("今天湖边有十几只赤颈鸭");
    await chat.sees("The widgeon is back, and <b>whistles</b>");
    await chat.page.keyboard.press("Escape");
    await chat.panel.waitFor({ state: "detached" });
  });

  test("shows older ones on demand, down to the last", async (t) => {
    const chat = await open(t);
    await look(chat, "filler");
    await until("a first page", async () => (await chat.hits.count()) === 25);
    assert.equal(await chat.hits.first().locator(".hit-text").textContent(), "filler 299");
    const older = chat.panel.getByRole("button", { name: "Show older ones" });
    while (await older.isVisible()) {
      const before = await chat.hits.count();
      await older.click();
      await until("more, or no more to come", async () => (await chat.hits.count()) > before || !(await older.isVisible()));
    }
    const texts = await chat.hits.locator(".hit-text").allTextContents();
    assert.deepEqual(texts, Array.from({ length: 300 }, (_, n) => `filler ${299 - n}`));
  });

  test("begins in the box for jumping as well; on a phone a hit covers the list, and Back leads to it again", async (t) => {
    const chat = await open(t, { viewport: { width: 390, height: 844 } });
    await chat.page.keyboard.press("ControlOrMeta+k");
    await chat.page.getByRole("combobox").fill("duck");
    await chat.page.getByRole("option", { name: "Search messages for “duck”" }).click();
    await found(chat, ["Is a widgeon a duck?"]);
    assert.deepEqual(await overflow(chat.page), []);
    assert.deepEqual(await judge(chat.page), []);
    await chat.hits.first().click();
    await chat.page.getByRole("heading", { name: "Nest" }).waitFor();
    await chat.sees("Is a widgeon a duck?");
    await chat.page.goBack();
    await found(chat, ["Is a widgeon a duck?"]);
    await chat.page.goBack();
    await chat.page.getByRole("heading", { name: "Pond" }).waitFor();
  });
});
