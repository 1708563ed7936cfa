import assert from "node:assert/strict";
import { test } from "node:test";
import { Model, TYPING_MS } from "../src/model/model.ts";
import { Pendings } from "../src/model/outbox.ts";
import { byActivity, readersOf, rolesToGive, unreadOf } from "../src/model/room.ts";
import type { WireRoom } from "../src/wire.ts";
import { message, messages } from "./support.ts";

const lobby: WireRoom = { id: "lobby", kind: "channel", title: "Lobby", seq: 4, read: 4, unread: 0, users: [{ id: "me", name: "Me" }, { id: "ann", name: "Ann" }] };

function model(rooms: WireRoom[] = [lobby]): Model {
  const model = new Model();
  model.snapshot({ user: "me", name: "Me", rooms });
  return model;
}

test("unread counts are the server's, and none in a room read to its end", () => {
  const m = model();
  m.frame(message(5), 0);
  m.frame({ type: "unread", room: "lobby", unread: 7, mentions: 1 }, 0);
  assert.equal(unreadOf(m.rooms.get("lobby")!), 7);
  m.frame({ type: "read", room: "lobby", from: "me", user: "me", seq: 5, at: 1 }, 0);
  assert.equal(unreadOf(m.rooms.get("lobby")!), 0);
});

test("an own read mark never goes back", () => {
  const m = model();
  m.readTo("lobby", 4);
  m.frame({ type: "read", room: "lobby", from: "me", user: "me", seq: 2, at: 1 }, 0);
  assert.equal(m.rooms.get("lobby")!.read, 4);
});

test("others' read marks, and their answers, make a message read", () => {
  const m = model();
  m.frame(message(5, { from: "me" }), 0);
  assert.equal(readersOf(m.rooms.get("lobby")!, 5), 0);
  m.frame({ type: "read", room: "lobby", from: "ann", user: "ann", seq: 5, at: 1 }, 0);
  assert.equal(readersOf(m.rooms.get("lobby")!, 5), 1);
  m.frame(message(6, { from: "bob" }), 0);
  assert.equal(readersOf(m.rooms.get("lobby")!, 5), 2);
  assert.equal(readersOf(m.rooms.get("lobby")!, 6), 1);
});

test("the list follows the newest message; an edit or recall of it shows there too", () => {
  const m = model([lobby, { id: "g", kind: "group", title: "G", seq: 0 }]);
  m.frame(message(1, { room: "g", at: 99_000 }), 0);
  m.frame(message(5, { at: 5_000 }), 0);
  assert.deepEqual([...m.rooms.values()].sort(byActivity).map((r) => r.id), ["g", "lobby"]);
  m.frame({ type: "message.edited", room: "g", from: "ann", at: 1, seq: 1, body: { text: "better" }, version: 2 }, 0);
  assert.equal(m.rooms.get("g")!.last?.text, "better");
  m.frame({ type: "message.recalled", room: "g", from: "ann", at: 1, seq: 1 }, 0);
  assert.equal(m.rooms.get("g")!.last?.recalled, true);
});

test("a room only heard of is asked for, and so is a name", () => {
  const m = model();
  m.frame(message(1, { room: "new", from: "g:1" }), 0);
  assert.deepEqual([...m.wantedRooms], ["new"]);
  assert.ok(m.wantedUsers.has("g:1"));
  m.room({ id: "new", kind: "group", title: "New", users: [{ id: "g:1", name: "Blue Fox" }] });
  assert.deepEqual([...m.wantedRooms], []);
  assert.equal(m.name("g:1"), "Blue Fox");
  assert.equal(m.rooms.get("new")!.last?.seq, 1);
});

test("a count, a mark or a gap of a room we are not in makes no room", () => {
  const m = model();
  m.frame({ type: "unread", room: "left", unread: 1 }, 0);
  m.frame({ type: "read", room: "self:me", from: "me", user: "me", seq: 1, at: 1 }, 0);
  m.frame({ type: "gap", room: "left", from_seq: 1, to_seq: 2 }, 0);
  assert.deepEqual([...m.rooms.keys()], ["lobby"]);
});

