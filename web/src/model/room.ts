// A conversation as the list shows it, and the counts that belong to it. Unread counts come from the
// server; the only thing decided here is that a room read to its end has none.
import type { RoomKind, WireMember, WireRoom } from "../wire.ts";
import { type Message, messageOf } from "./message.ts";

export interface Room {
  id: string;
  kind: RoomKind;
  title: string;
  role: string;
  /** May anyone come in by a link? */
  open: boolean;
  seq: number;
  read: number;
  unread: number;
  mentions: number;
  last?: Message;
  /** When something last happened here, for the order of the list. */
  at: number;
  users: WireMember[];
  userCount: number;
  /** How far others have read, as far as they have told. */
  readers: ReadonlyMap<string, number>;
}

export function roomOf(wire: WireRoom, known?: Room): Room {
  const last = wire.last ? messageOf(wire.last) : undefined;
  const users = wire.users ?? known?.users ?? [];
  return {
    id: wire.id,
    kind: wire.kind,
    title: wire.title ?? known?.title ?? "",
    role: wire.role ?? known?.role ?? "member",
    open: wire.policy ? wire.policy.join === "open" : (known?.open ?? wire.kind === "channel"),
    seq: Math.max(wire.seq ?? 0, last?.seq ?? 0),
    read: Math.max(wire.read ?? 0, known?.read ?? 0),
    unread: wire.unread ?? 0,
    mentions: wire.mentions ?? 0,
    last,
    at: last?.at ?? known?.at ?? 0,
    users,
    userCount: Math.max(wire.user_count ?? known?.userCount ?? 0, users.length),
    readers: known?.readers ?? new Map(),
  };
}

/** A room we have only heard of; the server is asked for the rest. */
export function stubRoom(id: string): Room {
  return roomOf({ id, kind: id.startsWith("d:") ? "direct" : "group" });
}

export const unreadOf = (room: Room): number => (room.read >= room.seq ? 0 : room.unread);
export const mentionsOf = (room: Room): number => (room.read >= room.seq ? 0 : room.mentions);

/** The other person of a direct room. */
export function otherOf(room: Room, me: string): string | undefined {
  return room.kind === "direct" ? room.users.find((user) => user.id !== me)?.id : undefined;
}

/** Newest activity first; then by id, so that the order never flickers. */
export function byActivity(a: Room, b: Room): number {
  return b.at - a.at || (a.id < b.id ? -1 : 1);
}

export function withReader(room: Room, user: string, seq: number): Room {
  if ((room.readers.get(user) ?? 0) >= seq) return room;
  return { ...room, readers: new Map(room.readers).set(user, seq) };
}

/** How many others have read up to `seq`. */
export function readersOf(room: Room, seq: number): number {
  let count = 0;
  for (const read of room.readers.values()) if (read >= seq) count++;
  return count;
}
