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
    // Others have written here before, and what they wrote comes in when it comes.
    chat.sent = () => chat.messages.and(chat.page.locator(".message-own")).locator(".text").allTextContents();
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
    await until("the word is in the field", async () => (await ann.composer.inputValue()) === "你好");
    await until("the composition is over for the page", () => ann.page.evaluate(() => new Promise((done) => setTimeout(() => done(true), 60))));
    await ann.page.keyboard.press("Enter");
    await until("the word is sent", async () => (await ann.sent()).length > 0);
    assert.deepEqual(await ann.sent(), ["你好"]);
    await until("the field is empty", async () => (await ann.composer.inputValue()) === "");
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

suite("what the composer offers", () => {
  const server = useServer();
  const browser = useBrowser();

  async function open(t) {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    await ann.composer.focus();
    return ann;
  }
  const list = (chat) => chat.page.getByRole("listbox");

  test("people after an @: arrows choose, Enter takes and sends nothing, Escape closes", async (t) => {
    await server.guest("Bo Duck");
    await server.guest("Bob");
    const ann = await open(t);
    await ann.page.keyboard.type("hi @bo");
    await list(ann).getByRole("option", { name: "Bob" }).waitFor();
    await ann.page.keyboard.press("ArrowDown");
    const chosen = await list(ann).locator('[aria-selected="true"]').textContent();
    assert.equal(await ann.composer.getAttribute("aria-activedescendant"), await list(ann).locator('[aria-selected="true"]').getAttribute("id"));
    await ann.page.keyboard.press("Enter");
    await list(ann).waitFor({ state: "hidden" });
    const name = /Bo Duck|Bob/.exec(chosen)[0];
    assert.equal(await ann.composer.inputValue(), `hi @${name} `);
    await ann.page.keyboard.type("and @bo");
    await list(ann).waitFor();
    await ann.page.keyboard.press("Escape");
    await list(ann).waitFor({ state: "hidden" });
    await ann.page.keyboard.press("Enter");
    await until("sent as it stood", async () => (await ann.texts()).includes(`hi @${name} and @bo`));
    await ann.timeline.locator(".mention").getByText(`@${name}`).waitFor();
    const reader = await server.guest("Reader");
    const { messages } = await server.command(reader.token, { type: "history", room: "lobby", before: 1000, limit: 5 });
    assert.equal(messages.at(-1).mentions.length, 1, "the message says whom it names");
  });

  test("emoji after a colon: Tab takes, and a time of day asks for nothing", async (t) => {
    const ann = await open(t);
    await ann.page.keyboard.type("at 10:30 a :duc");
    await list(ann).getByRole("option", { name: "duck" }).waitFor();
    await ann.page.keyboard.press("Tab");
    assert.equal(await ann.composer.inputValue(), "at 10:30 a 🦆");
    await ann.page.keyboard.press("Enter");
    await ann.sees("at 10:30 a 🦆");
  });

  test("while an input method composes, the open list takes no Enter", async (t) => {
    await server.guest("鸭鸭");
    const ann = await open(t);
    await ann.page.keyboard.type("@");
    await list(ann).getByRole("option", { name: "鸭鸭" }).waitFor();
    const keys = await ann.page.context().newCDPSession(ann.page);
    await keys.send("Input.imeSetComposition", { text: "ya", selectionStart: 2, selectionEnd: 2 });
    await keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 });
    await until("it stands in the field", async () => (await ann.composer.inputValue()) === "@ya");
    await keys.send("Input.insertText", { text: "鸭" });
    await list(ann).getByRole("option", { name: "鸭鸭" }).waitFor();
    await until("the composition is over for the page", () => ann.page.evaluate(() => new Promise((done) => setTimeout(() => done(true), 60))));
    await ann.page.keyboard.press("Enter");
    assert.equal(await ann.composer.inputValue(), "@鸭鸭 ");
  });

  test("the arrow up edits the last own message, Escape brings the draft back", async (t) => {
    const ann = await open(t);
    await ann.send("a mesage");
    await ann.page.keyboard.press("ArrowUp");
    await until("the field has it", async () => (await ann.composer.inputValue()) === "a mesage");
    await ann.composer.fill("a message");
    await ann.page.keyboard.press("Enter");
    await ann.sees("a message");
    assert.ok(!(await ann.texts()).includes("a mesage"));
    assert.equal(await ann.composer.inputValue(), "");
  });

  test("who asked for it breaks lines with Enter and sends with Ctrl+Enter", async (t) => {
    const ann = await open(t);
    await ann.page.getByTestId("account").click();
    await ann.page.getByRole("menuitem", { name: "Settings" }).click();
    // The radio itself is out of sight; people press its label.
    await ann.page.getByRole("group", { name: "Send with" }).getByText("Ctrl + Enter").click();
    await ann.page.keyboard.press("Escape");
    await ann.composer.fill("one");
    await ann.composer.press("Enter");
    await ann.page.keyboard.type("two");
    assert.equal(await ann.composer.inputValue(), "one\ntwo");
    await ann.page.keyboard.press("ControlOrMeta+Enter");
    await ann.sees("one\ntwo");
  });

  test("the marks of Markdown are drawn, and copying gives them back", async (t) => {
    const ann = await open(t);
    const text = "**strong** and `code`\n```\nlet a = 1;\n```\n> said";
    await ann.composer.fill(text);
    await ann.page.keyboard.press("Enter");
    const message = ann.messages.last();
    await message.locator("pre").getByText("let a = 1;").waitFor();
    // It has come back by the stream: before that it has no menu.
    await message.locator(".tools").waitFor({ state: "attached" });
    assert.equal(await message.locator("strong").textContent(), "strong");
    assert.equal(await message.locator("blockquote").textContent(), "said");
    await ann.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await message.getByText("strong").click({ button: "right" });
    await ann.page.getByRole("menuitem", { name: "Copy text" }).click();
    await until("copied", async () => (await ann.page.evaluate(() => navigator.clipboard.readText())) === text);
  });
});
