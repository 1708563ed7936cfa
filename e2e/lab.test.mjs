// The lab: ten transports side by side read one log, in a real browser. Every one of them hears every message,
// also while the network is cut, slowed down or held back, and the page itself keeps the promises of the other.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import axe from "axe-core";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

const SHOTS = new URL("./shots/", import.meta.url).pathname;
const ROWS = ["poll", "longpoll", "xhr", "iframe", "htmlfile", "sse", "cors", "xdr", "jsonp", "websocket"];

/** Four run at a time and take turns of some seconds; on a busy machine a round takes a while. */
const ROUND = { ms: 90_000 };

suite("the lab", () => {
  const server = useServer();
  const browser = useBrowser();
  before(() => mkdir(SHOTS, { recursive: true }));

  async function open(t, options) {
    const page = await browser.open(t, `${server.origin}/lab`, options);
    page.numbers = () => page.evaluate(() => window.lab?.snapshot());
    await until("the bench is open", () => page.numbers());
    return page;
  }

  /** Everything that was sent has arrived everywhere, whole. */
  async function allArrived(page, sent) {
    await until(`${sent} messages on each of the ten`, async () => {
      const { transports } = await page.numbers();
      const behind = transports.filter(({ messages }) => messages < sent).map(({ id, messages, lamp }) => `${id} ${lamp} ${messages}`);
      if (behind.length) throw new Error(behind.join(", "));
      return true;
    }, ROUND);
    const { transports } = await page.numbers();
    assert.deepEqual(transports.map(({ id }) => id), ROWS);
    for (const { id, messages, gaps, damaged } of transports) {
      assert.deepEqual({ id, messages, gaps, damaged }, { id, messages: sent, gaps: 0, damaged: 0 });
    }
  }

  const pause = (page) => page.getByLabel("Pause").check({ force: true });
  const send = async (page, count) => {
    const before = (await page.numbers()).sent;
    for (let n = 0; n < count; n++) await page.getByRole("button", { name: "Send one" }).click();
    await until("they are sent", async () => (await page.numbers()).sent >= before + count);
    return (await page.numbers()).sent;
  };

  test("every transport hears every message, with every nasty character", async (t) => {
    const page = await open(t);
    await pause(page);
    await page.getByLabel("Hostile text").check({ force: true });
    const sent = await send(page, 5);
    await allArrived(page, sent);
    assert.deepEqual(page.problems, []);
    assert.deepEqual(page.strangers, []);
  });

  test("a cut network and a slow one lose nothing", async (t) => {
    const page = await open(t);
    await pause(page);
    await page.getByRole("button", { name: "Drop the network for 10 s" }).click();
    let sent = await send(page, 3);
    await allArrived(page, sent);
    await page.getByLabel("1 s", { exact: true }).check({ force: true });
    sent = await send(page, 2);
    await allArrived(page, sent);
  });

  test("a proxy that holds back is noticed, and still loses nothing", async (t) => {
    const page = await open(t);
    await page.getByLabel("Buffering proxy").check({ force: true });
    const heldBack = ({ causes }) => causes.held_back > 0;
    await until("a stream is called held back", async () => (await page.numbers()).transports.some(heldBack), ROUND);
    await pause(page);
    const sent = await send(page, 1);
    // What is held back stays so until its answer ends; with the proxy gone, all of it is there.
    await page.getByLabel("Buffering proxy").uncheck({ force: true });
    await allArrived(page, sent);
  });

  for (const [locale, lang] of [["en-GB", "en"], ["zh-CN", "zh"]]) {
    for (const colorScheme of ["light", "dark"]) {
      test(`looks right and is accessible: ${colorScheme}, ${lang}`, async (t) => {
        const page = await open(t, { locale, colorScheme });
        await until("numbers are there", async () => (await page.numbers()).transports.some(({ messages }) => messages > 0));
        for (const [name, viewport] of [["desktop", { width: 1280, height: 900 }], ["390", { width: 390, height: 844 }]]) {
          await page.setViewportSize(viewport);
          assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${name} fits`);
          await page.screenshot({ path: `${SHOTS}lab-${name}-${colorScheme}-${lang}.png`, fullPage: true });
        }
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0].target}`), []);
        assert.deepEqual([...page.problems, ...page.strangers], []);
      });
    }
  }
});
