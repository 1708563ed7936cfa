// The bar that takes the composer's place while messages are being picked.
import { useLayoutEffect, useState } from "preact/hooks";
import type { Conversation } from "../app/conversation.ts";
import { t } from "../i18n/index.ts";
import { mayRecall } from "../model/room.ts";
import { copyText } from "./copy.ts";
import { useApp } from "./context.ts";
import { fullTimeOf } from "./dates.ts";
import { Confirm } from "./dialog.tsx";
import { Forward } from "./forward.tsx";
import { Icon } from "./icons.tsx";

export function PickingBar({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const [dialog, setDialog] = useState<"forward" | "recall" | null>(null);
  const room = app.room(conversation.target);
  const messages = app.picked(conversation);
  const end = () => app.endPicking(conversation);
  const none = messages.length === 0;
  const recallable = room !== undefined && !none && messages.every((message) => mayRecall(room, message, app.model.me, Date.now()));
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // A dialog or a menu over it ends first, by the same key.
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open], [role=menu]")) end();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
  const copy = async () => {
    const text = messages.map((message) => `${app.nameOf(message.from)}, ${fullTimeOf(message.at)}\n${message.text}`).join("\n\n");
    if (await copyText(text)) app.toast(t.copied);
    end();
  };
  return (
    <div class="composer picking" role="toolbar" aria-label={t.pickedCount(messages.length)}>
      <b aria-live="polite">{t.pickedCount(messages.length)}</b>
      <button type="button" class="button" disabled={none} onClick={copy}>
        <Icon name="copy" />
        <span>{t.copy}</span>
      </button>
      <button type="button" class="button" disabled={none} onClick={() => setDialog("forward")}>
        <Icon name="forward" />
        <span>{t.forward}</span>
      </button>
      <button type="button" class="button" disabled={!recallable} onClick={() => setDialog("recall")}>
        <Icon name="trash" />
        <span>{t.recall}</span>
      </button>
      <button type="button" class="button-icon" aria-label={t.cancel} title={t.cancel} onClick={end}>
        <Icon name="close" />
      </button>
      {dialog === "forward" && (
        <Forward
          messages={messages}
          onClose={() => {
            setDialog(null);
            end();
          }}
        />
      )}
      {dialog === "recall" && (
        <Confirm
          title={t.recallSeveral(messages.length)}
          text={t.recallText}
          yes={t.recall}
          onYes={() => {
            for (const message of messages) app.messages.recall(message);
            end();
          }}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );
}
