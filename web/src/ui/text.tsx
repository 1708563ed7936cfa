// The text of a message, drawn from its marks (model/markup.ts). A long one is folded.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { blocksOf, type Inline, type Mentions } from "../model/markup.ts";
import { foldOf } from "../model/text.ts";

/** A name as short as this is not broken over two lines. */
const NAME_WHOLE_CHARS = 24;

interface Props {
  text: string;
  mentions: Mentions;
  me: string;
  /** Of links and buttons in it: only the message with the focus has them in the tab order. */
  tab: number;
}

export function Text({ text, mentions, me, tab }: Props) {
  const [open, setOpen] = useState(false);
  const head = foldOf(text);
  const draw = (parts: readonly Inline[]): ComponentChildren[] =>
    parts.map((part) => {
      switch (part.type) {
        case "text":
          return part.text;
        case "code":
          return <code>{part.text}</code>;
        case "link":
          return (
            <a tabIndex={tab} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
              {part.text}
            </a>
          );
        case "mention":
          return <span class={["mention", (part.user === me || part.user === "") && "mention-me", part.text.length <= NAME_WHOLE_CHARS && "mention-whole"].filter(Boolean).join(" ")}>{part.text}</span>;
        case "strong":
          return <strong>{draw(part.parts)}</strong>;
        case "em":
          return <em>{draw(part.parts)}</em>;
        case "del":
          return <del>{draw(part.parts)}</del>;
      }
    });
  return (
    <div class="text">
      {blocksOf(head !== undefined && !open ? `${head}…` : text, mentions).map((block) =>
        block.type === "code" ? (
          // A block wider than its bubble is scrolled, by keyboard too.
          <pre tabIndex={tab}>
            <code>{block.text}</code>
          </pre>
        ) : block.type === "quote" ? (
          <blockquote>{draw(block.parts)}</blockquote>
        ) : (
          <span class="lines">{draw(block.parts)}</span>
        ),
      )}
      {head !== undefined && (
        <button type="button" class="button-link" tabIndex={tab} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t.showLess : t.showMore}
        </button>
      )}
    </div>
  );
}
