// A thread: begun from a message, seen by others, written in, left by keyboard and by Back; and whole, also where its
// answers stand far apart in a long conversation.
import { before, suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { judge, overflow } from "./lib/looks.mjs";
import { usePair } from "./lib/pair.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

suite("a thread", () => {
  const server = useServer();
  const browser = useBrowser();
  const pair = usePair(server, browser);
  const { room, open } = pair;
  let ann, bo;
  before(() => {
    ({ ann, bo } = pair);
  });

  const panel = (chat) => chat.page.getByTestId("side");
  const inThread = (chat, text) => chat.page.getByTestId("thread-message").filter({ hasText: text });

  test("begins at a message, and the others see who has answered", async (t) => {
    const id = await room("Begin");
    await server.send(bo, id, "who brings grain?");
    const [chat, other] = [await open(t, ann, id), await open(t, bo, id)];
    await chat.message("who brings grain?").locator(".bubble").click({ button: "right" });
    await chat.page.getByRole("menuitem", { name: "Reply in thread" }).click();
    const field = panel(chat).getByRole("textbox", { name: "Reply in thread" });
    await until("the field has the focus", () => field.evaluate((element) => element === document.activeElement));
    await field.fill("I do");
    await field.press("Enter");
    await inThread(chat, "I do").waitFor();
    await until("the server has it in the thread", async () => {
      const { messages } = await server.command(ann, { type: "history", room: id, before: 99, limit: 1 });
      return messages[0].thread === 1;
    });
    await other.page.getByTestId("thread-link").getByText("1 reply").click();
    await panel(other).getByRole("heading", { name: "Thread" }).waitFor();
    await inThread(other, "who brings grain?").waitFor();
    await inThread(other, "I do").waitFor();
    await other.page.keyboard.press("Escape");
    await panel(other).waitFor({ state: "detached" });
    await other.message("I do").getByRole("button", { name: "Thread: who brings grain?" }).waitFor();
    assert.deepEqual([...chat.page.problems, ...other.page.problems], []);
  });

  test("on a phone covers the conversation, and Back leads from it to there, and on to the list", async (t) => {
    const id = await room("Phone");
    await server.send(bo, id, "root");
    await server.command(bo, { type: "send", room: id, body: { text: "an answer" }, thread: 1 });
    const chat = await open(t, ann, id, { viewport: { width: 390, height: 844 } });
    await chat.page.getByTestId("thread-link").click();
    await inThread(chat, "an answer").waitFor();
    assert.equal(await chat.page.getByRole("main").count(), 1);
    assert.deepEqual(await overflow(chat.page), []);
    assert.deepEqual(await judge(chat.page), []);
    await chat.page.goBack();
    await panel(chat).waitFor({ state: "detached" });
    await chat.page.getByRole("heading", { name: "Phone" }).waitFor();
    await chat.page.goBack();
    await chat.page.getByRole("button", { name: "New conversation" }).waitFor();
  });

  test("is whole, however far its answers stand from one another", async (t) => {
    const id = await room("Far");
    await server.send(bo, id, "long ago");
    await server.command(bo, { type: "send", room: id, body: { text: "the first answer" }, thread: 1 });
    for (let n = 0; n < 300; n += 100) {
      await server.post("/v1/commands", Array.from({ length: 100 }, (_, i) => ({ id: `filler-${n + i}-long`, type: "send", room: id, body: { text: `filler ${n + i}` } })), bo);
    }
    await server.command(bo, { type: "send", room: id, body: { text: "the last answer" }, thread: 1 });
    const chat = await open(t, ann, id);
    await chat.sees("the last answer");
    await chat.message("the last answer").getByRole("button", { name: /^Thread/ }).click();
    await inThread(chat, "the first answer").waitFor();
    assert.deepEqual(await chat.page.getByTestId("thread-message").locator(".text").allTextContents(), ["long ago", "the first answer", "the last answer"]);
    await chat.page.reload();
    await inThread(chat, "the first answer").waitFor();
  });
});
