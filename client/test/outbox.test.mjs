// The outbox: one id from the call to the answer, over whatever happens between.
import { test } from "node:test";
import assert from "node:assert/strict";
import { source } from "./lib/source.mjs";
import { fakeEnv } from "./lib/clock.mjs";

const { createOutbox, fault } = await source("outbox.ts", "fault.ts");

function box({ storage = null, batch = 50 } = {}) {
  const env = fakeEnv(), sent = [], told = { list: [], refused: 0, replies: 0 };
  let online = true;
  const outbox = createOutbox({
    env, storage, place: "http://server", online: () => online, changed: list => { told.list = list; },
    refused: () => told.refused++, replied: () => told.replies++,
    uplinks: { batchMax: () => batch, send: (commands, done) => sent.push({ commands: structuredClone(commands), done, ids: commands.map(c => c.id).join() }) },
  });
  const results = {};
  const add = (id, more) => outbox.add({ id, type: "send", room: "r", body: { text: id }, ...more }, (error, ok) => { results[id] = error ? error.code : ok; });
  const ok = id => ({ re: id, ok: { seq: id } });
  return { env, outbox, sent, told, results, add, ok, last: () => sent[sent.length - 1], online(value) { online = value; if (value) outbox.pump(); } };
}

const memory = () => {
  const rows = new Map();
  return { rows, getItem: key => rows.get(key) ?? null, setItem: (key, value) => rows.set(key, value), removeItem: key => rows.delete(key) };
};

test("one batch is in flight, in the order given", () => {
  const b = box();
  for (const id of ["a", "b", "c"]) b.add(id);
  assert.deepEqual(b.sent.map(s => s.ids), ["a"]);
  b.last().done(null, [b.ok("a")]);
  assert.deepEqual(b.sent.map(s => s.ids), ["a", "b,c"]);
  b.last().done(null, [b.ok("b"), b.ok("c")]);
  assert.deepEqual(b.results, { a: { seq: "a" }, b: { seq: "b" }, c: { seq: "c" } });
  assert.deepEqual(b.told.list, []);
});

test("a lost answer is asked for again under the same id and the same payload", () => {
  const b = box();
  b.add("a");
  b.last().done(fault("network"), []);
  assert.equal(b.told.list[0].tries, 1);
  b.env.advance(30_000);
  assert.deepEqual(b.sent[1].commands, b.sent[0].commands);
  b.last().done(null, [b.ok("a")]);
  assert.deepEqual(b.results.a, { seq: "a" });
});

test("the own message coming down is an answer too; the late reply changes nothing", () => {
  const b = box();
  b.add("a");
  b.outbox.seen({ type: "message", id: "a", room: "r", seq: 7, cursor: "c", at: 5 });
  assert.equal(b.results.a.seq, 7);
  assert.deepEqual(b.told.list, []);
  b.last().done(null, [b.ok("a")]);
  assert.equal(b.results.a.seq, 7);
  b.add("b");
  assert.equal(b.last().ids, "b");
});

test("an edit that went by a form is answered by its event", () => {
  const b = box();
  b.add("e", { type: "edit", seq: 3, body: { text: "new" } });
  b.last().done(null, []);
  b.outbox.seen({ type: "message.edited", room: "r", seq: 3, body: { text: "old" }, version: 1 });
  assert.equal(b.results.e, undefined);
  b.outbox.seen({ type: "message.edited", room: "r", seq: 3, body: { text: "new" }, version: 2 });
  assert.equal(b.results.e.version, 2);
});

test("what went without an answer goes again when its event does not come", () => {
  const b = box();
  b.add("a");
  b.last().done(null, []);
  b.env.advance(9_000);
  assert.equal(b.sent.length, 1);
  b.env.advance(2_000);
  assert.equal(b.sent.length, 2);
  b.last().done(null, []);
  assert.equal(b.sent.length, 2, "and not in a hurry");
});

test("a refused message stays with its error until retried or discarded; other commands are only told", () => {
  const b = box();
  b.add("a");
  b.last().done(null, [{ re: "a", error: { code: "not_member", message: "no" } }]);
  assert.equal(b.results.a, "not_member");
  assert.equal(b.told.list[0].error.code, "not_member");
  b.env.advance(100_000);
  assert.equal(b.sent.length, 1);
  b.outbox.retry("a");
  assert.deepEqual(b.last().commands, b.sent[0].commands);
  b.last().done(null, [b.ok("a")]);
  assert.deepEqual(b.told.list, []);

  b.add("x");
  b.last().done(null, [{ re: "x", error: { code: "forbidden" } }]);
  b.outbox.discard("x");
  assert.deepEqual(b.told.list, []);

  b.add("j", { type: "room.join" });
  b.last().done(null, [{ re: "j", error: { code: "forbidden" } }]);
  assert.equal(b.results.j, "forbidden");
  assert.deepEqual(b.told.list, []);
});

