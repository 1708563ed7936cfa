// The built module against a real server: WIGEON_URL=http://127.0.0.1:8088 node client/test/live.mjs
// The server must admit guests. Every transport this Node has is forced, then all of them in turn while two people talk:
// everything arrives once, in order. `WIGEON_SEED` repeats a run.
import { test } from "node:test";
import assert from "node:assert/strict";
import { until } from "./lib/until.mjs";
import { Wigeon } from "../dist/wigeon.mjs";

const url = process.env.WIGEON_URL;
const seed = Number(process.env.WIGEON_SEED || Date.now() % 1e9);
const NASTY = 'x </script><!--<script> \u2028\u2029 中文 \u{1F986} "q" \\ &amp; <b>\n\t';
const names = new Wigeon({ url: "http://any", token: "t" }).transports;

let state = seed;
/** The low bits of this generator repeat quickly: only the high ones are used. */
const random = n => Math.floor((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648 * n);

function person(t, options) {
  const chat = new Wigeon({ url, ...options });
  chat.seen = [];
  chat.gaps = 0;
  chat.on("message", m => chat.seen.push(m));
  chat.on("gap", () => chat.gaps++);
  chat.connect();
  t.after(() => chat.close());
  return until("connected", () => chat.state.status === "online").then(() => chat, error => { throw new Error(`${error.message}: ${JSON.stringify(chat.state)}`); });
}

const texts = (chat, room) => chat.seen.filter(m => m.room === room).map(m => m.body.text);

/** Two guests and the room between them. */
async function pair(t, transports) {
  const [ann, bob] = await Promise.all([person(t, { guest: { name: "Ann" }, transports }), person(t, { guest: { name: "Bob" }, transports })]);
  const { room } = await ann.send({ to: bob.user, body: { text: "0" } });
  return { ann, bob, room };
}

const options = { skip: !url && "WIGEON_URL is not set" };

for (const name of names) {
  test(`${name}: two people talk`, options, async t => {
    const { ann, bob, room } = await pair(t, [name]);
    for (const chat of [ann, bob]) await until(name, () => chat.state.transport === name);
    const said = ["0"];
    for (let i = 1; i < 7; i++) {
      await (i % 2 ? ann : bob).send({ room, body: { text: NASTY + i } });
      said.push(NASTY + i);
    }
    for (const chat of [ann, bob]) {
      await until("all of it", () => texts(chat, room).length >= said.length);
      assert.deepEqual(texts(chat, room), said);
    }
  });
}

test(`in turn, forced, with the network dropped now and then (seed ${seed}): each message once, in order`, options, async t => {
  const { ann, bob, room } = await pair(t);
  const sent = [], own = { [ann.user]: ["0"], [bob.user]: [] };
  for (let i = 1; i <= 300; i++) {
    const chat = random(2) ? ann : bob;
    own[chat.user].push(String(i));
    sent.push(chat.send({ room, body: { text: String(i) } }));
    if (random(10) === 0) [ann, bob][random(2)].force([...names, null][random(names.length + 1)]);
    if (random(40) === 0) [ann, bob][random(2)].dropNetwork(random(300));
    if (random(4) === 0) await new Promise(setImmediate);
    if (random(25) === 0) await sent[random(sent.length)];
  }
  const replies = await Promise.all(sent);
  assert.deepEqual(replies.map(r => r.seq).sort((a, b) => a - b), sent.map((_, i) => i + 2), "each has its own seq");
  for (const chat of [ann, bob]) {
    await until("all 301", () => texts(chat, room).length >= 301, 60_000);
    const seqs = chat.seen.filter(m => m.room === room).map(m => m.seq);
    assert.deepEqual(seqs, seqs.map((_, i) => i + 1), "once, in order");
    for (const user in own) assert.deepEqual(chat.seen.filter(m => m.room === room && m.from === user).map(m => m.body.text), own[user], "in the order said");
  }
});

test("history, read marks, joins and refusals", options, async t => {
  const { ann, bob, room } = await pair(t);
  await ann.send({ room, body: { text: "1" } });
  const { messages } = await bob.history({ room, limit: 10 });
  assert.deepEqual(messages.map(m => m.body.text), ["0", "1"]);
  await bob.read(room, 2);
  const { rooms } = await bob.snapshot();
  assert.equal(rooms.find(r => r.id === room).read, 2);
  await assert.rejects(ann.send({ room: "no-such-room", body: { text: "x" } }), { name: "WigeonError" });
  const { room: made } = await ann.command("room.create", { kind: "group", title: "three" });
  await assert.rejects(bob.history({ room: made.id }), { name: "WigeonError" });
});

test("a cursor of another log: reset, a snapshot, and on", options, async t => {
  const chat = new Wigeon({ url, guest: { name: "Lost" }, cursor: "1vvvvvvvvb1" }), told = [];
  t.after(() => chat.close());
  chat.on("reset", f => told.push(f.reason));
  chat.on("snapshot", () => told.push("snapshot"));
  chat.connect();
  await until("reset and snapshot", () => told.length >= 2);
  assert.deepEqual(told, ["epoch", "snapshot"]);
  await until("online", () => chat.state.status === "online");
});

test("a token the server never gave: closed with the reason", options, async t => {
  const chat = new Wigeon({ url, token: "no.such.token" });
  t.after(() => chat.close());
  chat.connect();
  await until("closed", () => chat.state.status === "closed");
  assert.equal(chat.state.error.code, "unauthenticated");
});
