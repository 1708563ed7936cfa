// Rooms and the people in them, through the page: made, named, joined by link, kept in order, muted, put on top, hidden.
import { before, suite, test } from "node:test";
import assert from "node:assert/strict";
import { openIn, useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

suite("rooms", () => {
  const server = useServer();
  const browser = useBrowser();
  const tokens = {};
  before(async () => {
    // The first guest brings the lobby into being.
    await server.guest("Host");
    for (const name of ["Ann", "Bo", "Cy"]) {
      tokens[name] = server.token(name.toLowerCase(), { name });
      await server.command(tokens[name], { type: "user.update", name });
      await server.command(tokens[name], { type: "room.join", room: "lobby" });
    }
  });

  async function open(t, name, path = "/?room=lobby", options = {}) {
    const page = await openIn(await browser.context(t, options), `${server.origin}${path}#token=${tokens[name]}`);
    const chat = new Chat(page, name);
    await chat.composer.waitFor();
    return chat;
  }
  const group = async (title, members = ["bo", "cy"]) => (await server.command(tokens.Ann, { type: "room.create", kind: "group", title, members })).room.id;
  const item = (chat, room) => chat.page.locator(`[data-room="${room}"]`);
  const details = (chat) => chat.page.getByRole("button", { name: "Details" }).click();
  const dialog = (chat) => chat.page.getByRole("dialog");
  const member = (chat, name) => dialog(chat).getByRole("button", { name: new RegExp(`^${name}\\b`) });
  async function onMember(chat, name, entry) {
    await member(chat, name).click();
    await chat.page.locator("[role^=menuitem]").filter({ hasText: entry }).first().click();
  }
  async function onRoom(chat, room, entry) {
    await item(chat, room).click({ button: "right" });
    await chat.page.getByRole("menuitem", { name: entry }).first().click();
  }

  test("a group is made, renamed and found under its new name by all", async (t) => {
    const ann = await open(t, "Ann");
    await ann.page.getByRole("button", { name: "New conversation" }).click();
    await ann.page.getByRole("tab", { name: "Group" }).click();
    await ann.page.getByLabel("Name of the group").fill("Pond");
    await ann.page.getByTestId("people-search").fill("Bo");
    await dialog(ann).getByRole("button", { name: "Bo", exact: true }).click();
    await ann.page.getByRole("button", { name: "Create group" }).click();
    await ann.page.getByRole("heading", { name: "Pond" }).waitFor();
    const bo = await open(t, "Bo");
    await bo.page.getByTestId("room-item").filter({ hasText: "Pond" }).waitFor();
    await details(ann);
    await dialog(ann).getByLabel("Name", { exact: true }).fill("The big pond");
    await dialog(ann).getByRole("button", { name: "Save" }).click();
    for (const { page } of [ann, bo]) await page.getByTestId("room-item").filter({ hasText: "The big pond" }).waitFor();
  });

  test("an invitation lets a stranger in, once, after a question", async (t) => {
    const room = await group("Invited", ["bo"]);
    const ann = await open(t, "Ann", `/?room=${room}`);
    await details(ann);
    await dialog(ann).getByLabel("Good for").selectOption("once");
    await dialog(ann).getByRole("button", { name: "Create link" }).click();
    const code = await dialog(ann).locator("code").first().textContent();
    await dialog(ann).getByText("1 use left").waitFor();
    const page = await openIn(await browser.context(t), `${server.origin}/?invite=${code}#token=${tokens.Cy}`);
    const cy = new Chat(page, "Cy");
    await page.getByRole("heading", { name: "Join “Invited”?" }).waitFor();
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByRole("heading", { level: 1, name: "Invited", exact: true }).waitFor();
    await cy.send("hello, I was invited");
    await ann.sees("hello, I was invited");
    tokens.Dee = server.token("dee", { name: "Dee" });
    await server.command(tokens.Dee, { type: "room.join", room: "lobby" });
    const late = await openIn(await browser.context(t), `${server.origin}/?invite=${code}#token=${tokens.Dee}`);
    await late.getByText("This invitation is used up, expired or taken back.").waitFor();
  });

  test("an admin is made, mutes a member, and the member is told", async (t) => {
    const room = await group("Order");
    const [ann, bo, cy] = [await open(t, "Ann", `/?room=${room}`), await open(t, "Bo", `/?room=${room}`), await open(t, "Cy", `/?room=${room}`)];
    await details(ann);
    await onMember(ann, "Bo", "Admin");
    await member(ann, "Bo").getByText("admin").waitFor();
    await details(bo);
    await member(bo, "Cy").click();
    const roles = bo.page.getByRole("menuitemradio");
    await roles.first().waitFor();
    const offered = (await roles.allTextContents()).map((role) => role.trim());
    assert.deepEqual(offered, ["Admin", "Member", "Reads only"], "what one is oneself, and no more");
    await bo.page.getByRole("menuitem").filter({ hasText: "1 hour" }).first().click();
    await cy.page.getByText(/You cannot write here until/).waitFor();
    await cy.timeline.getByText(/Bo muted you until/).waitFor();
    await onMember(bo, "Cy", "Unmute");
    await cy.composer.waitFor();
    await cy.send("I can speak again");
    await bo.sees("I can speak again");
  });

  test("somebody is banned: the room goes from their list, they stay out, and are let back in", async (t) => {
    const room = await group("Ban");
    const [ann, cy] = [await open(t, "Ann", `/?room=${room}`), await open(t, "Cy", `/?room=${room}`)];
    await details(ann);
    await onMember(ann, "Cy", "Ban");
    await ann.page.getByRole("dialog", { name: "Ban Cy?" }).getByRole("button", { name: "Ban" }).click();
    await cy.page.getByText("You were removed from “Ban”.").waitFor();
    await item(cy, room).waitFor({ state: "detached" });
    await member(ann, "Cy").waitFor({ state: "detached" });
    await dialog(ann).getByRole("button", { name: "Who is banned?" }).click();
    await dialog(ann).getByRole("button", { name: "Let back in" }).click();
    await dialog(ann).getByText("Nobody is banned.").waitFor();
    await ann.page.keyboard.press("Escape");
    await server.command(tokens.Ann, { type: "member.add", room, user: "cy" });
    await item(cy, room).waitFor();
  });

  test("slow mode is set and said", async (t) => {
    const room = await group("Slow");
    const [ann, cy] = [await open(t, "Ann", `/?room=${room}`), await open(t, "Cy", `/?room=${room}`)];
    await details(ann);
    await dialog(ann).getByLabel("Slow mode").selectOption("3600");
    await cy.page.getByText("Slow mode: one message every hour.").waitFor();
    await cy.send("my one message");
    await cy.write("the next one waits");
    assert.equal(await cy.message("the next one waits").getAttribute("data-state"), "sending");
  });

  test("a muted room is grey and does not count in the title; a mention still does", async (t) => {
    const room = await group("Noise");
    const ann = await open(t, "Ann");
    await onRoom(ann, room, "Mute");
    await item(ann, room).getByRole("img", { name: "Muted" }).waitFor();
    // Other tests leave unread messages too: what counts is whether this one adds to them.
    const count = async () => Number(/^\((\d+)\)/.exec(await ann.page.title())?.[1] ?? 0);
    const before = await count();
    await server.send(tokens.Bo, room, "noise");
    await item(ann, room).getByTestId("unread-badge").waitFor();
    assert.equal(await count(), before);
    assert.match((await item(ann, room).getAttribute("class")) ?? "", /room-quiet/);
    await server.command(tokens.Bo, { type: "send", room, body: { text: "@Ann, listen" }, mentions: ["ann"] });
    await until("counted", async () => (await count()) === before + 1);
    await item(ann, room).getByText("1 mention").waitFor();
  });

  test("a room is kept on top on all devices, and hidden until somebody writes", async (t) => {
    const room = await group("Top");
    const [phone, desk] = [await open(t, "Ann"), await open(t, "Ann")];
    await server.send(tokens.Bo, "lobby", "newer than Top");
    await onRoom(desk, room, "Keep on top");
    for (const chat of [desk, phone]) {
      await until("first in the list", async () => (await chat.page.getByTestId("room-item").first().getAttribute("data-room")) === room);
    }
    await onRoom(desk, room, "No longer on top");
    await onRoom(desk, room, "Hide");
    for (const chat of [desk, phone]) await item(chat, room).waitFor({ state: "detached" });
    await server.send(tokens.Bo, room, "I am back");
    for (const chat of [desk, phone]) await item(chat, room).waitFor();
  });

  test("a draft follows to the other device, and goes when it is sent", async (t) => {
    const room = await group("Draft");
    const [phone, desk] = [await open(t, "Ann", `/?room=${room}`), await open(t, "Ann")];
    await phone.composer.fill("begun on the phone");
    await item(desk, room).getByText("Draft: begun on the phone").waitFor();
    await item(desk, room).click();
    await until("it is in the field", async () => (await desk.composer.inputValue()) === "begun on the phone");
    await desk.composer.press("Enter");
    await desk.sees("begun on the phone");
    await item(phone, "lobby").click();
    await item(phone, room).getByText("You: begun on the phone").waitFor();
  });

  test("who reads in private leaves no ticks", async (t) => {
    const room = await group("Private", ["bo"]);
    const bo = await open(t, "Bo");
    await bo.page.getByTestId("account").click();
    await bo.page.getByRole("menuitem", { name: "Settings" }).click();
    await bo.page.getByRole("switch", { name: /Read in private/ }).check();
    await bo.page.keyboard.press("Escape");
    await until("the server knows", async () => (await server.command(tokens.Bo, { type: "snapshot" })).prefs?.private_read === true);
    const ann = await open(t, "Ann", `/?room=${room}`);
    await ann.send("psst");
    await item(bo, room).click();
    await bo.sees("psst");
    await until("read", async () => (await server.command(tokens.Bo, { type: "room.get", room })).room.unread === 0);
    await bo.send("after reading");
    await ann.sees("after reading");
    await ann.page.reload();
    await ann.sees("psst");
    await server.command(tokens.Bo, { type: "prefs.set", prefs: { private_read: null } });
  });

  test("who is about has a dot, and when they go, it says since when", async (t) => {
    await server.command(tokens.Bo, { type: "send", to: "ann", body: { text: "are you there?" } });
    const bo = await open(t, "Bo");
    const ann = await open(t, "Ann", "/?to=bo");
    await ann.page.getByText("Online", { exact: true }).waitFor();
    await ann.page.getByTestId("room-item").filter({ hasText: "are you there?" }).locator(".avatar-online").waitFor();
    await bo.page.close();
    await ann.page.getByText(/^Last seen/).waitFor({ timeout: 90_000 });
  });

  test("who is about to write to somebody sees that they have written first, and goes on there", async (t) => {
    const bo = await open(t, "Bo", "/?to=cy");
    await bo.composer.fill("I was just about to");
    await server.command(tokens.Cy, { type: "send", to: "bo", body: { text: "me first" } });
    await bo.sees("me first");
    assert.equal(await bo.composer.inputValue(), "I was just about to");
    await bo.composer.press("Enter");
    await until("in one conversation", async () => (await bo.texts()).join() === "me first,I was just about to");
  });

  test("who is blocked is not heard in private, until unblocked", async (t) => {
    const ann = await open(t, "Ann");
    const bo = await open(t, "Bo");
    await server.command(tokens.Cy, { type: "send", to: "ann", body: { text: "psst, Ann" } });
    const direct = ann.page.getByTestId("room-item").filter({ hasText: "psst, Ann" });
    await direct.click({ button: "right" });
    await ann.page.getByRole("menuitem", { name: "Block" }).click();
    await direct.click();
    await ann.page.getByText("You have blocked Cy. Unblock them to write.").waitFor();
    await ann.page.getByRole("main").getByRole("button", { name: "Unblock" }).click();
    await ann.composer.waitFor();
    await ann.send("forgiven");
    assert.deepEqual([...ann.page.problems, ...bo.page.problems], []);
  });
});
