// A thread by itself: the message that began it, the answers, and where one writes the next. The same answers stand
// in the conversation, where they are counted as unread like any message.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Conversation } from "../app/conversation.ts";
import { t } from "../i18n/index.ts";
import { type Row, threadRowsOf } from "../model/rows.ts";
import { Composer, composerId } from "./composer.tsx";
import { useApp } from "./context.ts";
import { dayOf } from "./dates.ts";
import { onArrows } from "./roving.ts";
import { RowView } from "./rows.tsx";
import { SidePanel } from "./side_panel.tsx";

/** Nearer to the end than this, the reader is at the end. */
const END_PX = 100;

export function ThreadPanel({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const scroller = useRef<HTMLDivElement>(null);
  const [, redraw] = useState(0);
  const { room: id = "", thread: root = 0 } = conversation.target;
  const room = app.room(conversation.target);
  const timeline = app.model.timeline(id);
  const first = timeline.look(root);
  const unknown = timeline.threads.unknown(root, timeline.holes());
  const rows = threadRowsOf({
    root: first ?? undefined,
    replies: timeline.threads.of(root),
    pending: app.pendings.of(id, undefined).filter(({ command }) => command.thread === root),
    me: app.model.me,
    dayOf,
  });

  useEffect(() => {
    if (first === undefined) app.wantAside(conversation, root);
    void app.side.load(conversation);
  }, [timeline, app.state.status]);

  useLayoutEffect(() => {
    const view = scroller.current;
    if (!view) return;
    if (conversation.goal === "end" || conversation.atEnd) view.scrollTop = view.scrollHeight;
    if (conversation.goal === "end") conversation.goal = null;
  });
  useEffect(() => {
    const view = scroller.current;
    if (!view) return;
    const resized = new ResizeObserver(() => {
      if (conversation.atEnd) view.scrollTop = view.scrollHeight;
    });
    resized.observe(view);
    return () => resized.disconnect();
  }, [conversation]);

  const toComposer = () => {
    redraw((n) => n + 1);
    document.getElementById(composerId(conversation))?.focus();
  };
  const loading = conversation.loading.size > 0;
  return (
    <SidePanel title={t.thread} note={app.titleOf({ room: id })}>
      <div
        ref={scroller}
        class="timeline thread"
        role="group"
        aria-label={t.thread}
        aria-busy={loading}
        tabIndex={0}
        data-testid="thread"
        onScroll={(event) => {
          const { scrollHeight, clientHeight, scrollTop } = event.currentTarget;
          conversation.atEnd = scrollHeight - clientHeight - scrollTop < END_PX;
        }}
        onKeyDown={(event) => onArrows(event, scroller.current, () => document.getElementById(composerId(conversation))?.focus())}
      >
        {first === null && <p class="search-note">{t.threadGone}</p>}
        {rows.map((row: Row) => (
          <RowView key={row.key} row={row} conversation={conversation} room={room} onReply={toComposer} onEdit={toComposer} />
        ))}
        {unknown.length > 0 && (
          <p class="search-note">
            {loading ? (
              t.searching
            ) : (
              <button type="button" class="button button-small" onClick={() => void app.side.load(conversation)}>
                {t.threadMore}
              </button>
            )}
          </p>
        )}
      </div>
      <Composer key={`thread ${id} ${root}`} conversation={conversation} />
    </SidePanel>
  );
}
