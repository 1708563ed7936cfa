// A room of 100,000 messages: scrolling through it, jumping about in it and receiving in it stays smooth. What
// "smooth" means is told from Chromium's own trace: no task of the page should keep its thread for 50 ms or longer.
// The time of a task is what it had of a processor: on a busy machine it may wait for one, which is not its fault.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

const MESSAGES = 100_000;
const BATCH = 100;
const BATCHES_AT_ONCE = 8;
const TASK_MS_GOAL = 50;
const ROWS_MAX = 400;

suite("a room of 100,000 messages", () => {
  const server = useServer({ args: () => ["--durability", "memory"] });
  const browser = useBrowser();
  let service;
  before(async () => {
    service = server.token("filler", { role: "service" });
    await server.command(service, { type: "room.create", kind: "channel", title: "Long", room: "long" });
    let next = 0;
    const fill = async () => {
      while (next < MESSAGES) {
        const first = next;
        next += BATCH;
        const batch = Array.from({ length: BATCH }, (_, i) => ({ id: `m-${first + i}`, type: "send", room: "long", body: { text: textOf(first + i + 1) } }));
        const response = await server.post("/v1/commands", batch, service);
        const refused = (await response.json()).replies.find((reply) => !reply.ok);
        assert.equal(refused, undefined, JSON.stringify(refused));
      }
    };
    await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, fill));
    // One message that leads far back.
    await server.command(service, { type: "send", room: "long", body: { text: "look back" }, reply_to: 50_000 });
  });

  /** What a person's day looks like: short ones, long ones, links, code, emoji. */
  const textOf = (n) =>
    [
      `message ${n}`,
      `message ${n}: a longer one, which tells of the pond, of the birds on it and of who went there to see them, and so it takes two or three lines of the page`,
      `message ${n} has https://pond.example/${n} and **strong** and \`code\``,
      `message ${n}\nwith\nfour\nlines`,
      `第 ${n} 条消息，湖边有十几只赤颈鸭`,
    ][n % 5];

  async function open(t) {
    const ann = server.token(`ann-${Math.floor(performance.now())}`, { name: "Ann" });
    await server.command(ann, { type: "room.join", room: "long" });
    const page = await openIn(await browser.context(t), `${server.origin}/?room=long#token=${ann}`);
    const chat = new Chat(page, "Ann");
    await chat.sees("look back");
    return chat;
  }

  const seqs = (chat) => chat.messages.evaluateAll((rows) => rows.map((row) => Number(row.dataset.seq)));

  /** The tasks of the page's main thread while `act` runs, longest first. */
  async function tasksDuring(chat, act) {
    const { page } = chat;
    await browser.process.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"] });
    let trace;
    try {
      await act();
    } finally {
      trace = JSON.parse(await browser.process.stopTracing()).traceEvents;
    }
    const main = new Set(trace.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid}/${e.tid}`));
    const tasks = trace.filter((e) => e.name.endsWith("RunTask") && e.ph === "X" && main.has(`${e.pid}/${e.tid}`));
    assert.ok(tasks.length > 100, "the trace has the page's tasks");
    return tasks.map((task) => ({ ms: (task.tdur ?? task.dur) / 1000, wall: task.dur / 1000 })).sort((a, b) => b.ms - a.ms);
  }

  /** A figure and not a test: how long a task takes is the machine's, too. What is tested is how many rows there are. */
  function tell(t, tasks) {
    const over = tasks.filter(({ ms }) => ms >= TASK_MS_GOAL).length;
    const longest = tasks.slice(0, 3).map(({ ms }) => ms.toFixed(1)).join(", ");
    t.diagnostic(`${tasks.length} tasks; the longest took ${longest} ms; ${over} of ${TASK_MS_GOAL} ms or more`);
  }

  /** Turns the wheel until `done`, and notes how many rows there ever were. */
  async function wheel(chat, by, done) {
    let most = 0;
    await chat.timeline.hover();
    await until("scrolled far enough", async () => {
      await chat.page.mouse.wheel(0, by);
      const shown = await seqs(chat);
      most = Math.max(most, shown.length);
      return done(shown);
    });
    assert.ok(most <= ROWS_MAX, `${most} rows`);
  }

  test("scrolling up through two thousand messages and down again keeps few rows", async (t) => {
    const ann = await open(t);
    const tasks = await tasksDuring(ann, async () => {
      await wheel(ann, -2500, (shown) => shown[0] < MESSAGES - 2000);
      await wheel(ann, 2500, (shown) => shown.at(-1) > MESSAGES);
    });
    tell(t, tasks);
  });

  test("a jump to the middle shows the message with what is around it, and on it scrolls both ways", async (t) => {
    const ann = await open(t);
    const tasks = await tasksDuring(ann, async () => {
      await ann.message("look back").locator(".quote").click();
      const there = ann.page.locator('[data-seq="50000"]');
      await there.waitFor();
      await until("in view", () => there.evaluate((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return top > 0 && bottom < innerHeight;
      }));
      const shown = await seqs(ann);
      assert.ok(shown.includes(49_990) && shown.includes(50_010), "with context");
      await wheel(ann, -2500, (now) => now[0] < 49_500);
      await wheel(ann, 2500, (now) => now.at(-1) > 50_500);
      await ann.page.getByTestId("jump-latest").click();
      await until("back at the end", async () => (await seqs(ann)).at(-1) > MESSAGES);
    });
    tell(t, tasks);
  });

  test("a busy hour arriving at once is drawn without a stop", async (t) => {
    const ann = await open(t);
    const tasks = await tasksDuring(ann, async () => {
      const batch = Array.from({ length: 100 }, (_, i) => ({ id: `live-${i}`, type: "send", room: "long", body: { text: `live ${i}` } }));
      await server.post("/v1/commands", batch, service);
      await ann.sees("live 99");
    });
    tell(t, tasks);
  });
});
