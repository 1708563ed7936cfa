// Everything the page knows, folded from the snapshot and the frames after it. It draws nothing and
// asks nobody: what it lacks (a room only heard of, a name) it lists as wanted, and the app fetches it.
import type { Frame, HistoryPage, MessageFrame, Prefs, Snapshot, WireMember, WirePresence, WireRoom } from "../wire.ts";
import { messageOf } from "./message.ts";
import { type Room, otherOf, roomOf, stubRoom, withReader } from "./room.ts";
import { Timeline } from "./timeline.ts";
import type { Range } from "./ranges.ts";

/** A typing signal is believed this long; senders repeat it every 3 s. */
export const TYPING_MS = 6_000;

export class Model {
  me = "";
  rooms = new Map<string, Room>();
  /** Settings for all rooms. */
  prefs: Prefs = {};
  blocked: ReadonlySet<string> = new Set();
  /** True after the first snapshot: an empty list is then really empty. */
  loaded = false;
  wantedRooms = new Set<string>();
  wantedUsers = new Set<string>();
  /** Changes with each name that is learned: what was drawn with another one is drawn again. */
  naming = 0;
  private names = new Map<string, string>();
  private timelines = new Map<string, Timeline>();
  private presences = new Map<string, WirePresence>();
  private typists = new Map<string, Map<string, number>>();

  snapshot(snapshot: Snapshot): void {
    this.me = snapshot.user;
    if (snapshot.name) this.call(snapshot.user, snapshot.name);
    this.prefs = snapshot.prefs ?? {};
    this.blocked = new Set(snapshot.blocked);
    const rooms = new Map<string, Room>();
    for (const wire of snapshot.rooms) {
      const room = roomOf(wire, this.rooms.get(wire.id));
      rooms.set(room.id, room);
      this.learn(wire.users);
      const timeline = this.timeline(room.id);
      timeline.reaches(room.seq);
      if (wire.last) timeline.merge([wire.last]);
    }
    this.rooms = rooms;
    this.loaded = true;
  }

  /** One room as the server describes it now. */
  room(wire: WireRoom): void {
    const known = this.rooms.get(wire.id);
    const room = roomOf(wire, known);
    const late = known?.last !== undefined && known.last.seq > (room.last?.seq ?? 0);
    this.rooms.set(wire.id, {
      ...room,
      seq: Math.max(room.seq, known?.seq ?? 0),
      at: Math.max(room.at, known?.at ?? 0),
      last: late ? known.last : room.last,
      pins: room.pins ?? [],
    });
    this.wantedRooms.delete(wire.id);
    this.learn(wire.users);
    this.timeline(wire.id).reaches(room.seq);
    if (wire.last) this.timeline(wire.id).merge([wire.last]);
  }

  /** More members of a room than came with it. */
  members(room: string, users: WireMember[]): void {
    this.learn(users);
    this.change(room, (r) => {
      const known = new Set(users.map((user) => user.id));
      return { ...r, users: [...users, ...r.users.filter((user) => !known.has(user.id))] };
    });
  }

  history(room: string, page: HistoryPage, range: Range): void {
    const timeline = this.timeline(room);
    timeline.merge(page.messages, range);
    // 0: of what there is, nothing may be seen.
    timeline.earliest = page.min_seq === 0 ? timeline.latest + 1 : (page.min_seq ?? 1);
    for (const message of page.messages) this.name(message.from);
  }

