import assert from "node:assert/strict";
import { test } from "node:test";
import { peopleShown } from "../src/app/people_shown.ts";
import { Model } from "../src/model/model.ts";
import { message } from "./support.ts";

test("those on screen come before those in the list, and oneself not at all", () => {
  const model = new Model();
  const rooms = [
    { id: "pond", kind: "group" as const, title: "Pond", seq: 3, users: [{ id: "me" }, { id: "ann" }, { id: "bob" }] },
    { id: "d:dan~me", kind: "direct" as const, users: [{ id: "dan" }, { id: "me" }] },
    { id: "lake", kind: "group" as const, title: "Lake", users: [{ id: "me" }, { id: "eve" }], last: message(9, { room: "lake", from: "fay" }) },
  ];
  model.snapshot({ user: "me", rooms });
  for (const [seq, from] of [[1, "old"], [2, "cat"], [3, "me"]] as const) model.frame({ ...message(seq, { room: "pond", from }), type: "message" }, 0);
  const window = { from: 2, to: Infinity };
  assert.deepEqual(peopleShown({ model, open: { target: { room: "pond" }, window } }), ["cat", "ann", "bob", "dan", "fay"]);
  assert.deepEqual(peopleShown({ model, open: { target: { to: "gus" }, window } }), ["gus", "dan", "fay"]);
  assert.deepEqual(peopleShown({ model, open: null }), ["dan", "fay"]);
});
