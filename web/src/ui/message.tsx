// A message: bubble, state, reactions, and what can be done with it. The tools appear on hover or when
// the message has the focus; on touch a long press opens the same menu.
import { useState } from "preact/hooks";
import type { Conversation } from "../app/conversation.ts";
import { settings } from "../app/settings.ts";
import { explain, t } from "../i18n/index.ts";
import type { Message } from "../model/message.ts";
import type { Room } from "../model/room.ts";
import type { Row } from "../model/rows.ts";
import { firstLink } from "../model/links.ts";
import { wordsOf } from "../model/markup.ts";
import { directionOf, isEmojiOnly, oneLine } from "../model/text.ts";
import { PersonAvatar } from "./avatar.tsx";
import { useApp } from "./context.ts";
import { fullTimeOf, timeOf } from "./dates.ts";
import { Icon, Ticks, type TickState } from "./icons.tsx";
import { LinkPreview } from "./link_preview.tsx";
import { useLongPress } from "./long_press.ts";
import { placeOf } from "./menu.tsx";
import { Text } from "./text.tsx";
import { ThreadLink, ThreadMark } from "./thread_links.tsx";
import { MessageMenu, type MessageMenuState } from "./message_menu.tsx";
import { ReactionMenu } from "./reaction_menu.tsx";

interface Props {
  row: Row & { type: "message" };
  room: Room | undefined;
  conversation: Conversation;
  name: string;
  readers: number;
  delivered: boolean;
  quoted: Message | null | undefined;
  /** The message that began the thread it is in, where that is not plain from where it stands. */
  root: Message | null | undefined;
  /** Answers in the thread that it began. */
  replies: readonly Message[];
  pinned: boolean;
  flash: boolean;
  onReply: () => void;
  onEdit: () => void;
}

export function MessageView({ row, room, conversation, name, readers, delivered, quoted, root, replies, pinned, flash, onReply, onEdit }: Props) {
  const app = useApp();
  const [menu, setMenu] = useState<MessageMenuState>(null);
  // Only the message with the focus has its links and buttons in the tab order: a screenful of messages
  // would else stand between the composer and the rest of the page.
  const [inside, setInside] = useState(false);
  const tab = inside ? 0 : -1;
  const { message, mine, first, last, state } = row;
  // Whether it is in the log is one thing, how far it has come from there another.
  const shown = state !== "delivered" ? state : readers > 0 ? "read" : delivered ? "delivered" : "sent";
  const inThread = conversation.target.thread !== undefined;
  const picking = conversation.picked !== null;
  const picked = conversation.picked?.has(message.seq) === true;
  const many = room !== undefined && room.kind !== "direct";
  const real = state === "delivered" && !message.recalled;
  const mentions = new Map(message.mentions.map((user) => [app.nameOf(user), user]));
  if (message.mentionsAll) mentions.set("all", "");
  const called = !mine && (message.mentionsAll || message.mentions.includes(app.model.me));
  const big = !message.recalled && message.replyTo === undefined && isEmojiOnly(message.text);

  const link = real && settings.previews ? firstLink(message.text) : undefined;

  const openMenu = (element: Element) => real && setMenu({ kind: "actions", at: placeOf(element) });
  const press = useLongPress((row) => openMenu(row.querySelector(".bubble") ?? row));
  const classes = ["message", mine ? "message-own" : "message-other", first && "message-first", last && "message-last", flash && "message-flash", called && "message-called", picking && "message-picking", menu && "message-active"];

  return (
    <article
      class={classes.filter(Boolean).join(" ")}
      tabIndex={-1}
      data-key={row.key}
      data-testid={inThread ? "thread-message" : "message"}
      data-seq={message.seq || undefined}
      data-id={message.id}
      data-state={shown}
      aria-label={`${mine ? t.you : name}, ${timeOf(message.at)}`}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget) return;
        if (event.key === "Enter" || event.key === "ContextMenu") {
          event.preventDefault();
          openMenu(event.currentTarget.querySelector(".bubble") ?? event.currentTarget);
        }
      }}
      onContextMenu={(event) => {
        // A link and a selection have menus of the browser's that people want.
        const wanted = (event.target as Element).closest(".bubble") && !(event.target as Element).closest("a") && getSelection()?.isCollapsed;
        if (!real || !wanted) return;
        event.preventDefault();
        const { clientX: x, clientY: y } = event;
        setMenu({ kind: "actions", at: { left: x, right: x, top: y, bottom: y } });
      }}
      onFocusIn={() => setInside(true)}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setInside(false);
      }}
      {...press}
    >
      {picking && (
        <label class="message-pick">
          <input type="checkbox" disabled={!real} checked={picked} aria-label={t.selectOf(mine ? t.you : name, timeOf(message.at))} onChange={() => app.pick(conversation, message.seq)} />
        </label>
      )}
      {!mine && many && (
        <div class="message-side">{first && <PersonAvatar id={message.from} name={name} />}</div>
      )}
      <div class="message-main">
        {!mine && many && first && <div class="message-name" dir="auto">{name}</div>}
        <div class={big ? "bubble bubble-big" : "bubble"} dir={message.recalled ? undefined : directionOf(message.text)}>
          {message.forwarded && !message.recalled && (
            <div class="forwarded">
              <Icon name="forward" />
              {t.forwardedFrom(message.forwarded.from === app.model.me ? t.youAccusative : app.nameOf(message.forwarded.from))}
            </div>
          )}
          {message.thread !== undefined && !inThread && !message.recalled && <ThreadMark tab={tab} message={message} root={root} />}
          {message.replyTo !== undefined && !message.recalled && <Quote tab={tab} seq={message.replyTo} quoted={quoted} conversation={conversation} />}
          {message.recalled ? <span class="recalled">{t.recalled}</span> : <Text tab={tab} text={message.text} mentions={mentions} me={app.model.me} />}
          <span class="meta">
            {pinned && <Icon name="pin" />}
            {message.edited && !message.recalled && <span>{t.edited}</span>}
            <time dateTime={new Date(message.at).toISOString()} title={fullTimeOf(message.at)}>
              {timeOf(message.at)}
            </time>
            {mine && !message.recalled && state !== "failed" && <State state={shown as TickState} readers={readers} />}
          </span>
          {link && <LinkPreview key={link} href={link} tab={tab} />}
          {real && !picking && (
            <div class="tools">
              <button type="button" class="button-tool" aria-label={t.react} title={t.react} onClick={(event) => setMenu({ kind: "react", at: placeOf(event.currentTarget) })}>
                <Icon name="smile" />
              </button>
              <button
                type="button"
                class="button-tool"
                aria-label={t.reply}
                title={t.reply}
                onClick={() => {
                  conversation.replyTo = message;
                  onReply();
                }}
              >
                <Icon name="reply" />
              </button>
              <button type="button" class="button-tool" aria-label={t.moreActions} title={t.moreActions} aria-haspopup="menu" onClick={(event) => openMenu(event.currentTarget)}>
                <Icon name="more" />
              </button>
            </div>
          )}
        </div>
        {state === "failed" && <Failed row={row} />}
        {message.reactions.length > 0 && <Reactions tab={tab} message={message} />}
        {replies.length > 0 && <ThreadLink tab={tab} message={message} replies={replies} />}
      </div>
      {menu?.kind === "actions" && (
        <MessageMenu message={message} mine={mine} room={room} conversation={conversation} at={menu.at} setMenu={setMenu} onReply={() => { conversation.replyTo = message; onReply(); }} onEdit={() => { conversation.editing = message; onEdit(); }} />
      )}
      {menu?.kind === "react" && <ReactionMenu message={message} at={menu.at} onClose={() => setMenu(null)} onPick={(emoji) => app.messages.react(message, emoji)} />}
    </article>
  );
}

