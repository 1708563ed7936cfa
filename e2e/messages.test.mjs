// What can be done with a message, each thing once through the page as a person would: reply, edit and its history,
// delete, react, forward, copy, pin, select, mark as unread, see who has read it.
import { before, suite, test } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

suite("a message", () => {
  const server = useServer();
  const browser = useBrowser();
  let ann, bo;
  before(async () => {
    ann = server.token("ann", { name: "Ann" });
    bo = server.token("bo", { name: "Bo" });
    for (const [token, name] of [[ann, "Ann"], [bo, "Bo"]]) await server.command(token, { type: "user.update", name });
  });

  /** A group of the two, with `texts` of Bo's in it, seen by Ann. */
  async function scene(t, title, texts = []) {
    const { room } = await server.command(ann, { type: "room.create", kind: "group", title, members: ["bo"] });
    for (const text of texts) await server.send(bo, room.id, text);
    const chat = await open(t, ann, room.id);
    if (texts.length > 0) await chat.sees(texts.at(-1));
    chat.room = room.id;
    return chat;
  }
  async function open(t, token, room, options) {
    const page = await openIn(await browser.context(t, options), `${server.origin}/?room=${room}#token=${token}`);
    const chat = new Chat(page, "");
    await chat.composer.waitFor();
    return chat;
  }
  const menu = async (chat, text, entry) => {
    await chat.message(text).locator(".bubble").click({ button: "right" });
    await chat.page.getByRole("menuitem", { name: entry, exact: true }).click();
  };
  const newest = async (token, room) => (await server.command(token, { type: "history", room, before: 10_000, limit: 1 })).messages[0];

  test("is answered, and the answer leads back to it", async (t) => {
    const chat = await scene(t, "Reply", ["how many?"]);
    await menu(chat, "how many?", "Reply");
    await chat.send("twelve");
    await chat.message("twelve").locator(".quote").getByText("how many?").waitFor();
    assert.equal((await newest(bo, chat.room)).reply_to, 1);
    const marked = await chat.notesMarks();
    await chat.message("twelve").locator(".quote").click();
    await marked("how many?");
  });

  test("is edited, and tells how it read before", async (t) => {
    const chat = await scene(t, "Edit");
    await chat.send("first thought");
    await menu(chat, "first thought", "Edit");
    await until("in the field", async () => (await chat.composer.inputValue()) === "first thought");
    await chat.composer.fill("second thought");
    await chat.composer.press("Enter");
    await chat.message("second thought").getByText("edited").waitFor();
    await menu(chat, "second thought", "About this message");
    const versions = chat.page.getByRole("dialog").getByRole("listitem");
    await chat.page.getByRole("dialog").getByText("first thought").waitFor();
    assert.equal(await versions.filter({ hasText: "thought" }).count(), 2);
  });

  test("is deleted for everyone, after a question", async (t) => {
    const chat = await scene(t, "Delete");
    await chat.send("said too much");
    const other = await open(t, bo, chat.room);
    await other.sees("said too much");
    await menu(chat, "said too much", "Delete for everyone");
    await chat.page.getByRole("dialog").getByRole("button", { name: "Delete for everyone" }).click();
    for (const { page } of [chat, other]) await page.getByRole("log").getByText("This message was deleted.").waitFor();
    assert.ok(!(await other.texts()).includes("said too much"));
  });

  test("is given a reaction that was looked for by its name", async (t) => {
    const chat = await scene(t, "React", ["a duck"]);
    await menu(chat, "a duck", "React");
    await chat.page.getByRole("menuitem", { name: "More emoji" }).click();
    await chat.page.getByRole("searchbox", { name: "Find an emoji" }).fill("duck");
    await chat.page.getByRole("dialog").getByRole("button", { name: "React with 🦆" }).click();
    await chat.page.getByRole("button", { pressed: true, name: /🦆/ }).waitFor();
  });

  test("is forwarded to a person, and says whose it is", async (t) => {
    const chat = await scene(t, "Forward", ["spread the word"]);
    await server.guest("Cyan");
    await menu(chat, "spread the word", "Forward");
    await chat.page.getByRole("combobox").fill("Cyan");
    await chat.page.getByRole("option", { name: "Cyan" }).click();
    await chat.page.getByRole("heading", { name: "Cyan" }).waitFor();
    await chat.message("spread the word").getByText("Forwarded from Bo").waitFor();
  });

  test("is pinned over the timeline, leads there, and is taken down", async (t) => {
    const chat = await scene(t, "Pin", ["remember me", ...Array.from({ length: 60 }, (_, n) => `filler ${n}`)]);
    await until("far enough up", async () => {
      await chat.timeline.evaluate((view) => (view.scrollTop = 0));
      return (await chat.texts()).includes("remember me");
    });
    await menu(chat, "remember me", "Pin");
    const pins = chat.page.getByTestId("pins");
    await pins.getByText("remember me").waitFor();
    const later = await open(t, bo, chat.room);
    const marked = await later.notesMarks();
    await later.page.getByTestId("pins").getByText("remember me").click();
    await marked("remember me");
    await menu(chat, "remember me", "Unpin");
    for (const { page } of [chat, later]) await page.getByTestId("pins").waitFor({ state: "detached" });
  });

  test("is selected with others, and all of them are forwarded in their order", async (t) => {
    const chat = await scene(t, "Select", ["one", "two", "three"]);
    await menu(chat, "three", "Select");
    await chat.message("one").getByRole("checkbox").check();
    await chat.page.getByText("2 selected").first().waitFor();
    await chat.page.getByRole("toolbar").getByRole("button", { name: "Forward" }).click();
    await chat.page.getByRole("combobox").fill("Bo");
    await chat.page.getByRole("option", { name: "Bo", exact: true }).click();
    await chat.page.getByRole("heading", { name: "Bo", exact: true }).waitFor();
    await until("both are there", async () => (await chat.texts()).join() === "one,three");
  });

  test("is marked as unread, and waits to be read again", async (t) => {
    const chat = await scene(t, "Unread", ["later", "and later"]);
    const item = chat.page.locator(`[data-room="${chat.room}"]`);
    await until("read", async () => (await server.command(ann, { type: "room.get", room: chat.room })).room.unread === 0);
    await menu(chat, "and later", "Mark as unread");
    await item.getByTestId("unread-badge").getByText("1", { exact: true }).waitFor();
    await until("the title counts it", async () => /^\(\d+\)/.test(await chat.page.title()));
    await item.click();
    await chat.page.getByTestId("unread-divider").waitFor();
    await item.getByTestId("unread-badge").waitFor({ state: "hidden" });
  });

  test("tells who has read it, also to who comes later", async (t) => {
    const chat = await scene(t, "Read");
    await chat.send("seen?");
    assert.equal(await chat.message("seen?").getAttribute("data-state"), "sent");
    const other = await open(t, bo, chat.room);
    await other.sees("seen?");
    await until("two ticks", async () => (await chat.message("seen?").getAttribute("data-state")) === "read");
    const again = await open(t, ann, chat.room);
    await until("two ticks from the beginning", async () => (await again.message("seen?").getAttribute("data-state")) === "read");
    await menu(again, "seen?", "About this message");
    await again.page.getByRole("dialog").getByText("Read by 1 person").waitFor();
    await again.page.getByRole("dialog").getByText("Bo", { exact: true }).waitFor();
  });

  test("has reached somebody who looks elsewhere: two ticks, not yet in colour", async (t) => {
    const { room } = await server.command(ann, { type: "room.create", kind: "group", title: "Elsewhere", members: ["bo"] });
    const other = await open(t, bo, room.id);
    await other.page.goto(`${server.origin}/?to=ann`);
    await other.page.getByRole("heading", { name: "Ann" }).waitFor();
    const chat = await open(t, ann, room.id);
    await chat.send("when you have time");
    await until("delivered", async () => (await chat.message("when you have time").getAttribute("data-state")) === "delivered");
  });

  test("calls everybody where that is allowed", async (t) => {
    const chat = await scene(t, "All");
    await chat.composer.pressSequentially("@all");
    await chat.page.getByRole("option", { name: "Everyone" }).waitFor();
    await chat.page.keyboard.press("Enter");
    await chat.page.keyboard.type("supper");
    await chat.page.keyboard.press("Enter");
    await chat.sees("@all supper");
    await until("it says so", async () => (await newest(bo, chat.room))?.mention_all === true);
    const other = await open(t, bo, "lobby").catch(() => null);
    if (other) await other.page.locator(`[data-room="${chat.room}"]`).waitFor();
  });
});