test("a busy server is waited for, as long as it says", () => {
  const b = box();
  b.add("a");
  b.last().done(null, [{ re: "a", error: { code: "rate_limited", retry_after_ms: 4000 } }]);
  b.env.advance(3_900);
  b.add("b");
  assert.equal(b.sent.length, 1, "a new one does not jump the queue");
  b.env.advance(200);
  assert.equal(b.last().ids, "a,b");
});

test("a slow room makes nobody else wait, and keeps the order of what goes there", () => {
  const b = box();
  b.add("a");
  b.add("elsewhere", { room: "other" });
  b.last().done(null, [{ re: "a", error: { code: "rate_limited", retry_after_ms: 40_000 } }]);
  assert.equal(b.last().ids, "elsewhere");
  b.add("b");
  b.add("mark", { type: "read", seq: 1 });
  b.last().done(null, [b.ok("elsewhere")]);
  assert.equal(b.last().ids, "mark", "a mark is not slow");
  b.last().done(null, [b.ok("mark")]);
  b.env.advance(39_900);
  assert.equal(b.sent.length, 3);
  b.env.advance(200);
  assert.equal(b.last().ids, "a,b");
});

test("of two slow rooms each is asked again at its time", () => {
  const b = box();
  b.add("a");
  b.add("b", { room: "other" });
  b.last().done(null, [{ re: "a", error: { code: "rate_limited", retry_after_ms: 30_000 } }]);
  b.last().done(null, [{ re: "b", error: { code: "rate_limited", retry_after_ms: 5_000 } }]);
  b.env.advance(5_100);
  assert.equal(b.last().ids, "b");
  b.last().done(null, [b.ok("b")]);
  b.env.advance(25_000);
  assert.equal(b.last().ids, "a");
});

test("a room that is slow no longer takes at once what waits for it", () => {
  const b = box();
  b.add("a");
  b.last().done(null, [{ re: "a", error: { code: "rate_limited", retry_after_ms: 3_600_000 } }]);
  b.outbox.seen({ type: "room", room: "other", action: "update" });
  assert.equal(b.sent.length, 1);
  b.outbox.seen({ type: "room", room: "r", action: "update" });
  assert.deepEqual(b.sent.map(s => s.ids), ["a", "a"]);
});

test("a slow room is asked again within a minute of its hour: that it is slow no longer may have been missed", () => {
  const b = box();
  b.add("a");
  b.last().done(null, [{ re: "a", error: { code: "rate_limited", retry_after_ms: 3_600_000 } }]);
  b.env.advance(61_000);
  assert.equal(b.last().ids, "a");
  assert.equal(b.sent.length, 2);
});

test("a server that is busy is waited for by all", () => {
  const b = box();
  b.add("a");
  b.add("elsewhere", { room: "other" });
  b.last().done(null, [{ re: "a", error: { code: "busy", retry_after_ms: 4000 } }]);
  b.env.advance(3_900);
  assert.equal(b.sent.length, 1);
  b.env.advance(200);
  assert.equal(b.last().ids, "a,elsewhere");
});

test("one bad command does not condemn its neighbours", () => {
  const b = box();
  b.add("first");
  for (const id of ["a", "bad", "c"]) b.add(id);
  b.last().done(null, [b.ok("first")]);
  b.last().done(fault("bad_request"), []);
  for (let guard = 0; b.results.c === undefined && guard < 10; guard++) {
    const { ids, done } = b.last();
    assert.ok(!ids.includes(","), ids);
    if (ids === "bad") done(fault("bad_request"), []);
    else done(null, [b.ok(ids)]);
  }
  assert.deepEqual([b.results.a.seq, b.results.bad, b.results.c.seq], ["a", "bad_request", "c"]);
});

test("what is too large is refused before it is sent", () => {
  const b = box();
  b.add("a", { body: { text: "中".repeat(50_000) } });
  assert.equal(b.results.a, "too_large");
  assert.equal(b.sent.length, 0);
});

