// Language and appearance: the person's choice, else what the system says. Shared with the lab page.
import { type Language, preferredLanguage, useLanguage } from "../i18n/index.ts";
import { browser } from "./keep.ts";

export type Theme = "system" | "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");

export const settings = {
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
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", shown === "dark" ? "#191715" : "#f6f2ea");
}
