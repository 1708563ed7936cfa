import assert from "node:assert/strict";
import { test } from "node:test";
import { around, atTail, bound, boundAround, canGrowUp, growDown, growUp, MESSAGES_SHOWN_MAX, MESSAGES_STEP, tail, type Window } from "../src/model/window.ts";
import { messages } from "./support.ts";

const all = messages(1, 1000);
const shown = (window: Window) => all.filter((m) => m.seq >= window.from && m.seq <= window.to).length;

test("a room opens at its newest messages", () => {
  const window = tail(all);
  assert.deepEqual(window, { from: 1000 - MESSAGES_STEP + 1, to: Infinity });
  assert.deepEqual(tail([]), { from: 0, to: Infinity });
});

test("walking all the way up and down shows every message and never more than the bound", () => {
  let window = tail(all);
  const seen = new Set<number>();
  const look = () => {
    assert.ok(shown(window) <= MESSAGES_SHOWN_MAX, `${shown(window)} nodes`);
    for (const m of all) if (m.seq >= window.from && m.seq <= window.to) seen.add(m.seq);
  };
  look();
  while (canGrowUp(all, window)) {
    const before = window.from;
    window = growUp(all, window);
    assert.ok(window.from < before);
    look();
  }
  assert.equal(seen.size, all.length);
  assert.equal(atTail(window), false);
  while (!atTail(window)) {
    const before = window.to;
    window = growDown(all, window);
    assert.ok(window.to > before);
    look();
  }
});

test("what arrives while reading older messages does not grow the document", () => {
  const reading = { from: 900, to: Infinity };
  assert.equal(shown(bound(messages(1, 2000), reading, "older")), MESSAGES_SHOWN_MAX > 101 ? 101 : 0);
  const held = bound(messages(1, 2000), reading, "older");
  assert.equal(held.from, 900);
  assert.equal(held.to, 900 + MESSAGES_SHOWN_MAX - 1);
});

test("a jump puts the message in the middle", () => {
  const window = around(all, 500);
  assert.ok(window.from < 500 && window.to > 500);
  assert.equal(around(all, 990).to, Infinity);
  assert.equal(around(all, 3).from, 1);
});

test("a window grown from inside shrinks around what the reader sees", () => {
  for (const seq of [1, 60, 500, 940, 1000]) {
    const window = boundAround(all, { from: 1, to: Infinity }, seq);
    assert.equal(shown(window), MESSAGES_SHOWN_MAX);
    assert.ok(window.from <= seq && seq <= window.to);
  }
  assert.deepEqual(boundAround(all, { from: 900, to: Infinity }, 950), { from: 900, to: Infinity });
});
