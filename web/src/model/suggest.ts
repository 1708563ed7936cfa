// What the composer offers while one writes: people after "@", emoji after ":". Pure: text and caret in, the
// word being written out, and which choices fit it.
import { EMOJI } from "./emoji.ts";

export interface Asked {
  kind: "person" | "emoji";
  /** Where the "@" or ":" stands. */
  from: number;
  /** What is written after it, up to the caret. */
  q: string;
}

const NAME_CHARS_MAX = 40;
/** As many as stand over the composer without scrolling. */
const CHOICES_MAX = 6;

/** Before the mark there is the beginning, a space or punctuation, never a word: ann@example.org, 10:30. */
const PERSON = /(^|[^\p{L}\p{N}_@])@([^@\n]*)$/u;
const PERSON_CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]@([^@\n]*)$/u;
const EMOJI_WORD = /(^|[\s(（，。！？])[:：]([\p{L}\p{N}_+-]{1,20})$/u;

export function askedAt(text: string, caret: number): Asked | null {
  const before = text.slice(Math.max(0, caret - NAME_CHARS_MAX - 2), caret);
  const person = PERSON.exec(before)?.[2] ?? PERSON_CJK.exec(before)?.[1];
  // "@ " is an at sign.
  if (person !== undefined && !/^\s/.test(person)) return { kind: "person", from: caret - person.length - 1, q: person };
  const emoji = EMOJI_WORD.exec(before)?.[2];
  // One Latin letter says too little; ":D" is not the beginning of a name.
  if (emoji && (emoji.length > 1 || /\p{Script=Han}/u.test(emoji))) return { kind: "emoji", from: caret - emoji.length - 1, q: emoji };
  return null;
}

export interface Named {
  id: string;
  name: string;
}

/** Names that begin with what is written, or have a word that does; the better ones first. */
export function peopleFor(q: string, people: readonly Named[]): Named[] {
  const wanted = q.toLocaleLowerCase();
  const rank = ({ name }: Named) => {
    const lower = name.toLocaleLowerCase();
    if (lower.startsWith(wanted)) return 0;
    if (lower.split(/\s+/).some((word) => word.startsWith(wanted))) return 1;
    return wanted !== "" && lower.includes(wanted) ? 2 : 3;
  };
  return people
    .map((person) => ({ person, rank: rank(person) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, CHOICES_MAX)
    .map(({ person }) => person);
}

/** Emoji that one of its words finds; `name` is that word, `words` are all of them, the English ones first. */
export function emojiFor(q: string, max = CHOICES_MAX): { emoji: string; name: string; words: readonly string[] }[] {
  const wanted = q.toLowerCase();
  const found = EMOJI.map(({ emoji, words }) => {
    const word = words.find((each) => each.startsWith(wanted)) ?? words.find((each) => each.includes(wanted));
    return { emoji, words, name: word ?? "", rank: word === undefined ? 2 : word.startsWith(wanted) ? 0 : 1 };
  });
  return found.filter(({ rank }) => rank < 2).sort((a, b) => a.rank - b.rank).slice(0, max);
}

/** Whom a text names: every known person whose "@name" stands in it. */
export function mentionsIn(text: string, people: readonly Named[]): string[] {
  if (!text.includes("@")) return [];
  // Longer names first, each taken out once found, so that "@Ann Lee" does not also name Ann.
  let left = text;
  const named: string[] = [];
  for (const { id, name } of [...people].sort((a, b) => b.name.length - a.name.length)) {
    if (!name || !left.includes(`@${name}`)) continue;
    named.push(id);
    left = left.replaceAll(`@${name}`, " ");
  }
  return named;
}

/** "@all" as a word: everybody is spoken to. */
export const namesAll = (text: string): boolean => /(^|[^\p{L}\p{N}_])@all(?![\p{L}\p{N}_])/u.test(text);
