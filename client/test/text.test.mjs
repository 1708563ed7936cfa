// The pure parts: lines, cursors, sizes, queries, errors, ids.
import { test } from "node:test";
import assert from "node:assert/strict";
import { source } from "./lib/source.mjs";
import { fakeEnv } from "./lib/clock.mjs";

const { lineReader, isSeen, utf8Length, query, retryAfterMs, subject, redact, fromResponse, fromWire, isAuth, isTransient, fromClose, commandId, random } =
  await source("text.ts", "fault.ts", "env.ts");

test("lines come out whole, wherever the pieces were cut", () => {
  const text = '{"a":"中文 \u{1F986}"}\n\n   \n{"b":2}\r\n{"c":';
  for (let cut = 0; cut <= text.length; cut++) {
    const lines = [], feed = lineReader(line => lines.push(line.trim()));
    feed(text.slice(0, cut));
    feed(text.slice(cut));
    assert.deepEqual(lines, ['{"a":"中文 \u{1F986}"}', '{"b":2}'], `cut at ${cut}`);
    feed("3}\n");
    assert.equal(lines[2], '{"c":3}');
  }
});

test("a cursor is seen when it is at or before ours, within one epoch", () => {
  assert.equal(isSeen("1aaaaaaaab5", "1aaaaaaaab5"), true);
  assert.equal(isSeen("1aaaaaaaab5", "1aaaaaaaab6"), true);
  assert.equal(isSeen("1aaaaaaaabv", "1aaaaaaaac10"), true, "more digits are later");
  assert.equal(isSeen("1aaaaaaaac10", "1aaaaaaaabv"), false);
  assert.equal(isSeen("1bbbbbbbbb1", "1aaaaaaaab6"), false, "another epoch is not before");
  assert.equal(isSeen("1aaaaaaaab5", null), false);
});

test("UTF-8 lengths are those of the encoder", () => {
  for (const text of ["", "abc", "é", "中文", "\u{1F986}", "a\u07ff\u0800\uffff\u{10ffff}z"]) {
    assert.equal(utf8Length(text), new TextEncoder().encode(text).length, text);
  }
});

test("queries leave out what is not given and escape the rest", () => {
  assert.equal(query({ a: 1, b: "", c: null, d: undefined, e: "x y&z=中" }), "?a=1&e=x%20y%26z%3D%E4%B8%AD");
  assert.equal(query({}), "");
});

test("Retry-After in seconds", () => {
  assert.equal(retryAfterMs("3"), 3000);
  assert.equal(retryAfterMs(null), undefined);
  assert.equal(retryAfterMs("Wed, 21 Oct 2026 07:28:00 GMT"), undefined);
});

test("the subject of a token, and nothing from what is none", () => {
  const root = { atob };
  const token = claims => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
  assert.equal(subject(root, token({ sub: "g:1?>~" })), "g:1?>~");
  assert.equal(subject(root, "opaque"), null);
  assert.equal(subject(root, token({})), null);
  assert.equal(subject({}, token({ sub: "ann" })), null, "no atob");
});

test("tickets and tokens never reach an instrument", () => {
  assert.equal(redact("GET /v1/events?after=1&ticket=secret&x=1"), "GET /v1/events?after=1&ticket=…&x=1");
  assert.equal(redact('{"type":"hello","token":"secret","after":"1"}{"type":"ticket","ticket":"secret"}'), '{"type":"hello","token":"…","after":"1"}{"type":"ticket","ticket":"…"}');
});

test("an answer that is not 200 becomes what its body says, else what its status says", () => {
  const code = (status, body = "<html>") => fromResponse(status, body).code;
  assert.deepEqual([0, 400, 401, 403, 404, 413, 429, 500, 502, 503].map(status => code(status)),
    ["network", "bad_request", "unauthenticated", "forbidden", "bad_request", "too_large", "rate_limited", "unavailable", "unavailable", "unavailable"]);
  const busy = fromResponse(503, '{"code":"busy","detail":"a queue is full","retry_after_ms":700}', 3000);
  assert.equal(`${busy.code} ${busy.message} ${busy.retry_after_ms}`, "busy a queue is full 700");
  assert.equal(fromResponse(429, "", 3000).retry_after_ms, 3000);
  assert.ok(busy instanceof Error && busy.name === "WigeonError");
});

test("which errors end it, which are waited out, which are final", () => {
  const of = code => fromWire({ code });
  assert.deepEqual(["unauthenticated", "token_expired", "forbidden", "network"].map(c => isAuth(of(c))), [true, true, false, false]);
  assert.deepEqual(["network", "timeout", "busy", "unavailable", "internal", "rate_limited"].map(c => isTransient(of(c))), Array(6).fill(true));
  assert.deepEqual(["bad_request", "forbidden", "not_member", "not_found", "gone", "conflict", "too_large"].map(c => isTransient(of(c))), Array(7).fill(false));
  assert.equal(isTransient(fromWire({ code: "gone", outcome: "unknown" })), true);
  assert.deepEqual([4401, 4403, 1006, 1012].map(c => fromClose(c, "").code), ["unauthenticated", "forbidden", "network", "network"]);
});

test("ids sort by time, fit the server's grammar, and carry 100 random bits", () => {
  const env = fakeEnv(), first = commandId(env);
  env.advance(1);
  const second = commandId(env);
  assert.match(first, /^[0-9a-v]{29}$/);
  assert.ok(first.slice(0, 9) < second.slice(0, 9));
  assert.notEqual(first.slice(9), second.slice(9));
  assert.match(random(env, 26), /^[0-9a-v]{26}$/);
});
