// What a message's text looks like: a small part of Markdown, as parts to draw. Text never becomes HTML.
//
//   **strong**  *emphasis*  _emphasis_  ~~struck~~  `code`  ```blocks```  > quotes  addresses  @mentions
//
// What does not fit the rules is text as it stands, so nothing that was written is ever lost from view. Each
// rule looks no further than its own next mark: the time taken grows with the text, whatever it holds.
import { partsOf } from "./text.ts";

export type Inline =
  | { type: "text"; text: string }
  | { type: "code"; text: string }
  | { type: "link"; text: string; href: string }
  | { type: "mention"; text: string; user: string }
  | { type: "strong" | "em" | "del"; parts: Inline[] };

export type Block = { type: "lines" | "quote"; parts: Inline[] } | { type: "code"; text: string };

/** Names that count as mentions where an "@" stands before them, and whose they are. */
export type Mentions = ReadonlyMap<string, string>;

const NOBODY: Mentions = new Map();
const FENCE = "```";

export function blocksOf(text: string, mentions: Mentions = NOBODY): Block[] {
  const blocks: Block[] = [];
  let run: string[] = [];
  let quoted = false;
  const flush = () => {
    if (run.length > 0) blocks.push({ type: quoted ? "quote" : "lines", parts: inlineOf(run.join("\n"), mentions) });
    run = [];
  };
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const end = line.startsWith(FENCE) ? fenceEnd(lines, at) : undefined;
    if (end !== undefined) {
      flush();
      blocks.push({ type: "code", text: codeOf(lines, at, end) });
      at = end;
      continue;
    }
    const quote = /^>\s?/.exec(line);
    if ((quote !== null) !== quoted) flush();
    quoted = quote !== null;
    run.push(quote ? line.slice(quote[0].length) : line);
  }
  flush();
  return blocks;
}

/** The line on which the block that begins at `at` ends. */
function fenceEnd(lines: string[], at: number): number | undefined {
  const first = (lines[at] ?? "").trimEnd();
  if (first.length >= 2 * FENCE.length && first.endsWith(FENCE)) return at;
  for (let end = at + 1; end < lines.length; end++) if (lines[end]?.trimEnd().endsWith(FENCE)) return end;
  return undefined;
}

function codeOf(lines: string[], at: number, end: number): string {
  const all = lines.slice(at, end + 1).join("\n").trimEnd();
  const inside = all.slice(FENCE.length, -FENCE.length);
  // A word right after the opening marks names the language.
  return (end > at ? inside.replace(/^[\w+#.-]*[ \t]*\n/, "") : inside).replace(/\n$/, "");
}

export function inlineOf(text: string, mentions: Mentions = NOBODY): Inline[] {
  // Code first: nothing in it means anything. Then addresses, for their underscores are their own.
  const parts: Inline[] = [];
  for (const piece of split(text, /`([^`\n]+)`/g)) {
    if (piece.mark !== undefined) {
      parts.push({ type: "code", text: piece.inside });
      continue;
    }
    for (const part of partsOf(piece.inside)) {
      if (part.type === "link") parts.push(part);
      else parts.push(...emphasis(part.text, mentions));
    }
  }
  return parts;
}

const MARKS = [
  ["**", "strong"],
  ["~~", "del"],
  ["*", "em"],
  ["_", "em"],
] as const;
const EMPHASIS = /\*\*([^\s*](?:[^*\n]*[^\s*])?)\*\*|~~([^\s~](?:[^~\n]*[^\s~])?)~~|\*([^\s*](?:[^*\n]*[^\s*])?)\*|_([^\s_](?:[^_\n]*[^\s_])?)_/g;

function emphasis(text: string, mentions: Mentions): Inline[] {
  const parts: Inline[] = [];
  let done = 0;
  for (const match of text.matchAll(EMPHASIS)) {
    const [mark, type] = MARKS[match.slice(1).findIndex((group) => group !== undefined)] ?? MARKS[0];
    const end = match.index + match[0].length;
    // snake_case_words and 2*3*4 mean what they say.
    if (mark.length === 1 && (isWord(text[match.index - 1]) || isWord(text[end]))) continue;
    parts.push(...mentioned(text.slice(done, match.index), mentions));
    parts.push({ type, parts: emphasis(match[0].slice(mark.length, -mark.length), mentions) });
    done = end;
  }
  parts.push(...mentioned(text.slice(done), mentions));
  return parts;
}

const isWord = (char: string | undefined) => char !== undefined && /[\p{L}\p{N}]/u.test(char);

function mentioned(text: string, mentions: Mentions): Inline[] {
  if (text === "") return [];
  if (mentions.size === 0 || !text.includes("@")) return [{ type: "text", text }];
  // Longer names first: "@Ann Lee" is not "@Ann" and a word.
  const names = [...mentions.keys()].sort((a, b) => b.length - a.length).map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return split(text, new RegExp(`@(${names.join("|")})`, "g")).map(({ mark, inside }) =>
    mark === undefined ? { type: "text", text: inside } : { type: "mention", text: mark, user: mentions.get(inside) ?? "" },
  );
}

/** `text` cut at what `pattern` finds; its group is what stands inside of the mark. */
function split(text: string, pattern: RegExp): { mark?: string; inside: string }[] {
  const pieces: { mark?: string; inside: string }[] = [];
  let done = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > done) pieces.push({ inside: text.slice(done, match.index) });
    pieces.push({ mark: match[0], inside: match[1] ?? "" });
    done = match.index + match[0].length;
  }
  if (done < text.length) pieces.push({ inside: text.slice(done) });
  return pieces;
}

/** The words without the marks, for lists and quotes. */
export function wordsOf(text: string): string {
  const words = (parts: Inline[]): string => parts.map((part) => ("parts" in part ? words(part.parts) : part.text)).join("");
  return blocksOf(text).map((block) => (block.type === "code" ? block.text : words(block.parts))).join(" ");
}
