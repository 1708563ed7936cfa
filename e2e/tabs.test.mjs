// Several tabs of one person share one connection. The tab that holds it may be closed, loaded again or fall
// asleep: another goes on, and nothing is lost or doubled in any of them.
import { before, suite, test } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

const SLEEP_MS = 12_000;

suite("tabs of one person", () => {
  const server = useServer();
  const browser = useBrowser();
  // The first guest brings the lobby into being.
  before(() => server.guest("Host"));

  /** `count` tabs of one browser with one token, all in the lobby. */
  async function tabsOf(t, name, count) {
    const token = server.token(name.toLowerCase(), { name });
    await server.command(token, { type: "room.join", room: "lobby" });
    const context = await browser.context(t);
    const tabs = [];
    for (let n = 0; n < count; n++) {
      const page = await openIn(context, `${server.origin}/?room=lobby#token=${token}`);
      const chat = new Chat(page, `${name} ${n}`);
      await chat.composer.waitFor();
      await until("connected", async () => (await chat.chip.getAttribute("data-status")) === "online");
      tabs.push(chat);
    }
    return tabs;
  }

  const ours = async (chat, mark) => (await chat.texts()).filter((text) => text.startsWith(mark));
  /** The one of them that is connected, once it is one. */
  const leaderOf = (tabs) =>
    until(`one connection for ${tabs.length} tabs`, () => {
      const connected = tabs.filter(({ page }) => page.reading.size > 0);
      return connected.length === 1 && connected[0];
    });

  /** All tabs show `said` in its order, each once. */
  async function agree(tabs, mark, said) {
    for (const chat of tabs) {
      let doubled = false;
      await until(`${chat.name} has all`, async () => {
        const texts = await ours(chat, mark);
        doubled ||= new Set(texts).size < texts.length;
        return doubled || JSON.stringify(texts) === JSON.stringify(said);
      });
      assert.ok(!doubled, `${chat.name}: each once`);
    }
  }

  test("one of them is connected, and all of them read and write", async (t) => {
    const tabs = await tabsOf(t, "Ann", 3);
    const bob = await Chat.open(t, browser, server, { as: "Bob", path: "/?room=lobby" });
    const said = [];
    for (const [n, tab] of tabs.entries()) {
      await tab.send(`one: tab ${n}`);
      await bob.sees(`one: tab ${n}`);
      await bob.send(`one: answer ${n}`);
      said.push(`one: tab ${n}`, `one: answer ${n}`);
    }
    await agree([...tabs, bob], "one:", said);
    await leaderOf(tabs);
    await until("Bob sees that Ann types, in a tab without a connection", async () => {
      await tabs.at(-1).composer.pressSequentially("la");
      return bob.page.getByTestId("typing").getByText("Ann").isVisible();
    });
  });

  test("the tab that is connected is closed while everybody writes", async (t) => {
    const tabs = await tabsOf(t, "Cat", 3);
    const bob = await Chat.open(t, browser, server, { as: "Bob", path: "/?room=lobby" });
    for (let round = 0; round < 2; round++) {
      const leader = await leaderOf(tabs);
      const others = tabs.filter((tab) => tab !== leader);
      const mark = `close ${round}:`;
      await bob.send(`${mark} before`);
      await agree(tabs, mark, [`${mark} before`]);
      const writing = others.map((tab, n) => tab.write(`${mark} from tab ${n}`));
      const closing = leader.page.close();
      await bob.send(`${mark} while`);
      await Promise.all([...writing, closing]);
      await bob.send(`${mark} after`);
      tabs.splice(tabs.indexOf(leader), 1);
      const token = (await server.guest("Reader")).token;
      const all = others.length + 3;
      await until("all arrived", async () => (await server.texts(token, "lobby")).filter((text) => text.startsWith(mark)).length >= all);
      const said = (await server.texts(token, "lobby")).filter((text) => text.startsWith(mark));
      assert.equal(said.length, all, "each once");
      await agree([...others, bob], mark, said);
      await leaderOf(others);
      for (const tab of others) await until("sent", async () => (await tab.messages.and(tab.page.locator('[data-state="sending"]')).count()) === 0);
    }
  });

  test("a tab that is loaded again follows, or leads, and misses nothing", async (t) => {
    const tabs = await tabsOf(t, "Dot", 2);
    const bob = await Chat.open(t, browser, server, { as: "Bob", path: "/?room=lobby" });
    const said = [];
    for (const tab of [...tabs, ...tabs]) {
      const reloading = tab.page.reload();
      said.push(`reload: ${said.length}`);
      await bob.send(said.at(-1));
      await reloading;
      await agree(tabs, "reload:", said);
      said.push(`reload: by ${said.length}`);
      await tab.send(said.at(-1));
      await agree([...tabs, bob], "reload:", said);
    }
  });

  test("a tab that holds the connection and sleeps is relieved of it", async (t) => {
    const tabs = await tabsOf(t, "Eve", 2);
    const bob = await Chat.open(t, browser, server, { as: "Bob", path: "/?room=lobby" });
    await bob.send("sleep: before");
    await agree(tabs, "sleep:", ["sleep: before"]);
    const leader = await leaderOf(tabs);
    const other = tabs.find((tab) => tab !== leader);
    const asleep = leader.page.evaluate((ms) => {
      for (const end = Date.now() + ms; Date.now() < end; );
    }, SLEEP_MS);
    await other.write("sleep: who is there?");
    await bob.sees("sleep: who is there?");
    await bob.send("sleep: I am");
    await other.sees("sleep: I am");
    await asleep;
    const said = ["sleep: before", "sleep: who is there?", "sleep: I am"];
    await agree(tabs, "sleep:", said);
    await leader.send("sleep: awake");
    await agree([...tabs, bob], "sleep:", [...said, "sleep: awake"]);
  });

  test("what one tab reads is read in all", async (t) => {
    const tabs = await tabsOf(t, "Fay", 2);
    const host = await server.guest("Host");
    const fay = server.token("fay", { name: "Fay" });
    const { room } = await server.command(host.token, { type: "room.create", kind: "group", title: "Nest", members: ["fay"] });
    await server.send(host.token, room.id, "an egg");
    for (const { page } of tabs) await page.locator(`[data-room="${room.id}"]`).getByTestId("unread-badge").waitFor();
    await tabs[1].page.locator(`[data-room="${room.id}"]`).click();
    for (const { page } of tabs) await page.locator(`[data-room="${room.id}"]`).getByTestId("unread-badge").waitFor({ state: "hidden" });
    await until("the server knows", async () => (await server.command(fay, { type: "room.get", room: room.id })).room.unread === 0);
  });
});
