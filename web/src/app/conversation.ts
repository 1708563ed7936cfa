// One conversation on screen: where the reader is in it, what is loading, what is being written. It
// outlives leaving and coming back.
import { type Divider, NO_DIVIDER } from "../model/divider.ts";
import type { Message } from "../model/message.ts";
import type { Window } from "../model/window.ts";

/** A room, or a person with whom there is no room yet. */
export interface Target {
  room?: string;
  to?: string;
  /** Within the room: the thread that this message began. */
  thread?: number;
}

export const keyOf = ({ room, to, thread }: Target): string => (room === undefined ? `to:${to}` : thread === undefined ? room : `${room}#${thread}`);
export const targetOf = (key: string): Target => (key.startsWith("to:") ? { to: key.slice(3) } : { room: key });

export interface Anchor {
  key: string;
  /** The number of its message, where it is one. */
  seq: number | undefined;
  /** Pixels from the top of the view to the top of that row. */
  top: number;
}

export class Conversation {
  window: Window = { from: 0, to: Infinity };
  divider: Divider = NO_DIVIDER;
  /** Where to stand after the next drawing: the end, a row, the unread line, or where one is. */
  goal: "end" | "divider" | { seq: number } | null = "end";
  /** Holes being filled, and holes that could not be, by their upper end. */
  loading = new Set<number>();
  failed = new Set<number>();
  /** The reader sees the newest message (whether or not the window has the focus). */
  atEnd = true;
  /** The first unread message is being fetched: the end is on screen, but the reader is not there yet. */
  arriving = false;
  /** Counts the jumps: of two that are under way, the later one is where the reader wants to be. */
  visits = 0;
  /** The message that the reader was last led to. */
  visited = 0;
  /** A message to mark for a moment after a jump. */
  flash = 0;
  /** Who has read the own messages was asked for; from then on the stream tells. */
  readersAsked = false;
  replyTo: Message | null = null;
  editing: Message | null = null;
  /** Messages picked to do something with, by number; null while nobody picks. */
  picked: ReadonlySet<number> | null = null;

  constructor(readonly target: Target) {}
}
