// Tabs of one person in one process: a bus and a lock as browsers have them, and connections that a test holds in its hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, Frame, Snapshot, State } from "wigeon-client";
import { SharedChat } from "../src/tabs/shared.ts";

class Bus {
  static all: Bus[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor(readonly name: string) {
    Bus.all.push(this);
  }
  postMessage(data: unknown): void {
    const copy = structuredClone(data);
    for (const other of Bus.all) if (other !== this && other.name === this.name) queueMicrotask(() => other.onmessage?.({ data: copy }));
  }
  close(): void {
    Bus.all = Bus.all.filter((other) => other !== this);
  }
}

type Holder = { held: () => Promise<void>; failed: (error: Error) => void };
const locks = {
  queue: [] as Holder[],
  request(_name: string, { steal = false }: LockOptions, held: () => Promise<void>): Promise<void> {
    return new Promise((_, failed) => {
      if (steal) locks.queue.shift()?.failed(new Error("stolen"));
      locks.queue[steal ? "unshift" : "push"]({ held, failed });
      if (steal || locks.queue.length === 1) queueMicrotask(held);
    });
  },
};

Object.assign(globalThis, { BroadcastChannel: Bus, document: Object.assign(new EventTarget(), { hidden: false }) });
Object.defineProperty(globalThis, "navigator", { value: { locks } });

/** As much of a connection as tabs use. */
class Line {
  state: State = { status: "idle", transport: null, forced: null, up: "post", rtt_ms: null, retry_at: null };
  outbox = [];
  done: string[] = [];
  cursor: string | null = null;
  private listeners = new Map<string, (value: unknown) => void>();
  on = (type: string, listener: (value: unknown) => void) => this.listeners.set(type, listener);
  connect = () => this.change("connecting");
  close = () => this.change("closed");
  retry = (id: string) => this.done.push(`retry ${id}`);
  snapshots: ((snapshot: Snapshot) => void)[] = [];
  snapshot = () => new Promise((answer) => this.snapshots.push(answer));
  change(status: State["status"]): void {
    this.state = { ...this.state, status };
    this.tell("state", this.state);
  }
  tell(type: string, value: unknown): void {
    this.listeners.get(type)?.(value);
  }
  frame(type: string, cursor: string): void {
    this.cursor = cursor;
    this.tell("*", { type, cursor });
  }
}

const settled = () => new Promise(setImmediate);
const snapshotAt = (cursor: string) => ({ user: "me", cursor, rooms: [] }) as unknown as Snapshot;

/** Tabs that end with the test; each notes what its page hears. */
function person(t: { after(end: () => void): void }) {
  locks.queue = [];
  const lines: Line[] = [];
  const open = () => {
    const line = new Line();
    lines.push(line);
    return line as unknown as Client;
  };
  const chatOf = () => {
    const chat = new SharedChat({ name: "me", transports: [], open });
    t.after(() => chat.close());
    return chat;
  };
  const tab = async () => {
    const chat = chatOf();
    const heard: string[] = [];
    chat.on("*", (frame: Frame) => heard.push(frame.type));
    chat.on("snapshot", (snapshot) => heard.push(`snapshot ${snapshot.cursor}`));
    chat.on("state", ({ status }) => heard.push(status));
    chat.connect();
    await settled();
    return { chat, heard };
  };
  return { chatOf, tab, lines };
}

test("a tab whose connection another has taken over does not end, it follows", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { tab, lines } = person(t);
  const first = await tab();
  await tab();
  // The one that leads sleeps: it hears nothing.
  const [ear] = Bus.all;
  const hears = ear!.onmessage;
  ear!.onmessage = null;
  t.mock.timers.tick(10_000);
  ear!.onmessage = hears;
  await settled();
  assert.equal(lines.length, 2);
  assert.ok(!first.heard.includes("closed"), first.heard.join());
  lines[1]!.change("online");
  await settled();
  assert.equal(first.chat.state.status, "online");
});

test("a tab that has slept itself, and so heard nothing, takes nothing from who leads", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { tab, lines } = person(t);
  await tab();
  await tab();
  const hour = Date.now() + 3_600_000;
  t.mock.method(Date, "now", () => hour);
  for (let pings = 0; pings < 6; pings++) {
    t.mock.timers.tick(2_000);
    await settled();
  }
  assert.equal(lines.length, 1);
});

test("what is pressed while nobody leads is done by who leads next", async (t) => {
  const { chatOf, lines } = person(t);
  const chat = chatOf();
  chat.connect();
  chat.retry("m1");
  await settled();
  assert.deepEqual(lines[0]!.done, ["retry m1"]);
});

test("a new leader is a new connection for those who follow, also when it is there at once", async (t) => {
  const { tab, lines } = person(t);
  await tab();
  lines[0]!.change("online");
  const { chat, heard } = await tab();
  assert.equal(chat.state.status, "online");
  heard.length = 0;
  Bus.all[0]!.postMessage({ kind: "lead", leader: "third" });
  await settled();
  assert.deepEqual(heard, ["connecting", "online"]);
});

test("a reset that comes while a tab waits for its snapshot does not empty what the snapshot fills", async (t) => {
  const { tab, lines } = person(t);
  await tab();
  const line = lines[0]!;
  line.change("online");
  line.tell("snapshot", snapshotAt("1"));
  const { heard } = await tab();
  assert.equal(line.snapshots.length, 1);
  line.frame("message", "2");
  line.frame("reset", "3");
  line.tell("snapshot", snapshotAt("4"));
  line.snapshots[0]!(snapshotAt("2"));
  await settled();
  assert.deepEqual(heard.filter((word) => !["connecting", "online"].includes(word)), ["snapshot 4"]);
});
