// The list of messages, and where the reader stands in it. The document holds a window of the timeline
// (model/window.ts). Three rules keep the eye where it is:
// - at the end, it stays at the end, whatever grows;
// - elsewhere, the first row in view keeps its place on the screen while rows come or go around it;
// - only an own message, a jump or opening a room move the reader.
// The browser's own scroll anchoring is off (Safari has none; two of them would fight).
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Anchor, Conversation } from "../app/conversation.ts";
import { t } from "../i18n/index.ts";
import { type Row, rowsOf } from "../model/rows.ts";
import { otherOf, unreadOf } from "../model/room.ts";
import { Timeline } from "../model/timeline.ts";
import { atTail, boundAround, canGrowUp, growDown, growUp } from "../model/window.ts";
import { useApp } from "./context.ts";
import { dayOf } from "./dates.ts";
import { Icon } from "./icons.tsx";
import { EndContext } from "./link_preview.tsx";
import { onArrows } from "./roving.ts";
import { RowView } from "./rows.tsx";
import { Waiting } from "./waiting.tsx";

/** Nearer to the end than this, the reader is at the end. */
const END_PX = 100;
/** The window slides, and holes are filled, when an edge is this near. */
const NEAR_PX = 700;
const FLASH_MS = 1_600;

const EMPTY = new Timeline();

