// The founding document shows, section by section, how pages talked before WebSocket. Code that makes the
// same API calls in the same order, with nothing but the address of this server, receives Wigeon's frames.
//
// Section numbers are the document's. Tickets go in the address, since none of this code sets headers; a page
// that asks the same address again and again says `last=10` in it, or `after` with the cursor it began at.
import { suite, test, before } from "node:test";
import assert from "node:assert/strict";
import { useBrowser } from "./lib/browser.mjs";
import { useServer } from "./lib/server.mjs";
import { blankPageOf, useSite } from "./lib/site.mjs";
import { htmlfile, xDomainRequest } from "./lib/standins.mjs";
import { until } from "./lib/until.mjs";

const NASTY = "hi </script><!--<script> \u2028 中文 \u{1F986} \"q\" ' \\ \n\t";

suite("the founding document's code", () => {
  const site = useSite({ "/": "<!doctype html><title>app</title><head></head><body>" });
  const server = useServer({ args: () => ["--allow-origin", site.originAs("127.0.0.1"), "--allow-origin", site.originAs("app.test")] });
  const browser = useBrowser({ hosts: ["app.test"], args: ["--js-flags=--expose-gc"] });
  let ann;
  before(async () => {
    ann = await server.guest("Ann");
  });

  /** A page, at Wigeon's own origin or at another, and the address with a ticket for it. */
  async function prepare(t, { from, standIns = [] } = {}) {
    const page = await browser.open(t);
    for (const standIn of standIns) await page.addInitScript(standIn);
    const origin = from ? site.originAs(from) : server.origin;
    if (from) await page.goto(origin);
    else await blankPageOf(server, page);
    await page.evaluate(() => {
      window.got = [];
      // Polls and JSONP bring `{frames}`, streams one frame at a time, as an object or as its text.
      window.take = (data) => {
        const value = typeof data === "string" ? JSON.parse(data) : data;
        got.push(...(value.frames ?? [value]));
      };
    });
    const ticket = await server.ticket(ann.token, origin);
    const after = await server.cursor(ann.token);
    const address = (transport, more = "") =>
      `${server.origin}/v1/events?transport=${transport}&ticket=${ticket}&after=${after}${more}`;
    return { page, address };
  }

  /** Sends two messages, one after the other has come, and looks at what the page received. */
  async function received(page, { repeats = false } = {}) {
    const texts = () => page.evaluate(() => got.filter((frame) => frame.type === "message").map((frame) => frame.body.text));
    for (const text of [NASTY, "second"]) {
      await server.send(ann.token, "lobby", text);
      await until(`the page has ${text}`, async () => (await texts()).includes(text));
    }
    const seen = await texts();
    assert.deepEqual(repeats ? [...new Set(seen)] : seen, [NASTY, "second"]);
    // A browser of today warns that `document.domain` has no effect any more; the code works without it.
    assert.deepEqual(page.problems.filter((problem) => !problem.includes("document.domain")), []);
  }

  test("3.1 polling: an XMLHttpRequest at intervals", async (t) => {
    const { page, address } = await prepare(t);
    await page.evaluate((url) => {
      const polling = () => {
        const xhr = new XMLHttpRequest();
        xhr.onreadystatechange = () => {
          if (xhr.readyState == 4 && ((xhr.status >= 200 && xhr.status < 300) || xhr.status == 304)) take(xhr.responseText);
        };
        xhr.open("get", url, true);
        xhr.send(null);
      };
      setInterval(polling, 100);
    }, address("poll"));
    await received(page, { repeats: true });
  });

  test("3.2 long polling: asks again when an answer is there", async (t) => {
    const { page, address } = await prepare(t);
    await page.evaluate((url) => {
      let address = url;
      const longPolling = () => {
        const xhr = new XMLHttpRequest();
        xhr.onreadystatechange = () => {
          if (xhr.readyState != 4) return;
          take(xhr.responseText);
          address = url.replace(/after=[^&]*/, `after=${JSON.parse(xhr.responseText).cursor}`);
          longPolling();
        };
        xhr.open("get", address, true);
        xhr.send(null);
      };
      longPolling();
    }, address("longpoll", "&wait=20"));
    await received(page);
  });

  test("3.3.1 XHR streaming: reads what is new of responseText in readyState 3", async (t) => {
    const { page, address } = await prepare(t);
    await page.evaluate((url) => {
      const createStreamClient = (url, progress, done) => {
        const xhr = new XMLHttpRequest();
        let received = 0;
        xhr.open("get", url, true);
        xhr.onreadystatechange = () => {
          if (xhr.readyState == 3) {
            const result = xhr.responseText.substring(received);
            received += result.length;
            progress(result);
          } else if (xhr.readyState == 4) {
            done(xhr.responseText);
          }
        };
        xhr.send(null);
        return xhr;
      };
      let kept = "";
      const progress = (text) => {
        const lines = (kept + text).split("\n");
        kept = lines.pop();
        for (const line of lines) if (line.trim()) take(line);
      };
      createStreamClient(url, progress, () => {});
    }, address("ndjson"));
    await received(page);
  });

  test("3.3.2 a forever iframe: the answer calls a function of the page", async (t) => {
    const { page, address } = await prepare(t);
    await page.evaluate((url) => {
      window.process = take;
      const dataStream = (url) => {
        const frame = document.createElement("iframe");
        frame.src = url;
        document.body.appendChild(frame);
      };
      dataStream(url);
    }, address("iframe", "&callback=parent.process"));
    await received(page);
  });

  test("3.3.3 htmlfile: the same, in a document of ActiveXObject", async (t) => {
    const { page, address } = await prepare(t, { standIns: [htmlfile] });
    await page.evaluate((url) => {
      const connect = (url, callback) => {
        const transferDoc = new ActiveXObject("htmlfile");
        transferDoc.open();
        transferDoc.write(
          `<!DOCTYPE html><html><body><script type="text/javascript">document.domain='${document.domain}';</` + "script></body></html>",
        );
        transferDoc.close();
        const div = transferDoc.createElement("div");
        transferDoc.body.appendChild(div);
        div.innerHTML = `<iframe src='${url}'></iframe>`;
        transferDoc.callback = callback;
        setInterval(() => transferDoc, 10000);
      };
      connect(url, take);
    }, address("htmlfile", "&callback=parent.document.callback"));
    await received(page);
  });

  test("3.4 server-sent events: a bare EventSource", async (t) => {
    const { page, address } = await prepare(t);
    await page.evaluate((url) => {
      const source = new EventSource(url);
      source.addEventListener("message", (event) => take(event.data), false);
      source.onopen = () => (window.opened = true);
    }, address("sse"));
    await received(page);
    assert.equal(await page.evaluate("opened"), true);
  });

  for (const from of ["127.0.0.1", "app.test"]) {
    test(`4.1 CORS: a plain XMLHttpRequest from a listed origin (${from})`, async (t) => {
      const { page, address } = await prepare(t, { from });
      await page.evaluate((url) => {
        const polling = () => {
          const xhr = new XMLHttpRequest();
          xhr.onreadystatechange = () => {
            if (xhr.readyState == 4 && xhr.status == 200) take(xhr.responseText);
          };
          xhr.open("get", url);
          xhr.send(null);
        };
        setInterval(polling, 100);
      }, address("poll"));
      await received(page, { repeats: true });
    });
  }

  test("4.2 XDR: an XDomainRequest, without headers and cookies", async (t) => {
    const { page, address } = await prepare(t, { from: "app.test", standIns: [xDomainRequest] });
    await page.evaluate((url) => {
      const polling = () => {
        const xdr = new XDomainRequest();
        xdr.onload = () => take(xdr.responseText);
        xdr.onerror = () => console.error("failed");
        xdr.open("get", url);
        xdr.send(null);
      };
      setInterval(polling, 100);
    }, address("poll"));
    await received(page, { repeats: true });
  });

  test("4.3 JSONP: script tags that call a function of the page", async (t) => {
    const { page, address } = await prepare(t, { from: "app.test" });
    await page.evaluate((url) => {
      window.callback = take;
      const sendJsonp = (url) => {
        const script = document.createElement("script");
        script.src = url;
        script.setAttribute("type", "text/javascript");
        document.getElementsByTagName("head")[0].appendChild(script);
      };
      setInterval(() => sendJsonp(url), 100);
    }, address("jsonp", "&cb=callback"));
    await received(page, { repeats: true });
  });

  test("5 WebSocket: a bare socket", async (t) => {
    const { page, address } = await prepare(t);
    await page.evaluate((url) => {
      const socket = new WebSocket(url);
      socket.onmessage = (event) => event.data.split("\n").forEach((line) => line && take(line));
    }, address("websocket").replace("http", "ws"));
    await received(page);
  });

  test("an htmlfile that nobody holds is collected, and its connection ends", async (t) => {
    const { page, address } = await prepare(t, { standIns: [htmlfile] });
    const ended = page.waitForEvent("requestfailed");
    await page.evaluate(async (url) => {
      (() => {
        const lost = new ActiveXObject("htmlfile");
        lost.open();
        lost.write("<html><body></body></html>");
        lost.close();
        lost.body.innerHTML = `<iframe src='${url}'></iframe>`;
      })();
      for (let round = 0; round < 100 && document.querySelector("iframe"); round++) {
        CollectGarbage();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }, address("htmlfile", "&callback=parent.document.callback"));
    await ended;
  });
});
