// The menus of a message: everything that can be done with it, and the row of quick reactions.
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { Message } from "../model/message.ts";
import { copyText } from "./copy.ts";
import { useApp } from "./context.ts";
import { Confirm } from "./dialog.tsx";
import { Menu, MenuItem, type Place } from "./menu.tsx";

const QUICK = ["👍", "❤️", "😂", "🎉", "🙏", "👀"];

export type MessageMenuState = { kind: "actions" | "react"; at: Place } | null;

interface Props {
  message: Message;
  mine: boolean;
  at: Place;
  setMenu: (menu: MessageMenuState) => void;
  onReply: () => void;
  onEdit: () => void;
}

export function MessageMenu({ message, mine, at, setMenu, onReply, onEdit }: Props) {
  const app = useApp();
  const [asking, setAsking] = useState(false);
  const close = () => setMenu(null);
  const then = (action: () => void) => () => {
    close();
    action();
  };
  if (asking) {
    return <Confirm title={t.recallAsk} text={t.recallText} yes={t.recall} onYes={() => app.recall(message)} onClose={close} />;
  }
  return (
    <Menu label={t.actions} at={at} align={mine ? "end" : "start"} onClose={close}>
      <MenuItem icon="smile" onClick={() => setMenu({ kind: "react", at })}>
        {t.react}
      </MenuItem>
      <MenuItem icon="reply" onClick={then(onReply)}>
        {t.reply}
      </MenuItem>
      <MenuItem icon="copy" onClick={then(() => void copyText(message.text))}>
        {t.copy}
      </MenuItem>
      {mine && (
        <MenuItem icon="pencil" onClick={then(onEdit)}>
          {t.edit}
        </MenuItem>
      )}
      {mine && (
        <MenuItem icon="trash" danger onClick={() => setAsking(true)}>
          {t.recall}
        </MenuItem>
      )}
    </Menu>
  );
}

export function ReactionMenu({ message, at, onPick, onClose }: { message: Message; at: Place; onPick: (emoji: string) => void; onClose: () => void }) {
  const app = useApp();
  return (
    <Menu label={t.react} at={at} onClose={onClose}>
      <div class="menu-emoji">
        {QUICK.map((emoji) => (
          <button
            type="button"
            role="menuitemcheckbox"
            aria-checked={message.reactions.some((r) => r.emoji === emoji && r.users.includes(app.model.me))}
            tabIndex={-1}
            key={emoji}
            aria-label={t.reactWith(emoji)}
            onClick={() => {
              onClose();
              onPick(emoji);
            }}
          >
            {emoji}
          </button>
        ))}
      </div>
    </Menu>
  );
}
