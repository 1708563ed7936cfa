import assert from "node:assert/strict";
import { test } from "node:test";
import { causeOf, Meter } from "../src/lab/meter.ts";
import { bytesOfText, type Wire } from "../src/lab/wire.ts";

const HEADS = { request: 500, response: 300, bearer: 200 };

function bench(wire: Wire, transport: any, seq = 0) {
  const meter = new Meter(wire, () => "lab", seq, HEADS);
  const raw = (direction: "up" | "down", text: string, now: number) =>
    meter.onRaw({ transport, direction, text, bytes: bytesOfText(text), requests: direction === "up" && /^(GET|POST) /.test(text) ? 1 : 0 }, now);
  const message = (seq: number, sent_at = 0) => ({ type: "message" as const, cursor: `c${seq}`, room: "lab", seq, id: `i${seq}`, from: "ann", at: 0, body: { text: `#${seq} ${sent_at} quack` } });
  return {
    meter, raw, message,
    get: (now: number) => raw("up", "GET http://h/v1/events?transport=x", now),
    state: (status: any, now: number, error?: any) => meter.onState({ status, transport: null, forced: null, up: "post", rtt_ms: null, retry_at: null, error }, now),
    /** One line of a stream, handed on by the library unless it is an old one. */
    line: (seq: number, now: number, { fresh = true, sent_at = now, sent = undefined as string | undefined } = {}) => {
      raw("down", `${JSON.stringify(message(seq, sent_at))}\n`, now);
      if (fresh) meter.onMessage(message(seq, sent_at), now, now, sent);
    },
  };
}

test("messages in a row leave no gap, and what is missing is counted", () => {
  const { meter, line, get } = bench("lines", "xhr-stream", 4);
  get(0);
  line(5, 10);
  line(6, 20);
  assert.equal(meter.gaps, 0);
  line(9, 30);
  assert.equal(meter.gaps, 2);
  line(11, 40);
  assert.equal(meter.gaps, 3);
  assert.equal(meter.messages, 4);
});

test("the first message after the beginning may be missing too", () => {
  const { meter, line } = bench("lines", "xhr-stream", 4);
  line(7, 10);
  assert.equal(meter.gaps, 2);
});

test("what the wire brought and the library kept back is a duplicate", () => {
  const { meter, line } = bench("lines", "xhr-stream");
  line(1, 10);
  line(1, 20, { fresh: false });
  line(2, 30);
  assert.deepEqual([meter.messages, meter.duplicates, meter.gaps], [2, 1, 0]);
});

test("a recalled message has no words, and is counted all the same", () => {
  const { meter, message } = bench("lines", "xhr-stream", 4);
  const { body, ...recalled } = message(5);
  meter.onMessage({ ...recalled, recalled: true }, 10, 10, undefined);
  assert.deepEqual([meter.messages, meter.gaps, meter.damaged], [1, 0, 0]);
});

test("other rooms and answers to commands are not counted as messages", () => {
  const { meter, raw, message } = bench("lines", "xhr-stream");
  raw("down", `${JSON.stringify({ ...message(1), room: "lobby" })}\n`, 0);
  meter.onMessage({ ...message(1), room: "lobby" }, 0, 0, undefined);
  meter.onRaw({ transport: "post", direction: "down", text: `{"replies":[]}`, bytes: 14, requests: 0 }, 0);
  assert.deepEqual([meter.messages, meter.duplicates], [0, 0]);
  assert.ok(meter.down_bytes > 0);
});

test("a text that is not the one that was sent is damaged", () => {
  const { meter, line } = bench("lines", "xhr-stream");
  line(1, 10, { sent_at: 5, sent: "#1 5 quack" });
  line(2, 10, { sent_at: 5, sent: "#2 5 quuck" });
  line(3, 10);
  assert.equal(meter.damaged, 1);
});

test("latency is measured, but not of what waited for a turn", () => {
  const { meter, line } = bench("lines", "xhr-stream");
  meter.resume(1_000);
  line(1, 1_050, { sent_at: 400 });
  line(2, 1_100, { sent_at: 1_088 });
  assert.deepEqual(meter.latencies.recent(1_100), [12]);
  assert.equal(meter.caught_up, 1);
});

test("a stream that comes back is a reconnect with its first cause; a turn is none", () => {
  const { meter, get, state } = bench("lines", "xhr-stream");
  meter.resume(0);
  get(0);
  assert.equal(meter.reconnects, 0);
  state("waiting", 10, { code: "timeout", message: "held back" });
  state("waiting", 20, { code: "network", message: "network" });
  get(30);
  get(40);
  assert.deepEqual(Object.fromEntries(meter.causes), { held_back: 1, ended: 1 });
  assert.equal(meter.last_cause, "ended");
  meter.pause("turn", 50);
  meter.resume(60);
  get(70);
  assert.equal(meter.reconnects, 2);
});

test("polls ask again and again without reconnecting, unless they failed", () => {
  const { meter, get, raw, state } = bench("answer", "poll");
  meter.resume(0);
  for (const now of [0, 10, 20]) {
    get(now);
    raw("down", `{"frames":[],"cursor":"c"}`, now + 2);
  }
  assert.equal(meter.reconnects, 0);
  assert.equal(meter.requests, 3);
  meter.cut();
  state("offline", 30, { code: "network", message: "network" });
  get(40);
  assert.deepEqual(Object.fromEntries(meter.causes), { dropped: 1 });
});

test("lamps follow the library, and the lane closes its bar when nothing is read", () => {
  const { meter, get, state } = bench("sse", "sse");
  meter.resume(0);
  get(0);
  state("online", 5);
  assert.equal(meter.lamp, "online");
  assert.deepEqual(meter.lane.spans, [{ from: 0, to: null }]);
  state("waiting", 9, { code: "network", message: "network" });
  assert.deepEqual(meter.lane.spans, [{ from: 0, to: 9 }]);
  assert.deepEqual(meter.error, { code: "network", message: "network" });
  meter.pause("off", 12);
  assert.equal(meter.lamp, "off");
  assert.equal(meter.error, null);
});

test("what surrounds the events is all bytes without them", () => {
  const { meter, get, line } = bench("lines", "xhr-stream");
  assert.equal(meter.overhead, null);
  get(0);
  line(1, 1);
  line(2, 2);
  assert.equal(meter.overhead, (meter.up_bytes + meter.down_bytes - meter.event_bytes) / 2);
  assert.ok((meter.overhead ?? 0) > HEADS.request / 2);
});

test("causes have names", () => {
  assert.equal(causeOf({ code: "timeout", message: "held back on its way" }), "held_back");
  assert.equal(causeOf({ code: "timeout", message: "timeout" }), "timeout");
  assert.equal(causeOf({ code: "network", message: "1006" }), "network");
  assert.equal(causeOf({ code: "forbidden", message: "no" }), "refused");
});
