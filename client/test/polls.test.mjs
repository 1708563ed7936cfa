// Long polling and polling, over an HTTP client that the test answers.
import { test } from "node:test";
import assert from "node:assert/strict";
import { source } from "./lib/source.mjs";
import { fakeEnv } from "./lib/clock.mjs";

const { longpoll, poll } = await source("down/polls.ts");

function start(transport) {
  const env = fakeEnv(), asked = [], answers = [], ended = [];
  const http = (_, request, done) => {
    const wait = Number(new URL(request.url).searchParams.get("wait") || 0);
    const row = { wait, at: env.now(), timeout_ms: request.timeout_ms, done: (status, value, retry) => done(status, typeof value === "string" ? value : JSON.stringify(value), retry), aborted: false };
    asked.push(row);
    return () => { row.aborted = true; };
  };
  const channel = transport.open({
    site: { env, http, base: "http://server" }, bearer: "t", after: () => "c", visible: () => true, tap() {}, rtt() {},
    url: (name, more) => "http://server/v1/events?" + new URLSearchParams(Object.entries({ transport: name, ...more }).filter(([, v]) => v != null)),
    answer: answer => answers.push(answer), end: error => ended.push(error),
  });
  const frames = (...list) => ({ frames: list, cursor: "c" });
  return { env, asked, answers, ended, channel, frames, last: () => asked[asked.length - 1] };
}

test("the first request never waits, the next are held, each follows the answer before it", () => {
  const p = start(longpoll);
  assert.deepEqual(p.asked.map(r => r.wait), [0]);
  p.last().done(200, p.frames({ type: "message" }));
  p.env.advance(0);
  assert.deepEqual(p.asked.map(r => r.wait), [0, 25]);
  assert.equal(p.last().timeout_ms, 35_000);
  p.env.advance(25_000);
  p.last().done(200, p.frames());
  p.env.advance(0);
  assert.equal(p.asked.length, 3);
  assert.equal(p.answers.length, 2);
});

test("while there is more, it does not wait", () => {
  const p = start(longpoll);
  p.last().done(200, { frames: [{}], cursor: "c", more: true });
  p.env.advance(0);
  assert.equal(p.last().wait, 0);
});

test("empty answers that were not held do not make it spin", () => {
  const p = start(longpoll);
  p.last().done(200, p.frames());
  for (let i = 0; i < 5; i++) {
    p.env.advance(999);
    p.last().done(200, p.frames());
  }
  assert.ok(p.asked.length <= 6);
});

test("what ends idle requests on the way is learned: the hold shrinks below it", () => {
  const p = start(longpoll);
  p.last().done(200, p.frames());
  p.env.advance(0);
  for (let guard = 0; guard < 20 && p.last().wait * 1000 >= 5000; guard++) {
    p.env.advance(5000);
    p.last().done(504, "<html>");
    assert.equal(p.last().wait, 0, "is the network there at all?");
    p.last().done(200, p.frames());
    p.env.advance(0);
  }
  assert.equal(p.last().wait, 3);
  assert.deepEqual(p.ended, []);
});

test("a network that is gone is told after one question more", () => {
  const p = start(longpoll);
  p.last().done(200, p.frames());
  p.env.advance(0);
  p.env.advance(9000);
  p.last().done(0, "");
  p.last().done(0, "");
  assert.equal(p.ended[0].code, "network");
});

test("a refusal or a Retry-After is not taken for idleness", () => {
  for (const [status, retry, code] of [[401, undefined, "unauthenticated"], [503, 4000, "unavailable"]]) {
    const p = start(longpoll);
    p.last().done(200, p.frames());
    p.env.advance(9000);
    p.last().done(status, "", retry);
    assert.equal(p.ended[0].code, code);
    assert.equal(p.ended[0].retry_after_ms, retry);
  }
});

test("polling asks every 2 s while something happens, every 10 s when nothing does", () => {
  const p = start(poll), run = ms => {
    const before = p.asked.length;
    for (let t = 0; t < ms; t += 100) {
      p.env.advance(100);
      if (p.asked.length > p.answers.length) p.last().done(200, p.frames());
    }
    return p.asked.length - before;
  };
  p.last().done(200, p.frames());
  assert.ok(Math.abs(run(60_000) - 29) <= 2);
  assert.ok(Math.abs(run(100_000) - 10) <= 1);
  assert.deepEqual([...new Set(p.asked.map(r => r.wait))], [0]);
});

test("poked, it asks now; closed, it asks no more", () => {
  const p = start(longpoll);
  p.last().done(200, p.frames());
  p.env.advance(0);
  p.channel.poke();
  assert.equal(p.asked[1].aborted, true);
  assert.equal(p.last().wait, 0);
  p.channel.close();
  assert.equal(p.last().aborted, true);
  p.env.advance(60_000);
  assert.equal(p.asked.length, 3);
});
