// Every state that the page can be in, seen once in three looks: nothing is cut off, nothing serious stands in the way
// of a screen reader, nothing is said on the console. Pictures for people to look at are left in e2e/shots/.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { judge, overflow } from "./lib/looks.mjs";
import { useServer } from "./lib/server.mjs";

const SHOTS = new URL("./shots/", import.meta.url).pathname;

const LOOKS = [
  { name: "desktop-light-en", viewport: { width: 1280, height: 800 }, colorScheme: "light", locale: "en-GB" },
  { name: "390-dark-zh", viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "zh-CN" },
  { name: "320-light-en", viewport: { width: 320, height: 640 }, colorScheme: "light", locale: "en-GB" },
];

const WORDS = {
  "en-GB": { details: "Details", settings: "Settings", select: "Select", forward: "Forward", about: "About this message", react: "React", more: "More emoji", create: "Create link", all: "All 2", thread: "Reply in thread", ban: "Ban" },
  "zh-CN": { details: "详情", settings: "设置", select: "选择", forward: "转发", about: "消息详情", react: "表态", more: "更多表情", create: "生成链接", all: "全部 2 条", thread: "在话题中回复", ban: "封禁" },
};

/** No line holds it, and nowhere may it be broken. */
const LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen";

suite("every state of the page", () => {
  const server = useServer();
  const browser = useBrowser();
  const tokens = {};
  let pond, invitation;

  before(async () => {
    await mkdir(SHOTS, { recursive: true });
    for (const [id, name] of [["ann", "Ann Heron"], ["bo", "Bo 鸭鸭"], ["dan", "דן"], ["don", LONG]]) {
      tokens[id] = server.token(id, { name });
      await server.command(tokens[id], { type: "user.update", name });
    }
    const made = await server.command(tokens.ann, { type: "room.create", kind: "group", title: "Pond watch", members: ["bo", "dan"] });
    pond = made.room.id;
    const say = (who, text, more) => server.command(tokens[who], { type: "send", room: pond, body: { text }, ...more });
    await say("bo", "Two of them. One **whistled** at me.\n```\nwigeon   12\nmallard  40\n```");
    await say("dan", "שלום, מתי נפגשים היום ליד האגם? אני אביא קפה לכולם");
    await say("bo", "> whistled\n今天湖边有十几只赤颈鸭", { reply_to: 1 });
    await say("ann", "I will bring *grain*.");
    await say("bo", "@Ann Heron run `./count --all`", { mentions: ["ann"] });
    await server.command(tokens.bo, { type: "send", room: pond, forward: { room: pond, seq: 1 } });
    await say("bo", "And water?", { thread: 4 });
    await server.command(tokens.ann, { type: "edit", room: pond, seq: 4, body: { text: "I will bring grain." } });
    for (const seq of [1, 4]) await server.command(tokens.ann, { type: "pin", room: pond, seq, on: true });
    await server.command(tokens.bo, { type: "react", room: pond, seq: 4, emoji: "🎉", on: true });
    await server.command(tokens.bo, { type: "send", to: "ann", body: { text: "just between us" } });
    await server.command(tokens.ann, { type: "prefs.set", room: pond, prefs: { pin: true, mute: true } });
    const nest = await server.command(tokens.dan, { type: "room.create", kind: "group", title: "Nest" });
    invitation = (await server.command(tokens.dan, { type: "invite.create", room: nest.room.id })).invite.code;
  });

  for (const { name, ...look } of LOOKS) {
    test(name, async (t) => {
      const w = WORDS[look.locale];
      const page = await openIn(await browser.context(t, look), `${server.origin}/?room=${pond}#token=${tokens.ann}`);
      const chat = new Chat(page, "Ann");
      await chat.composer.waitFor();
      await page.getByTestId("pins").waitFor();
      const looks = async (state) => {
        await page.screenshot({ path: `${SHOTS}${name}-state-${state}.png` });
        assert.deepEqual(await overflow(page), [], `${state} fits`);
        assert.deepEqual(await judge(page), [], `${state} is accessible`);
      };
      const item = (entry) => page.locator("[role^=menuitem]").filter({ hasText: entry }).first();
      const own = chat.messages.and(page.locator('[data-seq="4"]'));
      const menu = async () => {
        // By the keys: the same on every screen.
        await own.focus();
        await page.keyboard.press("Enter");
        await page.getByRole("menu").waitFor();
      };
      await looks("room");
      await chat.composer.fill("@");
      await page.getByRole("listbox").waitFor();
      await looks("people");
      await chat.composer.fill(":heart");
      await page.getByRole("listbox").waitFor();
      await looks("emoji");
      await page.keyboard.press("Escape");
      await chat.composer.fill("");
      await menu();
      await looks("message-menu");
      await item(w.react).click();
      await page.getByRole("menuitem", { name: w.more }).click();
      await page.getByRole("searchbox").waitFor();
      await looks("reactions");
      await page.keyboard.press("Escape");
      await menu();
      await item(w.about).click();
      await page.getByRole("dialog").getByText("I will bring *grain*.").waitFor();
      await looks("about");
      await page.keyboard.press("Escape");
      await menu();
      await item(w.forward).click();
      await page.getByRole("combobox").waitFor();
      await looks("forward");
      await page.keyboard.press("Escape");
      await menu();
      await item(w.thread).click();
      await page.getByTestId("thread-message").nth(1).waitFor();
      await looks("thread");
      await page.keyboard.press("Escape");
      await page.getByTestId("side").waitFor({ state: "detached" });
      await page.keyboard.press("ControlOrMeta+f");
      await page.getByRole("search").getByRole("searchbox").fill("whistled");
      await page.locator(".hit").first().waitFor();
      await page.getByRole("search").getByRole("combobox").last().selectOption("days");
      await looks("search");
      await page.keyboard.press("Escape");
      await page.getByTestId("side").waitFor({ state: "detached" });
      await menu();
      await item(w.select).click();
      await page.getByRole("toolbar").waitFor();
      await looks("picking");
      await page.keyboard.press("Escape");
      await page.getByRole("toolbar").waitFor({ state: "detached" });
      await page.getByTestId("pins").getByRole("button", { name: w.all }).click();
      await page.getByRole("dialog").waitFor();
      await looks("pins");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: w.details }).click();
      await page.getByRole("button", { name: w.create }).click();
      await page.getByRole("dialog").locator("code").first().waitFor();
      await looks("details");
      await page.getByRole("dialog").locator(".person[aria-haspopup]").last().click();
      await page.getByRole("menu").waitFor();
      await looks("member");
      await item(w.ban).click();
      await page.getByRole("dialog").nth(1).waitFor();
      await looks("ban");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      if (look.viewport.width < 640) await page.goBack();
      await page.getByTestId("room-item").first().click({ button: "right" });
      await page.getByRole("menu").waitFor();
      await looks("room-menu");
      await page.keyboard.press("Escape");
      await page.getByTestId("account").click();
      await item(w.settings).click();
      await page.getByRole("dialog").waitFor();
      await looks("settings");
      await page.keyboard.press("Escape");
      await page.getByTestId("new-chat").click();
      await page.getByRole("tab").nth(1).click();
      await page.getByTestId("people-search").fill(LONG.slice(0, 5));
      await page.getByRole("dialog").getByRole("button", { name: LONG }).click();
      await page.locator(".picked").waitFor();
      await looks("new-group");
      await page.keyboard.press("Escape");
      await page.goto(`${server.origin}/?invite=${invitation}`);
      await page.getByRole("dialog").waitFor();
      await looks("invitation");
      assert.deepEqual(page.problems, []);
      assert.deepEqual(page.strangers, []);
    });
  }
});
