// Three people walk through the page together: Ann by WebSocket, in English; Bo by Server-sent events, in Chinese; Cy
// by long poll, on a telephone. What one does is looked for on the screens of the others. Everything is done as a
// person does it, by pointer and keys; things are found by the words that stand there, in the language they stand in.
//
// With WIGEON_SHOTS=DIRECTORY each station leaves pictures there: of each person, wide and narrow, light and dark.
import { mkdir } from "node:fs/promises";
import { buildSync } from "esbuild";
import { openIn } from "./browser.mjs";
import { Chat } from "./chat.mjs";
import { until } from "./until.mjs";

const SHOTS = process.env.WIGEON_SHOTS;
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };

/** The page's own words, so that a test follows them. */
async function wordsOf(language) {
  const source = new URL(`../../web/src/i18n/${language}.ts`, import.meta.url).pathname;
  const { outputFiles } = buildSync({ entryPoints: [source], bundle: true, format: "esm", write: false });
  return (await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`))[language];
}

const WORDS = { en: await wordsOf("en"), zh: await wordsOf("zh") };

const PEOPLE = {
  Ann: { language: "en", locale: "en-GB", transport: "websocket", colorScheme: "light", viewport: WIDE },
  Bo: { language: "zh", locale: "zh-CN", transport: "sse", colorScheme: "dark", viewport: WIDE },
  Cy: { language: "en", locale: "en-GB", transport: "longpoll", colorScheme: "light", viewport: NARROW },
};

export class Walker extends Chat {
  constructor(page, name, { language, viewport }) {
    super(page, name);
    this.words = WORDS[language];
    this.viewport = viewport;
  }

  /** Comes in by the first page, with a name. */
  static async enter(t, browser, server, name, { as = name, path = "/?room=lobby", ...more } = {}) {
    const { language, transport, ...look } = PEOPLE[name];
    const page = await openIn(await browser.context(t, { ...look, ...more }), server.origin + path);
    const walker = new Walker(page, as, PEOPLE[name]);
    await page.getByLabel(walker.words.yourName).fill(as);
    await page.getByLabel(walker.words.yourName).press("Enter");
    await walker.composer.waitFor();
    await walker.by(transport);
    return walker;
  }

  /** Forces a transport by the chip, and waits until it is the one in use. */
  async by(transport) {
    await this.pickConnection(this.words.transports[transport]);
    await until(`${this.name} reads by ${transport}`, async () =>
      (await this.chip.getAttribute("data-transport")) === transport && (await this.chip.getAttribute("data-status")) === "online",
    );
  }

  get dialog() {
    return this.page.getByRole("dialog");
  }

  /** Waits until a text stands somewhere. */
  reads(text, { within = this.page } = {}) {
    return within.getByText(text).first().waitFor();
  }

  item(title) {
    return this.page.getByTestId("room-item").filter({ has: this.page.locator(".room-item-title", { hasText: new RegExp(`^${title}`) }) });
  }

  /** To the list of conversations, which a narrow page shows instead of one. */
  async toList() {
    const back = this.page.getByRole("button", { name: this.words.back });
    if (await back.isVisible()) await back.click();
    await this.page.getByTestId("room-list").waitFor();
  }

  async go(title) {
    await this.toList();
    await this.item(title).click();
    await this.page.getByRole("heading", { level: 1, name: title }).waitFor();
  }

  /** To a person by Ctrl+K, a part of the name and a click. */
  async jumpTo(name) {
    await this.page.keyboard.press("ControlOrMeta+k");
    await this.page.getByRole("combobox").fill(name);
    await this.page.getByRole("option", { name, exact: true }).click();
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
  }

  async choose(entry) {
    await this.page.locator("[role^=menuitem]").filter({ hasText: entry }).first().click();
  }

  async onMessage(text, entry) {
    const item = this.page.getByRole("menuitem", { name: entry, exact: true });
    // What was sent a moment ago has a menu once the stream has brought it back.
    await until(`a menu on "${text}"`, async () => {
      if (!(await item.isVisible())) await this.message(text).locator(".bubble").click({ button: "right" });
      return item.isVisible();
    });
    await item.click();
  }

  async onRoom(title, entry) {
    await this.toList();
    await this.item(title).click({ button: "right" });
    await this.choose(entry);
  }

  async details() {
    await this.page.getByRole("button", { name: this.words.details }).click();
    await this.dialog.waitFor();
  }

  member(name) {
    return this.dialog.locator(".people").getByRole("button", { name: new RegExp(`^${name}\\b`) });
  }

  async onMember(name, entry) {
    await this.member(name).click();
    await this.choose(entry);
  }

  async settings() {
    await this.toList();
    await this.page.getByTestId("account").click();
    await this.choose(this.words.settings);
    await this.dialog.waitFor();
  }

  async rename(name) {
    await this.settings();
    await this.dialog.getByLabel(this.words.yourName).fill(name);
    await this.dialog.getByRole("button", { name: this.words.save }).click();
    await this.reads(this.words.nameChanged);
    await this.closeDialog();
  }

  async closeDialog() {
    await this.page.keyboard.press("Escape");
    await this.dialog.waitFor({ state: "hidden" });
  }
}

/** All three in the lobby. */
export async function trio(t, browser, server) {
  const [ann, bo, cy] = await Promise.all(Object.keys(PEOPLE).map((name) => Walker.enter(t, browser, server, name)));
  return { ann, bo, cy };
}

/** A group of Ann's with both others in it, open before all; made through the page. */
export async function groupOf(ann, bo, cy, title) {
  const { page, words } = ann;
  await page.getByRole("button", { name: words.newChat }).click();
  await page.getByRole("tab", { name: words.tabGroup }).click();
  await page.getByLabel(words.groupTitle).fill(title);
  for (const { name } of [bo, cy]) {
    await page.getByTestId("people-search").fill(name);
    await ann.dialog.getByRole("button", { name, exact: true }).click();
  }
  await page.getByRole("button", { name: words.createGroup }).click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  for (const other of [bo, cy]) await other.go(title);
}

/** Pictures of what everybody sees now, where they are asked for. */
export async function station(name, ...walkers) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  for (const { page, name: who, viewport } of walkers) {
    for (const [width, size] of Object.entries({ wide: WIDE, narrow: NARROW })) {
      await page.setViewportSize(size);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        // The page hears of it, and colours glide: two frames later nothing moves any more.
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
        await page.screenshot({ path: `${SHOTS}/${name}-${who}-${width}-${colorScheme}.png` });
      }
    }
    await page.setViewportSize(viewport);
  }
}

/** Nothing was said on the console, and each read by the transport that was theirs. */
export function problemsOf(...walkers) {
  return walkers.flatMap(({ name, page }) => page.problems.map((problem) => `${name}: ${problem}`));
}

/** Everybody has these texts, in this order, among what begins with `mark`. */
export async function agree(walkers, mark, said) {
  for (const walker of walkers) {
    await until(`${walker.name} has "${mark}" whole and in order`, async () =>
      JSON.stringify((await walker.texts()).filter((text) => text.startsWith(mark))) === JSON.stringify(said),
    );
  }
}

