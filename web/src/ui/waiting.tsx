// Shown while nobody else is about: how to get a second person here. It goes when somebody comes.
import type { Conversation } from "../app/conversation.ts";
import { linkTo, openSecondWindow } from "../app/identity.ts";
import { t } from "../i18n/index.ts";
import { readersOf } from "../model/room.ts";
import { useApp } from "./context.ts";
import { CopyLink } from "./copy_link.tsx";
import { Icon } from "./icons.tsx";

/** Somebody who wrote or came this recently is taken to be about. */
const ABOUT_MS = 10 * 60_000;

export function Waiting({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const { room: id } = conversation.target;
  const room = app.room(conversation.target);
  if (!id || !room?.open || !conversation.atEnd || app.state.status !== "online") return null;

  const { me } = app.model;
  const timeline = app.model.timeline(id);
  const since = Date.now() - ABOUT_MS;
  const lastOther = timeline.messages.findLast((message) => message.from !== me);
  const came = timeline.notes.some((note) => note.action === "join" && note.at > since && note.users.some((user) => user !== me));
  if (came || (lastOther && lastOther.at > since) || app.model.typingIn(id, Date.now()).length > 0) return null;
  const own = timeline.messages.find((message) => message.from === me);
  if (own && readersOf(room, own.seq) > 0) return null;

  return (
    <section class="waiting" aria-label={t.waiting} data-testid="waiting">
      <span class="waiting-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <h2>{t.waiting}</h2>
      <p>{t.waitingText}</p>
      <div class="waiting-actions">
        <button type="button" class="button button-primary" onClick={() => openSecondWindow(app.nameOf(me), id)}>
          <Icon name="window" />
          {t.secondWindow}
        </button>
        <CopyLink href={linkTo(id)} />
      </div>
    </section>
  );
}
