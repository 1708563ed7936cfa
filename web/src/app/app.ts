// Joins the library, the model and the view: passes frames to the model, fetches what the model lacks,
// and offers the view verbs. The view subscribes to "something changed"; changes are bundled, since one
// write of the server may bring hundreds of frames.
import type { Snapshot, State } from "wigeon-client";
import { explain, t } from "../i18n/index.ts";
import { onEnter, onUnseen } from "../model/divider.ts";
import type { Message } from "../model/message.ts";
import { Model } from "../model/model.ts";
import { Pendings } from "../model/outbox.ts";
import { type Room, mayCallAll, otherOf, unreadOf } from "../model/room.ts";
import { mentionsIn, type Named, namesAll } from "../model/suggest.ts";
import { around, atTail, bound, MESSAGES_STEP, tail } from "../model/window.ts";
import type { Chat } from "../tabs/chat.ts";
import type { Frame, SendCommand, WireMember } from "../wire.ts";
import { Absence } from "./absence.ts";
import { askHistory, askRoom } from "./answers.ts";
import { Conversation, keyOf, type Target, targetOf } from "./conversation.ts";
import { draftCame, moveDraft } from "./drafts.ts";
import { MessageVerbs } from "./message_verbs.ts";
import { Names } from "./names.ts";
import { goBack, goTo } from "./navigation.ts";
import { PersonVerbs } from "./person_verbs.ts";
import { Presence } from "./presence.ts";
import { Previews } from "./previews.ts";
import { Reading } from "./reading.ts";
import { type RoomHost, RoomVerbs } from "./room_verbs.ts";
import { Side } from "./side.ts";

/** Changes within this time are drawn together: one frame of a 60 Hz screen. */
const REDRAW_MS = 16;

export interface Toast {
  id: number;
  text: string;
}

export class App implements RoomHost {
  readonly model = new Model();
  readonly pendings = new Pendings();
  readonly messages = new MessageVerbs(this);
  readonly rooms = new RoomVerbs(this);
  readonly people = new PersonVerbs(this);
  readonly reading = new Reading(this);
  readonly presence = new Presence(this);
  readonly names = new Names(this);
  readonly side = new Side(this);
  readonly previews = new Previews();
  state: State;
  readonly absence = new Absence(() => this.changed());
  open: Conversation | null = null;
  toasts: Toast[] = [];
  private conversations = new Map<string, Conversation>();
  private listeners = new Set<() => void>();
  private redraw: ReturnType<typeof setTimeout> | undefined;
  private wasOnline = false;
  private asides = new Map<string, Set<number>>();
  private toastIds = 0;
  private stops: (() => void)[];

  constructor(
    readonly chat: Chat,
    first?: Snapshot,
  ) {
    this.state = chat.state;
    if (first) this.takeSnapshot(first);
    if (chat.state.status === "online") this.absence.began();
    this.pendings.sync(chat.outbox);
    this.stops = [
      chat.on("*", (frame) => this.take(frame as Frame)),
      chat.on("snapshot", (snapshot) => this.takeSnapshot(snapshot)),
      chat.on("state", (state) => {
        if (state.status === "online" && (this.state.status !== "online" || this.state.transport !== state.transport)) this.presence.forget();
        if (state.status === "online" && this.state.status !== "online" && this.wasOnline) void this.names.refresh();
        this.state = state;
        if (state.status === "online" && !this.wasOnline) this.absence.began();
        this.wasOnline ||= state.status === "online";
        // What could not be read without a connection is tried again with one.
        if (state.status === "online") for (const conversation of this.conversations.values()) conversation.failed.clear();
        this.absence.state(state.status, Date.now());
        this.changed();
      }),
      chat.on("outbox", (outbox) => {
        this.pendings.sync(outbox);
        this.changed();
      }),
    ];
  }

  /** Ends this person's connection and everything that waits. */
  close(): void {
    for (const stop of this.stops) stop();
    clearTimeout(this.redraw);
    this.reading.stop();
    this.presence.stop();
    this.messages.stop();
    this.side.stop();
    this.previews.stop();
    this.absence.stop();
    this.listeners.clear();
    this.chat.close();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    this.redraw ??= setTimeout(() => this.draw(), REDRAW_MS);
  }

  /** At once: what opens by a key must have the focus before the next key. */
  draw(): void {
    clearTimeout(this.redraw);
    this.redraw = undefined;
    this.findRoom();
    for (const listener of this.listeners) listener();
    this.fetchWanted();
    this.presence.look();
  }

  // ---- names

