// One row of the timeline: a message, or one of the lines between messages.
import type { Conversation } from "../app/conversation.ts";
import { settings } from "../app/settings.ts";
import { language, t } from "../i18n/index.ts";
import { type Room, readersOf } from "../model/room.ts";
import type { Row } from "../model/rows.ts";
import type { Note } from "../model/timeline.ts";
import { Still, useApp } from "./context.ts";
import { dayTitle, fullTimeOf } from "./dates.ts";
import { MessageView } from "./message.tsx";

interface Props {
  row: Row;
  conversation: Conversation;
  room: Room | undefined;
  onReply: () => void;
  onEdit: () => void;
}

export function RowView({ row, conversation, room, onReply, onEdit }: Props) {
  const app = useApp();
  switch (row.type) {
    case "message": {
      const { message, mine } = row;
      const readers = mine && room && row.state === "delivered" ? readersOf(room, message.seq) : 0;
      const delivered = mine && room !== undefined && room.delivered >= message.seq;
      const quoted = message.replyTo === undefined || !conversation.target.room ? undefined : app.model.timeline(conversation.target.room).look(message.replyTo);
      if (quoted === undefined && message.replyTo !== undefined) app.wantAside(conversation, message.replyTo);
      const picking = conversation.picked === null ? undefined : conversation.picked.has(message.seq);
      const inThread = conversation.target.thread !== undefined;
      const replies = !inThread && message.seq > 0 ? app.model.timeline(message.room).threads.of(message.seq).filter((reply) => !reply.recalled) : [];
      const answered = replies.map((reply) => reply.from).join();
      const root = inThread || message.thread === undefined ? undefined : app.model.timeline(message.room).look(message.thread);
      if (root === undefined && message.thread !== undefined && !inThread) app.wantAside(conversation, message.thread);
      const pinned = room?.pins?.includes(message.seq) === true;
      const name = app.nameOf(message.from);
      const flash = conversation.flash === message.seq && message.seq > 0;
      // A pending message has no number yet, so it is not the same object twice; its id says who it is.
      const identity = row.state === "delivered" ? message : message.id;
      const inputs = [identity, row.first, row.last, row.state, readers, delivered, quoted, root, answered, app.model.naming, flash, pinned, picking, room?.policy, language, settings.previews, room?.kind, room?.role, conversation];
      return (
        <Still inputs={inputs}>
          {() => <MessageView row={row} room={room} conversation={conversation} name={name} readers={readers} delivered={delivered} quoted={quoted} root={root} replies={replies} pinned={pinned} flash={flash} onReply={onReply} onEdit={onEdit} />}
        </Still>
      );
    }
    case "day":
      return (
        <div class="line line-day" data-key={row.key}>
          <span>{dayTitle(row.at, Date.now())}</span>
        </div>
      );
    case "divider":
      return (
        <div class="line line-new" data-key={row.key} data-testid="unread-divider">
          <span>{t.newDivider}</span>
        </div>
      );
    case "note":
      return (
        <div class="line line-note" data-key={row.key}>
          <span>{noteText(row.note, app.model.me, (user) => app.nameOf(user))}</span>
        </div>
      );
    case "replies":
      return (
        <div class="line line-day" data-key={row.key} role="status">
          <span>{row.count === 0 ? t.threadEmpty : t.replies(row.count)}</span>
        </div>
      );
    case "start":
      return <Start conversation={conversation} room={room} rowKey={row.key} />;
    case "hole":
      return <Hole row={row} conversation={conversation} />;
  }
}

function noteText(note: Note, me: string, nameOf: (user: string) => string): string {
  const people = note.users.map((user) => (user === me && note.actor !== me ? t.youAccusative : user === me ? t.you : nameOf(user)));
  const actor = note.actor === me ? t.you : nameOf(note.actor);
  switch (note.action) {
    case "join":
      return t.joined(people);
    case "leave":
      return t.left(people);
    case "add":
      return t.added(actor, people);
    case "remove":
      return t.removed(actor, people);
    case "ban":
      return t.banned(actor, people);
    case "mute":
      return (note.until ?? 0) > note.at ? t.muted(actor, people, fullTimeOf(note.until ?? 0)) : t.unmuted(actor, people);
  }
}

function Start({ conversation, room, rowKey }: { conversation: Conversation; room: Room | undefined; rowKey: string }) {
  const app = useApp();
  const title = app.titleOf(conversation.target);
  const direct = !room || room.kind === "direct";
  // Who came later does not see what was said before.
  const earlier = room !== undefined && app.model.timeline(room.id).earliest > 1;
  return (
    <div class="line line-start" data-key={rowKey}>
      <img src="assets/logo.svg" alt="" width="40" height="40" />
      <span>{earlier ? t.startOfVisible : direct ? t.startOfDirect(title) : t.startOfRoom(title)}</span>
    </div>
  );
}

function Hole({ row, conversation }: { row: Row & { type: "hole" }; conversation: Conversation }) {
  const app = useApp();
  if (conversation.failed.has(row.to)) {
    return (
      <div class="hole" data-key={row.key}>
        <span>{t.loadFailed}</span>
        <button type="button" class="button button-small" onClick={() => app.fill(conversation, row, "older")}>
          {t.tryAgain}
        </button>
      </div>
    );
  }
  return (
    <div class="hole" data-key={row.key} data-testid="gap">
      <span class="hole-bar hole-bar-long" />
      <span class="hole-bar" />
      <span class="hole-bar hole-bar-own" />
      <span>{row.top ? t.loading : t.loadingGap(row.to - row.from + 1)}</span>
    </div>
  );
}
