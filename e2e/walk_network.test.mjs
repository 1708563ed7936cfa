// A walk by three people on three transports: words composed by an input method, several tabs, a network that goes away,
// a page that is loaded again. What the others see is whole, once, and in its order.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";
import { agree, groupOf, problemsOf, station, trio, Walker } from "./lib/walk.mjs";

suite("three people and their networks", () => {
  const server = useServer();
  const browser = useBrowser();

  test("a walk", async (t) => {
    const { ann, bo, cy } = await trio(t, browser, server);
    const all = [ann, bo, cy];
    await groupOf(ann, bo, cy, "Pond");

    await t.test("Chrome's order of composing never sends half a word", async () => {
      await bo.composer.focus();
      const keys = await bo.page.context().newCDPSession(bo.page);
      for (const text of ["n", "ni", "nihao"]) {
        await keys.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
        await keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 });
      }
      await keys.send("Input.insertText", { text: "你好" });
      await until("the word is in the field", async () => (await bo.composer.inputValue()) === "你好");
      await until("and sent by the next Enter", async () => {
        await bo.composer.press("Enter");
        return (await bo.composer.inputValue()) === "";
      });
      for (const walker of all) {
        await walker.sees("你好");
        assert.deepEqual((await walker.texts()).filter((text) => /ni|你/.test(text)), ["你好"]);
      }
    });

    await t.test("nor does Safari's, whose composition ends before its Enter", async () => {
      await bo.composer.evaluate((field) => {
        const fire = (type, more = {}) => field.dispatchEvent(new CompositionEvent(type, { bubbles: true, ...more }));
        const write = (value) => {
          field.value = value;
          field.dispatchEvent(new InputEvent("input", { bubbles: true, data: value }));
        };
        fire("compositionstart");
        write("zaijian");
        fire("compositionend", { data: "再见" });
        write("再见");
        field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 229, bubbles: true, cancelable: true }));
      });
      assert.equal(await bo.composer.inputValue(), "再见");
      await bo.composer.pressSequentially("!");
      await until("sent by an Enter of its own", async () => {
        await bo.composer.press("Enter");
        return (await bo.composer.inputValue()) === "";
      });
      for (const walker of all) {
        await walker.sees("再见!");
        assert.deepEqual((await walker.texts()).filter((text) => /zai|再/.test(text)), ["再见!"]);
      }
    });

    await t.test("what is written offline waits, survives a reload, and comes to all in its order", async () => {
      const context = cy.page.context();
      // The page itself can still be loaded: it is the server's answers that do not come.
      let cut = true;
      await context.route("**/v1/**", (route) => (cut ? route.abort() : route.continue()));
      await cy.write("offline: one");
      await cy.write("offline: two");
      assert.equal(await cy.message("offline: two").getAttribute("data-state"), "sending");
      await bo.send("meanwhile");
      assert.ok(!(await ann.texts()).includes("offline: one"));
      await station("offline", cy);
      cy.page.once("framenavigated", () => (cut = false));
      await cy.page.reload();
      await cy.composer.waitFor();
      await agree(all, "offline:", ["offline: one", "offline: two"]);
      await cy.sees("meanwhile");
    });

    await t.test("a network that drops for ten seconds loses and doubles nothing", async () => {
      await ann.pickConnection(ann.words.dropNetwork);
      await until("Ann is cut off", async () => (await ann.chip.getAttribute("data-status")) !== "online");
      await ann.write("drop: from Ann");
      await bo.send("drop: from Bo");
      await bo.rename("Bosun");
      await ann.page.getByTestId("banner").waitFor();
      await station("banner", ann);
      for (const walker of all) {
        await walker.sees("drop: from Ann");
        await walker.sees("drop: from Bo");
      }
      await agree(all, "drop:", (await bo.texts()).filter((text) => text.startsWith("drop:")));
      // Nobody told Ann: her page asked when it was back.
      await ann.reads("Bosun", { within: ann.timeline });
    });

    assert.deepEqual(problemsOf(ann, bo), []);
  });

  test("two tabs of one person: both see, either writes, one is connected", async (t) => {
    const bo = await Walker.enter(t, browser, server, "Bo", { as: "Bodo" });
    const token = server.token("eve", { name: "Eve" });
    const context = await browser.context(t, { locale: "en-GB" });
    const tabs = [];
    for (const name of ["Eve's first tab", "Eve's second tab"]) {
      const page = await openIn(context, `${server.origin}/#token=${token}`);
      const tab = new Walker(page, name, { language: "en", viewport: { width: 1280, height: 800 } });
      await page.getByTestId("room-list").waitFor();
      tabs.push(tab);
    }
    await tabs[0].jumpTo("Bodo");
    await tabs[0].send("tabs: first");
    await bo.go("Eve");
    await bo.send("tabs: answer");
    await tabs[1].go("Bodo");
    await tabs[1].send("tabs: second");
    await agree([bo, ...tabs], "tabs:", ["tabs: first", "tabs: answer", "tabs: second"]);
    await until("one is connected", () => tabs.filter(({ page }) => page.reading.size > 0).length === 1);
    await station("tabs", ...tabs);
  });
});
