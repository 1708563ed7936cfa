// The right-hand side: one conversation with its head, messages, who is typing, and the composer.
import { useState } from "preact/hooks";
import { type Conversation, keyOf } from "../app/conversation.ts";
import { goBack } from "../app/navigation.ts";
import { t } from "../i18n/index.ts";
import { otherOf } from "../model/room.ts";
import { PersonAvatar, RoomAvatar } from "./avatar.tsx";
import { Composer } from "./composer.tsx";
import { ConnectionBanner, ConnectionChip } from "./connection.tsx";
import { useApp } from "./context.ts";
import { agoOf } from "./dates.ts";
import { Icon } from "./icons.tsx";
import { RoomDetails } from "./details/room_details.tsx";
import { PickingBar } from "./picking.tsx";
import { Pins } from "./pins.tsx";
import { searchKey } from "./shortcuts.ts";
import { TimelineView } from "./timeline.tsx";

export function RoomView({ conversation, onSignOut }: { conversation: Conversation; onSignOut: () => void }) {
  const app = useApp();
  const [details, setDetails] = useState(false);
  const room = app.room(conversation.target);
  const title = app.titleOf(conversation.target);
  const key = keyOf(conversation.target);
  const [, redraw] = useState(0);
  const toComposer = () => {
    redraw((n) => n + 1);
    document.getElementById("composer")?.focus();
  };
  return (
    <main class="room" aria-label={title}>
      <header class="room-head">
        <button type="button" class="button-icon only-narrow" aria-label={t.back} title={t.back} onClick={goBack}>
          <Icon name="back" />
        </button>
        {room ? <RoomAvatar room={room} /> : <PersonAvatar id={conversation.target.to ?? ""} name={title} />}
        <div class="room-title">
          <h1 dir="auto">{title}</h1>
          <p>
            <Subtitle conversation={conversation} />
          </p>
        </div>
        <ConnectionChip />
        {room && (
          <button type="button" class="button-icon" aria-label={t.searchMessages} title={`${t.searchMessages} (${searchKey})`} aria-pressed={app.side.shown === "search"} onClick={() => (app.side.shown === "search" ? app.side.close() : app.side.openSearch(room.id))}>
            <Icon name="search" />
          </button>
        )}
        {room && room.kind !== "direct" && (
          <button type="button" class="button-icon" aria-label={t.details} title={t.details} onClick={() => setDetails(true)}>
            <Icon name="info" />
          </button>
        )}
      </header>
      <ConnectionBanner onSignOut={onSignOut} />
      {room && <Pins room={room} conversation={conversation} />}
      <TimelineView key={`timeline ${key}`} conversation={conversation} onReply={toComposer} onEdit={toComposer} />
      <Typing conversation={conversation} />
      {conversation.picked ? <PickingBar conversation={conversation} /> : <Composer key={`composer ${key}`} conversation={conversation} />}
      {details && room && <RoomDetails room={room} onClose={() => setDetails(false)} />}
    </main>
  );
}

/** Of a room how many, of a person whether they are about. */
function Subtitle({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const room = app.room(conversation.target);
  if (room && room.kind !== "direct") return <>{t.members(room.userCount)}</>;
  const presence = app.model.presenceOf(conversation.target.to ?? (room ? (otherOf(room, app.model.me) ?? "") : ""));
  if (presence?.state === "online") return <>{t.present}</>;
  return <>{presence?.at ? t.lastSeen(agoOf(presence.at, Date.now())) : t.direct}</>;
}

function Typing({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const { room } = conversation.target;
  const users = room ? app.model.typingIn(room, Date.now()) : [];
  const text = users.length === 0 ? "" : users.length > 3 ? t.typingMany : t.typing(users.map((user) => app.nameOf(user)));
  return (
    <div class="typing" data-testid="typing" aria-live="polite">
      {text && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span class="typing-text">{text}</span>
        </>
      )}
    </div>
  );
}
