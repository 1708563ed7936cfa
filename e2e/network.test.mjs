// What the network does to a conversation: it goes away and comes back, the server dies, the page is loaded
// again. Nothing is lost, nothing is shown twice, and what was written meanwhile is sent in its order.
import { suite, test } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { Chat } from "./lib/chat.mjs";
import { useServer } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

suite("when the network fails", () => {
  const server = useServer();
  const browser = useBrowser();

  test("a drop of ten seconds loses and doubles nothing in either direction", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    const bob = await Chat.open(t, browser, server, { as: "Bob" });
    await ann.send("drop: before");
    await bob.sees("drop: before");
    await bob.pickConnection("Drop the network for 10 s");
    await until("Bob is cut off", async () => (await bob.chip.getAttribute("data-status")) !== "online");
    for (const n of [1, 2, 3]) await ann.send(`drop: from Ann ${n}`);
    for (const n of [1, 2, 3]) await bob.write(`drop: from Bob ${n}`);
    const heard = (await bob.texts()).includes("drop: from Ann 1");
    const state = await bob.message("drop: from Bob 1").getAttribute("data-state");
    // On a machine that needed ten seconds for the above there is nothing to be said of a cut network any more.
    const cut = (await bob.chip.getAttribute("data-status")) !== "online";
    if (cut) assert.deepEqual({ heard, state }, { heard: false, state: "sending" });
    await bob.sees("drop: from Ann 3");
    await ann.sees("drop: from Bob 3");
    const ours = (texts) => texts.filter((text) => text.startsWith("drop: "));
    const whole = ["before", "from Ann 1", "from Ann 2", "from Ann 3", "from Bob 1", "from Bob 2", "from Bob 3"];
    await until("both agree", async () => ours(await bob.texts()).join() === ours(await ann.texts()).join());
    assert.deepEqual(ours(await ann.texts()), whole.map((text) => `drop: ${text}`));
  });

  test("only a longer absence is told, with a countdown and a way to try now; afterwards, what is new", async (t) => {
    const ann = await server.guest("Ann");
    const bob = await Chat.open(t, browser, server, { as: "Bob" });
    const banner = bob.page.getByTestId("banner");
    await bob.page.evaluate(() => {
      const note = () => {
        window.cut_at ??= document.querySelector('[data-testid="connection-chip"]:not([data-status="online"])') ? performance.now() : undefined;
        window.told_at ??= document.querySelector('[data-testid="banner"]') ? performance.now() : undefined;
      };
      new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    await bob.pickConnection("Drop the network for 10 s");
    await until("Bob is cut off", async () => (await bob.chip.getAttribute("data-status")) !== "online");
    for (const n of [1, 2]) await server.send(ann.token, "lobby", `away: ${n}`);
    await banner.getByText(/Next try in \d+ s/).waitFor();
    await banner.getByRole("button", { name: "Try now" }).waitFor();
    assert.ok(await bob.page.evaluate(() => told_at > cut_at), "not at once");
    await banner.getByText("Connected again: 2 new messages").waitFor();
    await bob.sees("away: 2");
    await banner.waitFor({ state: "hidden" });
  });

  test("a killed server comes back, and the pages go on by themselves", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    const bob = await Chat.open(t, browser, server, { as: "Bob" });
    await ann.send("kill: before");
    await bob.sees("kill: before");
    await server.kill();
    await ann.write("kill: written while it was dead");
    await server.start();
    await bob.sees("kill: written while it was dead");
    await bob.send("kill: after");
    await ann.sees("kill: after");
    const ours = (texts) => texts.filter((text) => text.startsWith("kill: "));
    for (const chat of [ann, bob]) {
      assert.deepEqual(ours(await chat.texts()), ["kill: before", "kill: written while it was dead", "kill: after"]);
    }
  });

  test("a reload keeps who I am, what I was writing, and what was not yet sent", async (t) => {
    const ann = await Chat.open(t, browser, server, { as: "Ann" });
    const bob = await Chat.open(t, browser, server, { as: "Bob" });
    await ann.send("reload: before");
    await bob.sees("reload: before");
    // By long poll everything is a request, so that a route cuts it; the page itself can still be loaded.
    await ann.force("Long poll");
    let cut = true;
    await ann.page.route("**/v1/**", (route) => (cut ? route.abort() : route.continue()));
    await ann.write("reload: unsent 1");
    await ann.write("reload: unsent 2");
    await ann.composer.fill("reload: half a sen");
    ann.page.once("framenavigated", () => (cut = false));
    assert.ok(!(await bob.texts()).includes("reload: unsent 1"));
    await ann.page.reload();
    await ann.composer.waitFor();
    await bob.sees("reload: unsent 2");
    const ours = (texts) => texts.filter((text) => text.startsWith("reload: "));
    assert.deepEqual(ours(await bob.texts()), ["reload: before", "reload: unsent 1", "reload: unsent 2"]);
    await until("Ann has them as hers", async () => ours(await ann.texts()).length === 3);
    assert.match(await ann.message("reload: before").getAttribute("aria-label"), /^You,/);
    assert.equal(await ann.composer.inputValue(), "reload: half a sen");
  });
});
