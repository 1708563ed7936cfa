import assert from "node:assert/strict";
import { test } from "node:test";
import { cover, holes, uncover } from "../src/model/ranges.ts";
import { MESSAGES_KEPT_MAX, NEWEST_KEPT, Timeline } from "../src/model/timeline.ts";
import { message, messages } from "./support.ts";

const seqs = (timeline: Timeline) => timeline.messages.map((m) => m.seq);

test("ranges that touch or overlap become one", () => {
  assert.deepEqual(cover([{ from: 1, to: 3 }, { from: 9, to: 9 }], { from: 4, to: 8 }), [{ from: 1, to: 9 }]);
  assert.deepEqual(cover([{ from: 5, to: 6 }], { from: 1, to: 2 }), [{ from: 1, to: 2 }, { from: 5, to: 6 }]);
  assert.deepEqual(cover([{ from: 5, to: 6 }], { from: 3, to: 2 }), [{ from: 5, to: 6 }]);
});

test("holes are what the ranges leave out", () => {
  assert.deepEqual(holes([{ from: 3, to: 4 }, { from: 8, to: 20 }], { from: 1, to: 10 }), [{ from: 1, to: 2 }, { from: 5, to: 7 }]);
  assert.deepEqual(holes([], { from: 1, to: 0 }), []);
});

test("messages that come twice and out of order stand once and in order", () => {
  const timeline = new Timeline();
  for (const seq of [3, 1, 2, 3, 1]) timeline.merge([message(seq)]);
  assert.deepEqual(seqs(timeline), [1, 2, 3]);
  assert.deepEqual(timeline.holes(), []);
});

test("a jump in the numbers is a hole that a history page fills", () => {
  const timeline = new Timeline();
  timeline.merge(messages(1, 2));
  timeline.merge([message(60)]);
  assert.deepEqual(timeline.holes(), [{ from: 3, to: 59 }]);
  timeline.merge(messages(10, 59), { from: 10, to: 59 });
  assert.deepEqual(timeline.holes(), [{ from: 3, to: 9 }]);
  assert.equal(timeline.complete, true);
});

test("numbers a page speaks for without having them (another's interval) are no hole", () => {
  const timeline = new Timeline();
  timeline.merge([message(50)]);
  timeline.merge([message(40)], { from: 1, to: 49 });
  assert.deepEqual(timeline.holes(), []);
  assert.deepEqual(seqs(timeline), [40, 50]);
});

test("what a room is known to reach and we lack is a hole at the end", () => {
  const timeline = new Timeline();
  timeline.merge([message(1)]);
  timeline.reaches(5);
  assert.deepEqual(timeline.holes(), [{ from: 2, to: 5 }]);
});

test("an older edit never replaces a newer one, and a late original never replaces an edit", () => {
  const timeline = new Timeline();
  timeline.merge([message(1)]);
  timeline.edit(1, "third", 3);
  timeline.edit(1, "second", 2);
  timeline.merge([message(1)]);
  assert.equal(timeline.find(1)?.text, "third");
  assert.equal(timeline.find(1)?.edited, true);
});

test("history's current form replaces what the stream told earlier", () => {
  const timeline = new Timeline();
  timeline.merge([message(1)]);
  timeline.merge([message(1, { recalled: true, body: undefined })], { from: 1, to: 1 });
  assert.equal(timeline.find(1)?.recalled, true);
  assert.equal(timeline.find(1)?.text, "");
});

test("an edit of a recalled message brings nothing back", () => {
  const timeline = new Timeline();
  timeline.merge([message(1)]);
  timeline.recall(1);
  timeline.edit(1, "ghost", 9);
  assert.equal(timeline.find(1)?.text, "");
});

test("reactions count a person once and vanish with the last one", () => {
  const timeline = new Timeline();
  timeline.merge([message(1)]);
  timeline.react(1, "bob", "👍", true);
  timeline.react(1, "bob", "👍", true);
  timeline.react(1, "eve", "👍", true);
  assert.deepEqual(timeline.find(1)?.reactions, [{ emoji: "👍", users: ["bob", "eve"] }]);
  timeline.react(1, "bob", "👍", false);
  timeline.react(1, "eve", "👍", false);
  assert.deepEqual(timeline.find(1)?.reactions, []);
});

test("people who come one after another share a line", () => {
  const timeline = new Timeline();
  timeline.note("join", "ann", ["ann"], 1);
  timeline.note("join", "bob", ["bob"], 2);
  assert.deepEqual(timeline.notes.map((note) => note.users), [["ann", "bob"]]);
  timeline.merge([message(1)]);
  timeline.note("join", "eve", ["eve"], 3);
  assert.equal(timeline.notes.length, 2);
});

test("ranges lose what is let go of", () => {
  assert.deepEqual(uncover([{ from: 1, to: 9 }], { from: 3, to: 4 }), [{ from: 1, to: 2 }, { from: 5, to: 9 }]);
  assert.deepEqual(uncover([{ from: 3, to: 9 }], { from: 1, to: 12 }), []);
  assert.deepEqual(uncover([{ from: 1, to: 2 }], { from: 3, to: 4 }), [{ from: 1, to: 2 }]);
});

test("who scrolls through a long room holds what is near and the newest, and holes for the rest", () => {
  const timeline = new Timeline();
  const last = 3 * MESSAGES_KEPT_MAX;
  for (let to = last; to > 0; to -= 500) {
    timeline.merge(messages(to - 499, to), { from: to - 499, to });
    timeline.trim(to - 499);
  }
  assert.equal(timeline.complete, true);
  assert.ok(timeline.messages.length <= MESSAGES_KEPT_MAX + 2 * NEWEST_KEPT + 500);
  assert.equal(timeline.messages.at(-1)?.seq, last);
  const [hole] = timeline.holes();
  assert.ok(hole && hole.from > MESSAGES_KEPT_MAX && hole.to < last);
  timeline.merge(messages(hole.from, hole.from + 49), { from: hole.from, to: hole.from + 49 });
  assert.equal(timeline.holes()[0]?.from, hole.from + 50);
});

test("a note that comes again, as it may around a snapshot, stands once", () => {
  const timeline = new Timeline();
  for (const cursor of ["1a", "1a", "1b"]) timeline.note("add", "ann", ["bob"], 1, { cursor });
  assert.equal(timeline.notes.length, 2);
});
