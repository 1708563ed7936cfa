// Writing with an input method: Enter chooses a candidate then, and must never send half a word. Chromium is
// driven through its own input method interface; Safari, which ends the composition *before* the Enter that
// ended it, is played with the events it sends.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

suite("the composer", () => {
  const server = useServer();
  const browser = useBrowser();

  async function open(t) {
    const chat = await Chat.open(t, browser, server, { as: "Ann" });
    await chat.composer.focus();
    chat.keys = await chat.page.context().newCDPSession(chat.page);
    const before = (await chat.texts()).length;
    chat.sent = async () => (await chat.texts()).slice(before);
    return chat;
  }
  const enter = (keys, keyCode) => {
    const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: keyCode };
    return keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
  };

  test("an Enter that chooses a candidate sends nothing, the next one sends the word", async (t) => {
    const ann = await open(t);
    for (const text of ["n", "ni", "nih", "niha", "nihao"]) {
      await ann.keys.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
      await enter(ann.keys, 229);
    }
    assert.deepEqual(await ann.sent(), []);
    await ann.keys.send("Input.insertText", { text: "你好" });
    assert.equal(await ann.composer.inputValue(), "你好");
    await until("the composition is over for the page", () => ann.page.evaluate(() => new Promise((done) => setTimeout(() => done(true), 60))));
    await ann.page.keyboard.press("Enter");
    await until("the word is sent", async () => (await ann.sent()).length > 0);
    assert.deepEqual(await ann.sent(), ["你好"]);
    assert.equal(await ann.composer.inputValue(), "");
  });

  test("Safari's order, compositionend before its Enter, sends nothing", async (t) => {
    const ann = await open(t);
    await ann.composer.evaluate((field) => {
      const fire = (type, more = {}) => field.dispatchEvent(new CompositionEvent(type, { bubbles: true, ...more }));
      const write = (value) => {
        field.value = value;
        field.dispatchEvent(new InputEvent("input", { bubbles: true, data: value }));
      };
      fire("compositionstart");
      write("nihao");
      fire("compositionend", { data: "你好" });
      write("你好");
      const enter = new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true, cancelable: true });
      field.dispatchEvent(enter);
    });
    await until("a turn of the page", () => ann.page.evaluate(() => new Promise((done) => setTimeout(() => done(true), 100))));
    assert.deepEqual(await ann.sent(), []);
    assert.equal(await ann.composer.inputValue(), "你好");
    await ann.page.keyboard.press("Enter");
    await until("the word is sent", async () => (await ann.sent()).length > 0);
    assert.deepEqual(await ann.sent(), ["你好"]);
  });

  test("Shift+Enter is a new line, Enter sends, emptiness is not sent", async (t) => {
    const ann = await open(t);
    await ann.page.keyboard.press("Enter");
    await ann.page.keyboard.type("one");
    await ann.page.keyboard.press("Shift+Enter");
    await ann.page.keyboard.type("two");
    assert.equal(await ann.composer.inputValue(), "one\ntwo");
    await ann.page.keyboard.press("Enter");
    await ann.sees("one\ntwo");
    await ann.page.keyboard.type("   ");
    await ann.page.keyboard.press("Enter");
    await ann.composer.fill("");
    await ann.send("last");
    assert.deepEqual(await ann.sent(), ["one\ntwo", "last"]);
  });

  test("on a touch screen Enter is a new line and the button sends", async (t) => {
    const ann = await Chat.open(t, browser, server, {
      as: "Ann", path: "/?room=lobby", hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 },
    });
    await ann.composer.fill("one");
    await ann.composer.press("Enter");
    await ann.page.keyboard.type("two");
    assert.equal(await ann.composer.inputValue(), "one\ntwo");
    await ann.page.getByRole("button", { name: "Send" }).tap();
    await ann.sees("one\ntwo");
  });
});
