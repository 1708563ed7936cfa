// The pinned messages of a room, over its timeline: the newest in one line, all of them in a list.
import { useState } from "preact/hooks";
import type { Conversation } from "../app/conversation.ts";
import { t } from "../i18n/index.ts";
import { wordsOf } from "../model/markup.ts";
import type { Message } from "../model/message.ts";
import { maySetPins, type Room } from "../model/room.ts";
import { oneLine } from "../model/text.ts";
import { useApp } from "./context.ts";
import { briefTimeOf } from "./dates.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";

export function Pins({ room, conversation }: { room: Room; conversation: Conversation }) {
  const app = useApp();
  const [all, setAll] = useState(false);
  const timeline = app.model.timeline(room.id);
  const messages: Message[] = [];
  for (const seq of room.pins ?? []) {
    const message = timeline.look(seq);
    if (message) messages.push(message);
    else if (message === undefined) app.wantAside(conversation, seq);
  }
  const [newest] = messages;
  if (!newest) return null;
  const visit = (seq: number) => {
    setAll(false);
    void app.visit(conversation, seq, "message");
  };
  return (
    <div class="pins" role="region" aria-label={t.pinned} data-testid="pins">
      <Icon name="pin" />
      <button type="button" class="pins-newest" onClick={() => visit(newest.seq)}>
        <b>{app.nameOf(newest.from)}</b> <span dir="auto">{oneLine(wordsOf(newest.text))}</span>
      </button>
      <button type="button" class="button-link" onClick={() => setAll(true)}>
        {t.pinnedCount(room.pins?.length ?? 0)}
      </button>
      {all && (
        <Dialog title={t.pinned} onClose={() => setAll(false)}>
          <ul class="pinned-list">
            {messages.map((message) => (
              <li key={message.seq}>
                <button type="button" class="pinned-message" onClick={() => visit(message.seq)}>
                  <b>{app.nameOf(message.from)}</b>
                  <time>{briefTimeOf(message.at, Date.now())}</time>
                  <span dir="auto">{oneLine(wordsOf(message.text), 200)}</span>
                </button>
                {maySetPins(room) && (
                  <button type="button" class="button-icon" aria-label={t.unpin} title={t.unpin} onClick={() => app.messages.pin(message, false)}>
                    <Icon name="close" />
                  </button>
                )}
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </div>
  );
}
