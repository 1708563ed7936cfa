// Floor first, race upward, prove, then swap: the machine, with a clock and transports that the test moves.
import { test } from "node:test";
import assert from "node:assert/strict";
import { source } from "./lib/source.mjs";
import { fakeNet } from "./lib/net.mjs";

const { createSelector } = await source("selector.ts");

/** A net whose floor has answered: the race is on. */
function started(options) {
  const net = fakeNet(createSelector, options);
  net.selector.start();
  net.last("longpoll")?.flow();
  return net;
}

/** A net that has settled on WebSocket. */
function settled(options) {
  const net = started(options);
  net.last("websocket").flow();
  assert.equal(net.current(), "websocket");
  return net;
}

test("the floor is asked at once, and nothing else before it answers", () => {
  const net = fakeNet(createSelector);
  net.selector.start();
  assert.deepEqual(net.names(), ["longpoll"]);
  net.env.advance(2000);
  assert.deepEqual(net.names(), ["longpoll"]);
  net.last("longpoll").flow();
  assert.deepEqual(net.names(), ["longpoll", "websocket"]);
  assert.equal(net.current(), "longpoll");
});

test("what worked here last is tried beside the floor from the first moment", () => {
  const net = fakeNet(createSelector, { best: "sse" });
  net.selector.start();
  assert.deepEqual(net.names(), ["longpoll", "sse"]);
});

test("one WebSocket and one stream are probed at a time, the second a moment later", () => {
  const net = started();
  net.env.advance(339);
  assert.deepEqual(net.live(), ["longpoll", "websocket"]);
  net.env.advance(1);
  assert.deepEqual(net.live(), ["longpoll", "websocket", "fetch-stream"]);
  net.env.advance(1000);
  assert.deepEqual(net.live(), ["longpoll", "websocket", "fetch-stream"]);
});

test("make before break: the old reader stays until the new one is proven, and both start after the same cursor", () => {
  const net = started();
  net.move("1aaaaaaaab7");
  const probe = net.last("websocket");
  probe.ready();
  assert.equal(net.current(), "longpoll", "ready proves nothing");
  net.env.advance(150);
  probe.beat();
  assert.equal(net.current(), "websocket");
  assert.deepEqual(net.live(), ["websocket"]);
  assert.deepEqual(net.saved, ["websocket"]);
});

test("a stream that a proxy held back and let go at once is not proven, and is stepped over", () => {
  const net = started();
  const probe = net.last("websocket");
  probe.ready();
  probe.beat();
  assert.equal(net.current(), "longpoll", "ready and heartbeat in one moment");
  net.env.advance(2499);
  assert.equal(probe.open, true);
  net.env.advance(1);
  assert.equal(probe.open, false, "the time to prove itself is over");
  assert.equal(net.current(), "longpoll");
});

test("an answer with somebody else's nonce is a cache's, not the server's", () => {
  const net = started();
  net.last("websocket").ready("other");
  assert.equal(net.last("websocket").open, false);
  assert.equal(net.current(), "longpoll");
});

test("a better one that proves itself later replaces the good one; a worse one does not", () => {
  const net = started();
  net.env.advance(340);
  net.last("fetch-stream").flow();
  assert.equal(net.current(), "fetch-stream");
  net.last("websocket").flow();
  assert.equal(net.current(), "websocket");
  assert.deepEqual(net.live(), ["websocket"]);
});

test("a proven answer that ends by its size is reopened at once, the same way, without a floor between", () => {
  const net = started({ only: ["fetch-stream", "longpoll"] });
  net.last("fetch-stream").flow();
  net.env.advance(60_000 - 35_000);
  net.last("fetch-stream").end();
  assert.equal(net.current(), "fetch-stream");
  assert.equal(net.count("fetch-stream"), 2);
  assert.equal(net.count("longpoll"), 1);
  assert.equal(net.told.waits.length, 0);
});

