// The built module, in Node, against a small twin of the server: what a page lives through, from login to refusal.
import { test } from "node:test";
import assert from "node:assert/strict";
import { twin } from "./lib/twin.mjs";
import { until } from "./lib/until.mjs";
import Default, { Wigeon } from "../dist/wigeon.mjs";

/** A server and clients that end with the test. */
async function stage(t) {
  const server = await twin(), chats = [];
  t.after(async () => {
    for (const chat of chats) chat.close();
    await server.close();
  });
  return {
    server,
    client(options) {
      const chat = new Wigeon({ url: server.url, token: "user-ann", ...options });
      chat.seen = [];
      chat.on("message", message => chat.seen.push(message.body.text));
      chats.push(chat);
      return chat;
    },
  };
}

const online = chat => until("online", () => chat.state.status === "online");
const say = (chat, text) => chat.send({ room: "lobby", body: { text } });

test("the module's default is the class", () => assert.equal(Default, Wigeon));

test("a guest logs in, gets a snapshot, sends, and sees the own message once", async t => {
  const { server, client } = await stage(t);
  const chat = client({ token: undefined, guest: { name: "Ann" } }), snapshots = [];
  chat.on("snapshot", s => snapshots.push(s));
  assert.equal(chat.state.status, "idle");
  chat.connect();
  await online(chat);
  assert.equal(chat.guestToken.user, "g:1");
  assert.equal(chat.user, "g:1");
  assert.equal(snapshots.length, 1);
  const sent = say(chat, "hello");
  assert.match(sent.id, /^[0-9a-v]{29}$/);
  const { room, seq, cursor, at } = await sent;
  assert.deepEqual([room, seq, cursor, at], ["lobby", 1, server.log[0].cursor, server.log[0].at]);
  await until("the own message", () => chat.seen.length);
  server.push({ body: { text: "from bob" } });
  await until("the other message", () => chat.seen.length === 2);
  assert.deepEqual(chat.seen, ["hello", "from bob"]);
});

test("with a cursor there is no snapshot: it goes on from there", async t => {
  const { server, client } = await stage(t);
  server.push({ body: { text: "before" } });
  const cursor = server.log[0].cursor;
  server.push({ body: { text: "while away" } });
  const chat = client({ cursor });
  chat.connect();
  await until("the missed one", () => chat.seen.length);
  assert.deepEqual(chat.seen, ["while away"]);
  assert.ok(!server.requests.includes("POST /v1/commands"));
});

test("forced from one transport to the next in mid-conversation: everything once, in order", async t => {
  const { server, client } = await stage(t);
  const chat = client();
  chat.connect();
  await online(chat);
  assert.deepEqual(chat.transports.filter(name => name !== "websocket"), ["fetch-stream", "longpoll", "poll"]);
  const order = ["longpoll", "fetch-stream", "poll", "fetch-stream", "longpoll", null];
  let n = 0;
  for (const name of order) {
    chat.force(name);
    server.push({ body: { text: `m${n++}` } });
    await until(`${name} reads`, () => chat.state.transport === (name || "fetch-stream"));
    server.push({ body: { text: `m${n++}` } });
  }
  await until("all", () => chat.seen.length >= n);
  assert.deepEqual(chat.seen, Array.from({ length: n }, (_, i) => `m${i}`));
});

test("lost answers, dead connections and a busy server: each message once, in the order sent", async t => {
  const { server, client } = await stage(t);
  const chat = client();
  chat.connect();
  await online(chat);
  const sent = [];
  for (let i = 0; i < 40; i++) {
    if (i % 4 === 0) server.faults.push(["lose", "drop", 503][i / 4 % 3]);
    sent.push(say(chat, `m${i}`));
    if (i % 10 === 9) {
      server.cut();
      await sent[i];
    }
  }
  await Promise.all(sent);
  const all = sent.map((_, i) => `m${i}`);
  assert.deepEqual(server.log.map(e => e.body.text), all);
  await until("all of them down", () => chat.seen.length >= 40);
  assert.deepEqual(chat.seen, all);
});

test("what is not for us moves the cursor all the same", async t => {
  const { server, client } = await stage(t);
  const chat = client({ transports: ["poll"] });
  chat.connect();
  await online(chat);
  const { cursor } = server.push({ hidden: true });
  await until("the cursor", () => chat.cursor === cursor);
  assert.deepEqual(chat.seen, []);
});

test("a send that is never answered is answered by its own message", async t => {
  const { server, client } = await stage(t);
  const chat = client();
  chat.connect();
  await until("a stream", () => chat.state.transport === "fetch-stream");
  await chat.command("ping");
  server.faults.push("hang");
  assert.equal((await say(chat, "hello")).seq, 1);
});

test("what is dropped before it connects sends nothing until it may", async t => {
  const { server, client } = await stage(t);
  const chat = client();
  chat.dropNetwork(200);
  chat.connect();
  await until("offline", () => chat.state.status === "offline");
  assert.deepEqual(server.requests, []);
  await online(chat);
});

test("a dropped network: offline, then everything that passed meanwhile, and what was said into it", async t => {
  const { server, client } = await stage(t);
  const chat = client();
  chat.connect();
  await online(chat);
  chat.dropNetwork(300);
  assert.equal(chat.state.status, "offline");
  assert.ok(chat.state.retry_at >= Date.now() + 200);
  server.push({ body: { text: "theirs" } });
  const mine = say(chat, "mine");
  assert.equal(chat.outbox.length, 1);
  await mine;
  await until("both", () => chat.seen.length === 2);
  assert.deepEqual(chat.seen, ["theirs", "mine"]);
  assert.deepEqual(chat.outbox, []);
});

