// A walk by three people on three transports: whom one hears and who is about, drafts over two devices, and a page as one
// likes it, in another language and another light.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";
import { groupOf, problemsOf, station, trio, Walker } from "./lib/walk.mjs";

suite("three people and how they like it", () => {
  const server = useServer();
  const browser = useBrowser();

  test("a walk", async (t) => {
    const { ann, bo, cy } = await trio(t, browser, server);
    const all = [ann, bo, cy];
    await groupOf(ann, bo, cy, "Pond");

    await t.test("who is written to directly sees it, and that the other is about", async () => {
      await ann.jumpTo("Cy");
      await ann.send("just the two of us");
      await ann.reads(ann.words.present, { within: ann.page.locator(".room-head") });
      await cy.go("Ann");
      await cy.sees("just the two of us");
      await cy.send("so it is");
      await ann.sees("so it is");
      await station("direct", ann, cy);
    });

    await t.test("a muted room stays grey and out of the title, but a mention counts", async () => {
      await ann.onRoom("Pond", ann.words.muteRoom);
      await ann.item("Pond").getByRole("img", { name: ann.words.mutedRoom }).waitFor();
      await bo.send("noise");
      await ann.item("Pond").getByTestId("unread-badge").waitFor();
      assert.doesNotMatch(await ann.page.title(), /^\(/);
      await bo.composer.pressSequentially("@An");
      await bo.page.getByRole("option", { name: "Ann" }).waitFor();
      await bo.page.keyboard.press("Enter");
      await bo.page.keyboard.press("Enter");
      await ann.item("Pond").getByText(ann.words.mentionBadge(1)).waitFor();
      await until("the title counts it", async () => /^\(1\)/.test(await ann.page.title()));
      await station("quiet-room", ann);
      await ann.go("Pond");
    });

    await t.test("a hidden conversation comes back when somebody writes", async () => {
      await cy.toList();
      await ann.onRoom("Cy", ann.words.hideRoom);
      await ann.item("Cy").waitFor({ state: "detached" });
      await cy.go("Ann");
      await cy.send("are you hiding?");
      await ann.item("Cy").waitFor();
    });

    await t.test("who is blocked is not heard, and is again when unblocked", async () => {
      await ann.onRoom("Cy", ann.words.block);
      await ann.item("Cy").click();
      await ann.reads(ann.words.blockedByYou("Cy"));
      await cy.write("hello?");
      await cy.message("hello?").getByText(cy.words.stateFailed).waitFor();
      assert.ok(!(await ann.texts()).includes("hello?"));
      await station("blocked", ann, cy);
      await ann.settings();
      await station("settings", ann);
      await ann.dialog.getByRole("button", { name: ann.words.unblock }).click();
      await ann.closeDialog();
      await cy.message("hello?").getByRole("button", { name: cy.words.retry }).click();
      await ann.sees("hello?");
    });

    await t.test("a new name is everywhere at once, on the others' open pages too", async () => {
      await cy.go("Pond");
      await cy.send("call me by my name");
      await bo.sees("call me by my name");
      await ann.go("Cy");
      await cy.rename("Cygnus");
      await ann.page.getByRole("heading", { level: 1, name: "Cygnus" }).waitFor();
      await ann.item("Cygnus").waitFor();
      await bo.reads("Cygnus", { within: bo.timeline });
      await bo.item("Pond").getByText("Cygnus:").waitFor();
      await bo.details();
      await bo.member("Cygnus").waitFor();
      await bo.closeDialog();
      await ann.page.reload();
      await ann.page.getByRole("heading", { level: 1, name: "Cygnus" }).waitFor();
    });

    await t.test("language and light change at once, and stay after a reload", async () => {
      await cy.settings();
      await cy.dialog.getByRole("group", { name: cy.words.theme }).getByText(cy.words.themeDark).click();
      await cy.dialog.getByRole("group", { name: cy.words.language }).getByText("中文").click();
      cy.words = bo.words;
      await cy.reads(cy.words.theme, { within: cy.dialog });
      await cy.closeDialog();
      const look = () => cy.page.evaluate(() => [document.documentElement.lang, getComputedStyle(document.body).backgroundColor].join());
      const chosen = await look();
      await cy.page.reload();
      await cy.page.getByTestId("room-list").waitFor();
      assert.equal(await look(), chosen);
      assert.match(chosen, /^zh/);
      await station("language", cy);
    });

    assert.deepEqual(problemsOf(bo, cy), []);
  });

  test("a draft goes along to one's other device", async (t) => {
    const bo = await Walker.enter(t, browser, server, "Bo", { as: "Bodo" });
    const token = server.token("dee", { name: "Dee" });
    const device = async (options) => {
      const page = await openIn(await browser.context(t, options), `${server.origin}/`);
      const walker = new Walker(page, "Dee", { language: "en", viewport: options.viewport });
      await page.getByRole("button", { name: walker.words.haveToken }).click();
      await page.getByLabel(walker.words.token).fill(token);
      await page.getByRole("button", { name: walker.words.signIn }).click();
      await page.getByTestId("room-list").waitFor();
      return walker;
    };
    const desk = await device({ viewport: { width: 1280, height: 800 } });
    await station("signed-in", desk);
    const phone = await device({ viewport: { width: 390, height: 844 } });
    await desk.jumpTo("Bodo");
    await desk.send("hello Bodo");
    await desk.composer.pressSequentially("begun at the desk");
    await phone.item("Bodo").getByText("begun at the desk").waitFor();
    await station("draft", phone);
    await phone.item("Bodo").click();
    await until("it is in the field", async () => (await phone.composer.inputValue()) === "begun at the desk");
    await phone.composer.press("Enter");
    await bo.go("Dee");
    await bo.sees("begun at the desk");
    await until("the desk's field is empty", async () => (await desk.composer.inputValue()) === "");
    await desk.sees("begun at the desk");
  });
});
