// A walk by three people on three transports: what they said is found, by each in what they may see, and no more.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";
import { groupOf, problemsOf, station, trio } from "./lib/walk.mjs";

suite("three people and what they said", () => {
  const server = useServer();
  const browser = useBrowser();

  test("a walk", async (t) => {
    const { ann, bo, cy } = await trio(t, browser, server);
    const all = [ann, bo, cy];
    await groupOf(ann, bo, cy, "Pond");
    await ann.send("the widgeon is back at the pond");
    await bo.send("今天湖边有十几只赤颈鸭");
    await cy.send("Ｗｉｄｇｅｏｎ, or Wigeon?");
    for (const walker of all) await walker.sees("Ｗｉｄｇｅｏｎ, or Wigeon?");

    const hits = (walker) => walker.page.getByRole("search").locator(".hit-text");
    const finds = async (walker, words, texts) => {
      await walker.page.keyboard.press("ControlOrMeta+f");
      await walker.page.getByRole("search").getByRole("searchbox").fill(words);
      await until(`${walker.name} finds ${texts}`, async () => JSON.stringify(await hits(walker).allTextContents()) === JSON.stringify(texts));
    };
    const leave = async (walker) => {
      await walker.page.keyboard.press("Escape");
      await walker.page.getByRole("search").waitFor({ state: "detached" });
    };

    await t.test("a word, whatever its case and width, the newest first", async () => {
      await finds(ann, "WIDGEON", ["Ｗｉｄｇｅｏｎ, or Wigeon?", "the widgeon is back at the pond"]);
      await station("search", ann);
      await leave(ann);
    });

    await t.test("Chinese, within a sentence, and the way to it", async () => {
      await finds(bo, "赤颈鸭", ["今天湖边有十几只赤颈鸭"]);
      await station("search", bo);
      const marked = await bo.notesMarks();
      await hits(bo).first().click();
      await marked("今天湖边有十几只赤颈鸭");
    });

    await t.test("what was taken back is not found by anybody any more", async () => {
      await finds(cy, "pond", ["the widgeon is back at the pond"]);
      await station("search", cy);
      await leave(cy);
      await ann.onMessage("the widgeon is back at the pond", ann.words.recall);
      await ann.dialog.getByRole("button", { name: ann.words.recall }).click();
      await cy.reads(cy.words.recalled, { within: cy.timeline });
      await finds(cy, "pond", []);
      await cy.reads(cy.words.searchNothing("pond"), { within: cy.page.getByRole("search") });
    });

    assert.deepEqual(problemsOf(...all), []);
  });
});
