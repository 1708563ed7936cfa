// Where one writes. Enter sends, Shift+Enter breaks the line, an input method keeps its Enter; on touch
// keyboards Enter breaks the line and the button sends. The draft of each conversation survives a reload.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Conversation, keyOf } from "../app/conversation.ts";
import { draftOf, keepDraft } from "../app/drafts.ts";
import { t } from "../i18n/index.ts";
import { composing, enterSends } from "../model/enter.ts";
import { wordsOf } from "../model/markup.ts";
import { managesRoom, mayCallAll, otherOf, type Room } from "../model/room.ts";
import { oneLine } from "../model/text.ts";
import { settings } from "../app/settings.ts";
import type { App } from "../app/app.ts";
import { useApp } from "./context.ts";
import { fullTimeOf } from "./dates.ts";
import { Icon } from "./icons.tsx";
import { SuggestionList, useSuggestions } from "./suggest.tsx";

const HEIGHT_PX_MAX = 220;
const SHARE_AFTER_MS = 2_000;
/** Preferences of a room have 4096 bytes in all, and a character up to three. */
const SHARED_CHARS_MAX = 1_000;
/** The server's limit on the text of a message. */
const TEXT_BYTES_MAX = 64 * 1024;

const touch = matchMedia("(hover: none) and (pointer: coarse)");

/** A conversation and a thread of it are written in side by side. */
export const composerId = ({ target }: Conversation): string => (target.thread === undefined ? "composer" : "thread-composer");

