// What can be done with messages that are there: change, take back, react, pin, forward, and what is known of
// them beyond their text.
import type { Message } from "../model/message.ts";
import { readersOf } from "../model/room.ts";
import type { Receipts, Version } from "../wire.ts";
import type { Target } from "./conversation.ts";
import { askHistory } from "./answers.ts";
import { Verbs } from "./verbs.ts";

/** The server answers for so many numbers at once. */
const SEQS_MAX = 100;

/** A device says within two to five seconds what it has taken in. */
const FOLLOW_UP_MS = 6_000;
/** In larger rooms a tick would say nothing of anybody. */
const RECEIPT_USERS_MAX = 100;

export class MessageVerbs extends Verbs {
  private asking = new Map<string, ReturnType<typeof setTimeout>>();

  edit(message: Message, text: string): void {
    const { room, seq, version } = message;
    void this.does("edit", { room, seq, body: { text }, version });
  }

  recall({ room, seq }: Message): void {
    void this.does("recall", { room, seq });
  }

  react({ room, seq, reactions }: Message, emoji: string): void {
    const mine = reactions.some((r) => r.emoji === emoji && r.users.includes(this.app.model.me));
    void this.does("react", { room, seq, emoji, on: !mine });
  }

  pin({ room, seq }: Message, on: boolean): void {
    void this.does("pin", { room, seq, on });
  }

  /** In the order given, each as a message of one's own; resolves with the room they went to. */
  async forward(messages: readonly Message[], target: Target): Promise<string | undefined> {
    const to = target.room ? { room: target.room } : { to: target.to };
    // All at once: the outbox keeps their order, also through a network that comes and goes.
    const answers = await Promise.all(messages.map(({ room, seq }) => this.ask<{ room: string }>("send", { ...to, forward: { room, seq } })));
    return answers.find((answer) => answer !== undefined)?.room;
  }

  /** How a message read before it was edited, oldest first. */
  async versions({ room, seq }: Message): Promise<Version[]> {
    return (await this.ask<{ versions: Version[] }>("message.versions", { room, seq }))?.versions ?? [];
  }

  async receipts({ room, seq }: Message): Promise<Receipts | undefined> {
    const answer = await this.ask<Receipts>("receipts.get", { room, seq });
    for (const list of [answer?.read, answer?.delivered]) this.app.model.learn(list?.users);
    return answer;
  }

  /** Who has read up to where, as far as one own message tells: the stream only says it from now on. */
  async learnReaders({ room, seq }: Message): Promise<void> {
    try {
      const { read, delivered } = (await this.app.chat.command("receipts.get", { room, seq })) as Receipts;
      if ((delivered?.count ?? 0) > 0) this.app.model.deliveredAt(room, seq);
      for (const { id } of read.users) this.app.model.readerAt(room, id, seq);
      this.app.changed();
    } catch {
      // The ticks then show what the stream tells.
    }
  }

  /** Signals may be dropped, and a poll brings none: of a message that nobody is known to have, it is asked once. */
  followUp(room: string, seq: number): void {
    clearTimeout(this.asking.get(room));
    const timer = setTimeout(() => {
      this.asking.delete(room);
      const known = this.app.model.rooms.get(room);
      const message = this.app.model.timeline(room).find(seq);
      if (known && message && known.userCount <= RECEIPT_USERS_MAX && known.delivered < seq && readersOf(known, seq) === 0) void this.learnReaders(message);
    }, FOLLOW_UP_MS);
    this.asking.set(room, timer);
  }

  stop(): void {
    for (const timer of this.asking.values()) clearTimeout(timer);
  }

  /** Single messages that are not loaded: what was pinned, or answered, long ago. */
  async fetch(room: string, seqs: readonly number[]): Promise<void> {
    const timeline = this.app.model.timeline(room);
    const missing = seqs.filter((seq) => !timeline.find(seq) && !timeline.asides.has(seq)).slice(0, SEQS_MAX);
    if (missing.length === 0) return;
    try {
      await askHistory(this.app, room, { seqs: missing }, ({ messages }) => timeline.aside(missing, messages));
      this.app.changed();
    } catch {
      // They stay "earlier message"; opening them tells what is wrong.
    }
  }
}
