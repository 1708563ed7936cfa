import assert from "node:assert/strict";
import { test } from "node:test";
import { BUFFER_BYTES, type Conditions, Dam } from "../src/lab/dam.ts";
import { logShare, quantile, Samples, spread } from "../src/lab/stats.ts";
import { bars, Lane, marks, WINDOW_MS } from "../src/lab/timeline.ts";
import { Turns } from "../src/lab/turns.ts";
import { bytes, milliseconds, ratio } from "../src/lab/ui/format.ts";
import { en } from "../src/lab/words/en.ts";
import { zh } from "../src/lab/words/zh.ts";

test("quantiles are values that were measured", () => {
  assert.equal(spread([]), null);
  assert.deepEqual(spread([5]), { count: 1, p50: 5, p95: 5, max: 5 });
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(spread(hundred), { count: 100, p50: 50, p95: 95, max: 100 });
  assert.equal(quantile([1, 2, 3], 0), 1);
  assert.equal(quantile([1, 2, 3], 1), 3);
});

test("samples are forgotten by age and by number", () => {
  const samples = new Samples();
  samples.add(1, 0);
  samples.add(2, 50_000);
  assert.deepEqual(samples.recent(60_000), [1, 2]);
  assert.deepEqual(samples.recent(60_001), [2]);
  for (let i = 0; i < 5_000; i++) samples.add(i, 60_000);
  assert.equal(samples.recent(60_000).length, 600);
  assert.equal(samples.recent(60_000).at(-1), 4_999);
});

test("the latency scale is logarithmic and has ends", () => {
  assert.equal(logShare(0.2), 0);
  assert.equal(logShare(1, 1, 100), 0);
  assert.equal(logShare(10, 1, 100), 0.5);
  assert.equal(logShare(1e9), 1);
});

test("a lane keeps one bar open, and forgets what has left the window", () => {
  const lane = new Lane();
  lane.begin(0);
  lane.end(5);
  lane.begin(100);
  lane.begin(200);
  assert.deepEqual(lane.spans, [{ from: 0, to: 5 }, { from: 100, to: 200 }, { from: 200, to: null }]);
  lane.message(WINDOW_MS + 150, false);
  assert.deepEqual(lane.spans.map(({ from }) => from), [100, 200]);
  for (let now = 0; now < 5 * WINDOW_MS; now += 10) lane.message(now, false);
  assert.ok(lane.dots.length < (2.1 * WINDOW_MS) / 10);
});

test("bars end at now while they are open, and the shortest can be seen", () => {
  const now = WINDOW_MS;
  assert.deepEqual(bars([{ from: now / 2, to: null }], now, 300), [{ x: 150, width: 150 }]);
  assert.deepEqual(bars([{ from: now - 100, to: now - 99 }], now, 300), [{ x: 299, width: 1.5 }]);
  assert.deepEqual(bars([{ from: -5_000, to: null }], now, 300), [{ x: 0, width: 300 }]);
  assert.deepEqual(bars([{ from: -5_000, to: -1 }], now, 300), []);
});

test("many messages in one pixel are one mark, late if any of them is", () => {
  const dots = [{ at: 1_000, late: false }, { at: 1_001, late: true }, { at: 20_000, late: false }, { at: -90_000, late: false }];
  assert.deepEqual([...marks(dots, WINDOW_MS, 300)], [[10, true], [200, false]]);
});

const IDS = ["a", "b", "c", "d", "e", "f"];

test("never more hold a connection than there are places, and each comes to its turn", () => {
  const turns = new Turns(2);
  const had = new Set<string>();
  for (let now = 0; now < 60_000; now += 250) {
    const running = turns.at(now, IDS);
    assert.ok(running.size === 2);
    running.forEach((id) => had.add(id));
    if (now === 9_000) assert.equal(had.size, 6, "newcomers see all of them soon");
  }
});

test("turns are shared evenly", () => {
  const turns = new Turns(2);
  const share = new Map<string, number>();
  for (let now = 0; now < 240_000; now += 250) for (const id of turns.at(now, IDS)) share.set(id, (share.get(id) ?? 0) + 1);
  const shares = [...share.values()];
  assert.ok(Math.max(...shares) < 1.3 * Math.min(...shares), String(shares));
});