export function TimelineView({ conversation, onReply, onEdit }: { conversation: Conversation; onReply: () => void; onEdit: () => void }) {
  const app = useApp();
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef<Anchor | null>(null);
  const [, redraw] = useState(0);
  const { target } = conversation;
  const room = app.room(target);
  const timeline = target.room ? app.model.timeline(target.room) : EMPTY;
  const rows = rowsOf({
    timeline,
    window: conversation.window,
    // What was written to the person before there was a room is on its way here.
    pending: app.pendings.of(target.room, room ? otherOf(room, app.model.me) : target.to),
    me: app.model.me,
    divider: conversation.divider,
    dayOf,
  });

  const rowElement = (key: string) =>
    [...(scroller.current?.querySelectorAll<HTMLElement>(":scope > [data-key]") ?? [])].find((row) => row.dataset.key === key);

  const remember = () => {
    const view = scroller.current;
    if (!view) return;
    const top = view.getBoundingClientRect().top;
    anchor.current = null;
    // Only messages hold the place: a hole is replaced by what fills it, and the first day line is always
    // at the top of the window, wherever that moves.
    for (const row of view.querySelectorAll<HTMLElement>(":scope > article")) {
      const box = row.getBoundingClientRect();
      if (box.bottom <= top) continue;
      anchor.current = { key: row.dataset.key ?? "", seq: Number(row.dataset.seq) || undefined, top: box.top - top };
      break;
    }
    const left = view.scrollHeight - view.clientHeight - view.scrollTop;
    const atEnd = atTail(conversation.window) && left < END_PX;
    if (atEnd !== conversation.atEnd) {
      conversation.atEnd = atEnd;
      redraw((n) => n + 1);
    }
  };

  const place = () => {
    const view = scroller.current;
    if (!view) return;
    const { goal } = conversation;
    if (goal === "end") {
      view.scrollTop = view.scrollHeight;
      conversation.goal = null;
    } else if (goal) {
      const key = goal === "divider" ? "divider" : rows.find((row) => row.type === "message" && row.message.seq === goal.seq)?.key;
      const row = key === undefined ? undefined : rowElement(key);
      if (row) {
        const share = goal === "divider" ? 0.2 : 0.4;
        view.scrollTop += row.getBoundingClientRect().top - view.getBoundingClientRect().top - view.clientHeight * share;
        // Who jumps by keyboard goes on from there; a list of what was found keeps the focus.
        if (goal !== "divider" && !document.activeElement?.closest(".side")) row.focus({ preventScroll: true });
      } else {
        view.scrollTop = view.scrollHeight;
      }
      conversation.goal = null;
    } else if (conversation.atEnd && atTail(conversation.window)) {
      view.scrollTop = view.scrollHeight;
    } else if (anchor.current) {
      const row = rowElement(anchor.current.key);
      if (row) view.scrollTop += row.getBoundingClientRect().top - view.getBoundingClientRect().top - anchor.current.top;
    }
    remember();
  };

  const latestPlace = useRef(place);
  latestPlace.current = place;
  // One function for all time, so that no row is drawn again because of it.
  const latestConversation = useRef(conversation);
  latestConversation.current = conversation;
  const hasEnd = useRef(() => atTail(latestConversation.current.window));

  /** Slides the window and fills what is near the view. */
  const reach = () => {
    const view = scroller.current;
    if (!view || !room) return;
    const { messages } = timeline;
    const bounded = boundAround(messages, conversation.window, anchor.current?.seq ?? Infinity);
    if (bounded !== conversation.window) {
      conversation.window = bounded;
      return redraw((n) => n + 1);
    }
    if (view.scrollTop < NEAR_PX && canGrowUp(messages, conversation.window)) {
      conversation.window = growUp(messages, conversation.window);
      return redraw((n) => n + 1);
    }
    const below = view.scrollHeight - view.clientHeight - view.scrollTop;
    if (below < NEAR_PX && !atTail(conversation.window)) {
      conversation.window = growDown(messages, conversation.window);
      return redraw((n) => n + 1);
    }
    const box = view.getBoundingClientRect();
    for (const row of rows) {
      if (row.type !== "hole" || conversation.failed.has(row.to)) continue;
      const place = rowElement(row.key)?.getBoundingClientRect();
      if (!place || place.bottom < box.top - NEAR_PX || place.top > box.bottom + NEAR_PX) continue;
      // The reader's row is below the hole: read the hole's newest part first, and the other way round.
      const fromBelow = row.top || place.top < box.top + box.height / 2;
      void app.fill(conversation, row, fromBelow ? "older" : "newer");
    }
  };

  const sawEnd = () => {
    if (conversation.atEnd && !conversation.arriving && document.visibilityState === "visible" && document.hasFocus()) conversation.target.room && app.reading.saw(conversation.target.room);
  };

  useLayoutEffect(() => {
    place();
    reach();
    sawEnd();
  });

  useEffect(() => {
    const view = scroller.current;
    if (!view) return;
    // The composer grows, a keyboard opens, a picture of a font arrives late: hold the place.
    const resized = new ResizeObserver(() => latestPlace.current());
    resized.observe(view);
    const back = () => sawEnd();
    addEventListener("focus", back);
    document.addEventListener("visibilitychange", back);
    return () => {
      resized.disconnect();
      removeEventListener("focus", back);
      document.removeEventListener("visibilitychange", back);
    };
  }, [conversation]);

  useEffect(() => {
    if (!conversation.flash) return;
    const timer = setTimeout(() => {
      conversation.flash = 0;
      redraw((n) => n + 1);
    }, FLASH_MS);
    return () => clearTimeout(timer);
  }, [conversation.flash]);

  const unread = room ? unreadOf(room) : 0;
  return (
    <div class="timeline-frame">
      <div
        ref={scroller}
        class="timeline"
        role="log"
        aria-label={t.messages(app.titleOf(target))}
        aria-busy={conversation.loading.size > 0}
        aria-live={conversation.atEnd ? "polite" : "off"}
        tabIndex={0}
        data-testid="timeline"
        onScroll={() => {
          remember();
          reach();
          sawEnd();
        }}
        onKeyDown={(event) => onArrows(event, scroller.current, () => document.getElementById("composer")?.focus())}
      >
        <div class="timeline-lead" />
        <EndContext.Provider value={hasEnd.current}>
          {rows.map((row: Row) => (
            <RowView key={row.key} row={row} conversation={conversation} room={room} onReply={onReply} onEdit={onEdit} />
          ))}
        </EndContext.Provider>
        <Waiting conversation={conversation} />
      </div>
      {!conversation.atEnd && (
        <button type="button" class="to-latest" data-testid="jump-latest" onClick={() => app.toLatest(conversation)}>
          <Icon name="down" />
          {unread > 0 ? t.latestCount(unread) : t.latest}
        </button>
      )}
    </div>
  );
}
