// A walk by three people on three transports, in one group: everything that can be done with a message, seen by the others.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";
import { agree, groupOf, problemsOf, station, trio } from "./lib/walk.mjs";

suite("three people and their messages", () => {
  const server = useServer();
  const browser = useBrowser();

  test("a walk", async (t) => {
    const { ann, bo, cy } = await trio(t, browser, server);
    const all = [ann, bo, cy];
    await groupOf(ann, bo, cy, "Pond");

    await t.test("each writes, and all have it in one order", async () => {
      const said = [];
      for (const walker of all) {
        said.push(`walk: by ${walker.name}`);
        await walker.send(said.at(-1));
        await agree(all, "walk:", said);
      }
      await station("sent", ...all);
    });

    await t.test("who types is named to the others", async () => {
      await until("both see it", async () => {
        await cy.composer.pressSequentially("h");
        const shown = await Promise.all([ann, bo].map(({ page, words }) => page.getByTestId("typing").getByText(words.typing(["Cy"])).isVisible()));
        return shown.every(Boolean);
      });
      await station("typing", ann, bo);
      await cy.composer.fill("");
    });

    await t.test("a reply stands with what it answers", async () => {
      await bo.onMessage("walk: by Ann", bo.words.reply);
      await bo.send("an answer from Bo");
      for (const walker of all) await walker.message("an answer from Bo").locator(".quote").getByText("walk: by Ann").waitFor();
      await station("reply", ...all);
    });

    await t.test("a thread begins beside the conversation, and another answers in it", async () => {
      await bo.onMessage("walk: by Cy", bo.words.replyInThread);
      const inThread = (walker, text) => walker.page.getByTestId("thread-message").filter({ hasText: text });
      const write = async (walker, text) => {
        const field = walker.page.getByTestId("side").getByRole("textbox");
        await field.fill(text);
        await field.press("Enter");
      };
      await write(bo, "in a thread");
      await ann.page.getByTestId("thread-link").click();
      await inThread(ann, "in a thread").waitFor();
      await write(ann, "me too");
      await inThread(bo, "me too").waitFor();
      await station("thread", ann, bo);
      for (const { page } of [ann, bo]) {
        await page.keyboard.press("Escape");
        await page.getByTestId("side").waitFor({ state: "detached" });
      }
    });

    await t.test("an edit reaches the others, and its history can be read by them", async () => {
      await cy.send("the frist thought");
      await ann.sees("the frist thought");
      await cy.onMessage("the frist thought", cy.words.edit);
      await until("the field has it", async () => (await cy.composer.inputValue()) === "the frist thought");
      await cy.composer.fill("the first thought");
      await cy.composer.press("Enter");
      for (const walker of [ann, bo]) {
        await walker.sees("the first thought");
        await walker.message("the first thought").getByText(walker.words.edited).waitFor();
        assert.ok(!(await walker.texts()).includes("the frist thought"));
      }
      await bo.onMessage("the first thought", bo.words.messageInfo);
      await bo.reads("the frist thought", { within: bo.dialog });
      await station("versions", bo);
      await bo.closeDialog();
    });

    await t.test("reactions add up, and can be taken off again", async () => {
      for (const walker of [ann, cy]) {
        await walker.onMessage("an answer from Bo", walker.words.react);
        await walker.page.getByRole("menuitemcheckbox", { name: walker.words.reactWith("👍") }).click();
      }
      const count = (walker) => walker.message("an answer from Bo").getByRole("button", { name: /👍/ });
      for (const walker of all) await count(walker).getByText("2").waitFor();
      await station("reactions", ...all);
      await count(ann).click();
      for (const walker of [bo, cy]) await count(walker).getByText("1").waitFor();
    });

    await t.test("who is named is told so; everybody is called where that is allowed", async () => {
      await cy.toList();
      await ann.composer.pressSequentially("look, @C");
      await ann.page.getByRole("option", { name: "Cy" }).waitFor();
      await ann.page.keyboard.press("Enter");
      await ann.page.keyboard.press("Enter");
      await cy.item("Pond").getByText(cy.words.mentionBadge(1)).waitFor();
      await ann.composer.pressSequentially("@all");
      await ann.page.getByRole("option", { name: ann.words.everyone }).waitFor();
      await ann.page.keyboard.press("Enter");
      await ann.page.keyboard.type("supper");
      await ann.page.keyboard.press("Enter");
      await cy.item("Pond").getByText(cy.words.mentionBadge(2)).waitFor();
      await bo.sees("@all supper");
      await bo.page.locator(".message-called").filter({ hasText: "supper" }).waitFor();
      await station("mention", bo, cy);
    });

    await t.test("what is unread is counted, divided from the rest, and read when it is seen", async () => {
      await cy.item("Pond").getByTestId("unread-badge").getByText("2", { exact: true }).waitFor();
      await until("the title counts it", async () => /^\(2\)/.test(await cy.page.title()));
      await cy.item("Pond").click();
      await cy.page.getByTestId("unread-divider").waitFor();
      await station("unread", cy);
      await ann.message("@all supper").getByRole("img", { name: ann.words.readBy(2) }).waitFor();
      await ann.onMessage("@all supper", ann.words.messageInfo);
      await ann.reads(ann.words.readByCount(2), { within: ann.dialog });
      await station("receipts", ann);
      await ann.closeDialog();
    });

    await t.test("a pin stands over the timeline of all, and goes again", async () => {
      await ann.onMessage("an answer from Bo", ann.words.pin);
      for (const { page } of all) await page.getByTestId("pins").getByText("an answer from Bo").waitFor();
      await station("pin", ...all);
      await ann.onMessage("an answer from Bo", ann.words.unpin);
      for (const { page } of all) await page.getByTestId("pins").waitFor({ state: "detached" });
    });

    await t.test("what is forwarded says whose it was", async () => {
      await cy.onMessage("an answer from Bo", cy.words.forward);
      await cy.page.getByRole("combobox").fill("Ann");
      await cy.page.getByRole("option", { name: "Ann" }).first().click();
      await cy.page.getByRole("heading", { level: 1, name: "Ann" }).waitFor();
      await ann.item("Cy").click();
      await ann.message("an answer from Bo").getByText(ann.words.forwardedFrom("Bo")).waitFor();
      await station("forward", ann);
      for (const walker of [ann, cy]) await walker.go("Pond");
    });

    await t.test("what is taken back is gone for all", async () => {
      await bo.onMessage("an answer from Bo", bo.words.recall);
      await bo.dialog.getByRole("button", { name: bo.words.recall }).click();
      for (const walker of all) {
        await walker.reads(walker.words.recalled, { within: walker.timeline });
        assert.ok(!(await walker.texts()).includes("an answer from Bo"));
      }
      await station("recalled", ...all);
    });

    assert.deepEqual(problemsOf(...all), []);
  });
});
