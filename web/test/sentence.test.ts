import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../src/i18n/en.ts";
import { zh } from "../src/i18n/zh.ts";

test("a name that is written from the right keeps its direction to itself; others stay as they are", () => {
  assert.equal(en.banAsk("דן"), "Ban \u2068דן\u2069?");
  assert.match(en.joined(["Ann", "דן"]), /^\u2068?Ann and \u2068דן\u2069\u2069? joined$/);
  assert.equal(en.banAsk("Ann"), "Ban Ann?");
  assert.equal(zh.banAsk("דן"), "封禁\u2068דן\u2069？");
});

test("Chinese and Latin text that meet have a space between them, and only there", () => {
  assert.equal(zh.joined(["Bo"]), "Bo 加入了");
  assert.equal(zh.members(3), "3 位成员");
  assert.equal(zh.joined(["小白"]), "小白加入了");
});