test("once all have run, a turn is long enough to see something", () => {
  const turns = new Turns(2);
  const changes: number[] = [];
  let before = "";
  for (let now = 0; now < 60_000; now += 250) {
    const running = [...turns.at(now, IDS)].sort().join();
    if (running !== before && now > 10_000) changes.push(now);
    before = running;
  }
  assert.ok(changes.length > 5);
  for (let i = 1; i < changes.length; i++) assert.ok((changes[i] ?? 0) - (changes[i - 1] ?? 0) >= 4_000);
});

test("who is switched off frees its place at once, and with places enough nobody waits", () => {
  const turns = new Turns(2);
  assert.deepEqual([...turns.at(0, ["a", "b", "c"])], ["a", "b"]);
  assert.deepEqual([...turns.at(250, ["b", "c"])], ["b", "c"]);
  turns.slots = 6;
  assert.equal(turns.at(500, IDS).size, 6);
  turns.slots = 3;
  assert.equal(turns.at(750, IDS).size, 3);
});

/** A clock that is moved by hand. */
function dam(conditions: Conditions) {
  let now = 0;
  const timers: { at: number; then: () => void }[] = [];
  const passed: string[] = [];
  const under = new Dam(conditions, { now: () => now, after: (ms, then) => void timers.push({ at: now + ms, then }) });
  return {
    passed, under,
    push: (name: string, size: number) => under.push(size, () => passed.push(name)),
    advance: (ms: number) => {
      now += ms;
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(timer), 1);
        timer.then();
      }
    },
  };
}

test("with nothing in its way everything passes at once", () => {
  const { push, passed } = dam({ delay_ms: 0, buffering: false });
  push("a", 1);
  assert.deepEqual(passed, ["a"]);
});

test("a buffering proxy holds small pieces until 4 KiB or the end", () => {
  const { push, passed, under } = dam({ delay_ms: 0, buffering: true });
  push("a", 100);
  push("b", BUFFER_BYTES - 101);
  assert.deepEqual(passed, []);
  push("c", 1);
  assert.deepEqual(passed, ["a", "b", "c"]);
  push("d", 10);
  under.end(() => passed.push("end"));
  assert.deepEqual(passed, ["a", "b", "c", "d", "end"]);
});

test("delay keeps the order and the distances, also when it is taken away meanwhile", () => {
  const conditions = { delay_ms: 1_000, buffering: false };
  const { push, passed, advance } = dam(conditions);
  push("a", 1);
  advance(150);
  push("b", 1);
  advance(850);
  assert.deepEqual(passed, ["a"]);
  conditions.delay_ms = 0;
  push("c", 1);
  assert.deepEqual(passed, ["a"], "c may not overtake b");
  advance(150);
  assert.deepEqual(passed, ["a", "b", "c"]);
  push("d", 1);
  assert.deepEqual(passed, ["a", "b", "c", "d"]);
});

test("after it is closed nothing passes", () => {
  const { push, passed, under, advance } = dam({ delay_ms: 10, buffering: false });
  push("a", 1);
  under.close();
  advance(20);
  assert.deepEqual(passed, []);
});

test("numbers have few digits and a unit", () => {
  assert.deepEqual([0.44, 9.96, 42, 999, 1_234, 12_345].map(milliseconds), ["0.4 ms", "10.0 ms", "42 ms", "999 ms", "1.2 s", "12 s"]);
  assert.deepEqual([12, 999, 1_234, 45_678, 1_234_567].map(bytes), ["12 B", "999 B", "1.2 kB", "46 kB", "1.2 MB"]);
  assert.deepEqual([0.034, 0.5, 3.21, 15.4].map(ratio), ["0.03", "0.5", "3.2", "15"]);
});

test("Chinese has every sentence, and none of them in English", () => {
  const texts = (words: object): string[] => Object.values(words).flatMap((value) => (typeof value === "string" ? [value] : typeof value === "object" ? texts(value) : []));
  const same = texts(en).filter((text) => texts(zh).includes(text));
  const names = ["iframe", "htmlfile", "SSE", "CORS", "XDR", "JSONP", "WebSocket", "XDomainRequest"];
  assert.deepEqual(same.filter((text) => !names.includes(text)), []);
  assert.equal(en.about.length, zh.about.length);
});