test("a lost WebSocket falls to the floor at once, and is raced for again", () => {
  const net = settled();
  net.env.advance(20_000);
  net.last("websocket").end("network");
  assert.equal(net.current(), "longpoll");
  net.last("longpoll").flow();
  assert.equal(net.count("websocket"), 2);
});

test("silence for 35 s ends a stream, whatever its connection says", () => {
  const net = settled(), socket = net.last("websocket");
  net.env.advance(30_000);
  socket.beat();
  net.env.advance(34_000);
  assert.equal(net.current(), "websocket");
  net.env.advance(7_000);
  assert.equal(socket.open, false);
  assert.equal(net.current(), "longpoll");
});

test("bytes that are no whole frame count as life", () => {
  const net = settled();
  for (let i = 0; i < 10; i++) {
    net.env.advance(20_000);
    net.last("websocket").link.tap("down", "{half a fra");
  }
  assert.equal(net.current(), "websocket");
});

test("two failures beside a working floor ban a transport; it is tried again when the ban is over", () => {
  const net = started({ only: ["websocket", "longpoll"] });
  net.env.advance(2500);
  assert.equal(net.count("websocket"), 1);
  net.env.advance(30_000);
  assert.equal(net.count("websocket"), 2, "looked again after 30 s");
  net.env.advance(2500 + 30_000);
  assert.equal(net.count("websocket"), 2, "banned for 60 s");
  net.env.advance(600_000);
  assert.ok(net.count("websocket") > 2);
});

test("a WebSocket refused at once was refused by something on the way: banned now", () => {
  const net = started({ only: ["websocket", "longpoll"] });
  net.last("websocket").end("network");
  net.env.advance(40_000);
  assert.equal(net.count("websocket"), 1);
});

test("another network clears the bans", () => {
  const net = started({ only: ["websocket", "longpoll"] });
  net.last("websocket").end("network");
  net.env.advance(1000);
  net.selector.wake(true);
  assert.equal(net.count("websocket"), 2);
});

test("nobody looks for better ones while nobody looks at the page", () => {
  const net = started({ only: ["websocket", "longpoll"] });
  net.hide();
  net.env.advance(3000);
  const before = net.count("websocket");
  net.env.advance(200_000);
  assert.equal(net.count("websocket"), before);
});

test("when the floor fails alone the network is down: wait with jitter, ban nobody", () => {
  const net = fakeNet(createSelector);
  net.selector.start();
  const waits = [];
  for (let i = 0; i < 9; i++) {
    for (const a of net.opened.filter(a => a.open)) a.end("network");
    waits.push(net.told.waits[net.told.waits.length - 1].in);
    net.env.advance(waits[i] + 2);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000], "half of 500·2ⁿ, at most 30 s");
  net.last("longpoll").flow();
  assert.ok(net.live().includes("websocket"));
});

test("Retry-After holds all transports back together", () => {
  const net = fakeNet(createSelector);
  net.selector.start();
  net.last("longpoll").end("busy", { retry_after_ms: 9000 });
  assert.equal(net.told.waits[0].in, 9000);
  net.env.advance(8990);
  assert.equal(net.opened.length, 1);
  net.env.advance(20);
  assert.equal(net.count("longpoll"), 2);
});

test("bye: not before the moment, and then in any case", () => {
  const net = settled();
  net.selector.holdUntil(net.env.now() + 5000);
  net.last("websocket").end("network");
  assert.equal(net.current(), null);
  net.env.advance(4990);
  assert.equal(net.count("longpoll"), 1);
  net.env.advance(300);
  assert.equal(net.current(), "longpoll");

  const patient = settled(), socket = patient.last("websocket");
  patient.selector.holdUntil(patient.env.now() + 5000);
  patient.env.advance(5000);
  assert.equal(socket.open, false, "the server did not end it: we leave");
  assert.equal(patient.current(), "longpoll");
});