test("leaving takes the room away, being added brings it", () => {
  const m = model();
  m.frame({ type: "member", room: "lobby", from: "me", at: 1, action: "leave", users: ["me"] }, 0);
  assert.equal(m.rooms.has("lobby"), false);
  m.frame({ type: "member", room: "g", from: "ann", at: 1, action: "add", users: ["me"] }, 0);
  assert.ok(m.wantedRooms.has("g"));
});

test("members come and go without being counted twice", () => {
  const m = model();
  for (let i = 0; i < 2; i++) m.frame({ type: "member", room: "lobby", from: "bob", at: 1, action: "join", users: ["bob"] }, 0);
  assert.equal(m.rooms.get("lobby")!.userCount, 3);
  m.frame({ type: "member", room: "lobby", from: "bob", at: 1, action: "leave", users: ["bob"] }, 0);
  assert.equal(m.rooms.get("lobby")!.userCount, 2);
});

test("typing ends by time and by the message", () => {
  const m = model();
  m.frame({ type: "typing", room: "lobby", user: "ann" }, 1_000);
  assert.deepEqual(m.typingIn("lobby", 1_001), ["ann"]);
  assert.deepEqual(m.typingIn("lobby", 1_000 + TYPING_MS), []);
  m.frame({ type: "typing", room: "lobby", user: "ann" }, 9_000);
  m.frame(message(5), 9_001);
  assert.deepEqual(m.typingIn("lobby", 9_002), []);
});

test("a gap makes a hole, a reset forgets what was loaded", () => {
  const m = model([{ ...lobby, seq: 0, read: 0 }]);
  for (const frame of messages(1, 3)) m.frame({ ...frame, type: "message" }, 0);
  m.frame({ type: "gap", room: "lobby", from_seq: 4, to_seq: 90 }, 0);
  m.frame(message(91), 0);
  assert.deepEqual(m.timeline("lobby").holes(), [{ from: 4, to: 90 }]);
  m.frame({ type: "reset", reason: "behind" }, 0);
  assert.equal(m.timeline("lobby").messages.length, 0);
});

test("a message being sent is shown from the key press until the stream shows it", () => {
  const pendings = new Pendings();
  const command = { type: "send", room: "lobby", body: { text: "hi" } };
  pendings.sync([{ id: "x", command, at: 1 }]);
  assert.deepEqual(pendings.of("lobby", undefined).map((p) => p.state), ["sending"]);
  pendings.accepted("x", command, "lobby", 5, 1);
  pendings.sync([]);
  assert.deepEqual(pendings.of("lobby", undefined).map((p) => p.state), ["sent"]);
  pendings.arrived("x");
  assert.deepEqual(pendings.of("lobby", undefined), []);
});

test("what the server has stands before what it has not", () => {
  const pendings = new Pendings();
  const command = { type: "send", room: "lobby", body: { text: "hi" } };
  const entry = (id: string) => ({ id, command, at: 1 });
  pendings.sync([entry("a"), entry("b"), entry("c")]);
  pendings.sync([entry("b"), entry("c")]);
  pendings.accepted("a", command, "lobby", 5, 1);
  assert.deepEqual(pendings.of("lobby", undefined).map((p) => p.id), ["a", "b", "c"]);
  pendings.sync([]);
  pendings.accepted("c", command, "lobby", 7, 1);
  pendings.accepted("b", command, "lobby", 6, 1);
  assert.deepEqual(pendings.of("lobby", undefined).map((p) => p.id), ["a", "b", "c"]);
});

test("a message that the server has, and that a gap left out, does not wait for ever to come back", () => {
  const pendings = new Pendings();
  const command = { type: "send", room: "lobby", body: { text: "hi" } };
  pendings.accepted("a", command, "lobby", 5, 1);
  pendings.accepted("b", command, "lobby", 90, 1);
  pendings.accepted("c", command, "pond", 2, 1);
  pendings.passed("lobby", 80);
  assert.deepEqual([pendings.of("lobby", undefined), pendings.of("pond", undefined)].flat().map((p) => p.id), ["b", "c"]);
});

test("a message that has come back is not shown again by an older account of what is in hand", () => {
  const pendings = new Pendings();
  const command = { type: "send", room: "lobby", body: { text: "hi" } };
  pendings.arrived("x");
  pendings.sync([{ id: "x", command, at: 1 }]);
  pendings.accepted("x", command, "lobby", 5, 1);
  assert.deepEqual(pendings.of("lobby", undefined), []);
});