export function Composer({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const key = keyOf(conversation.target);
  const { editing, replyTo } = conversation;
  const inThread = conversation.target.thread !== undefined;
  // Other devices are told of a room's draft; a thread's stays in this tab.
  const [text, setText] = useState(() => editing?.text ?? draftOf(key, inThread ? undefined : app.room(conversation.target)));
  const [, redraw] = useState(0);
  const area = useRef<HTMLTextAreaElement>(null);
  const compositionEnded = useRef(0);
  const title = app.titleOf(conversation.target);
  const room = app.room(conversation.target);

  // Editing borrows the field; the draft waits and comes back.
  const wasEditing = useRef(editing);
  useLayoutEffect(() => {
    if (wasEditing.current === editing) return;
    wasEditing.current = editing;
    setText(editing ? editing.text : draftOf(key, inThread ? undefined : room));
  }, [editing]);

  // What became of the draft on another device, unless something else is being written here.
  const kept = draftOf(key, inThread ? undefined : room);
  useLayoutEffect(() => {
    if (!editing) setText(kept);
  }, [kept]);

  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, HEIGHT_PX_MAX)}px`;
  }, [text]);

  // At once: a focus that came later would take the first keys from nowhere, or close a menu opened meanwhile.
  useLayoutEffect(() => {
    if (!touch.matches) area.current?.focus();
  }, [conversation]);
  useLayoutEffect(() => {
    if (editing || replyTo) area.current?.focus();
  }, [editing, replyTo]);

  const write = (next: string) => {
    setText(next);
    if (editing) return;
    keepDraft(key, next);
    if (next && room) app.chat.typing(room.id);
  };
  const suggestions = useSuggestions({ area, people: () => app.peopleIn(conversation.target), all: room !== undefined && mayCallAll(room), onText: write });
  const offered = suggestions.asked?.kind === "person";
  useEffect(() => {
    if (offered && room) app.rooms.learnMembers(room);
  }, [offered]);

  // To the other devices when the writing pauses, and when one goes elsewhere.
  const share = () => {
    // Of a room that is not ours any more the server would only say so.
    if (!room || editing || inThread || !app.model.rooms.has(room.id)) return;
    // What is kept, and not the field: another device's word may have come since that was drawn.
    const draft = draftOf(key, room).slice(0, SHARED_CHARS_MAX);
    if (draft !== (room.prefs.draft?.text ?? "")) app.people.set({ draft: draft ? { text: draft } : null }, room.id);
  };
  const latestShare = useRef(share);
  latestShare.current = share;
  useEffect(() => {
    const timer = setTimeout(() => latestShare.current(), SHARE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => () => latestShare.current(), []);

  const closed = closedBy(app, conversation);
  const blocked = blockedBy(app, conversation);
  if (closed) {
    return (
      <div class="composer composer-closed">
        {closed}
        {blocked && (
          <button type="button" class="button button-small" onClick={() => app.people.block(blocked, false)}>
            {t.unblock}
          </button>
        )}
      </div>
    );
  }

  const stop = () => {
    conversation.editing = null;
    conversation.replyTo = null;
    redraw((n) => n + 1);
  };

  const over = bytesOver(text);
  const submit = () => {
    const ready = text.trim();
    if (!ready || over > 0) return;
    if (editing) {
      if (ready !== editing.text) app.messages.edit(editing, ready);
      stop();
    } else {
      setText("");
      keepDraft(key, "");
      app.send(conversation, ready);
    }
    area.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const now = Date.now();
    if (!composing(event, now, compositionEnded.current) && suggestions.onKey(event)) return;
    if (settings.enterSends && enterSends(event, now, compositionEnded.current, touch.matches)) {
      event.preventDefault();
      submit();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !composing(event, now, compositionEnded.current)) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && (editing || replyTo)) {
      event.preventDefault();
      stop();
    } else if (event.key === "ArrowUp" && text === "" && !composing(event, now, compositionEnded.current)) {
      const own = app.lastOwn(conversation);
      if (!own) return;
      event.preventDefault();
      conversation.editing = own;
      redraw((n) => n + 1);
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {(editing || replyTo) && (
        <div class="composer-context">
          <Icon name={editing ? "pencil" : "reply"} />
          <div>
            <b>{editing ? t.editing : t.replyTo(replyTo?.from === app.model.me ? t.you : app.nameOf(replyTo?.from ?? ""))}</b>
            <span>{oneLine(wordsOf((editing ?? replyTo)?.text ?? ""))}</span>
          </div>
          <button type="button" class="button-icon" aria-label={t.cancel} title={t.cancel} onClick={stop}>
            <Icon name="close" />
          </button>
        </div>
      )}
      <div class="composer-field">
        <SuggestionList suggestions={suggestions} />
        <textarea
          ref={area}
          id={composerId(conversation)}
          data-testid={composerId(conversation)}
          rows={1}
          dir="auto"
          aria-label={inThread ? t.writeInThread : t.write(title)}
          placeholder={inThread ? t.writeInThread : t.write(title)}
          enterkeyhint={touch.matches || !settings.enterSends ? "enter" : "send"}
          value={text}
          aria-autocomplete="list"
          aria-controls={suggestions.choices.length > 0 ? suggestions.listId : undefined}
          aria-activedescendant={suggestions.choices.length > 0 ? `${suggestions.listId}-${suggestions.chosen}` : undefined}
          onInput={(event) => {
            write(event.currentTarget.value);
            suggestions.look();
          }}
          onKeyDown={onKeyDown}
          onKeyUp={(event) => event.key.startsWith("Arrow") && suggestions.look()}
          onClick={suggestions.look}
          onCompositionEnd={() => {
            compositionEnded.current = Date.now();
          }}
        />
        <button type="submit" class="button-send" aria-label={editing ? t.save : t.send} title={editing ? t.save : t.send} disabled={text.trim() === "" || over > 0}>
          <Icon name={editing ? "check" : "send"} />
        </button>
      </div>
      {(room?.policy.slow_s ?? 0) > 0 && !managesRoom(room as Room) && <p class="composer-note">{t.slowNote(room?.policy.slow_s ?? 0)}</p>}
      {over > 0 && (
        <p class="composer-error" role="alert">
          {t.tooLong(over)}
        </p>
      )}
    </form>
  );
}

/** Whom one writes to here, and has blocked. */
function blockedBy(app: App, { target }: Conversation): string | undefined {
  const room = app.room(target);
  const other = target.to ?? (room && otherOf(room, app.model.me));
  return other && app.model.blocked.has(other) ? other : undefined;
}

/** Why one cannot write here, if so. */
function closedBy(app: App, conversation: Conversation): string | undefined {
  const room = app.room(conversation.target);
  const blocked = blockedBy(app, conversation);
  if (blocked) return t.blockedByYou(app.nameOf(blocked));
  if (room?.role === "reader") return t.readerOnly;
  if (room && room.mutedUntil > Date.now()) return t.youAreMuted(fullTimeOf(room.mutedUntil));
  return undefined;
}

function bytesOver(text: string): number {
  // A UTF-16 unit makes at most three bytes: short texts need no counting.
  return text.length * 3 <= TEXT_BYTES_MAX ? 0 : Math.max(0, new TextEncoder().encode(text).length - TEXT_BYTES_MAX);
}
