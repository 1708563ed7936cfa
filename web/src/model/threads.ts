// Which messages of a room answer in which thread, as far as they have come by. They are kept by themselves,
// since a thread is short where its room is long: the timeline lets go of what is far from the reader, and a
// thread that is open must not lose its middle to that.
import type { Message } from "./message.ts";
import { cover, holes, type Range } from "./ranges.ts";

/** Answers of a room kept; beyond, the oldest are forgotten, and read again when their thread is opened. */
export const REPLIES_KEPT_MAX = 2_000;

export class Threads {
  private replies = new Map<number, Message>();
  private roots = new Map<number, Set<number>>();
  /** Numbers that were looked through for answers without being taken into the timeline. */
  private walked: Range[] = [];

  file(message: Message): void {
    if (message.thread === undefined) return;
    const seqs = this.roots.get(message.thread) ?? new Set();
    this.roots.set(message.thread, seqs.add(message.seq));
    this.replies.set(message.seq, message);
    if (this.replies.size <= REPLIES_KEPT_MAX) return;
    const [oldest] = this.replies.values();
    if (!oldest) return;
    this.replies.delete(oldest.seq);
    this.roots.get(oldest.thread ?? 0)?.delete(oldest.seq);
    this.walked = [];
  }

  expire(seq: number): void {
    for (const reply of [...this.replies.values()]) {
      if (reply.seq > seq) continue;
      this.replies.delete(reply.seq);
      this.roots.get(reply.thread ?? 0)?.delete(reply.seq);
    }
  }

  find(seq: number): Message | undefined {
    return this.replies.get(seq);
  }

  /** Ascending. */
  of(root: number): Message[] {
    const seqs = [...(this.roots.get(root) ?? [])].sort((a, b) => a - b);
    return seqs.flatMap((seq) => this.replies.get(seq) ?? []);
  }

  walk(range: Range): void {
    this.walked = cover(this.walked, range);
  }

  /** Where answers may stand that nobody has looked at: after the root, in what the timeline has not got. */
  unknown(root: number, timelineHoles: readonly Range[]): Range[] {
    return timelineHoles
      .filter((hole) => hole.to > root)
      .flatMap((hole) => holes(this.walked, { from: Math.max(hole.from, root + 1), to: hole.to }));
  }
}
