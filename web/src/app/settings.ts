// Language and appearance: the person's choice, else what the system says. Shared with the lab page.
import { type Language, preferredLanguage, useLanguage } from "../i18n/index.ts";
import { browser } from "./keep.ts";

export type Theme = "system" | "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");

export type Density = "roomy" | "compact";

export const settings = {
  /** Enter sends, or only Ctrl/⌘+Enter does. */
  get enterSends(): boolean {
    return browser.getItem("wigeon.enter") !== "newline";
  },
  set enterSends(sends: boolean) {
    browser.setItem("wigeon.enter", sends ? "send" : "newline");
  },
  /** Under a message stands what its link leads to. */
  get previews(): boolean {
    return browser.getItem("wigeon.previews") !== "off";
  },
  set previews(on: boolean) {
    browser.setItem("wigeon.previews", on ? "on" : "off");
  },
  get density(): Density {
    return browser.getItem("wigeon.density") === "compact" ? "compact" : "roomy";
  },
  set density(density: Density) {
    browser.setItem("wigeon.density", density);
    applyTheme();
  },
  get theme(): Theme {
    const kept = browser.getItem("wigeon.theme");
    return kept === "light" || kept === "dark" ? kept : "system";
  },
  set theme(theme: Theme) {
    browser.setItem("wigeon.theme", theme);
    applyTheme();
  },
  get language(): Language {
    const kept = browser.getItem("wigeon.language");
    return kept === "en" || kept === "zh" ? kept : preferredLanguage(navigator.languages);
  },
  set language(language: Language) {
    browser.setItem("wigeon.language", language);
    useLanguage(language);
  },
};

/** Call once, before the first drawing. */
export function applySettings(): void {
  useLanguage(settings.language);
  applyTheme();
  dark.addEventListener("change", applyTheme);
}

function applyTheme(): void {
  const { theme } = settings;
  const shown = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
  document.documentElement.dataset.theme = shown;
  document.documentElement.dataset.density = settings.density;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", shown === "dark" ? "#191715" : "#f6f2ea");
}
