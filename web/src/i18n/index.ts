// The language of the page: the person's choice, else the browser's first language that we have.
// `t` is a live binding: after `useLanguage` a render of the page shows the other language.
import { en, type Strings } from "./en.ts";
import { zh } from "./zh.ts";

export type Language = "en" | "zh";

export const LANGUAGES: Record<Language, Strings> = { en, zh };

export let t: Strings = en;
export let language: Language = "en";

export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "en" || base === "zh") return base;
  }
  return "en";
}

export function useLanguage(next: Language): void {
  language = next;
  t = LANGUAGES[next];
  document.documentElement.lang = t.code;
}

/** Dates follow the person's own region where it speaks the page's language ("en-GB", "zh-TW"). */
export function dateLocale(): string {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? t.code;
}

/** A sentence for an error code of the server; its own message where we have none. */
export function explain(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return (code && t.errors[code]) || message || String(code ?? error);
}
