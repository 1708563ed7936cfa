// Joins the library, the model and the view: passes frames to the model, fetches what the model lacks,
// and offers the view verbs. The view subscribes to "something changed"; changes are bundled, since one
// write of the server may bring hundreds of frames.
import type { Snapshot, State } from "wigeon-client";
import { explain, t } from "../i18n/index.ts";
import { onEnter, onUnseen } from "../model/divider.ts";
import type { Message } from "../model/message.ts";
import { Model } from "../model/model.ts";
import { Pendings } from "../model/outbox.ts";
import { type Room, otherOf, unreadOf } from "../model/room.ts";
import { mentionsIn, type Named } from "../model/suggest.ts";
import { around, atTail, bound, MESSAGES_STEP, tail } from "../model/window.ts";
import type { Chat } from "../tabs/chat.ts";
import type { Frame, HistoryPage, SendCommand, WireMember, WireRoom } from "../wire.ts";
import { Conversation, keyOf, type Target, targetOf } from "./conversation.ts";
import { goBack, goTo } from "./navigation.ts";

/** Changes within this time are drawn together: one frame of a 60 Hz screen. */
const REDRAW_MS = 16;
/** Long enough for the server's own (at most one a second per room) unread signal to come first. */
const UNREAD_GRACE_MS = 1_500;
/** A read mark at most this often; the last one always goes. */
const READ_EVERY_MS = 500;
const USERS_PER_ASK = 50;

export interface Toast {
  id: number;
  text: string;
}

export class App {
  readonly model = new Model();
  readonly pendings = new Pendings();
  state: State;
  /** Since when there is no connection; null while there is one. */
  lostSince: number | null = Date.now();
  open: Conversation | null = null;
  toasts: Toast[] = [];
  private conversations = new Map<string, Conversation>();
  private listeners = new Set<() => void>();
  private redraw: ReturnType<typeof setTimeout> | undefined;
  private asked = new Set<string>();
  private membersAsked = new Set<string>();
  private unreadChecks = new Map<string, ReturnType<typeof setTimeout>>();
  private unsaidReads = new Set<string>();
  private readTimer: ReturnType<typeof setTimeout> | undefined;
  private toastIds = 0;
  private stops: (() => void)[];