  frame(frame: Frame, now: number): void {
    switch (frame.type) {
      case "message":
        return this.message(frame, now);
      case "message.edited":
        this.timeline(frame.room).edit(frame.seq, frame.body.text, frame.version);
        return this.refreshLast(frame.room, frame.seq);
      case "message.recalled":
        this.timeline(frame.room).recall(frame.seq);
        this.change(frame.room, (room) => (room.pins?.includes(frame.seq) ? { ...room, pins: pinned(room.pins, frame.seq, false) } : room));
        return this.refreshLast(frame.room, frame.seq);
      case "message.expired":
        this.timeline(frame.room).expire(frame.to_seq);
        return this.change(frame.room, (room) => ({
          ...room,
          pins: room.pins?.filter((pin) => pin > frame.to_seq),
          last: room.last && room.last.seq > frame.to_seq ? room.last : undefined,
        }));
      case "reaction":
        return this.timeline(frame.room).react(frame.seq, frame.from, frame.emoji, frame.on);
      case "member":
        return this.member(frame);
      case "room":
        if (frame.action === "create") {
          this.ensure(frame.room);
          this.change(frame.room, (room) => ({ ...room, kind: frame.kind ?? room.kind, title: frame.title ?? room.title, at: frame.at }));
          this.wantedRooms.add(frame.room);
        } else {
          this.change(frame.room, (room) => ({ ...room, title: frame.title ?? room.title, policy: { ...room.policy, ...frame.policy }, open: frame.policy ? frame.policy.join === "open" : room.open }));
        }
        return;
      case "read":
        if (frame.user === this.me && frame.back) this.readBack(frame.room, frame.seq);
        else if (frame.user === this.me) this.readTo(frame.room, frame.seq);
        else this.change(frame.room, (room) => withReader(room, frame.user, frame.seq));
        return;
      case "pin":
        return this.change(frame.room, (room) => ({ ...room, pins: room.pins && pinned(room.pins, frame.seq, frame.on) }));
      case "prefs":
        if (frame.about === undefined) this.prefs = frame.prefs;
        else this.change(frame.about, (room) => ({ ...room, prefs: frame.prefs }));
        return;
      case "block":
        return this.block(frame.user, frame.on);
      case "user":
        return this.call(frame.user, frame.name);
      case "delivered":
        if (frame.user !== this.me) this.deliveredAt(frame.room, frame.seq);
        return;
      case "typing":
        if (frame.user === this.me) return;
        this.typing(frame.room).set(frame.user, now + TYPING_MS);
        this.name(frame.user);
        return;
      case "presence":
        return this.present(frame);
      case "unread":
        return this.change(frame.room, (room) => ({ ...room, unread: frame.unread, mentions: frame.mentions ?? 0 }));
      case "gap":
        this.timeline(frame.room).reaches(frame.to_seq);
        return this.change(frame.room, (room) => ({ ...room, seq: Math.max(room.seq, frame.to_seq) }));
      case "reset":
        // What is loaded may have been changed unseen, or belong to another log: it is read again.
        this.timelines.clear();
        // Numbers of another log say nothing of this one, where they may be lower.
        if (frame.reason === "epoch" || frame.reason === "future") {
          for (const room of this.rooms.values()) this.rooms.set(room.id, { ...room, seq: 0, read: 0, delivered: 0, readers: new Map() });
        }
    }
  }

  readTo(room: string, seq: number): void {
    this.change(room, (r) => (r.read >= seq ? r : { ...r, read: seq }));
  }

  /** Unread again from after `seq` on. */
  readBack(room: string, seq: number): void {
    this.change(room, (r) => ({ ...r, read: Math.min(r.read, seq) }));
  }

  deliveredAt(room: string, seq: number): void {
    this.change(room, (r) => ({ ...r, delivered: Math.max(r.delivered, seq) }));
  }

  present(presence: WirePresence): void {
    this.presences.set(presence.user, presence);
  }

  presenceOf(user: string): WirePresence | undefined {
    return this.presences.get(user);
  }

  readerAt(room: string, user: string, seq: number): void {
    if (user !== this.me) this.change(room, (r) => withReader(r, user, seq));
  }

  /** Something happened in a room just now. */
  touch(room: string, now: number): void {
    this.change(room, (r) => ({ ...r, at: Math.max(r.at, now) }));
  }

  prefer(prefs: Prefs, room?: string): void {
    if (room === undefined) this.prefs = merged(this.prefs, prefs);
    else this.change(room, (r) => ({ ...r, prefs: merged(r.prefs, prefs) }));
  }

  block(user: string, on: boolean): void {
    const blocked = new Set(this.blocked);
    if (on) blocked.add(user);
    else blocked.delete(user);
    this.blocked = blocked;
  }

  /** Its messages call for no attention, unless they mention us. */
  isQuiet(room: Room): boolean {
    const level = room.prefs.level ?? this.prefs.level ?? "all";
    return room.prefs.mute === true || level !== "all";
  }

  timeline(room: string): Timeline {
    let timeline = this.timelines.get(room);
    if (!timeline) this.timelines.set(room, (timeline = new Timeline()));
    return timeline;
  }

