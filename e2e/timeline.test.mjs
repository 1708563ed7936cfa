// Reading back: older messages come in above without moving what is being read, and newer ones do not pull
// the reader down.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

const OLD_MESSAGES = 400;

/** Two pixels of rounding are no movement. */
const MOVED_PX_MAX = 2;

suite("the timeline", () => {
  const server = useServer();
  const browser = useBrowser();
  let host;
  before(async () => {
    host = await server.guest("Host");
    for (let n = 0; n < OLD_MESSAGES; n += 100) {
      const batch = Array.from({ length: 100 }, (_, i) => ({
        id: `old-${n + i}`, type: "send", room: "lobby", body: { text: `old ${n + i}${(n + i) % 7 === 3 ? "\nwith a\nfew lines" : ""}` },
      }));
      const response = await server.post("/v1/commands", batch, host.token);
      const refused = (await response.json()).replies.filter((reply) => !reply.ok);
      assert.deepEqual(refused, []);
    }
  });

  const scrollTo = (chat, top) => chat.timeline.evaluate((view, top) => (view.scrollTop = top), top);

  /** The message nearest to the middle of the view, and where it is. */
  const middle = (chat) =>
    chat.timeline.evaluate((view) => {
      const box = view.getBoundingClientRect();
      const centre = box.top + box.height / 2;
      const row = [...view.querySelectorAll("article")].find((row) => row.getBoundingClientRect().bottom > centre);
      return { seq: row.dataset.seq, top: row.getBoundingClientRect().top };
    });
  const topOf = (chat, seq) =>
    chat.timeline.evaluate((view, seq) => view.querySelector(`[data-seq="${seq}"]`)?.getBoundingClientRect().top, seq);

  test("every old message is reached by scrolling up, each once, and the document stays small", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    await ann.sees(`old ${OLD_MESSAGES - 1}`);
    const seen = new Set();
    let most = 0;
    await until("the first message", async () => {
      const seqs = await ann.messages.evaluateAll((rows) => rows.map((row) => Number(row.dataset.seq)));
      assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), "ascending, without doubles");
      seqs.forEach((seq) => seen.add(seq));
      most = Math.max(most, seqs.length);
      await scrollTo(ann, 0);
      return seen.has(1);
    });
    for (let seq = 1; seq <= OLD_MESSAGES; seq++) assert.ok(seen.has(seq), `message ${seq} was on screen`);
    t.diagnostic(`at most ${most} of ${OLD_MESSAGES} messages in the document`);
  });

  test("what is being read does not move when older messages come in above it", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    await ann.sees(`old ${OLD_MESSAGES - 1}`);
    let checked = 0;
    for (let round = 0; round < 6; round++) {
      const first = async () => Number(await ann.messages.first().getAttribute("data-seq"));
      const oldest = await first();
      await scrollTo(ann, 400);
      const { seq, top } = await middle(ann);
      await until("older ones are there", async () => (await first()) < oldest || oldest === 1);
      const now = await topOf(ann, seq);
      if (now === undefined) continue;
      assert.ok(Math.abs(now - top) <= MOVED_PX_MAX, `message ${seq} moved by ${now - top} px`);
      checked += 1;
    }
    assert.ok(checked >= 3, "it was looked at often enough");
  });

  test("a new message does not pull a reader down, and a button says that it is there", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    await ann.sees(`old ${OLD_MESSAGES - 1}`);
    await ann.timeline.evaluate((view) => (view.scrollTop = view.scrollHeight / 2));
    const latest = ann.page.getByTestId("jump-latest");
    await latest.waitFor();
    await until("the view has settled", async () => {
      const one = await middle(ann);
      return JSON.stringify(one) === JSON.stringify(await middle(ann)) && one;
    });
    const { seq, top } = await middle(ann);
    await server.send(host.token, "lobby", "news for the reader");
    await until("the button counts", async () => /\d/.test(await latest.textContent()));
    assert.ok(Math.abs((await topOf(ann, seq)) - top) <= MOVED_PX_MAX);
    await latest.click();
    await ann.sees("news for the reader");
    await until("at the end", () =>
      ann.timeline.evaluate((view) => view.scrollHeight - view.clientHeight - view.scrollTop < 4),
    );
    await latest.waitFor({ state: "hidden" });
  });

  test("at the end, the view follows what comes", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    await ann.sees(`old ${OLD_MESSAGES - 1}`);
    for (const text of ["follow 1", "follow 2\nwith\nlines", "follow 3"]) {
      await server.send(host.token, "lobby", text);
      await ann.sees(text);
      await until("in view", () =>
        ann.timeline.evaluate((view) => view.scrollHeight - view.clientHeight - view.scrollTop < 4),
      );
    }
  });
});
