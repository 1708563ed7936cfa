import assert from "node:assert/strict";
import { test } from "node:test";
import { threadRowsOf } from "../src/model/rows.ts";
import { REPLIES_KEPT_MAX } from "../src/model/threads.ts";
import { Timeline } from "../src/model/timeline.ts";
import { message, messages } from "./support.ts";

const seqs = (timeline: Timeline, root: number) => timeline.threads.of(root).map((m) => m.seq);

test("answers in a thread are found by their root, in order, whenever they came", () => {
  const timeline = new Timeline();
  for (const seq of [9, 4, 7]) timeline.merge([message(seq, { thread: seq === 7 ? 2 : 1 })]);
  assert.deepEqual(seqs(timeline, 1), [4, 9]);
  assert.deepEqual(seqs(timeline, 2), [7]);
  assert.deepEqual(seqs(timeline, 3), []);
});

test("an edit, a recall and a reaction reach the answer in the timeline and in the thread alike", () => {
  const timeline = new Timeline();
  timeline.merge([message(1), message(2, { thread: 1 })]);
  timeline.edit(2, "better", 1);
  timeline.react(2, "bob", "👍", true);
  assert.equal(timeline.threads.of(1)[0]?.text, "better");
  assert.equal(timeline.threads.of(1)[0], timeline.find(2));
  timeline.recall(2);
  assert.equal(timeline.threads.of(1)[0]?.recalled, true);
  assert.equal(timeline.find(2)?.recalled, true);
});

test("a thread keeps its answers when the timeline lets go of theirs", () => {
  const timeline = new Timeline();
  timeline.merge([message(1), message(2, { thread: 1 })]);
  timeline.merge(messages(3, 9_000), { from: 3, to: 9_000 });
  timeline.trim(8_900);
  assert.equal(timeline.find(2), undefined);
  assert.deepEqual(seqs(timeline, 1), [2]);
  timeline.edit(2, "still told", 1);
  assert.equal(timeline.threads.of(1)[0]?.text, "still told");
});

test("where answers may stand unseen is what neither the timeline has nor a walk has looked through", () => {
  const timeline = new Timeline();
  timeline.merge([message(5)]);
  timeline.merge([message(100)]);
  assert.deepEqual(timeline.threads.unknown(5, timeline.holes()), [{ from: 6, to: 99 }]);
  timeline.walk([message(8, { thread: 5 }), message(9)], { from: 6, to: 50 });
  assert.deepEqual(timeline.threads.unknown(5, timeline.holes()), [{ from: 51, to: 99 }]);
  assert.deepEqual(seqs(timeline, 5), [8]);
  assert.equal(timeline.find(9), undefined);
});

test("threads hold a bounded number of answers, and know that they have forgotten", () => {
  const timeline = new Timeline();
  timeline.reaches(REPLIES_KEPT_MAX + 10);
  timeline.walk([], { from: 2, to: 5 });
  const answers = messages(6, REPLIES_KEPT_MAX + 6).map((frame) => ({ ...frame, thread: 1 }));
  timeline.walk(answers, { from: 6, to: 6 });
  assert.equal(seqs(timeline, 1).length, REPLIES_KEPT_MAX);
  assert.equal(seqs(timeline, 1)[0], 7);
  assert.ok(timeline.threads.unknown(1, timeline.holes()).some((range) => range.from === 2));
});

test("a thread's rows are its root, how many answers, and the answers with what is on its way", () => {
  const timeline = new Timeline();
  timeline.merge([message(1), message(2, { thread: 1, from: "bob" }), message(3, { thread: 1, recalled: true, body: undefined, from: "bob" })]);
  const pending = [{ id: "p", command: { room: "lobby", body: { text: "coming" }, thread: 1 }, at: 4_000, state: "sending" as const }];
  const rows = threadRowsOf({ root: timeline.find(1), replies: timeline.threads.of(1), pending, me: "ann", dayOf: () => "today" });
  assert.deepEqual(rows.map((row) => (row.type === "message" ? row.message.seq : row.type === "replies" ? `${row.count} replies` : row.type)), [1, "1 replies", 2, 3, 0]);
});
