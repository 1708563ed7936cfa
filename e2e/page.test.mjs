// The page keeps its promises in every look: both themes, both languages, wide, 390 and 320 pixels. No error,
// no stranger is asked, nothing is cut off, and nothing serious stands in the way of a screen reader.
// Pictures for people to look at are left in e2e/shots/.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { judge, overflow } from "./lib/looks.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

const SHOTS = new URL("./shots/", import.meta.url).pathname;

const WIDTHS = { desktop: { width: 1280, height: 800 }, 390: { width: 390, height: 844 }, 320: { width: 320, height: 640 } };
const LOCALES = { en: "en-GB", zh: "zh-CN" };
const LABELS = { en: { name: "Your name", newChat: "New conversation" }, zh: { name: "你的名字", newChat: "新会话" } };

suite("the page", () => {
  const server = useServer();
  const browser = useBrowser();
  let bo;

  before(async () => {
    await mkdir(SHOTS, { recursive: true });
    bo = await server.guest("Bo 鸭鸭");
    const cy = await server.guest("Cyan Otter");
    const say = (who, text) => server.send(who.token, "lobby", text);
    await say(bo, "Morning! Did the widgeon come back to the pond? 🦆");
    await say(cy, "Two of them. One whistled at me.");
    await say(cy, "I have pictures: https://pond.example/widgeon/2026");
    await say(bo, "早上好，今天湖边有十几只赤颈鸭，晚上一起去看吗？");
    await say(cy, `a word without a place to break: ${"widgeon".repeat(30)}`);
    await say(bo, "🎉🦆");
    const made = await server.command(bo.token, { type: "room.create", kind: "channel", title: "a channel with quite a long name, longer than its place" });
    await server.send(bo.token, made.room.id, "hello");
  });

  /** Somebody with an own message and an unread one elsewhere. */
  async function scene(t, { width, theme, lang, ...more }) {
    const chat = await Chat.open(t, browser, server, {
      as: "Dee", path: "/?room=lobby", viewport: WIDTHS[width], colorScheme: theme, locale: LOCALES[lang], ...more,
    });
    await chat.sees("🎉🦆");
    await chat.send(lang === "zh" ? "好啊，七点门口见。" : "I will bring bread. No, wait, grain.");
    return chat;
  }

  for (const lang of Object.keys(LOCALES)) {
    for (const theme of ["light", "dark"]) {
      for (const width of Object.keys(WIDTHS)) {
        test(`${width}, ${theme}, ${lang}`, async (t) => {
          const first = await openIn(await browser.context(t, { viewport: WIDTHS[width], colorScheme: theme, locale: LOCALES[lang] }), server.origin);
          await first.getByLabel(LABELS[lang].name).waitFor();
          await first.screenshot({ path: `${SHOTS}${width}-${theme}-${lang}-0-first.png` });
          assert.deepEqual(await overflow(first), [], "the first page fits");
          assert.deepEqual(await judge(first), [], "the first page is accessible");

          const { page } = await scene(t, { width, theme, lang });
          assert.equal(await page.evaluate(() => document.documentElement.lang.split("-")[0]), lang);
          await page.screenshot({ path: `${SHOTS}${width}-${theme}-${lang}-1-room.png` });
          assert.deepEqual(await overflow(page), [], "the conversation fits");
          assert.deepEqual(await judge(page), [], "the conversation is accessible");

          await page.getByTestId("connection-chip").click();
          await page.getByRole("menu").waitFor();
          await page.screenshot({ path: `${SHOTS}${width}-${theme}-${lang}-2-connection.png` });
          assert.deepEqual(await judge(page), [], "the menu is accessible");
          await page.keyboard.press("Escape");

          if (width !== "desktop") {
            await page.goBack();
            await until("the list is shown", () => page.getByRole("button", { name: LABELS[lang].newChat }).isVisible());
          }
          await page.screenshot({ path: `${SHOTS}${width}-${theme}-${lang}-3-list.png` });
          assert.deepEqual(await overflow(page), [], "the list fits");
          await page.getByRole("button", { name: LABELS[lang].newChat }).first().click();
          await page.getByRole("dialog").waitFor();
          for (const tab of await page.getByRole("tab").all()) {
            await tab.click();
            assert.deepEqual(await overflow(page), [], "the dialog fits");
          }
          await page.screenshot({ path: `${SHOTS}${width}-${theme}-${lang}-4-new.png` });
          assert.deepEqual(await judge(page), [], "the dialog is accessible");

          assert.deepEqual([...first.problems, ...page.problems], [], "no error, no violation of the policy");
          assert.deepEqual([...first.strangers, ...page.strangers], [], "nobody else is asked");
        });
      }
    }
  }

  test("its policy allows no inline script, no other origin, and no frame around it", async () => {
    const response = await fetch(server.origin);
    const policy = Object.fromEntries(
      (response.headers.get("content-security-policy") ?? "").split(";").map((part) => {
        const [name, ...values] = part.trim().split(/\s+/);
        return [name, values.join(" ")];
      }),
    );
    const scripts = policy["script-src"] ?? policy["default-src"];
    assert.ok(scripts, "there is a policy for scripts");
    assert.doesNotMatch(scripts, /unsafe-inline|unsafe-eval|\*|https?:|data:/);
    assert.match(policy["object-src"] ?? policy["default-src"], /'none'/);
    assert.match(policy["frame-ancestors"], /'none'/);
    assert.match(policy["base-uri"], /'none'|'self'/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  });

  test("text of others is text: no markup comes alive", async (t) => {
    const attack = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>javascript:alert(1)`;
    await server.send(bo.token, "lobby", attack);
    const chat = await Chat.open(t, browser, server, { as: "Eve", path: "/?room=lobby" });
    await chat.sees(attack);
    assert.equal(await chat.messages.locator("img[src=x]").count(), 0);
    assert.doesNotMatch(await chat.page.title(), /owned/);
    assert.equal(await chat.messages.locator('a[href^="javascript:"]').count(), 0);
  });
});