test("another epoch: reset, a snapshot by itself, and on from there", async t => {
  const { server, client } = await stage(t);
  const chat = client(), told = [];
  for (const type of ["reset", "snapshot"]) chat.on(type, value => told.push(type));
  chat.connect();
  await online(chat);
  server.push({ body: { text: "old" } });
  await until("old", () => chat.seen.length);
  server.newEpoch();
  server.cut();
  await until("reset and snapshot", () => told.length >= 3 && chat.cursor?.startsWith("1bbbb"));
  assert.deepEqual(told, ["snapshot", "reset", "snapshot"]);
  await online(chat);
  server.push({ body: { text: "new" } });
  await until("new", () => chat.seen.length === 2);
});

test("a token that runs out is asked for once more; then it is closed with the reason, and nothing is asked again", async t => {
  const { server, client } = await stage(t);
  const tokens = ["t-old", "user-ann", "t-bad", "t-bad"];
  let asked = 0;
  const chat = client({ token: async () => tokens[asked++] });
  chat.connect();
  await online(chat);
  assert.equal(asked, 2, "the first was refused, the second is good");
  server.faults.push(401, 401);
  await assert.rejects(Promise.race([say(chat, "hi"), until("closed", () => chat.state.status === "closed").then(() => { throw chat.state.error; })]), { code: "unauthenticated" });
  assert.equal(asked, 3);
  assert.equal(chat.state.status, "closed");
  const count = server.requests.length;
  await new Promise(setImmediate);
  assert.equal(server.requests.length, count);
  assert.equal(chat.outbox.length, 1, "what was not sent is still there");
});

test("a refused command rejects with the server's words", async t => {
  const { client } = await stage(t);
  const chat = client();
  chat.connect();
  await online(chat);
  await assert.rejects(say(chat, "refuse me"), { name: "WigeonError", code: "forbidden", message: "no" });
  assert.equal(chat.outbox[0].error.code, "forbidden");
  chat.discard(chat.outbox[0].id);
  assert.deepEqual(chat.outbox, []);
});

test("an outbox in storage is sent by the next page", async t => {
  const { server, client } = await stage(t);
  const rows = new Map();
  const storage = { getItem: key => rows.get(key) ?? null, setItem: (key, value) => void rows.set(key, value), removeItem: key => void rows.delete(key) };
  const first = client({ storage, token: "user-ann" });
  first.connect();
  await online(first);
  first.dropNetwork(60_000);
  say(first, "written before the reload");
  first.close();
  const second = client({ storage });
  second.connect();
  await until("sent", () => server.log.length);
  assert.equal(server.log[0].body.text, "written before the reload");
  await until("empty", () => second.outbox.length === 0 && rows.size === 0);
});

test("questions asked together travel together; typing leaves once in 3 s", async t => {
  const { server, client } = await stage(t);
  const chat = client({ transports: ["longpoll"] });
  chat.connect();
  await online(chat);
  await chat.command("ping");
  const before = server.requests.filter(r => r === "POST /v1/commands").length;
  const [history, snapshot] = await Promise.all([chat.history({ room: "lobby", limit: 5 }), chat.snapshot(), chat.command("user.get", { user: "ann" })]);
  assert.deepEqual(history.messages, []);
  assert.equal(snapshot.user, "user-ann");
  // The snapshot pages by itself and so goes alone.
  assert.equal(server.requests.filter(r => r === "POST /v1/commands").length - before, 2);
  const raw = [];
  chat.on("raw", entry => { if (entry.text.includes("typing")) raw.push(entry); });
  for (let i = 0; i < 5; i++) chat.typing("lobby");
  await until("typing is told", () => raw.length);
  await chat.command("ping");
  assert.equal(raw.length, 1);
});

test("raw events tell what passes, without credentials", async t => {
  const { client } = await stage(t);
  const chat = client(), raw = [];
  chat.on("raw", entry => raw.push(entry));
  chat.connect();
  await until("a stream", () => chat.state.transport === "fetch-stream");
  assert.ok(raw.some(e => e.transport === "fetch-stream" && e.direction === "up" && e.requests === 1 && e.text.startsWith("GET ")));
  assert.ok(raw.some(e => e.transport === "fetch-stream" && e.direction === "down" && e.text.includes('"ready"') && e.bytes >= e.text.length));
  assert.ok(raw.some(e => e.transport === "post" && e.text.includes("snapshot")));
  assert.ok(!raw.some(e => e.text.includes("user-ann\"") && e.direction === "up"));
});

test("closed and connected again it goes on from its cursor", async t => {
  const { server, client } = await stage(t);
  const chat = client();
  chat.connect();
  await online(chat);
  chat.close();
  assert.equal(chat.state.status, "closed");
  server.push({ body: { text: "meanwhile" } });
  chat.connect();
  await until("caught up", () => chat.seen.length);
  assert.deepEqual(chat.seen, ["meanwhile"]);
});

test("closed by who hears of a snapshot or a reset, it stays closed", async t => {
  const { server, client } = await stage(t);
  const told = { snapshot: client(), reset: client() };
  for (const type of ["snapshot", "reset"]) {
    const chat = told[type];
    chat.on(type, chat.close);
    chat.connect();
    if (type === "reset") {
      await online(chat);
      server.push({ body: { text: "old" } });
      await until("old", () => chat.seen.length);
      server.newEpoch();
      server.cut();
    }
    await until("closed", () => chat.state.status === "closed");
  }
  // What they would still ask for is answered before this.
  const other = client();
  other.connect();
  await until("a stream", () => other.state.transport === "fetch-stream");
  for (const chat of Object.values(told)) assert.equal(chat.state.status, "closed");
});