test("a first message to a person stands in the conversation with that person, then in its room", () => {
  const pendings = new Pendings();
  const command = { type: "send", to: "bob", body: { text: "hi" } };
  pendings.sync([{ id: "x", command, at: 1, error: { code: "forbidden" } }]);
  assert.equal(pendings.of(undefined, "bob")[0]?.state, "failed");
  assert.equal(pendings.of("d:me:bob", "bob").length, 1);
  assert.equal(pendings.of("lobby", undefined).length, 0);
  pendings.accepted("x", command, "d:me:bob", 1, 1);
  assert.equal(pendings.of("d:me:bob", undefined).length, 1);
});

test("what came before one's time is known to be there, and not to be seen", () => {
  const m = model();
  m.history("lobby", { messages: messages(3, 4), min_seq: 3, max_seq: 4, more: false }, { from: 1, to: 4 });
  assert.equal(m.timeline("lobby").earliest, 3);
  m.history("lobby", { messages: [], min_seq: 0, max_seq: 0, more: false }, { from: 1, to: 4 });
  assert.equal(m.timeline("lobby").earliest, 5);
});

test("messages whose time is over go: from the timeline, the pins, the list and the threads", () => {
  const m = model();
  m.history("lobby", { messages: [...messages(1, 3), message(4, { thread: 1 })], min_seq: 1, max_seq: 4, more: false }, { from: 1, to: 4 });
  m.room({ ...lobby, pins: [4, 2], last: message(4) });
  m.frame({ type: "message.expired", room: "lobby", from: "wigeon", at: 9, to_seq: 3 }, 9);
  assert.deepEqual(m.timeline("lobby").messages.map((each) => each.seq), [4]);
  assert.deepEqual(m.rooms.get("lobby")!.pins, [4]);
  assert.equal(m.rooms.get("lobby")!.last?.seq, 4);
  assert.equal(m.timeline("lobby").earliest, 4);
  assert.deepEqual(m.timeline("lobby").holes(), []);
  m.frame({ type: "message.expired", room: "lobby", from: "wigeon", at: 9, to_seq: 4 }, 9);
  assert.equal(m.rooms.get("lobby")!.last, undefined);
  assert.deepEqual(m.timeline("lobby").threads.of(1), []);
});

test("a message is delivered when somebody else's device has it, and never less than it was", () => {
  const m = model();
  m.frame({ type: "delivered", room: "lobby", user: "me", seq: 4 }, 0);
  assert.equal(m.rooms.get("lobby")!.delivered, 0);
  for (const seq of [4, 3]) m.frame({ type: "delivered", room: "lobby", user: "ann", seq }, 0);
  assert.equal(m.rooms.get("lobby")!.delivered, 4);
});

test("a name that somebody took since is another one to draw", () => {
  const m = model();
  const before = m.naming;
  m.frame({ type: "user", user: "ann", name: "Anna" }, 0);
  assert.equal(m.name("ann"), "Anna");
  assert.notEqual(m.naming, before);
  const told = m.naming;
  m.learn([{ id: "ann", name: "Anna" }]);
  assert.equal(m.naming, told, "nothing to draw");
});

test("of another log, what was read in the old one says nothing", () => {
  const m = model();
  m.frame({ type: "reset", reason: "behind" }, 0);
  m.snapshot({ user: "me", rooms: [{ ...lobby, read: 1 }] });
  assert.equal(m.rooms.get("lobby")!.read, 4, "a mark on its way to the server");
  m.frame({ type: "reset", reason: "epoch" }, 0);
  m.snapshot({ user: "me", rooms: [{ ...lobby, seq: 3, read: 1, unread: 2 }] });
  assert.equal(unreadOf(m.rooms.get("lobby")!), 2);
});

test("nobody gives a role above their own", () => {
  const given = (role: string) => rolesToGive(model([{ ...lobby, role } as WireRoom]).rooms.get("lobby")!);
  assert.deepEqual(given("owner"), ["owner", "admin", "member", "reader"]);
  assert.deepEqual(given("admin"), ["admin", "member", "reader"]);
});
