// Real Chromium, and pages that remember everything that should not have happened in them.
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { DEADLINE_MS } from "./until.mjs";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

// --no-sandbox: CI runs as root. The others keep a headless browser from talking to anybody but us.
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** One browser for the suite around the call. `hosts` are names of 127.0.0.1, so that a page can be of another site. */
export function useBrowser({ hosts = [], args = [] } = {}) {
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(",");
  const mapped = rules ? [`--host-resolver-rules=${rules}`] : [];
  const browser = {
    /** A page in a context of its own, as another person's browser has; both end with the test `t`. */
    async open(t, url, options = {}) {
      const context = await this.context(t, options);
      return openIn(context, url);
    },
    async context(t, options = {}) {
      const context = await this.process.newContext({ locale: "en-GB", timezoneId: "Europe/London", ...options });
      context.setDefaultTimeout(DEADLINE_MS);
      t.after(() => context.close());
      return context;
    },
  };
  before(async () => {
    browser.process = await chromium.launch({ executablePath, args: [...ARGUMENTS, ...args, ...mapped] });
  });
  after(() => browser.process?.close());
  return browser;
}

/** One more tab of the same browser. */
export async function openIn(context, url) {
  const page = await context.newPage();
  watch(page);
  if (url) await page.goto(url);
  return page;
}

/** What Chromium says of a WebSocket that was tried, took too long, and was not waited for. */
const GIVEN_UP = /^WebSocket connection to '.*' failed: WebSocket is closed before the connection is established\.$/;

/**
 * Notes what a good page has none of: console errors and warnings, exceptions, violations of its content
 * security policy (Chromium reports them as console errors), and requests to anybody but its own server.
 */
function watch(page) {
  page.problems = [];
  page.strangers = [];
  /** The transports by which it asked for events. */
  page.asked = new Set();
  /** What it has open for them just now. */
  page.reading = new Set();
  page.on("websocket", (socket) => {
    page.asked.add("websocket");
    page.reading.add(socket);
    socket.on("close", () => page.reading.delete(socket));
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !GIVEN_UP.test(message.text())) page.problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.problems.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const home = request.isNavigationRequest() ? null : new URL(request.frame().url()).host;
    const url = new URL(request.url());
    const local = url.protocol === "data:" || url.protocol === "blob:";
    if (home && !local && url.host !== home) page.strangers.push(request.url());
    if (url.pathname !== "/v1/events") return;
    page.asked.add(url.searchParams.get("transport"));
    page.reading.add(request);
  });
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => page.reading.delete(request));
}
