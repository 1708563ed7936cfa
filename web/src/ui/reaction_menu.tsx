// The reactions one can give: the quick ones in a row, and all of them behind a word to find them by.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { Message } from "../model/message.ts";
import { emojiFor } from "../model/suggest.ts";
import { useApp } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";
import { Menu, type Place } from "./menu.tsx";

const QUICK = ["👍", "❤️", "😂", "🎉", "🙏", "👀"];

interface Props {
  message: Message;
  at: Place;
  onPick: (emoji: string) => void;
  onClose: () => void;
}

export function ReactionMenu({ message, at, onPick, onClose }: Props) {
  const app = useApp();
  const [all, setAll] = useState(false);
  const mine = (emoji: string) => message.reactions.some((r) => r.emoji === emoji && r.users.includes(app.model.me));
  const pick = (emoji: string) => {
    onClose();
    onPick(emoji);
  };
  if (all) return <AllEmoji mine={mine} onPick={pick} onClose={onClose} />;
  return (
    <Menu label={t.react} at={at} onClose={onClose}>
      <div class="menu-emoji">
        {QUICK.map((emoji) => (
          <button type="button" role="menuitemcheckbox" aria-checked={mine(emoji)} tabIndex={-1} key={emoji} aria-label={t.reactWith(emoji)} onClick={() => pick(emoji)}>
            {emoji}
          </button>
        ))}
        <button type="button" role="menuitem" tabIndex={-1} aria-label={t.moreEmoji} title={t.moreEmoji} class="menu-emoji-more" onClick={() => setAll(true)}>
          +
        </button>
      </div>
    </Menu>
  );
}

function AllEmoji({ mine, onPick, onClose }: { mine: (emoji: string) => boolean; onPick: (emoji: string) => void; onClose: () => void }) {
  const [q, setQ] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <Dialog title={t.findEmoji} onClose={onClose} bare>
      <label class="field field-large">
        <span class="sr-only">{t.findEmoji}</span>
        <Icon name="search" />
        <input ref={field} type="search" autocomplete="off" spellcheck={false} placeholder={t.findEmoji} value={q} onInput={(event) => setQ(event.currentTarget.value)} />
      </label>
      <div class="emoji-grid">
        {emojiFor(q.trim(), Infinity).map(({ emoji, words }) => (
          <button type="button" key={emoji} aria-pressed={mine(emoji)} aria-label={t.reactWith(emoji)} title={t.emojiName(words)} onClick={() => onPick(emoji)}>
            {emoji}
          </button>
        ))}
      </div>
    </Dialog>
  );
}
