// What has been read, and saying so. Only what was in view of somebody who is there counts (ui/timeline.tsx);
// marks go to the server at most twice a second, and the counts in the list are the server's.
import { mentionsOf, unreadOf } from "../model/room.ts";
import { type Host, Verbs } from "./verbs.ts";

/** Long enough for the server's own (at most one a second per room) unread signal to come first. */
const UNREAD_GRACE_MS = 1_500;
/** A read mark at most this often; the last one always goes. */
const READ_EVERY_MS = 500;

interface ReadHost extends Host {
  refreshRoom(room: string): Promise<void>;
}

export class Reading extends Verbs<ReadHost> {
  private unsaid = new Set<string>();
  /** Rooms that are being marked as unread: what is still on screen of them is not read by that. */
  private marking = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private checks = new Map<string, ReturnType<typeof setTimeout>>();

  /** The newest message of a room is in view. */
  saw(id: string): void {
    const room = this.app.model.rooms.get(id);
    if (!room || room.seq === 0 || room.read >= room.seq || this.marking.has(id)) return;
    this.app.model.readTo(id, room.seq);
    this.app.changed();
    this.unsaid.add(id);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      // A lost mark is no harm: the next one says more.
      for (const each of this.unsaid) this.app.chat.read(each, this.app.model.rooms.get(each)?.read ?? 0).catch(() => {});
      this.unsaid.clear();
    }, READ_EVERY_MS);
  }

  /** From `seq` on all is to be read again. */
  async unread(room: string, seq: number): Promise<boolean> {
    this.marking.add(room);
    // A mark that waits for its turn would come after this and undo it.
    this.unsaid.delete(room);
    const answer = await this.ask<{ seq: number }>("unread", { room, seq });
    if (answer) {
      this.app.model.readBack(room, answer.seq);
      await this.app.refreshRoom(room);
    }
    this.marking.delete(room);
    return answer !== undefined;
  }

  /** Signals do not reach every transport: where the server's count does not come by itself, ask for it. */
  check(room: string): void {
    if (this.checks.has(room)) return;
    const timer = setTimeout(() => {
      this.checks.delete(room);
      void this.app.refreshRoom(room);
    }, UNREAD_GRACE_MS);
    this.checks.set(room, timer);
  }

  /** The server's count has come. */
  counted(room: string): void {
    clearTimeout(this.checks.get(room));
    this.checks.delete(room);
  }

  /** For the title and the icon: what waits in rooms that may call for attention. */
  total(): number {
    let sum = 0;
    for (const room of this.app.model.rooms.values()) sum += this.app.model.isQuiet(room) ? mentionsOf(room) : unreadOf(room);
    return sum;
  }

  stop(): void {
    for (const timer of [this.timer, ...this.checks.values()]) clearTimeout(timer);
  }
}
