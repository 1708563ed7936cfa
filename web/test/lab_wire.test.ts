import assert from "node:assert/strict";
import { test } from "node:test";
import { ROWS, curlLine } from "../src/lab/catalog.ts";
import { HOSTILE, textOf } from "../src/lab/publisher.ts";
import { stampOf } from "../src/lab/meter.ts";
import { bytesOfEvent, bytesOfText, cost, escaped, FrameFinder, shown, type Wire } from "../src/lab/wire.ts";

const HEADS = { request: 500, response: 300, bearer: 200 };
const frame = (seq: number, text = `text ${seq}`) => ({ type: "message", cursor: `c${seq}`, room: "lab", seq, body: { text } });
const seqs = (wire: Wire, ...texts: string[]) => {
  const finder = new FrameFinder(wire);
  return texts.flatMap((text) => finder.take(text).map((found) => found.seq));
};
const raw = (transport: any, direction: "up" | "down", text: string) => ({ transport, direction, text, bytes: bytesOfText(text), requests: direction === "up" ? 1 : 0 });

test("every framing gives back its frames", () => {
  const [one, two] = [JSON.stringify(frame(1)), JSON.stringify(frame(2))];
  assert.deepEqual(seqs("answer", `{"frames":[${one},${two}],"cursor":"c2","more":false}`), [1, 2]);
  assert.deepEqual(seqs("script", `{"frames":[${one}],"cursor":"c1"}`, `{"replies":[{"re":"x","ok":{}}]}`), [1]);
  assert.deepEqual(seqs("frame", one, two), [1, 2]);
  assert.deepEqual(seqs("socket", `${one}\n${two}`), [1, 2]);
  assert.deepEqual(seqs("sse", `id: c1\ndata: ${one}\n\n`, `data: ${two}\n\n`), [1, 2]);
  assert.deepEqual(seqs("lines", `${" ".repeat(2048)}\n${one}\n${two}\n`), [1, 2]);
});

test("a line that is cut anywhere is one frame, and half a line of a lost answer is none", () => {
  const text = `${JSON.stringify(frame(1))}\n${JSON.stringify(frame(2))}\n`;
  for (let cut = 0; cut <= text.length; cut++) assert.deepEqual(seqs("lines", text.slice(0, cut), text.slice(cut)), [1, 2], `cut at ${cut}`);
  const finder = new FrameFinder("lines");
  finder.take(text.slice(0, 30));
  finder.restart();
  assert.deepEqual(finder.take(text).map(({ seq }) => seq), [1, 2]);
});

test("a message that looks like a frame is only a text", () => {
  const trick = JSON.stringify(frame(1, JSON.stringify(frame(9)) + "\n\ndata: " + JSON.stringify(frame(8))));
  for (const wire of ["lines", "frame", "socket", "sse"] as const) assert.deepEqual(seqs(wire, wire === "sse" ? `data: ${trick}\n\n` : `${trick}\n`), [1], wire);
});

test("events are counted as the server escapes them", () => {
  assert.equal(escaped("</script>&\u2028"), "\\u003c/script\\u003e\\u0026\\u2028");
  assert.equal(bytesOfEvent({ type: "m", body: "<" }), `{"type":"m","body":"\\u003c"}`.length);
  assert.equal(bytesOfEvent({ type: "鸭" }), 11 + 3);
});

test("what browsers hide from scripts is put back around what is shown", () => {
  assert.equal(shown("frame", raw("iframe", "down", `{"t":"</script>"}`)), `<script nonce="…">p({"t":"\\u003c/script\\u003e"})</script>`);
  assert.equal(shown("script", raw("jsonp", "down", "{}")), "/**/wigeon_…({});");
  assert.equal(shown("socket", raw("websocket", "down", "{}")), "{}");
  assert.equal(shown("lines", raw("xhr-stream", "down", `${" ".repeat(2048)}\n{}\n`)), "␠×2048\n{}");
  assert.match(shown("answer", raw("poll", "down", "x".repeat(1000))), /^x{360}… \+640$/);
});

test("a WebSocket message costs its header, a poll two heads, a stream its chunk", () => {
  assert.deepEqual(cost(raw("websocket", "down", "x".repeat(125)), HEADS), { up: 0, down: 127 });
  assert.deepEqual(cost(raw("websocket", "down", "x".repeat(126)), HEADS), { up: 0, down: 130 });
  assert.deepEqual(cost(raw("websocket", "up", "{}"), HEADS), { up: 2 + 6, down: 0 });
  const get = "GET http://h/v1/events?transport=poll";
  assert.deepEqual(cost(raw("poll", "up", get), HEADS), { up: get.length + 11 + 500 + 200, down: 0 });
  assert.deepEqual(cost(raw("poll", "up", `${get}&ticket=…`), HEADS).up, bytesOfText(`${get}&ticket=…`) + 11 + 500);
  assert.equal(cost(raw("poll", "down", "{}"), HEADS).down, 302);
  assert.equal(cost(raw("sse", "up", "GET x"), HEADS).down, 300);
  assert.equal(cost(raw("sse", "down", "x".repeat(16)), HEADS).down, 16 + "10\r\n\r\n".length);
});

test("texts carry their number and time, have the size asked for, and hostile ones survive JSON", () => {
  for (const size of [32, 256, 16_384]) assert.equal(bytesOfText(textOf(7, 1795410374734.25, size, false)), size);
  const text = textOf(12, 1795410374734.2, 32, true);
  assert.deepEqual(stampOf(text), { n: 12, sent_at: 1795410374734.2 });
  assert.ok(text.includes(HOSTILE));
  assert.equal(JSON.parse(escaped(JSON.stringify(text))), text);
  assert.equal(stampOf("somebody else's message"), null);
});

test("each row has a line for the terminal, with its transport and no space in its address", () => {
  for (const row of ROWS) {
    const line = curlLine(row, "http://127.0.0.1:8088", "T0KEN");
    assert.match(line, /^curl .*'http:\/\/127\.0\.0\.1:8088\/v1\/events\?[^ ']+'/);
    if (row.id !== "cors") assert.ok(line.includes("Bearer T0KEN"), row.id);
  }
});
