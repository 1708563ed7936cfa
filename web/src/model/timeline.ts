// One room's messages, as far as this page has them: live ones from the stream, older ones from
// history, in any order and any number of times. Everything is merged by `seq`, which is dense in a
// room; so a number that is neither here nor covered by an answered history page is a hole.
import type { MemberAction, MessageFrame } from "../wire.ts";
import { type Message, messageOf, react } from "./message.ts";
import { cover, covers, holes, type Range } from "./ranges.ts";

/** Somebody came or went. Not a message (it has no seq): it stands after the one that was last then. */
export interface Note {
  key: string;
  after: number;
  at: number;
  action: Exclude<MemberAction, "role">;
  actor: string;
  users: string[];
}

export class Timeline {
  /** Ascending by `seq`; replaced, never changed in place. */
  messages: readonly Message[] = [];
  notes: readonly Note[] = [];
  private covered: Range[] = [];
  /** The newest seq the room is known to have. */
  latest = 0;

  /** Takes messages in; `range` says which numbers the answer speaks for, also where it has none. */
  merge(frames: readonly MessageFrame[], range?: Range): void {
    const fresh = new Map<number, Message>();
    for (const frame of frames) {
      const known = this.find(frame.seq);
      // History tells the current form; a stream may repeat an older one, so it never overwrites.
      if (!known || range) fresh.set(frame.seq, messageOf(frame));
      this.covered = cover(this.covered, { from: frame.seq, to: frame.seq });
      this.latest = Math.max(this.latest, frame.seq);
    }
    if (range) this.covered = cover(this.covered, range);
    if (fresh.size === 0) return;
    const last = this.messages.at(-1)?.seq ?? 0;
    if (fresh.size === 1 && frames[0] && frames[0].seq > last) {
      // The common case, a live message: nothing to look for, nothing to sort.
      this.messages = [...this.messages, ...fresh.values()];
      return;
    }
    const kept = this.messages.filter((message) => !fresh.has(message.seq));
    this.messages = [...kept, ...fresh.values()].sort((a, b) => a.seq - b.seq);
  }

  /** The room is known to reach up to `seq`; what we lack below becomes a hole. */
  reaches(seq: number): void {
    this.latest = Math.max(this.latest, seq);
  }

  find(seq: number): Message | undefined {
    const at = lowerBound(this.messages, seq);
    return this.messages[at]?.seq === seq ? this.messages[at] : undefined;
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

  react(seq: number, user: string, emoji: string, on: boolean): void {
    this.replace(seq, (m) => react(m, user, emoji, on));
  }

  /** Adds a note; people who come in a row share one. */
  note(action: Note["action"], actor: string, users: string[], at: number): void {
    const last = this.notes.at(-1);
    const alike = (action === "join" || action === "leave") && last?.action === action && last.after === this.latest;
    if (alike && last) {
      const all = [...last.users.filter((id) => !users.includes(id)), ...users];
      this.notes = [...this.notes.slice(0, -1), { ...last, users: all, at }];
    } else {
      const key = `${action}:${this.latest}:${this.notes.length}`;
      this.notes = [...this.notes, { key, after: this.latest, at, action, actor, users }];
    }
  }

  private replace(seq: number, change: (message: Message) => Message): void {
    if (this.find(seq)) this.messages = this.messages.map((m) => (m.seq === seq ? change(m) : m));
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
