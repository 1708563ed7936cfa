// Everything can be done without a pointer, and one sees where one is. No test here touches the mouse.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

/** No page has more stops than this between two things of one conversation. */
const TABS_MAX = 40;

suite("by keyboard alone", () => {
  const server = useServer();
  const browser = useBrowser();
  let host;
  before(async () => {
    host = await server.guest("Host Heron");
    await server.send(host.token, "lobby", "welcome, whoever you are");
  });

  const focused = (page) =>
    page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
      const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
      return { tag: element.tagName, role: element.getAttribute("role"), label: label.trim(), shown: outlined || style.boxShadow !== "none" };
    });

  /** Tab, or Shift+Tab, until something whose label matches has the focus. */
  async function tabTo(page, label, key = "Tab") {
    for (let step = 0; step < TABS_MAX; step++) {
      await page.keyboard.press(key);
      const now = await focused(page);
      if (label.test(now.label)) return now;
    }
    throw new Error(`no ${key} leads to ${label}`);
  }

  async function open(t) {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    // The page puts it there once it is drawn: who sets out before is called back.
    await until("the composer has the focus", async () => (await focused(ann.page)).tag === "TEXTAREA");
    return ann;
  }

  test("from the first page to a sent message", async (t) => {
    const page = await openIn(await browser.context(t), server.origin);
    await page.getByLabel("Your name").waitFor();
    await until("the name has the focus", async () => (await focused(page)).tag === "INPUT");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("Kay");
    await page.keyboard.press("Enter");
    const kay = new Chat(page, "Kay");
    await kay.composer.waitFor();
    await until("the composer has the focus", async () => (await focused(page)).tag === "TEXTAREA");
    await page.keyboard.type("hello from the keys");
    await page.keyboard.press("Enter");
    await kay.sees("hello from the keys");
  });

  test("walking the timeline, reacting to a message, and coming back to the composer", async (t) => {
    const ann = await open(t);
    await ann.sees("welcome, whoever you are");
    const log = await tabTo(ann.page, /^Messages in/, "Shift+Tab");
    assert.equal(log.role, "log");
    await ann.page.keyboard.press("ArrowUp");
    await until("a message has the focus", async () => (await focused(ann.page)).tag === "ARTICLE");
    while (!/^Host Heron/.test((await focused(ann.page)).label)) await ann.page.keyboard.press("ArrowUp");
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("menu").waitFor();
    await until("an entry has the focus", async () => /^menuitem/.test((await focused(ann.page)).role ?? ""));
    await ann.page.keyboard.press("Escape");
    await ann.page.getByRole("menu").waitFor({ state: "hidden" });
    await until("the focus is where it was", async () => (await focused(ann.page)).tag === "ARTICLE");
    await tabTo(ann.page, /^React$/);
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("menu").waitFor();
    await until("an emoji has the focus", async () => /^menuitem/.test((await focused(ann.page)).role ?? ""));
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("button", { pressed: true, name: /You/ }).waitFor();
    await tabTo(ann.page, /^Message Lobby/);
  });

  test("forcing a transport", async (t) => {
    const ann = await open(t);
    await tabTo(ann.page, /^Connection/, "Shift+Tab");
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("menu").waitFor();
    await until("an entry has the focus", async () => /^menuitem/.test((await focused(ann.page)).role ?? ""));
    for (let step = 0; step < TABS_MAX && !/^Long poll/.test((await focused(ann.page)).label); step++) {
      await ann.page.keyboard.press("ArrowDown");
    }
    await ann.page.keyboard.press("Enter");
    await until("by long poll", async () => (await ann.chip.getAttribute("data-transport")) === "longpoll");
    await until("the focus is back on the chip", async () => /^Connection/.test((await focused(ann.page)).label));
  });

  test("finding a person with Ctrl+K and writing to them", async (t) => {
    const ann = await open(t);
    await ann.page.keyboard.press("ControlOrMeta+k");
    await ann.page.getByRole("combobox").waitFor();
    await ann.page.keyboard.type("Host");
    await ann.page.getByRole("option", { name: /Host Heron/ }).waitFor();
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("heading", { name: "Host Heron" }).waitFor();
    await until("the composer has the focus", async () => (await focused(ann.page)).tag === "TEXTAREA");
    await ann.page.keyboard.type("just for you");
    await ann.page.keyboard.press("Enter");
    await ann.sees("just for you");
    await until("it arrived", async () => {
      const snapshot = await server.command(host.token, { type: "snapshot" });
      return snapshot.rooms.some((room) => room.kind === "direct" && room.last?.body.text === "just for you");
    });
  });

  test("a thread is opened, written in and left, and the focus is back at its message", async (t) => {
    const ann = await open(t);
    await ann.sees("welcome, whoever you are");
    await tabTo(ann.page, /^Messages in/, "Shift+Tab");
    do await ann.page.keyboard.press("ArrowUp");
    while (!/^Host Heron/.test((await focused(ann.page)).label));
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("menu").waitFor();
    for (let step = 0; step < TABS_MAX && !/thread/.test((await focused(ann.page)).label); step++) await ann.page.keyboard.press("ArrowDown");
    await ann.page.keyboard.press("Enter");
    await until("the thread's field has the focus", async () => (await focused(ann.page)).label === "Reply in thread");
    await ann.page.keyboard.type("thank you");
    await ann.page.keyboard.press("Enter");
    await ann.page.getByTestId("thread-message").getByText("thank you").waitFor();
    await ann.page.keyboard.press("Escape");
    await until("back at the message", async () => /^Host Heron/.test((await focused(ann.page)).label));
  });

  test("the list of conversations is one stop, and arrows walk it", async (t) => {
    const ann = await open(t);
    for (const title of ["First", "Second"]) await server.command(host.token, { type: "room.create", kind: "group", title, members: [await userOf(ann)] });
    await until("three rooms", async () => (await ann.page.getByTestId("room-item").count()) === 3);
    const titles = (await ann.page.getByTestId("room-item").locator(".room-item-title").allTextContents()).map((title) => title.trim());
    await tabTo(ann.page, /^Lobby/, "Shift+Tab");
    await ann.page.keyboard.press("Home");
    assert.ok((await focused(ann.page)).label.startsWith(titles[0]));
    await ann.page.keyboard.press("End");
    assert.ok((await focused(ann.page)).label.startsWith(titles[2]));
    await ann.page.keyboard.press("ArrowUp");
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("heading", { name: titles[1] }).waitFor();
  });

  /** Who this tab is, as its token says. */
  const userOf = ({ page }) => page.evaluate(() => JSON.parse(atob(JSON.parse(sessionStorage["wigeon.identity"]).token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub);

  test("everything that has the focus shows it", async (t) => {
    const ann = await open(t);
    const unseen = [];
    for (let step = 0; step < TABS_MAX; step++) {
      await ann.page.keyboard.press("Tab");
      const now = await focused(ann.page);
      if (!now.shown && now.tag !== "BODY" && now.tag !== "TEXTAREA") unseen.push(`${now.tag} ${now.label}`);
    }
    assert.deepEqual([...new Set(unseen)], []);
    // The field that one writes in shows it by its frame, which surrounds the button too.
    await ann.composer.focus();
    const frame = ann.composer.locator("xpath=..");
    const look = () => frame.evaluate((element) => JSON.stringify([getComputedStyle(element).borderColor, getComputedStyle(element).boxShadow, getComputedStyle(element).outline]));
    const withFocus = await look();
    await ann.composer.blur();
    await until("the frame looks different", async () => (await look()) !== withFocus);
  });
});
