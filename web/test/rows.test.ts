import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DIVIDER, onEnter, onUnseen } from "../src/model/divider.ts";
import type { Pending } from "../src/model/outbox.ts";
import { GROUP_PAUSE_MS, type Row, rowsOf } from "../src/model/rows.ts";
import { Timeline } from "../src/model/timeline.ts";
import type { MessageFrame } from "../src/wire.ts";
import { message, messages, MINUTE } from "./support.ts";

const DAY = 24 * 60 * MINUTE;

function rows(frames: MessageFrame[], options: { divider?: number; pending?: Pending[]; window?: { from: number; to: number }; latest?: number } = {}): Row[] {
  const timeline = new Timeline();
  timeline.merge(frames);
  if (options.latest) timeline.reaches(options.latest);
  return rowsOf({
    timeline,
    window: options.window ?? { from: 0, to: Infinity },
    pending: options.pending ?? [],
    me: "me",
    divider: options.divider === undefined ? NO_DIVIDER : { after: options.divider },
    dayOf: (at) => String(Math.floor(at / DAY)),
  });
}

const picture = (list: Row[]) =>
  list.map((row) => (row.type === "message" ? `${row.first ? "[" : ""}${row.message.seq || row.message.id}${row.last ? "]" : ""}` : row.type)).join(" ");

const pending = (id: string, rest: Partial<Pending> = {}): Pending => ({ id, command: { room: "lobby", body: { text: id } }, at: 9_000, state: "sending", ...rest });

test("one sender's messages within five minutes are a group", () => {
  const list = rows([message(1, { at: 0 }), message(2, { at: GROUP_PAUSE_MS - 1 }), message(3, { at: 2 * GROUP_PAUSE_MS }), message(4, { at: 2 * GROUP_PAUSE_MS, from: "bob" })]);
  assert.equal(picture(list), "start day [1 2] [3] [4]");
});

test("a new day and the unread line break a group", () => {
  assert.equal(picture(rows([message(1, { at: DAY - 1 }), message(2, { at: DAY })])), "start day [1] day [2]");
  assert.equal(picture(rows(messages(1, 3), { divider: 1 })), "start day [1] divider [2 3]");
});

test("the unread line stands before the first message of somebody else", () => {
  assert.equal(picture(rows([message(1), message(2, { from: "me" }), message(3)], { divider: 1 })), "start day [1] [2] divider [3]");
  assert.equal(picture(rows([message(1), message(2, { from: "me" })], { divider: 1 })), "start day [1] [2]");
});

test("missing numbers are holes, at the top, between and at the end", () => {
  const list = rows([...messages(3, 4), ...messages(8, 9)], { latest: 12 });
  assert.equal(picture(list), "hole day [3 4] hole [8 9] hole");
  assert.deepEqual(list.filter((row) => row.type === "hole").map((row) => row.key), ["hole:2", "hole:7", "hole:12"]);
});

test("a hole above the window is not drawn before the window gets there", () => {
  assert.equal(picture(rows(messages(10, 20), { window: { from: 19, to: Infinity } })), "day [19 20]");
});

test("what is being sent stands last, and not beside its own message", () => {
  assert.equal(picture(rows(messages(1, 1), { pending: [pending("a"), pending("b", { state: "failed" })] })), "start day [1] [a b]");
  const own = message(1, { from: "me" });
  assert.equal(picture(rows([own], { pending: [pending("id-1", { seq: 1, state: "sent" })] })), "start day [1]");
  // Loaded with the page, while an outbox still names it.
  assert.equal(picture(rows([own], { pending: [pending("id-1")] })), "start day [1]");
  // Ids are each sender's own.
  assert.equal(picture(rows([message(1)], { pending: [pending("id-1")] })), "start day [1] [id-1]");
  assert.equal(picture(rows(messages(1, 300), { pending: [pending("a")], window: { from: 1, to: 2 } })), "start day [1 2]");
});

test("a bubble keeps its key when the server's message replaces it", () => {
  const before = rows([], { pending: [pending("x")] }).find((row) => row.type === "message");
  const after = rows([message(1, { id: "x", from: "me" })]).find((row) => row.type === "message");
  assert.equal(before?.key, after?.key);
});

test("somebody's coming stands where it happened", () => {
  const timeline = new Timeline();
  timeline.merge(messages(1, 2));
  timeline.note("join", "bob", ["bob"], 2_500);
  timeline.merge([message(3)]);
  const list = rowsOf({ timeline, window: { from: 0, to: Infinity }, pending: [], me: "me", divider: NO_DIVIDER, dayOf: () => "" });
  assert.equal(picture(list), "start [1 2] note [3]");
});

test("who came before the first message is shown there", () => {
  const timeline = new Timeline();
  timeline.note("join", "bob", ["bob"], 500);
  timeline.merge([message(1)]);
  const list = rowsOf({ timeline, window: { from: 0, to: Infinity }, pending: [], me: "me", divider: NO_DIVIDER, dayOf: () => "" });
  assert.equal(picture(list), "start note [1]");
});

test("the unread line is set on entering and stays while reading", () => {
  const line = onEnter({ read: 5, unread: 3, seq: 8 });
  assert.deepEqual(line, { after: 5 });
  assert.deepEqual(onUnseen(line, { read: 5 }), { after: 5 });
  assert.deepEqual(onUnseen(line, { read: 8 }), { after: 8 });
  assert.deepEqual(onEnter({ read: 8, unread: 0, seq: 8 }), NO_DIVIDER);
  assert.deepEqual(onEnter({ read: 0, unread: 8, seq: 8 }), NO_DIVIDER);
});
