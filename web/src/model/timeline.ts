// One room's messages, as far as this page has them: live ones from the stream, older ones from
// history, in any order and any number of times. Everything is merged by `seq`, which is dense in a
// room; so a number that is neither here nor covered by an answered history page is a hole.
import type { MemberAction, MessageFrame } from "../wire.ts";
import { type Message, messageOf, react } from "./message.ts";
import { cover, covers, holes, type Range, uncover } from "./ranges.ts";
import { Threads } from "./threads.ts";

/** Messages of a room kept on each side of the reader; who scrolls on through 100,000 does not hold them all. */
export const MESSAGES_KEPT_MAX = 2_000;
/** The newest stay, wherever the reader is: the way back to the end needs no loading. */
export const NEWEST_KEPT = 200;

/** Changes remembered while a history is awaited; a room where more happens in that time is read again sooner or later. */
const CHANGES_MAX = 2_000;

/** Somebody came or went. Not a message (it has no seq): it stands after the one that was last then. */
export interface Note {
  key: string;
  after: number;
  at: number;
  action: Exclude<MemberAction, "role" | "unban">;
  /** Of a mute: until when. */
  until?: number;
  actor: string;
  users: string[];
}

export class Timeline {
  /** Ascending by `seq`; replaced, never changed in place. */
  messages: readonly Message[] = [];
  notes: readonly Note[] = [];
  private covered: Range[] = [];
  private noted = new Set<string>();
  /** How many histories are awaited, and what has changed meanwhile. */
  private awaited = 0;
  private changes: { seq: number; change: (message: Message) => Message }[] = [];
  /** Up to here all has gone, whatever an old answer says. */
  private expired = 0;
  /** Single messages from far away, by number (pins, answers to old ones); null where there is none to see. */
  asides = new Map<number, Message | null>();
  readonly threads = new Threads();
  /** The newest seq the room is known to have. */
  latest = 0;
  /** The oldest seq that history shows to this reader, as far as it was asked. */
  earliest = 1;

  /** A history is being asked for: its answer may be older than what the stream tells until it is here. Returns what ends that. */
  asked(): () => void {
    this.awaited++;
    return () => {
      if (--this.awaited === 0) this.changes = [];
    };
  }

  private current(frame: MessageFrame): Message {
    return this.changes.reduce((message, { seq, change }) => (seq === frame.seq ? change(message) : message), messageOf(frame));
  }

  /** Takes messages in; `range` says which numbers the answer speaks for, also where it has none. */
  merge(frames: readonly MessageFrame[], range?: Range): void {
    const fresh = new Map<number, Message>();
    for (const frame of frames) {
      if (frame.seq <= this.expired) continue;
      const known = this.find(frame.seq);
      // History tells the current form; a stream may repeat an older one, so it never overwrites.
      if (!known || range) {
        const message = this.current(frame);
        fresh.set(frame.seq, message);
        this.threads.file(message);
      }
      this.covered = cover(this.covered, { from: frame.seq, to: frame.seq });
      this.latest = Math.max(this.latest, frame.seq);
    }
    if (range) this.covered = cover(this.covered, range);
    if (fresh.size === 0) return;
    const seqs = [...fresh.keys()].sort((a, b) => a - b);
    const low = lowerBound(this.messages, seqs[0] ?? 0);
    const high = lowerBound(this.messages, (seqs.at(-1) ?? 0) + 1);
    // Only what lies between the first and the last of them can be in their way.
    const between = this.messages.slice(low, high).filter((message) => !fresh.has(message.seq));
    const middle = [...between, ...fresh.values()].sort((a, b) => a.seq - b.seq);
    this.messages = [...this.messages.slice(0, low), ...middle, ...this.messages.slice(high)];
  }

  /** Lets go of what is far from the reader, who is at `seq`; it is a hole then, read again when needed. */
  trim(seq: number): void {
    const { messages } = this;
    const at = lowerBound(messages, seq);
    const newest = Math.max(0, messages.length - NEWEST_KEPT);
    const drop = (from: number, end: number) => {
      const [first, last] = [messages[from], messages[end - 1]];
      if (end - from < NEWEST_KEPT || !first || !last) return;
      this.messages = this.messages.filter((message) => message.seq < first.seq || message.seq > last.seq);
      this.covered = uncover(this.covered, { from: first.seq, to: last.seq });
    };
    drop(0, Math.min(newest, at - MESSAGES_KEPT_MAX));
    drop(at + MESSAGES_KEPT_MAX, newest);
  }