  constructor(
    readonly chat: Chat,
    first?: Snapshot,
  ) {
    this.state = chat.state;
    if (first) this.takeSnapshot(first);
    if (chat.state.status === "online") this.lostSince = null;
    this.pendings.sync(chat.outbox);
    this.stops = [
      chat.on("*", (frame) => this.take(frame as Frame)),
      chat.on("snapshot", (snapshot) => this.takeSnapshot(snapshot)),
      chat.on("state", (state) => {
        this.state = state;
        if (state.status === "online") this.lostSince = null;
        else this.lostSince ??= Date.now();
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
    for (const timer of [this.redraw, this.readTimer, ...this.unreadChecks.values()]) clearTimeout(timer);
    this.listeners.clear();
    this.chat.close();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    this.redraw ??= setTimeout(() => {
      this.redraw = undefined;
      for (const listener of this.listeners) listener();
      this.fetchWanted();
    }, REDRAW_MS);
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

  conversation(target: Target): Conversation {
    const key = keyOf(target);
    let conversation = this.conversations.get(key);
    if (!conversation) this.conversations.set(key, (conversation = new Conversation(target)));
    return conversation;
  }

  /** Shows a conversation (by key; null shows the list) and puts it into the browser's history. */
  show(key: string | null): void {
    this.select(key);
    if (key !== null) goTo(key);
  }

  /** The same, when the browser's history led here. */
  select(key: string | null): void {
    if (key === null) {
      this.open = null;
      return this.changed();
    }
    const target = targetOf(key);
    const conversation = this.conversation(target);
    if (conversation !== this.open) {
      this.open = conversation;
      const room = this.room(target);
      if (room) this.arrange(conversation, room);
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
    if (!timeline.has(seq)) {
      conversation.arriving = true;
      try {
        const page = (await this.chat.history({ room, around: seq, limit: MESSAGES_STEP })) as HistoryPage;
        const first = page.messages[0];
        const last = page.messages.at(-1);
        if (first && last) this.model.history(room, page, { from: first.seq, to: last.seq });
      } catch (error) {
        return this.complain(error);
      } finally {
        conversation.arriving = false;
      }
    }
    conversation.window = around(timeline.messages, seq);
    conversation.goal = goal === "divider" ? "divider" : { seq };
    conversation.flash = goal === "message" ? seq : 0;
    this.changed();
  }

  toLatest(conversation: Conversation): void {
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
      const page = (await this.chat.history({ room, ...ask, limit: MESSAGES_STEP })) as HistoryPage;
      const first = page.messages[0]?.seq;
      const last = page.messages.at(-1)?.seq;
      // An answer speaks for every number between the one asked about and its far end.
      const range =
        towards === "older"
          ? { from: page.more && first ? first : 1, to: hole.to }
          : { from: hole.from, to: page.more && last ? last : hole.to };
      this.model.history(room, page, range);
      this.model.timeline(room).trim(towards === "older" ? range.from : range.to);
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
    const mentions = mentionsIn(text, this.peopleIn(target));
    const command: SendCommand = {
      ...(target.room ? { room: target.room } : { to: target.to }),
      body: { text },
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(replyTo ? { reply_to: replyTo.seq } : {}),
    };
    conversation.replyTo = null;
    const sending = this.chat.send(command);
    this.pendings.sync(this.chat.outbox);
    this.toLatest(conversation);
    sending.then(
      ({ room, seq, at }) => {
        if (!this.model.timeline(room).find(seq)) this.pendings.accepted(sending.id, command, room, seq, at);
        if (target.to) this.settle(conversation, room);
        this.changed();
      },
      // The refused message itself says what went wrong, and offers what can be done.
      () => this.changed(),
    );
  }

  /** The first message to a person made a room: go on there. */
  private settle(conversation: Conversation, room: string): void {
    if (!this.model.rooms.has(room)) {
      const other = conversation.target.to ?? "";
      const users: WireMember[] = [this.model.me, other].map((id) => ({ id, name: this.model.name(id) }));
      this.model.room({ id: room, kind: "direct", users });
      this.model.wantedRooms.add(room);
    }
    if (this.open === conversation) this.show(room);
  }

  edit(message: Message, text: string): void {
    const version = message.version;
    this.run("edit", { room: message.room, seq: message.seq, body: { text }, version });
  }

  recall(message: Message): void {
    this.run("recall", { room: message.room, seq: message.seq });
  }

  react(message: Message, emoji: string): void {
    const mine = message.reactions.some((r) => r.emoji === emoji && r.users.includes(this.model.me));
    this.run("react", { room: message.room, seq: message.seq, emoji, on: !mine });
  }

  lastOwn(conversation: Conversation): Message | undefined {
    const { room } = conversation.target;
    return room ? this.model.timeline(room).messages.findLast((m) => m.from === this.model.me && !m.recalled) : undefined;
  }

  // ---- rooms and people

  async rename(name: string): Promise<boolean> {
    if (!(await this.run("user.update", { name }))) return false;
    this.model.learn([{ id: this.model.me, name }]);
    this.changed();
    return true;
  }

  /** Whom one may name in a conversation. */
  peopleIn(target: Target): Named[] {
    const users = this.room(target)?.users ?? (target.to ? [{ id: target.to }] : []);
    return users.filter((user) => user.id !== this.model.me).map(({ id }) => ({ id, name: this.nameOf(id) }));
  }

  mayCallAll(_room: Room | undefined): boolean {
    return false;
  }

  /** A room comes with its first members only; the rest are asked for when somebody is to be named. */
  learnMembers(room: Room): void {
    if (room.users.length >= room.userCount || this.membersAsked.has(room.id)) return;
    this.membersAsked.add(room.id);
    void this.membersOf(room.id).then((users) => this.model.members(room.id, users));
  }

  async createRoom(kind: "group" | "channel", title: string, members: string[]): Promise<boolean> {
    const made = (await this.run("room.create", { kind, title, ...(members.length > 0 ? { members } : {}) })) as { room: WireRoom } | undefined;
    if (!made) return false;
    this.model.room(made.room);
    this.model.wantedRooms.add(made.room.id);
    this.touch(made.room.id);
    this.show(made.room.id);
    return true;
  }

  async joinRoom(room: string): Promise<boolean> {
    if (this.model.rooms.has(room)) {
      this.show(room);
      return true;
    }
    if (!(await this.run("room.join", { room }))) return false;
    await this.refreshRoom(room);
    this.touch(room);
    this.show(room);
    return true;
  }

  async leaveRoom(room: string): Promise<void> {
    if (!(await this.run("room.leave", { room }))) return;
    this.model.rooms.delete(room);
    this.closeLost();
  }

  /** The room on screen is not ours any more: back to the list. */
  private closeLost(): void {
    const room = this.open?.target.room;
    if (!room || !this.model.loaded || this.model.rooms.has(room)) return;
    this.select(null);
    goBack();
  }

  async addMembers(room: string, users: string[]): Promise<boolean> {
    const added = await this.run("member.add", { room, users });
    if (added) await this.refreshRoom(room);
    return added !== undefined;
  }

  async makeOwner(room: string, user: string): Promise<boolean> {
    return (await this.run("member.role", { room, user, role: "owner" })) !== undefined;
  }

  async removeMember(room: string, user: string): Promise<boolean> {
    return (await this.run("member.remove", { room, user })) !== undefined;
  }

  async publicRooms(): Promise<{ id: string; title: string; users: number; joined: boolean }[]> {
    const answer = (await this.run("room.list", { limit: 100 })) as { rooms?: { id: string; title: string; users: number; joined: boolean }[] } | undefined;
    return answer?.rooms ?? [];
  }

  async membersOf(room: string): Promise<WireMember[]> {
    const answer = (await this.run("member.list", { room, limit: 100 })) as { users?: WireMember[] } | undefined;
    this.model.learn(answer?.users);
    return answer?.users ?? [];
  }

  async findUsers(q: string): Promise<WireMember[]> {
    const answer = (await this.run("user.search", { q, limit: 20 })) as { users?: WireMember[] } | undefined;
    this.model.learn(answer?.users);
    return (answer?.users ?? []).filter((user) => user.id !== this.model.me);
  }

  // ---- reading

  /** The newest message is in view of a reader who is there. */
  sawEnd(conversation: Conversation): void {
    const room = this.room(conversation.target);
    if (!room || room.seq === 0 || room.read >= room.seq) return;
    this.model.readTo(room.id, room.seq);
    this.changed();
    this.unsaidReads.add(room.id);
    this.readTimer ??= setTimeout(() => {
      this.readTimer = undefined;
      // A lost mark is no harm: the next one says more.
      for (const id of this.unsaidReads) this.chat.read(id, this.model.rooms.get(id)?.read ?? 0).catch(() => {});
      this.unsaidReads.clear();
    }, READ_EVERY_MS);
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
    this.model.frame(frame, now);
    if (frame.type === "message") {
      this.pendings.arrived(frame.id);
      this.arrived(frame.room, frame.from);
    } else if (frame.type === "member") {
      this.closeLost();
    } else if (frame.type === "unread") {
      clearTimeout(this.unreadChecks.get(frame.room));
      this.unreadChecks.delete(frame.room);
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
    if (!seen && from !== this.model.me) this.checkUnread(id);
  }

  /** Signals do not reach every transport: where the server's count does not come by itself, ask for it. */
  private checkUnread(room: string): void {
    if (this.unreadChecks.has(room)) return;
    const timer = setTimeout(() => {
      this.unreadChecks.delete(room);
      void this.refreshRoom(room);
    }, UNREAD_GRACE_MS);
    this.unreadChecks.set(room, timer);
  }

  private takeSnapshot(snapshot: Snapshot): void {
    this.model.snapshot(snapshot as Parameters<Model["snapshot"]>[0]);
    const room = this.room();
    if (this.open && room) this.arrange(this.open, room);
    this.closeLost();
    this.changed();
  }

  private touch(room: string): void {
    const known = this.model.rooms.get(room);
    if (known) this.model.rooms.set(room, { ...known, at: Math.max(known.at, Date.now()) });
  }

  private async refreshRoom(room: string): Promise<void> {
    try {
      const answer = (await this.chat.command("room.get", { room })) as { room: WireRoom };
      this.model.room(answer.room);
      this.changed();
    } catch {
      // Not a member any more, or no connection: the stream or the next snapshot will tell.
    }
  }

  private fetchWanted(): void {
    const users = [...this.model.wantedUsers].filter((user) => !this.asked.has(user)).slice(0, USERS_PER_ASK);
    this.model.wantedUsers.clear();
    if (users.length > 0) void this.fetchUsers(users);
    for (const room of this.model.wantedRooms) void this.refreshRoom(room);
    this.model.wantedRooms.clear();
  }

  private async fetchUsers(users: string[]): Promise<void> {
    for (const user of users) this.asked.add(user);
    try {
      const answer = (await this.chat.command("user.get", { users })) as { users?: WireMember[] };
      this.model.learn(answer.users);
      this.changed();
    } catch {
      for (const user of users) this.asked.delete(user);
    }
  }

  /** A command whose failure is told to the person. */
  private async run(type: string, fields: Record<string, unknown>): Promise<unknown> {
    try {
      return (await this.chat.command(type, fields)) ?? {};
    } catch (error) {
      this.complain(error);
      return undefined;
    }
  }
}