  /** A user's name, or undefined while it is not known (it is then wanted). */
  name(user: string): string | undefined {
    const name = this.names.get(user);
    if (name === undefined) this.wantedUsers.add(user);
    return name;
  }

  learn(users: readonly WireMember[] | undefined): void {
    for (const { id, name } of users ?? []) {
      if (!name) continue;
      this.call(id, name);
    }
  }

  typingIn(room: string, now: number): string[] {
    const typists = this.typists.get(room);
    return typists ? [...typists].filter(([, until]) => until > now).map(([user]) => user) : [];
  }

  directWith(user: string): Room | undefined {
    for (const room of this.rooms.values()) if (otherOf(room, this.me) === user) return room;
    return undefined;
  }

  private call(user: string, name: string): void {
    this.wantedUsers.delete(user);
    if (this.names.get(user) === name) return;
    this.names.set(user, name);
    this.naming++;
  }

  private message(frame: MessageFrame, now: number): void {
    const timeline = this.timeline(frame.room);
    timeline.merge([frame]);
    this.typing(frame.room).delete(frame.from);
    this.name(frame.from);
    this.ensure(frame.room);
    this.change(frame.room, (room) => {
      const newest = frame.seq >= (room.last?.seq ?? 0);
      const next = {
        ...room,
        seq: Math.max(room.seq, frame.seq),
        last: newest ? messageOf(frame) : room.last,
        at: newest ? Math.max(room.at, frame.at ?? now) : room.at,
      };
      // Who writes after a message has seen it.
      return frame.from === this.me ? next : withReader(next, frame.from, frame.seq);
    });
  }

  private member(frame: Frame & { type: "member" }): void {
    const { room, action, users } = frame;
    const us = users.includes(this.me);
    if (action === "role") {
      return this.change(room, (r) => ({
        ...r,
        role: us ? (frame.role ?? r.role) : r.role,
        users: r.users.map((user) => (users.includes(user.id) ? { ...user, role: frame.role } : user)),
      }));
    }
    if (action === "unban") return;
    if (action === "mute") {
      const muted_until = frame.until ?? 0;
      this.change(room, (r) => ({
        ...r,
        mutedUntil: us ? muted_until : r.mutedUntil,
        users: r.users.map((user) => (users.includes(user.id) ? { ...user, muted_until } : user)),
      }));
      return this.timeline(room).note(action, frame.from, users, frame.at, frame);
    }
    const gone = action === "leave" || action === "remove" || action === "ban";
    if (gone && us) {
      this.rooms.delete(room);
      this.timelines.delete(room);
      return;
    }
    for (const user of [frame.from, ...users]) this.name(user);
    this.ensure(room);
    this.change(room, (r) => {
      const others = r.users.filter((user) => !users.includes(user.id));
      const known = r.users.length - others.length;
      return gone
        ? { ...r, users: others, userCount: Math.max(others.length, r.userCount - users.length) }
        : { ...r, users: [...others, ...users.map((id) => ({ id }))], userCount: r.userCount + users.length - known };
    });
    this.timeline(room).note(action, frame.from, users, frame.at, frame);
  }

  private refreshLast(room: string, seq: number): void {
    const message = this.timeline(room).find(seq);
    if (message) this.change(room, (r) => (r.last?.seq === seq ? { ...r, last: message } : r));
  }

  /** A room we are in, though we know no more of it yet. */
  private ensure(id: string): void {
    if (this.rooms.has(id)) return;
    this.rooms.set(id, stubRoom(id));
    this.wantedRooms.add(id);
  }

  private change(id: string, change: (room: Room) => Room): void {
    const room = this.rooms.get(id);
    if (room) this.rooms.set(id, change(room));
  }

  private typing(room: string): Map<string, number> {
    let typists = this.typists.get(room);
    if (!typists) this.typists.set(room, (typists = new Map()));
    return typists;
  }
}

const pinned = (pins: readonly number[], seq: number, on: boolean): number[] => {
  const others = pins.filter((pin) => pin !== seq);
  return on ? [seq, ...others] : others;
};

/** Named fields replace, null takes away. */
const merged = (prefs: Prefs, change: Prefs): Prefs =>
  Object.fromEntries(Object.entries({ ...prefs, ...change }).filter(([, value]) => value !== null));