  nameOf(user: string): string {
    const name = this.model.name(user);
    if (name) return name;
    return user.includes(":") ? t.someone : user;
  }

  titleOf(target: Target): string {
    const room = target.room ? this.model.rooms.get(target.room) : undefined;
    if (!room) return target.to ? this.nameOf(target.to) : t.untitled;
    const other = otherOf(room, this.model.me);
    if (other) return this.nameOf(other);
    if (room.title) return room.title;
    const names = room.users.filter((user) => user.id !== this.model.me).slice(0, 3).map((user) => this.nameOf(user.id));
    return names.length > 0 ? t.list(names) : t.untitled;
  }

  room(target: Target | undefined = this.open?.target): Room | undefined {
    return target?.room ? this.model.rooms.get(target.room) : undefined;
  }

  // ---- moving about

  /** Out of the list until somebody writes there. */
  hide(room: string): void {
    this.people.hide(room);
    if (this.open?.target.room !== room) return;
    this.select(null);
    goBack();
  }

  conversation(target: Target): Conversation {
    const key = keyOf(target);
    let conversation = this.conversations.get(key);
    if (!conversation) this.conversations.set(key, (conversation = new Conversation(target)));
    return conversation;
  }

  /** Shows a conversation (by key; null shows the list) and puts it into the browser's history. */
  show(key: string | null): void {
    this.select(key);
    if (key !== null) goTo(key, this.side.place);
  }

  /** The same, when the browser's history led here. */
  select(key: string | null): void {
    const target = key === null ? null : targetOf(key);
    this.side.moved(target?.room);
    if (target === null) {
      this.open = null;
      return this.changed();
    }
    const conversation = this.conversation(target);
    if (conversation !== this.open) {
      this.open = conversation;
      const room = this.room(target);
      if (room) this.arrange(conversation, room);
      // Pins, and whatever else the list's summary leaves out.
      if (target.room && room?.pins === undefined) void this.refreshRoom(target.room);
    }
    this.changed();
  }

  person(user: string): void {
    const room = this.model.directWith(user);
    this.show(keyOf(room ? { room: room.id } : { to: user }));
  }

  /** Where a reader begins: at the unread line where there is one, else at the end. */
  private arrange(conversation: Conversation, room: Room): void {
    const timeline = this.model.timeline(room.id);
    conversation.divider = onEnter({ read: room.read, seq: room.seq, unread: unreadOf(room) });
    conversation.failed.clear();
    const after = conversation.divider.after;
    if (after < 0) {
      conversation.window = tail(timeline.messages);
      conversation.goal = "end";
    } else {
      const here = timeline.has(after + 1);
      conversation.goal = here ? "divider" : "end";
      conversation.window = here ? around(timeline.messages, after + 1) : tail(timeline.messages);
      if (!here) void this.visit(conversation, after + 1, "divider");
    }
    if (timeline.messages.length < MESSAGES_STEP && !timeline.complete) {
      const lowest = timeline.messages[0]?.seq ?? room.seq + 1;
      void this.fill(conversation, { from: 1, to: lowest - 1 }, "older");
    }
  }

  /** Brings a message into view, reading what is around it first where needed. */
  async visit(conversation: Conversation, seq: number, goal: "divider" | "message"): Promise<void> {
    const room = conversation.target.room;
    if (!room) return;
    const timeline = this.model.timeline(room);
    const visit = ++conversation.visits;
    if (!timeline.has(seq)) {
      conversation.arriving = true;
      const asked = askHistory(this, room, { around: seq, limit: MESSAGES_STEP }, (page) => {
        const first = page.messages[0];
        const last = page.messages.at(-1);
        if (first && last) this.model.history(room, page, { from: first.seq, to: last.seq });
      });
      const stands = await asked.catch((error) => this.complain(error));
      if (visit !== conversation.visits) return;
      conversation.arriving = false;
      if (!stands) return;
    }
    conversation.arriving = false;
    conversation.window = around(timeline.messages, seq);
    conversation.goal = goal === "divider" ? "divider" : { seq };
    conversation.flash = goal === "message" ? seq : 0;
    if (goal === "message") conversation.visited = seq;
    this.changed();
  }

  toLatest(conversation: Conversation): void {
    conversation.visits++;
    conversation.arriving = false;
    if (conversation.target.room) conversation.window = tail(this.model.timeline(conversation.target.room).messages);
    conversation.goal = "end";
    this.changed();
  }