  /** The room is known to reach up to `seq`; what we lack below becomes a hole. */
  reaches(seq: number): void {
    this.latest = Math.max(this.latest, seq);
  }

  find(seq: number): Message | undefined {
    const at = lowerBound(this.messages, seq);
    return this.messages[at]?.seq === seq ? this.messages[at] : undefined;
  }

  /** A message wherever it is; undefined while it is not here. */
  look(seq: number): Message | null | undefined {
    return this.find(seq) ?? this.threads.find(seq) ?? this.asides.get(seq);
  }

  /** Takes only the answers in threads from a page that was read for their sake. */
  walk(frames: readonly MessageFrame[], range: Range): void {
    for (const frame of frames) this.threads.file(this.find(frame.seq) ?? this.current(frame));
    this.threads.walk(range);
  }

  aside(asked: readonly number[], frames: readonly MessageFrame[]): void {
    for (const seq of asked) this.asides.set(seq, null);
    for (const frame of frames) this.asides.set(frame.seq, this.current(frame));
  }

  has(seq: number): boolean {
    return covers(this.covered, seq);
  }

  holes(): Range[] {
    return holes(this.covered, { from: 1, to: this.latest });
  }

  /** True when everything a history could still tell from the beginning on is here. */
  get complete(): boolean {
    return this.latest === 0 || this.has(1);
  }

  edit(seq: number, text: string, version?: number): void {
    this.replace(seq, (m) => {
      const next = version ?? m.version + 1;
      return next < m.version || m.recalled ? m : { ...m, text, version: next, edited: true };
    });
  }

  recall(seq: number): void {
    this.replace(seq, (m) => ({ ...m, text: "", recalled: true, reactions: [] }));
  }

  /** What is up to `seq` has gone, because its time was over. */
  expire(seq: number): void {
    this.earliest = Math.max(this.earliest, seq + 1);
    this.expired = Math.max(this.expired, seq);
    this.messages = this.messages.slice(lowerBound(this.messages, seq + 1));
    this.notes = this.notes.filter((note) => note.after > seq);
    this.covered = cover(this.covered, { from: 1, to: seq });
    this.threads.expire(seq);
    for (const aside of this.asides.keys()) if (aside <= seq) this.asides.set(aside, null);
  }

  react(seq: number, user: string, emoji: string, on: boolean): void {
    this.replace(seq, (m) => react(m, user, emoji, on));
  }

  /** Adds a note; people who come in a row share one. `cursor` tells one that comes twice. */
  note(action: Note["action"], actor: string, users: string[], at: number, { cursor, until }: { cursor?: string; until?: number } = {}): void {
    if (cursor !== undefined) {
      if (this.noted.has(cursor)) return;
      this.noted.add(cursor);
    }
    const last = this.notes.at(-1);
    const alike = (action === "join" || action === "leave") && last?.action === action && last.after === this.latest;
    if (alike && last) {
      const all = [...last.users.filter((id) => !users.includes(id)), ...users];
      this.notes = [...this.notes.slice(0, -1), { ...last, users: all, at }];
    } else {
      const key = `${action}:${this.latest}:${this.notes.length}`;
      this.notes = [...this.notes, { key, after: this.latest, at, action, actor, users, until }];
    }
  }

  private replace(seq: number, change: (message: Message) => Message): void {
    if (this.awaited > 0 && this.changes.push({ seq, change }) > CHANGES_MAX) this.changes.shift();
    const aside = this.asides.get(seq);
    if (aside) this.asides.set(seq, change(aside));
    const reply = this.threads.find(seq);
    if (reply) this.threads.file(change(reply));
    if (this.find(seq)) this.messages = this.messages.map((m) => (m.seq === seq ? (this.threads.find(seq) ?? change(m)) : m));
  }
}

/** The index of the first message at or after `seq`. */
export function lowerBound(messages: readonly { seq: number }[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? Infinity) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