test("a batch is bounded in number and bytes", () => {
  const b = box({ batch: 3 });
  b.online(false);
  for (let i = 0; i < 4; i++) b.add("s" + i);
  b.online(true);
  assert.equal(b.last().ids, "s0,s1,s2");
  const big = box();
  big.online(false);
  for (let i = 0; i < 3; i++) big.add("b" + i, { body: { text: "x".repeat(29_000) } });
  big.online(true);
  assert.equal(big.last().ids, "b0,b1");
});

test("after 24 hours it stops by itself and says so; a person may go on", () => {
  const b = box();
  b.online(false);
  b.add("a");
  b.env.advance(86_400_001);
  b.online(true);
  assert.equal(b.results.a, "timeout");
  assert.equal(b.sent.length, 0);
  b.outbox.retry("a");
  assert.equal(b.last().ids, "a");
});

test("a later read mark overtakes an earlier one that has not left", () => {
  const b = box();
  b.add("first");
  b.add("r1", { type: "read", room: "r", seq: 1 });
  b.add("r2", { type: "read", room: "r", seq: 2 });
  b.add("q", { type: "read", room: "other", seq: 1 });
  b.last().done(null, [b.ok("first")]);
  assert.equal(b.last().ids, "r2,q");
  assert.deepEqual(b.results.r1, { seq: 2 });
});

test("asking twice under one id is asking once", () => {
  const b = box();
  b.online(false);
  let told = 0;
  for (let i = 0; i < 2; i++) b.outbox.add({ id: "a", type: "send", room: "r", body: { text: "a" } }, () => told++);
  assert.equal(b.told.list.length, 1);
  b.online(true);
  b.last().done(null, [b.ok("a")]);
  assert.equal(told, 2);
});

test("a token that is no longer accepted is the client's affair; the batch stays", () => {
  const b = box();
  b.add("a");
  b.last().done(fault("token_expired"), []);
  assert.equal(b.told.refused, 1);
  assert.equal(b.told.list.length, 1);
});

test("a reload forgets nothing, another user's outbox is not touched", () => {
  const storage = memory(), before = box({ storage });
  before.outbox.adopt("ann");
  before.online(false);
  before.add("a");
  before.add("b");
  const after = box({ storage }), bob = box({ storage });
  bob.outbox.adopt("bob");
  assert.equal(bob.sent.length, 0);
  after.outbox.adopt("ann");
  assert.equal(after.last().ids, "a,b");
  after.last().done(null, [after.ok("a"), { re: "b", error: { code: "gone", message: "it is" } }]);
  const again = box({ storage });
  again.outbox.adopt("ann");
  assert.equal(again.sent.length, 0);
  assert.equal(again.told.list[0].error.message, "it is");
  again.outbox.discard("b");
  assert.equal(storage.rows.size, 0);
});

test("two tabs of one user do not wipe out each other's", () => {
  const storage = memory(), one = box({ storage }), two = box({ storage });
  for (const tab of [one, two]) {
    tab.outbox.adopt("ann");
    tab.online(false);
  }
  one.add("a");
  two.add("b");
  one.add("c");
  one.online(true);
  one.last().done(null, [one.ok("a"), one.ok("c")]);
  assert.deepEqual(JSON.parse([...storage.rows.values()][0]).map(row => row.id), ["b"]);
});

test("what was asked before we knew who we are is kept behind what was left from before", () => {
  const storage = memory(), before = box({ storage });
  before.outbox.adopt("ann");
  before.online(false);
  before.add("old");
  const after = box({ storage });
  after.online(false);
  after.add("new");
  after.outbox.adopt("ann");
  after.online(true);
  assert.equal(after.last().ids, "old,new");
});

test("a storage that answers later, or throws, breaks nothing", async () => {
  const sync = memory();
  const later = { getItem: async key => sync.getItem(key), setItem: async (key, value) => sync.setItem(key, value), removeItem: async () => { throw new Error("no"); } };
  const b = box({ storage: later });
  b.outbox.adopt("ann");
  b.add("a");
  await new Promise(setImmediate);
  assert.equal(sync.rows.size, 1);
  b.last().done(null, [b.ok("a")]);
  await new Promise(setImmediate);
  const broken = box({ storage: { getItem() { throw new Error("blocked"); }, setItem() { throw new Error("full"); }, removeItem() {} } });
  broken.outbox.adopt("ann");
  broken.add("a");
  assert.equal(broken.last().ids, "a");
});