  /** Reads a step of a hole, from the end the reader comes from. */
  async fill(conversation: Conversation, hole: { from: number; to: number }, towards: "older" | "newer"): Promise<void> {
    const room = conversation.target.room;
    if (!room || conversation.loading.has(hole.to) || this.state.status === "closed") return;
    conversation.loading.add(hole.to);
    conversation.failed.delete(hole.to);
    this.changed();
    try {
      const ask = towards === "older" ? { before: hole.to + 1 } : { after: hole.from - 1 };
      await askHistory(this, room, { ...ask, limit: MESSAGES_STEP }, (page, timeline) => {
        const first = page.messages[0]?.seq;
        const last = page.messages.at(-1)?.seq;
        // An answer speaks for every number between the one asked about and its far end.
        const range =
          towards === "older"
            ? { from: page.more && first ? first : 1, to: hole.to }
            : { from: hole.from, to: page.more && last ? last : hole.to };
        this.model.history(room, page, range);
        timeline.trim(towards === "older" ? range.from : range.to);
      });
    } catch (error) {
      conversation.failed.add(hole.to);
      if (this.state.status === "online") this.complain(error);
    }
    conversation.loading.delete(hole.to);
    this.changed();
  }

  // ---- writing

  send(conversation: Conversation, text: string): void {
    const { target, replyTo } = conversation;
    const room = this.room(target);
    const mentions = mentionsIn(text, this.peopleIn(target));
    const command: SendCommand = {
      ...(target.room ? { room: target.room } : { to: target.to }),
      body: { text },
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(room && mayCallAll(room) && namesAll(text) ? { mention_all: true } : {}),
      ...(replyTo ? { reply_to: replyTo.seq } : {}),
      ...(target.thread === undefined ? {} : { thread: target.thread }),
    };
    conversation.replyTo = null;
    const sending = this.chat.send({ ...command, body: { text } });
    this.pendings.sync(this.chat.outbox);
    this.toLatest(conversation);
    sending.then(
      ({ room, seq, at }) => {
        if (!this.model.timeline(room).find(seq)) this.pendings.accepted(sending.id, command, room, seq, at);
        this.messages.followUp(room, seq);
        if (target.to) this.settle(target.to, room);
        this.changed();
      },
      // The refused message itself says what went wrong, and offers what can be done.
      () => this.changed(),
    );
  }

  /** The first message to a person made a room: go on there. */
  settle(other: string, room: string): void {
    if (!this.model.rooms.has(room)) {
      const users: WireMember[] = [this.model.me, other].map((id) => ({ id, name: this.model.name(id) }));
      this.model.room({ id: room, kind: "direct", users });
      this.model.wantedRooms.add(room);
    }
    if (this.open?.target.to !== other) return;
    moveDraft(keyOf({ to: other }), room);
    this.show(room);
  }

  /** The person on screen has written first, or we have in another tab. */
  private findRoom(): void {
    const other = this.open?.target.to;
    const room = other === undefined ? undefined : this.model.directWith(other);
    if (other !== undefined && room) this.settle(other, room.id);
  }

  // ---- picking messages

  /** Picks a message, or lets go of it; the first one begins the picking. */
  pick(conversation: Conversation, seq: number): void {
    const picked = new Set(conversation.picked);
    if (!picked.delete(seq)) picked.add(seq);
    conversation.picked = picked;
    this.changed();
  }

  endPicking(conversation: Conversation): void {
    conversation.picked = null;
    this.changed();
  }

  picked(conversation: Conversation): Message[] {
    const { room } = conversation.target;
    if (!room || !conversation.picked) return [];
    const timeline = this.model.timeline(room);
    return [...conversation.picked].sort((a, b) => a - b).flatMap((seq) => timeline.find(seq) ?? []);
  }

  /** The reader wants to meet this message as unread again; so the conversation is left, else it would be read at once. */
  async markUnread(conversation: Conversation, seq: number): Promise<void> {
    if (this.open === conversation) {
      this.select(null);
      goBack();
    }
    const { room } = conversation.target;
    if (room) await this.reading.unread(room, seq);
  }

  lastOwn(conversation: Conversation): Message | undefined {
    const { room, thread } = conversation.target;
    if (!room) return undefined;
    const timeline = this.model.timeline(room);
    const messages = thread === undefined ? timeline.messages : timeline.threads.of(thread);
    return messages.findLast((m) => m.from === this.model.me && !m.recalled);
  }

  // ---- rooms and people

  /** Whom one may name in a conversation. */
  peopleIn(target: Target): Named[] {
    const users = this.room(target)?.users ?? (target.to ? [{ id: target.to }] : []);
    return users.filter((user) => user.id !== this.model.me).map(({ id }) => ({ id, name: this.nameOf(id) }));
  }

