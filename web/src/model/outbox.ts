// What this person has written and the server has not yet told back. The library keeps and retries it;
// this shows it at once, and goes on showing it between the server's "yes" and the message's return in
// the stream, so that a bubble never blinks.
import type { SendCommand } from "../wire.ts";

export type PendingState = "sending" | "sent" | "failed";

export interface Pending {
  id: string;
  command: SendCommand;
  at: number;
  state: PendingState;
  /** The room it landed in and its number there, once the server has said so. */
  room?: string;
  seq?: number;
  error?: unknown;
}

/** The library's outbox entry, as far as it concerns us. */
export interface OutboxEntry {
  readonly id: string;
  readonly command: object & { type: string };
  readonly at: number;
  readonly error?: unknown;
}

/** Own messages that have come back, remembered for as long as an old outbox may still name one. */
const RETURNED_MAX = 500;

export class Pendings {
  private entries = new Map<string, Pending>();
  private returned = new Set<string>();

  /** The library's outbox as it is now. Entries of ours that left it unsent are gone. */
  sync(outbox: readonly OutboxEntry[]): void {
    // What is forwarded has its text at the server: it shows when it comes back.
    const sends = outbox.filter((entry) => entry.command.type === "send" && (entry.error || "body" in entry.command));
    const now = new Set(sends.map((entry) => entry.id));
    for (const { id, state } of this.entries.values()) {
      if (state !== "sent" && !now.has(id)) this.entries.delete(id);
    }
    for (const entry of sends) {
      // A tab that was loaded again may see a message before it hears what its leader had still in hand.
      if (this.returned.has(entry.id)) continue;
      const known = this.entries.get(entry.id);
      if (known?.state === "sent") continue;
      this.entries.set(entry.id, {
        id: entry.id,
        command: entry.command as unknown as SendCommand,
        at: entry.at,
        state: entry.error ? "failed" : "sending",
        error: entry.error,
      });
    }
  }

  /** The server has it, at `seq`; it stays until the stream shows it. */
  accepted(id: string, command: SendCommand, room: string, seq: number, at: number): void {
    if (!this.returned.has(id)) this.entries.set(id, { id, command, at, state: "sent", room, seq });
  }

  /** The stream or history shows it. */
  arrived(id: string): void {
    this.entries.delete(id);
    this.returned.add(id);
    if (this.returned.size > RETURNED_MAX) this.returned.delete(this.returned.values().next().value!);
  }

  /** The stream is past `seq` of a room: what has landed there up to it, and did not come back, was in a gap. */
  passed(room: string, seq: number): void {
    for (const entry of this.entries.values()) if (entry.room === room && entry.seq !== undefined && entry.seq <= seq) this.arrived(entry.id);
  }

  /** Of one conversation: what the server has in its order, then the others in the order written. */
  of(room: string | undefined, person: string | undefined): Pending[] {
    const here = [...this.entries.values()].filter(({ command, room: landed }) =>
      (landed ?? command.room) !== undefined
        ? (landed ?? command.room) === room
        : person !== undefined && command.to === person,
    );
    return here.sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0);
  }
}
