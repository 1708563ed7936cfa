import assert from "node:assert/strict";
import { test } from "node:test";
import { Absence, AWAY_MS } from "../src/app/absence.ts";

const absence = () => {
  const it = new Absence(() => {});
  it.began();
  return it;
};

test("what a longer absence brought is counted, whether it comes before or after the connection is proven", () => {
  const it = absence();
  it.state("waiting", 0);
  it.state("connecting", 1_000);
  it.message();
  it.state("online", AWAY_MS + 1);
  it.message(2);
  assert.equal(it.news, 3);
  assert.equal(it.since, null);
  it.stop();
});

test("a short interruption is nobody's business", () => {
  const it = absence();
  it.state("waiting", 0);
  it.message();
  it.state("online", AWAY_MS);
  assert.equal(it.news, null);
});

test("the first connection is no return", () => {
  const it = absence();
  it.state("online", 1e12);
  assert.equal(it.news, null);
});
