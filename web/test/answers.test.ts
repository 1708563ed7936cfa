import assert from "node:assert/strict";
import { test } from "node:test";
import { askHistory, askRoom } from "../src/app/answers.ts";
import { Presence } from "../src/app/presence.ts";
import type { Host } from "../src/app/verbs.ts";
import { Model } from "../src/model/model.ts";
import type { HistoryPage, WireRoom } from "../src/wire.ts";
import { message, messages } from "./support.ts";

const lobby: WireRoom = { id: "lobby", kind: "channel", title: "Lobby", seq: 5, read: 5, unread: 0, users: [{ id: "ann", name: "Ann" }] };

/** A page whose questions wait until the test answers them. */
function host() {
  const model = new Model();
  model.snapshot({ user: "me", name: "Me", rooms: [lobby] });
  const asked: ((answer: unknown) => void)[] = [];
  const command = () => new Promise((answer) => asked.push(answer));
  const app = { model, chat: { command, state: { status: "online" } }, changed() {}, complain() {}, toast() {} } as unknown as Host;
  return { app, model, asked };
}

const page = (...frames: HistoryPage["messages"]): HistoryPage => ({ messages: frames, more: false });

test("a history that was made before an edit, a deletion or a reaction, and comes after it, does not undo it", async () => {
  const { app, model, asked } = host();
  const done = askHistory(app, "lobby", { before: 6 }, (answer) => model.history("lobby", answer, { from: 1, to: 5 }));
  model.frame({ type: "message.edited", room: "lobby", from: "ann", at: 1, seq: 2, body: { text: "better" }, version: 1 }, 0);
  model.frame({ type: "message.recalled", room: "lobby", from: "ann", at: 1, seq: 3 }, 0);
  model.frame({ type: "reaction", room: "lobby", from: "ann", at: 1, seq: 4, emoji: "🦆", on: true }, 0);
  model.frame({ type: "message.expired", room: "lobby", from: "", at: 1, to_seq: 1 }, 0);
  asked[0]?.(page(...messages(1, 5)));
  assert.equal(await done, true);
  const texts = model.timeline("lobby").messages.map(({ text, recalled, reactions }) => (recalled ? "deleted" : text + reactions.map(({ emoji }) => emoji)));
  assert.deepEqual(texts, ["better", "deleted", "text 4🦆", "text 5"]);
  // What is told of later answers is only what came while they were awaited.
  const next = askHistory(app, "lobby", { before: 6 }, (answer) => model.history("lobby", answer, { from: 4, to: 4 }));
  asked[1]?.(page(message(4)));
  await next;
  assert.deepEqual(model.timeline("lobby").find(4)?.reactions, []);
});

test("a history that was asked for before a reset is not taken in after it", async () => {
  const { app, model, asked } = host();
  const done = askHistory(app, "lobby", { before: 6 }, (answer) => model.history("lobby", answer, { from: 1, to: 5 }));
  model.frame({ type: "reset", reason: "behind" }, 0);
  asked[0]?.(page(...messages(1, 5)));
  assert.equal(await done, false);
  assert.deepEqual(model.timeline("lobby").messages, []);
});

test("a room that has moved on while it was asked about is asked about again", async () => {
  const { app, model, asked } = host();
  const done = askRoom(app, "lobby");
  model.frame({ type: "pin", room: "lobby", from: "ann", at: 1, seq: 2, on: true }, 0);
  asked[0]?.({ room: { ...lobby, pins: [] } });
  await new Promise(setImmediate);
  asked[1]?.({ room: { ...lobby, pins: [2] } });
  await done;
  assert.deepEqual(model.rooms.get("lobby")?.pins, [2]);
});

test("an old account of a room in which much happens does not take its newest message away", async () => {
  const { app, model, asked } = host();
  const done = askRoom(app, "lobby");
  for (const seq of [6, 7, 8]) {
    model.frame(message(seq), 0);
    asked.at(-1)?.({ room: { ...lobby, last: message(5) } });
    await new Promise(setImmediate);
  }
  await done;
  const room = model.rooms.get("lobby");
  assert.deepEqual([room?.seq, room?.last?.seq], [8, 8]);
});

test("a room that was left while it was asked about does not come back", async () => {
  const { app, model, asked } = host();
  void askRoom(app, "lobby");
  model.frame({ type: "member", room: "lobby", from: "me", user: "me", users: ["me"], action: "leave", at: 1 }, 0);
  asked[0]?.({ room: lobby });
  await new Promise(setImmediate);
  assert.equal(asked.length, 2);
  assert.equal(model.rooms.has("lobby"), false);
});

test("who comes while it is asked who is there stays there", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const { app, model, asked } = host();
  const open = { target: { room: "lobby" }, window: { from: 0, to: Infinity } };
  const presence = new Presence(Object.assign(app, { open }));
  presence.look();
  t.mock.timers.tick(1_000);
  model.frame({ type: "presence", user: "ann", state: "online", at: 2 }, 0);
  asked[0]?.({ users: [{ user: "ann", state: "offline", at: 1 }] });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(model.presenceOf("ann")?.state, "online");
  presence.stop();
});