  /** Is it a room that is not ours any more? */
  lost(key: string): boolean {
    const { room } = targetOf(key);
    return room !== undefined && this.model.loaded && !this.model.rooms.has(room);
  }

  /** The room on screen is not ours any more: back to the list. */
  closeLost(): void {
    if (!this.open || !this.lost(keyOf(this.open.target))) return;
    this.select(null);
    goBack();
  }

  // ---- telling

  toast(text: string): void {
    const toast = { id: ++this.toastIds, text };
    this.toasts = [...this.toasts.slice(-2), toast];
    setTimeout(() => {
      this.toasts = this.toasts.filter((other) => other !== toast);
      this.changed();
    }, 6_000);
    this.changed();
  }

  complain(error: unknown): void {
    this.toast(t.failed(explain(error)));
  }

  // ---- from the library

  private take(frame: Frame): void {
    const now = Date.now();
    if (frame.type === "prefs" && frame.about && !this.people.isSetting(frame.about)) {
      const before = this.model.rooms.get(frame.about)?.prefs.draft?.text ?? "";
      draftCame(keyOf({ room: frame.about }), before, frame.prefs.draft?.text ?? "");
    }
    // Once it is gone, nobody knows what it was called.
    const leaving = frame.type === "member" && this.model.rooms.has(frame.room) ? this.titleOf({ room: frame.room }) : undefined;
    this.model.frame(frame, now);
    if (frame.type === "message") {
      if (frame.from === this.model.me) this.pendings.arrived(frame.id);
      else this.absence.message();
      this.pendings.passed(frame.room, frame.seq);
      this.arrived(frame.room, frame.from);
    } else if (frame.type === "gap") {
      this.absence.message(frame.to_seq - frame.from_seq + 1);
      this.pendings.passed(frame.room, frame.to_seq);
    } else if (frame.type === "member") {
      const sentAway = frame.from !== this.model.me && !this.model.rooms.has(frame.room);
      if (leaving !== undefined && sentAway) this.toast(t.removedYou(leaving));
      this.closeLost();
    } else if (frame.type === "unread") {
      this.reading.counted(frame.room);
    } else if (frame.type === "typing") {
      setTimeout(() => this.changed(), 6_100);
    } else if (frame.type === "reset") {
      for (const conversation of this.conversations.values()) conversation.loading.clear();
    }
    this.changed();
  }

  private arrived(id: string, from: string): void {
    const conversation = this.conversations.get(id);
    const room = this.model.rooms.get(id);
    if (!room) return;
    const seen = conversation !== undefined && conversation === this.open && conversation.atEnd && document.hasFocus();
    if (conversation && !seen && from !== this.model.me) {
      conversation.divider = onUnseen(conversation.divider, room);
    }
    if (conversation) {
      const { messages } = this.model.timeline(id);
      conversation.window = bound(messages, conversation.window, conversation.atEnd && atTail(conversation.window) ? "newer" : "older");
    }
    if (!seen && from !== this.model.me) this.reading.check(id);
  }

  private takeSnapshot(snapshot: Snapshot): void {
    this.model.snapshot(snapshot as Parameters<Model["snapshot"]>[0]);
    for (const { id, seq } of this.model.rooms.values()) this.pendings.passed(id, seq);
    const room = this.room();
    if (this.open && room) {
      this.arrange(this.open, room);
      // A snapshot is a summary: pins are not in it.
      void this.refreshRoom(room.id);
    }
    this.closeLost();
    this.changed();
  }

  async refreshRoom(room: string): Promise<void> {
    try {
      await askRoom(this, room);
      this.changed();
    } catch {
      // Not a member any more, or no connection: the stream or the next snapshot will tell.
    }
  }

  /** A message that is answered or pinned, but lies far from what is loaded. */
  wantAside(conversation: Conversation, seq: number): void {
    const { room } = conversation.target;
    if (!room) return;
    const seqs = this.asides.get(room) ?? new Set();
    this.asides.set(room, seqs.add(seq));
  }

  private fetchWanted(): void {
    for (const [room, seqs] of this.asides) void this.messages.fetch(room, [...seqs]);
    this.asides.clear();
    const own = this.open && !this.open.readersAsked ? this.lastOwn(this.open) : undefined;
    if (this.open && own) {
      this.open.readersAsked = true;
      void this.messages.learnReaders(own);
    }

    this.names.fetchWanted();
    for (const room of this.model.wantedRooms) void this.refreshRoom(room);
    this.model.wantedRooms.clear();
  }
}
