// A walk by three people on three transports: a room is made, named, joined by a link, kept in order and left, each
// step seen by the others.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";
import { problemsOf, station, trio } from "./lib/walk.mjs";

suite("three people and a room", () => {
  const server = useServer();
  const browser = useBrowser();

  test("a walk", async (t) => {
    const { ann, bo, cy } = await trio(t, browser, server);
    const all = [ann, bo, cy];
    let link;
    const join = async (walker, title) => {
      await walker.dialog.getByRole("button", { name: walker.words.join, exact: true }).click();
      // Until then another room is on screen, with a field of its own.
      await walker.page.getByRole("heading", { level: 1, name: title }).waitFor();
      await walker.composer.waitFor();
    };
    const follow = async (walker) => {
      await walker.page.goto(link);
      await join(walker, "The big 池塘");
    };
    const gone = (walker, title) => walker.item(title).waitFor({ state: "detached" });

    await t.test("Ann finds Bo by name and makes a group with him", async () => {
      await station("lobby", ...all);
      await ann.page.getByRole("button", { name: ann.words.newChat }).click();
      await ann.page.getByRole("tab", { name: ann.words.tabGroup }).click();
      await ann.page.getByLabel(ann.words.groupTitle).fill("Pond");
      await ann.page.getByTestId("people-search").fill("Bo");
      await ann.dialog.getByRole("button", { name: "Bo", exact: true }).click();
      await station("new-group", ann);
      await ann.page.getByRole("button", { name: ann.words.createGroup }).click();
      await ann.page.getByRole("heading", { level: 1, name: "Pond" }).waitFor();
      await bo.go("Pond");
    });

    await t.test("Cy comes by a link, and the others see it", async () => {
      await ann.details();
      await ann.dialog.getByLabel(ann.words.inviteFor).selectOption("open");
      await ann.dialog.getByRole("button", { name: ann.words.createInvite }).click();
      const code = await ann.dialog.locator("code").first().textContent();
      link = `${server.origin}/?invite=${code}`;
      await station("invite", ann);
      await ann.closeDialog();
      await cy.page.goto(link);
      await cy.reads(cy.words.joinAsk("Pond"));
      await station("invited", cy);
      await join(cy, "Pond");
      await cy.send("I am here");
      for (const walker of [ann, bo]) {
        await walker.reads(walker.words.joined(["Cy"]), { within: walker.timeline });
        await walker.sees("I am here");
      }
    });

    await t.test("a new name stands with all", async () => {
      await ann.details();
      await ann.dialog.getByLabel(ann.words.roomTitle, { exact: true }).fill("The big 池塘");
      await ann.dialog.getByRole("button", { name: ann.words.save }).click();
      for (const { page } of [bo, cy]) await page.getByRole("heading", { level: 1, name: "The big 池塘" }).waitFor();
      await station("named", ann);
    });

    await t.test("who is made an admin may mute, and the muted cannot write until unmuted", async () => {
      await ann.onMember("Bo", ann.words.roleNames.admin);
      await ann.reads(ann.words.roles.admin, { within: ann.member("Bo") });
      await ann.closeDialog();
      await bo.details();
      await bo.onMember("Cy", bo.words.forHours(1));
      await cy.reads(/You cannot write here until/);
      await ann.reads(/Bo.* muted .*Cy.* until/, { within: ann.timeline });
      await station("muted", bo, cy);
      await bo.onMember("Cy", bo.words.unmuteMember);
      await cy.composer.waitFor();
      await bo.closeDialog();
      await cy.send("I may speak");
      await ann.sees("I may speak");
    });

    await t.test("in slow mode a member's message waits, and goes by itself when that is over", async () => {
      await ann.details();
      await ann.dialog.getByLabel(ann.words.slowMode).selectOption("3600");
      await cy.reads(cy.words.slowNote(3600));
      // Who has come within the hour has used it up.
      await cy.write("and the next");
      await until("it waits", async () => (await cy.message("and the next").getAttribute("data-state")) === "sending");
      assert.ok(!(await bo.texts()).includes("and the next"));
      await station("slow", ann, cy);
      await ann.dialog.getByLabel(ann.words.slowMode).selectOption("0");
      await ann.closeDialog();
      for (const walker of [ann, bo]) await walker.sees("and the next");
    });

    await t.test("who is removed loses the room, comes back by the link, and did not see what was between", async () => {
      await ann.details();
      await ann.onMember("Cy", ann.words.removeMember);
      await confirm(ann, ann.words.removeMember);
      await gone(cy, "The big 池塘");
      await bo.reads(bo.words.removed("Ann", ["Cy"]), { within: bo.timeline });
      await station("removed", bo, cy);
      await ann.closeDialog();
      await ann.send("while Cy was away");
      await bo.sees("while Cy was away");
      await follow(cy);
      await ann.send("welcome back");
      await cy.sees("welcome back");
      assert.ok(!(await cy.texts()).includes("while Cy was away"));
      await station("rejoined", cy);
    });

    await t.test("who is banned stays out, also with the link, until let back in", async () => {
      await bo.details();
      await bo.onMember("Cy", bo.words.ban);
      await confirm(bo, bo.words.ban);
      await gone(cy, "The big 池塘");
      await ann.reads(ann.words.banned("Bo", ["Cy"]), { within: ann.timeline });
      await cy.page.goto(link);
      await cy.dialog.getByRole("button", { name: cy.words.join, exact: true }).click();
      await cy.reads(cy.words.failed(cy.words.errors.forbidden));
      await bo.dialog.getByRole("button", { name: bo.words.showBanned }).click();
      await station("banned", bo, cy);
      await bo.dialog.getByRole("button", { name: bo.words.unban }).click();
      await bo.reads(bo.words.nobodyBanned, { within: bo.dialog });
      await bo.closeDialog();
      await follow(cy);
      await cy.send("forgiven");
      await ann.sees("forgiven");
    });

    await t.test("who leaves is seen to go, and may come again", async () => {
      await cy.details();
      await cy.dialog.getByRole("button", { name: cy.words.leave }).click();
      await station("leave", cy);
      await cy.dialog.getByRole("button", { name: cy.words.leave }).click();
      await gone(cy, "The big 池塘");
      for (const walker of [ann, bo]) await walker.reads(walker.words.left(["Cy"]), { within: walker.timeline });
      await follow(cy);
      await cy.send("once more");
      for (const walker of [ann, bo]) await walker.sees("once more");
      await station("end", ...all);
    });

    assert.deepEqual(problemsOf(ann, bo), []);
  });

  /** A question before somebody is sent away, where the page asks one. */
  async function confirm(walker, yes) {
    await walker.dialog.last().getByRole("button", { name: yes, exact: true }).click();
  }
});