test("who is not accepted is told so; no other transport is tried", () => {
  const net = started();
  net.last("websocket").end("token_expired");
  assert.deepEqual(net.told.refused, ["token_expired"]);
  assert.deepEqual(net.live().filter(name => name !== "websocket"), []);
  net.env.advance(100_000);
  assert.equal(net.opened.length, 2);
});

test("an error frame ends a stream that cannot show a status", () => {
  const net = started({ only: ["sse", "longpoll"] });
  net.last("sse").link.frame({ type: "error", error: { code: "token_expired", message: "no" } });
  assert.deepEqual(net.told.refused, ["token_expired"]);
});

test("what is forbidden for one transport beside another that works is only that transport's end", () => {
  const net = started({ only: ["sse", "longpoll"] });
  net.last("sse").end("forbidden");
  assert.deepEqual(net.told.refused, []);
  assert.equal(net.current(), "longpoll");
  net.last("longpoll").end("forbidden");
  assert.deepEqual(net.told.refused, ["forbidden"]);
});

test("a pinned transport is taken over like any other, and kept though better ones exist", () => {
  const net = settled();
  net.selector.force("poll");
  assert.equal(net.current(), "websocket", "until it answers");
  net.last("poll").flow();
  assert.equal(net.current(), "poll");
  net.env.advance(1_000_000);
  assert.deepEqual(net.live(), ["poll"]);
  net.selector.force(null);
  net.env.advance(300);
  net.last("websocket").flow();
  assert.equal(net.current(), "websocket");
});

test("a pinned transport that does not work is tried again and again, the old one delivers meanwhile", () => {
  const net = settled();
  net.selector.force("sse");
  for (let i = 1; i < 5; i++) {
    assert.equal(net.count("sse"), i);
    net.last("sse").end("network");
    assert.equal(net.current(), "websocket");
    net.last("websocket").beat();
    while (net.count("sse") === i) net.env.advance(100);
  }
});

test("after waking, a WebSocket is asked and a dead one left within 3 s", () => {
  const net = settled();
  net.env.advance(20_000);
  net.last("websocket").beat();
  net.env.advance(1000);
  net.selector.wake(false);
  assert.deepEqual(net.last("websocket").sent, ["ping"]);
  net.env.advance(3000);
  assert.equal(net.current(), "longpoll");

  const alive = settled();
  alive.env.advance(1000);
  alive.selector.wake(false);
  alive.env.advance(500);
  alive.last("websocket").beat();
  alive.env.advance(5000);
  assert.equal(alive.current(), "websocket");
});

test("after waking, a stream is opened anew beside the old one; a poll asks again", () => {
  const net = started({ only: ["sse", "longpoll"] });
  net.last("sse").flow();
  const old = net.last("sse");
  net.env.advance(1000);
  net.selector.wake(false);
  assert.equal(net.count("sse"), 2);
  assert.equal(old.open, true);
  net.last("sse").flow();
  assert.equal(old.open, false);
  assert.equal(net.current(), "sse");

  const poll = fakeNet(createSelector, { only: ["longpoll"] });
  poll.selector.start();
  poll.last("longpoll").flow();
  poll.selector.wake(false);
  assert.equal(poll.last("longpoll").poked, 1);
});

test("a network that is cut is left alone until it may be used, then everything comes back", () => {
  const net = settled();
  net.off(true);
  net.selector.cut(net.env.now() + 10_000, new Error("cut"));
  assert.deepEqual(net.live(), []);
  const count = net.opened.length;
  net.env.advance(9_999);
  assert.equal(net.opened.length, count);
  net.off(false);
  net.env.advance(10);
  assert.equal(net.current(), "longpoll");
});

test("stopped, it holds no connection and no timer", () => {
  const net = settled();
  net.selector.stop();
  assert.deepEqual(net.live(), []);
  assert.equal(net.env.pending(), 0);
});
