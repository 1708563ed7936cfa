import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, NOTHING, plainSnippet } from "../src/model/search.ts";

test("a question without limits asks for words alone", () => {
  assert.deepEqual(fieldsOf({ ...NOTHING, q: " grain " }, 5), { q: "grain" });
});

test("limits are the room, the person and the reader's own days, both ends included", () => {
  const question = { ...NOTHING, q: "grain", room: "lobby", from: "bo" };
  assert.deepEqual(fieldsOf({ ...question, period: "day" }, 90_000_000), { q: "grain", room: "lobby", from: "bo", after: 3_600_000 });
  const days = fieldsOf({ ...question, period: "days", since: "2026-03-01", until: "2026-03-01" }, 0);
  assert.equal(days.after, new Date(2026, 2, 1).getTime() - 1);
  assert.equal(days.before, new Date(2026, 2, 2).getTime());
  assert.deepEqual(fieldsOf({ ...question, period: "days", until: "" }, 0), { q: "grain", room: "lobby", from: "bo" });
});

test("an older page begins where the last one ended, within the same days", () => {
  const question = { ...NOTHING, q: "grain", period: "days" as const, since: "2026-03-01", until: "2026-03-09" };
  const fields = fieldsOf(question, 0, "1abc");
  assert.equal(fields.before, "1abc");
  assert.equal(fields.after, new Date(2026, 2, 1).getTime() - 1);
});

test("a snippet loses the marks of Markdown, and nothing else", () => {
  assert.deepEqual(plainSnippet(["> **", "widgeon", "** and\n> `code` 2*3 ~~no~~ snake_case"]), ["", "widgeon", " and code 2*3 no snake_case"]);
});
