// The chat page as a person sees it: things are found by role and label, so that what a screen reader cannot
// find, a test cannot either. Test ids serve only to count and to read states.
import { openIn } from "./browser.mjs";
import { until } from "./until.mjs";

export class Chat {
  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.timeline = page.getByRole("log");
    this.messages = page.getByTestId("message");
    this.composer = page.getByRole("main").getByRole("textbox");
    this.chip = page.getByTestId("connection-chip");
  }

  /** A browser of its own, in the lobby under this name. */
  static async open(t, browser, server, { as, path = "/", ...options }) {
    return Chat.openIn(await browser.context(t, options), server, { as, path });
  }

  /** One more tab of a browser. */
  static async openIn(context, server, { as, path = "/" }) {
    const url = new URL(path, server.origin);
    if (as) url.searchParams.set("as", as);
    const chat = new Chat(await openIn(context, url.href), as);
    await chat.composer.waitFor();
    return chat;
  }

  /** Texts on screen, in order. */
  texts() {
    return this.messages.locator(".text").allTextContents();
  }

  message(text) {
    return this.messages.filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** Types and presses Enter; returns when the server has it, and the stream has brought it back: before, nothing can be done with it. */
  async send(text) {
    await this.write(text);
    const message = this.message(text).last();
    await until(`${this.name}'s "${text}" is sent`, async () =>
      ["sent", "delivered", "read"].includes(await message.getAttribute("data-state", { timeout: 5000 })) && (await message.locator(".tools").count()) > 0,
    );
  }

  /** Types and presses Enter; the message is on screen when this returns, whatever the network does. */
  async write(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
    await this.message(text).last().waitFor();
  }

  sees(text, options) {
    return until(`${this.name} sees "${text}"`, async () => (await this.texts()).includes(text), options);
  }

  /** A jump marks its message for a moment, in which a slow machine may not look: noted from here on. Returns how to wait for one. */
  async notesMarks() {
    await this.page.evaluate(() => {
      window.marked = new Set();
      const note = () => document.querySelectorAll(".message-flash .text").forEach((text) => marked.add(text.textContent));
      new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
    });
    return (text) => until(`"${text}" is marked`, () => this.page.evaluate((text) => marked.has(text), text));
  }

  /** Opens the chip's menu and picks an entry by its name. */
  async pickConnection(entry) {
    await this.chip.click();
    await this.page.getByRole("menu").locator("[role^=menuitem]").filter({ hasText: entry }).click();
    await this.page.getByRole("menu").waitFor({ state: "hidden" });
  }

  /** Forces a transport by the name that the menu shows, and waits until it is the one in use. */
  async force(entry) {
    await this.pickConnection(entry);
    await until(`${this.name} reads by ${entry}`, async () =>
      (await this.chip.getAttribute("data-transport")) === TRANSPORTS[entry] &&
      (await this.chip.getAttribute("data-status")) === "online",
    );
  }
}

/** The transports by the names that the menu shows; the library's own words for them. */
export const TRANSPORTS = {
  WebSocket: "websocket",
  "Server-sent events": "sse",
  "Fetch stream": "fetch-stream",
  "XHR stream": "xhr-stream",
  "Iframe stream": "iframe",
  "Long poll": "longpoll",
  Polling: "poll",
  JSONP: "jsonp",
};
