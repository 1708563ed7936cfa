// Text of a message as parts to draw: words, links, and nothing else. Text never becomes HTML.

export type Part = { type: "text"; text: string } | { type: "link"; text: string; href: string };

// Stops at white space, quotes, angle brackets and CJK text or punctuation: Chinese is written without
// spaces, so "见https://example.org。好" must end before "。".
const URL_LIKE = /\bhttps?:\/\/[^\s<>"'`\u3000-\u303f\uff00-\uffef\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]+/gi;

export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let done = 0;
  for (const match of text.matchAll(URL_LIKE)) {
    const link = trimEnd(match[0]);
    const href = safeHref(link);
    if (!href) continue;
    if (match.index > done) parts.push({ type: "text", text: text.slice(done, match.index) });
    parts.push({ type: "link", text: link, href });
    done = match.index + link.length;
  }
  if (done < text.length) parts.push({ type: "text", text: text.slice(done) });
  return parts;
}

/** Drops punctuation that ends the sentence rather than the address, and an unopened ")". */
function trimEnd(link: string): string {
  for (;;) {
    const last = link.at(-1) ?? "";
    const unopened = last === ")" && count(link, ")") > count(link, "(");
    if (!unopened && !".,;:!?]}*_".includes(last)) return link;
    link = link.slice(0, -1);
  }
}

const count = (text: string, char: string) => text.split(char).length - 1;

function safeHref(link: string): string | undefined {
  try {
    const url = new URL(link);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** One to three emoji and nothing else are drawn big. */
export function isEmojiOnly(text: string): boolean {
  return EMOJI_ONLY.test(text.trim());
}
// Every browser that knows the "v" flag could say RGI_Emoji; this says nearly the same everywhere.
const EMOJI = "(?:\\p{RI}{2}|[0-9#*]\\uFE0F\\u20E3|\\p{Emoji_Presentation}|\\p{Emoji}\\uFE0F)(?:\\p{Emoji_Modifier})?(?:\\u200D(?:\\p{Emoji_Presentation}|\\p{Emoji}\\uFE0F?)(?:\\p{Emoji_Modifier})?)*";
const EMOJI_ONLY = new RegExp(`^(?:${EMOJI}\\s*){1,3}$`, "u");

/** A long message is folded; `undefined` when it is short enough to stand whole. */
export function foldOf(text: string, lines_max = 20, chars_max = 1_500): string | undefined {
  const lines = text.split("\n");
  if (lines.length <= lines_max + 4 && text.length <= chars_max + 300) return undefined;
  const head = lines.slice(0, lines_max).join("\n");
  return head.length > chars_max ? head.slice(0, safeCut(head, chars_max)) : head;
}

/** Not between the halves of a surrogate pair. */
function safeCut(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}

/** A message in one line, for lists and quotes. */
export function oneLine(text: string, chars_max = 120): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > chars_max ? `${line.slice(0, safeCut(line, chars_max))}…` : line;
}

export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = [...(words[0] ?? "?")];
  // A Chinese name is known by its last characters, a Latin one by the first letters of its words.
  if (/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Hangul}/u.test(first[0] ?? "")) return first.slice(-2).join("");
  return ((first[0] ?? "?") + ([...(words.length > 1 ? (words.at(-1) ?? "") : "")][0] ?? "")).toUpperCase();
}

/** Which of `count` colours a person has: the same on every screen. */
export function colourOf(id: string, count: number): number {
  let hash = 0;
  for (const char of id) hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) | 0;
  return Math.abs(hash) % count;
}

/** The direction of a text is that of its first letter, as `dir="auto"` has it. */
export function directionOf(text: string): "ltr" | "rtl" {
  const letter = /\p{L}/u.exec(text)?.[0] ?? "";
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter) ? "rtl" : "ltr";
}
