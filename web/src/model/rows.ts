// What stands in the timeline, line by line: a pure function of what is loaded, the window and the
// people. The view only draws rows and never decides.
import type { Divider } from "./divider.ts";
import type { Message } from "./message.ts";
import type { Pending, PendingState } from "./outbox.ts";
import type { Note, Timeline } from "./timeline.ts";
import { atTail, type Window } from "./window.ts";
import { lowerBound } from "./timeline.ts";

export type Row =
  | { type: "start"; key: string }
  | { type: "hole"; key: string; from: number; to: number; top: boolean }
  | { type: "day"; key: string; at: number }
  | { type: "divider"; key: string }
  | { type: "note"; key: string; note: Note }
  | { type: "replies"; key: string; count: number }
  | {
      type: "message";
      key: string;
      message: Message;
      mine: boolean;
      /** First and last of a run by one sender. */
      first: boolean;
      last: boolean;
      state: PendingState | "delivered";
      error?: unknown;
    };

/** A run of one sender's messages breaks after this pause. */
export const GROUP_PAUSE_MS = 5 * 60_000;

export interface RowsInput {
  timeline: Timeline;
  window: Window;
  pending: readonly Pending[];
  me: string;
  divider: Divider;
  /** The calendar day of a time, in the reader's zone. */
  dayOf: (at: number) => string;
}

export function rowsOf({ timeline, window, pending, me, divider, dayOf }: RowsInput): Row[] {
  const { messages } = timeline;
  const first = lowerBound(messages, window.from);
  const end = atTail(window) ? messages.length : lowerBound(messages, window.to + 1);
  const shown = messages.slice(first, end);
  const rows: Row[] = [];
  let day = "";
  let divided = divider.after < 0;

  const lowest = shown[0]?.seq ?? timeline.latest + 1;
  const highest = atTail(window) ? Infinity : (shown.at(-1)?.seq ?? 0);
  const floor = messages[first - 1]?.seq ?? 0;
  const holes = timeline.holes().filter((hole) => hole.from > floor && hole.from <= highest);
  const earliest = first === 0 && timeline.complete ? 0 : Math.min(lowest, timeline.latest);
  const notes = timeline.notes.filter((note) => note.after >= earliest && note.after <= highest);

  const startDay = (at: number) => {
    const next = dayOf(at);
    if (next !== day) rows.push({ type: "day", key: `day:${next}`, at });
    day = next;
  };
  const takeNotes = (before: number) => {
    while (notes[0] && notes[0].after < before) {
      const note = notes.shift() as Note;
      startDay(note.at);
      rows.push({ type: "note", key: note.key, note });
    }
  };
  const takeHoles = (before: number) => {
    while (holes[0] && holes[0].from < before) {
      const { from, to } = holes.shift() as { from: number; to: number };
      // Keyed by its upper end: filled from above or below, the row that stays is the one the eye is on.
      rows.push({ type: "hole", key: `hole:${to}`, from, to, top: from <= 1 });
    }
  };

  if (first === 0 && timeline.complete) rows.push({ type: "start", key: "start" });
  for (const message of shown) {
    takeHoles(message.seq);
    takeNotes(message.seq);
    startDay(message.at);
    if (!divided && message.seq > divider.after && message.from !== me) {
      rows.push({ type: "divider", key: "divider" });
      divided = true;
    }
    rows.push({ ...blank(message), mine: message.from === me });
  }
  takeHoles(Infinity);
  if (atTail(window)) {
    takeNotes(Infinity);
    for (const entry of unsent(pending, messages, me)) {
      startDay(entry.at);
      rows.push({ ...blank(draftMessage(entry, me)), mine: true, state: entry.state, error: entry.error });
    }
  }
  return group(rows);
}

/** A thread by itself: the message that began it, then the answers, then what is on its way there. */
export function threadRowsOf({ root, replies, pending, me, dayOf }: { root: Message | undefined; replies: readonly Message[]; pending: readonly Pending[]; me: string; dayOf: (at: number) => string }): Row[] {
  const rows: Row[] = root ? [{ ...blank(root), mine: root.from === me }] : [];
  let day = root ? dayOf(root.at) : "";
  const startDay = (at: number) => {
    const next = dayOf(at);
    if (next !== day) rows.push({ type: "day", key: `day:${next}`, at });
    day = next;
  };
  rows.push({ type: "replies", key: "replies", count: replies.filter((message) => !message.recalled).length });
  for (const message of replies) {
    startDay(message.at);
    rows.push({ ...blank(message), mine: message.from === me });
  }
  for (const entry of unsent(pending, replies, me)) {
    startDay(entry.at);
    rows.push({ ...blank(draftMessage(entry, me)), mine: true, state: entry.state, error: entry.error });
  }
  return group(rows);
}

/** What stands nowhere yet: an outbox may still name what has long come back, for its answer was lost on the way. */
function unsent(pending: readonly Pending[], messages: readonly Message[], me: string): readonly Pending[] {
  if (pending.length === 0) return pending;
  const here = new Set(messages.filter((message) => message.from === me).map((message) => message.id));
  return pending.filter((entry) => !here.has(entry.id));
}

const blank = (message: Message): Row & { type: "message" } => ({
  type: "message",
  // The same key before and after the server's answer, so that the bubble stays the same element.
  key: `${message.from}/${message.id}`,
  message,
  mine: false,
  first: true,
  last: true,
  state: "delivered",
});

function draftMessage({ id, command, at, room, seq }: Pending, me: string): Message {
  return {
    room: room ?? command.room ?? "",
    seq: seq ?? 0,
    id,
    from: me,
    at,
    text: command.body?.text ?? "",
    replyTo: command.reply_to,
    thread: command.thread,
    mentions: command.mentions ?? [],
    mentionsAll: command.mention_all === true,
    edited: false,
    version: 0,
    recalled: false,
    reactions: [],
  };
}

function group(rows: Row[]): Row[] {
  let above: (Row & { type: "message" }) | undefined;
  for (const row of rows) {
    if (row.type !== "message") {
      above = undefined;
      continue;
    }
    if (above && above.message.from === row.message.from && row.message.at - above.message.at < GROUP_PAUSE_MS) {
      row.first = false;
      above.last = false;
    }
    above = row;
  }
  return rows;
}
