// The server needs no library: a bare EventSource, a bare WebSocket and a bare fetch are whole clients.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { blankPageOf } from "./lib/site.mjs";
import { until } from "./lib/until.mjs";

suite("without the library", () => {
  const server = useServer();
  const browser = useBrowser();
  let ann;
  before(async () => {
    ann = await server.guest("Ann");
  });

  async function blank(t) {
    const page = await browser.open(t);
    await blankPageOf(server, page);
    await page.evaluate(() => (window.frames_ = []));
    return page;
  }
  const texts = (page) =>
    page.evaluate(() => frames_.filter((frame) => frame.type === "message").map((frame) => frame.body.text));

  test("a bare EventSource receives, and resumes by itself with nothing lost or doubled", async (t) => {
    const page = await blank(t);
    const ticket = await server.ticket(ann.token, server.origin);
    const after = await server.cursor(ann.token);
    await page.evaluate(
      (url) => {
        const source = new EventSource(url);
        source.onmessage = (event) => frames_.push({ ...JSON.parse(event.data), lastEventId: event.lastEventId });
      },
      `${server.origin}/v1/events?transport=sse&ticket=${ticket}&after=${after}`,
    );
    await until("ready", () => page.evaluate(() => frames_[0]?.type === "ready"));
    await server.send(ann.token, "lobby", "before");
    await until("the first message", async () => (await texts(page)).length === 1);
    // The browser reconnects on its own, and says where it was in Last-Event-ID.
    await server.kill();
    await server.start();
    await server.send(ann.token, "lobby", "after");
    await until("both", async () => (await texts(page)).length === 2);
    assert.deepEqual(await texts(page), ["before", "after"]);
    const ids = await page.evaluate(() => frames_.filter((f) => f.type === "message").map((f) => [f.cursor, f.lastEventId]));
    for (const [cursor, id] of ids) assert.equal(cursor, id);
  });

  test("a bare WebSocket says hello, sends, and receives what it sent", async (t) => {
    const page = await blank(t);
    await page.evaluate(
      ({ url, token }) => {
        window.socket = new WebSocket(url);
        socket.onopen = () => socket.send(JSON.stringify({ id: "h", type: "hello", token }));
        socket.onmessage = (event) => {
          for (const line of event.data.split("\n")) if (line) frames_.push(JSON.parse(line));
        };
      },
      { url: `${server.origin.replace("http", "ws")}/v1/events`, token: ann.token },
    );
    await until("ready", () => page.evaluate(() => frames_.some((frame) => frame.type === "ready")));
    const nasty = "hi </script><!--<script> \u2028 中文 \u{1F986} \"q\" \\ \n\t";
    await page.evaluate(
      (text) => socket.send(JSON.stringify({ id: "bare-1", type: "send", room: "lobby", body: { text } })),
      nasty,
    );
    await until("the reply", () => page.evaluate(() => frames_.some((frame) => frame.re === "bare-1" && frame.ok)));
    await until("the event", async () => (await texts(page)).length === 1);
    assert.deepEqual(await texts(page), [nasty]);

    // Long enough to travel compressed, both ways.
    const long = nasty.repeat(100);
    await page.evaluate(
      (text) => socket.send(JSON.stringify({ id: "bare-3", type: "send", room: "lobby", body: { text } })),
      long,
    );
    await until("the long event", async () => (await texts(page)).length === 2);
    assert.equal((await texts(page))[1], long);
    assert.match(await page.evaluate(() => socket.extensions), /^permessage-deflate; server_no_context_takeover/);
  });

  test("a bare fetch posts without a preflight and reads the answer of a poll", async (t) => {
    const page = await blank(t);
    const ticket = await server.ticket(ann.token, server.origin);
    const after = await server.cursor(ann.token);
    const got = await page.evaluate(
      async ({ ticket, after }) => {
        const command = { id: "bare-2", type: "send", room: "lobby", body: { text: "plain" } };
        await fetch(`/v1/commands?ticket=${ticket}`, { method: "POST", body: JSON.stringify(command) });
        const answer = await fetch(`/v1/events?transport=longpoll&wait=10&ticket=${ticket}&after=${after}`);
        return answer.json();
      },
      { ticket, after },
    );
    assert.deepEqual(got.frames.map((frame) => frame.body?.text), ["plain"]);
    assert.ok(got.cursor > after);
  });

  test("a bare streaming fetch sees each line as it is written", async (t) => {
    const page = await blank(t);
    await page.evaluate(
      ({ token }) => {
        (async () => {
          const response = await fetch("/v1/events?transport=ndjson", { headers: { authorization: `Bearer ${token}` } });
          const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          let kept = "";
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            const lines = (kept + value).split("\n");
            kept = lines.pop();
            for (const line of lines) if (line.trim()) frames_.push(JSON.parse(line));
          }
        })();
      },
      { token: ann.token },
    );
    await until("ready", () => page.evaluate(() => frames_[0]?.type === "ready"));
    for (const text of ["one", "two"]) {
      await server.send(ann.token, "lobby", text);
      await until(text, async () => (await texts(page)).at(-1) === text);
    }
    assert.deepEqual(await texts(page), ["one", "two"]);
  });
});
