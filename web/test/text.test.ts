import assert from "node:assert/strict";
import { test } from "node:test";
import { preferredLanguage } from "../src/i18n/index.ts";
import { en } from "../src/i18n/en.ts";
import { zh } from "../src/i18n/zh.ts";
import { AFTER_COMPOSITION_MS, enterSends } from "../src/model/enter.ts";
import { colourOf, foldOf, initialsOf, isEmojiOnly, oneLine, partsOf } from "../src/model/text.ts";

const picture = (text: string) => partsOf(text).map((part) => (part.type === "link" ? `<${part.text}>` : part.text)).join("");

test("addresses become links and sentences keep their punctuation", () => {
  assert.equal(picture("see https://example.org/a?b=c."), "see <https://example.org/a?b=c>.");
  assert.equal(picture("(https://example.org/x_(y))"), "(<https://example.org/x_(y)>)");
  assert.equal(picture("见https://example.org/路。好"), "见https://example.org/路。好".replace("https://example.org/", "<https://example.org/>"));
  assert.equal(picture("https://a.example, https://b.example!"), "<https://a.example>, <https://b.example>!");
});

test("nothing but http and https is a link, and markup stays text", () => {
  for (const text of ["javascript:alert(1)", "data:text/html,x", "<img src=x onerror=alert(1)>", "http://", "xhttps://no"]) {
    assert.deepEqual(partsOf(text), [{ type: "text", text }]);
  }
  assert.equal(picture('https://example.org/"onmouseover="x'), '<https://example.org/>"onmouseover="x');
});

test("every part put together is the text again", () => {
  for (const text of ["", "a https://b.example/c d", "https://x.example", "好https://x.example好"]) {
    assert.equal(partsOf(text).map((part) => part.text).join(""), text);
  }
});

test("only emoji alone are big", () => {
  for (const text of ["👍", "❤️ 🎉", "👩‍👩‍👧", "👍🏽", "🇨🇭", "🇨🇭🇪🇺 1️⃣"]) assert.equal(isEmojiOnly(text), true, text);
  for (const text of ["ok 👍", "12", "#", "", "👍👍👍👍"]) assert.equal(isEmojiOnly(text), false, text);
});

test("long messages are folded without breaking a character", () => {
  assert.equal(foldOf("short"), undefined);
  const emoji = foldOf("😀".repeat(2_000), 20, 1_501);
  assert.equal(emoji, "😀".repeat(750));
  assert.equal(foldOf("line\n".repeat(60))?.split("\n").length, 20);
  assert.equal(oneLine(" a\n\n b "), "a b");
});

test("initials suit the script of the name", () => {
  assert.equal(initialsOf("Blue Fox"), "BF");
  assert.equal(initialsOf("ann"), "A");
  assert.equal(initialsOf("蓝水獭"), "水獭");
  assert.equal(initialsOf("  "), "?");
  assert.equal(colourOf("ann", 8), colourOf("ann", 8));
});

const enter = { key: "Enter", keyCode: 13, isComposing: false, shiftKey: false, altKey: false };

test("Enter sends, except with shift, on touch keyboards, and while an input method composes", () => {
  assert.equal(enterSends(enter, 10_000, 0, false), true);
  assert.equal(enterSends({ ...enter, shiftKey: true }, 10_000, 0, false), false);
  assert.equal(enterSends(enter, 10_000, 0, true), false);
  assert.equal(enterSends({ ...enter, isComposing: true }, 10_000, 0, false), false);
  assert.equal(enterSends({ ...enter, keyCode: 229 }, 10_000, 0, false), false);
});

test("Safari's Enter, just after compositionend, chooses the candidate; the next one sends", () => {
  assert.equal(enterSends(enter, 10_000, 10_000 - AFTER_COMPOSITION_MS + 1, false), false);
  assert.equal(enterSends(enter, 10_000, 10_000 - AFTER_COMPOSITION_MS, false), true);
});

test("both languages have the same sentences", () => {
  const shape = (value: object): unknown => Object.fromEntries(Object.entries(value).map(([key, v]) => [key, v !== null && typeof v === "object" && !Array.isArray(v) ? shape(v) : typeof v]).sort());
  assert.deepEqual(shape(zh), shape(en));
  assert.equal(zh.guestNames.animals.length, en.guestNames.animals.length);
});

test("Chinese sentences put a space between Chinese and Latin, and only there", () => {
  assert.equal(zh.write("Lobby"), "发消息到 Lobby");
  assert.equal(zh.startOfRoom("Lobby"), "这里是 Lobby 的开头。");
  assert.equal(zh.startOfRoom("大厅"), "这里是大厅的开头。");
  assert.equal(zh.members(3), "3 位成员");
  assert.equal(zh.joined(["Ann", "蓝狐"]), "Ann、蓝狐加入了");
});

test("the browser's first language that we have is taken", () => {
  assert.equal(preferredLanguage(["fr", "zh-Hant-TW", "en"]), "zh");
  assert.equal(preferredLanguage(["fr", "de"]), "en");
});