function State({ state, readers }: { state: TickState; readers: number }) {
  const label = { sending: t.stateSending, sent: t.stateSent, delivered: t.stateDelivered, read: t.readBy(readers) }[state];
  return (
    <span class="state" role="img" aria-label={label} title={label}>
      <Ticks state={state} />
    </span>
  );
}

function Quote({ tab, seq, quoted, conversation }: { tab: number; seq: number; quoted: Message | null | undefined; conversation: Conversation }) {
  const app = useApp();
  const from = quoted && (quoted.from === app.model.me ? t.you : app.nameOf(quoted.from));
  return (
    <button type="button" class="quote" tabIndex={tab} onClick={() => app.visit(conversation, seq, "message")}>
      {from && <b dir="auto">{from}</b>}
      <span dir="auto">{!quoted ? t.replyMissing : quoted.recalled ? t.recalledPreview : oneLine(wordsOf(quoted.text))}</span>
    </button>
  );
}

function Failed({ row }: { row: Row & { type: "message" } }) {
  const app = useApp();
  return (
    <div class="failed" role="alert">
      <span>
        {t.stateFailed}: {explain(row.error)}
      </span>
      <button type="button" class="button-link" onClick={() => app.chat.retry(row.message.id)}>
        {t.retry}
      </button>
      <button type="button" class="button-link" onClick={() => app.chat.discard(row.message.id)}>
        {t.discard}
      </button>
    </div>
  );
}

function Reactions({ tab, message }: { tab: number; message: Message }) {
  const app = useApp();
  return (
    <div class="reactions">
      {message.reactions.map(({ emoji, users }) => {
        const label = t.reactionBy(`${emoji} ${users.length}:`, users.map((user) => (user === app.model.me ? t.you : app.nameOf(user))));
        return (
          <button type="button" class="reaction" tabIndex={tab} key={emoji} aria-pressed={users.includes(app.model.me)} aria-label={label} title={label} onClick={() => app.messages.react(message, emoji)}>
            <span aria-hidden="true">{emoji}</span> {users.length}
          </button>
        );
      })}
    </div>
  );
}
