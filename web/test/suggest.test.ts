import assert from "node:assert/strict";
import { test } from "node:test";
import { LANGUAGES } from "../src/i18n/index.ts";
import { askedAt, emojiFor, mentionsIn, peopleFor } from "../src/model/suggest.ts";

const asked = (text: string) => {
  const found = askedAt(text, text.length);
  return found && `${found.kind} ${found.from} ${found.q}`;
};

test("an @ asks for people where a word begins", () => {
  assert.equal(asked("@"), "person 0 ");
  assert.equal(asked("hi @Bo D"), "person 3 Bo D");
  assert.equal(asked("(@an"), "person 1 an");
  assert.equal(asked("你好@鸭"), "person 2 鸭");
  for (const text of ["ann@example", "@ ", "a @\nb", ""]) assert.equal(asked(text), null, text);
});

test("a colon and two letters ask for emoji", () => {
  assert.equal(asked(":du"), "emoji 0 du");
  assert.equal(asked("ok :+1"), "emoji 3 +1");
  assert.equal(asked("好：鸭"), null);
  assert.equal(asked("好 ：鸭"), "emoji 2 鸭");
  for (const text of ["10:30", "http://", ":d", "a: b", ":"]) assert.equal(asked(text), null, text);
});

test("only what stands before the caret counts", () => {
  assert.equal(askedAt("@ann and more", 3)?.q, "an");
  assert.equal(askedAt("@ann and more", 0), null);
});

test("names that begin so come first", () => {
  const people = ["Joanna", "Blue Ann", "Ann", "Bob"].map((name) => ({ id: name, name }));
  assert.deepEqual(peopleFor("an", people).map(({ name }) => name), ["Ann", "Blue Ann", "Joanna"]);
  assert.equal(peopleFor("", people).length, 4);
});

test("emoji are found in both languages", () => {
  assert.equal(emojiFor("duck")[0]?.emoji, "🦆");
  assert.equal(emojiFor("鸭")[0]?.emoji, "🦆");
  assert.deepEqual(emojiFor("nothing-like-it"), []);
});

test("who is named in a text", () => {
  const people = [{ id: "a", name: "Ann" }, { id: "l", name: "Ann Lee" }, { id: "b", name: "Bo" }];
  assert.deepEqual(mentionsIn("@Ann Lee, have you seen @Bo?", people), ["l", "b"]);
  assert.deepEqual(mentionsIn("mail ann@example.org", people), []);
});

test("each emoji has a name in the page's language", () => {
  const { words } = emojiFor("duck")[0] ?? { words: [] };
  assert.equal(LANGUAGES.en.emojiName(words), "duck");
  assert.equal(LANGUAGES.zh.emojiName(words), "鸭子");
  assert.ok(emojiFor("", Infinity).every(({ words }) => /\p{Script=Han}/u.test(LANGUAGES.zh.emojiName(words))));
});
