// A conversation as the list shows it, and the counts that belong to it. Unread counts come from the
// server; the only thing decided here is that a room read to its end has none.
import type { Policy, Prefs, RoomKind, WireMember, WireRoom } from "../wire.ts";
import { type Message, messageOf } from "./message.ts";

export type Role = "owner" | "admin" | "member" | "reader";

const RANKS: readonly Role[] = ["reader", "member", "admin", "owner"];

export interface Room {
  id: string;
  kind: RoomKind;
  title: string;
  role: string;
  policy: Policy;
  /** May anyone come in by a link? */
  open: boolean;
  /** Until when one may not speak here. */
  mutedUntil: number;
  prefs: Prefs;
  /** Newest first; undefined while nobody has asked. */
  pins?: readonly number[];
  seq: number;
  read: number;
  unread: number;
  mentions: number;
  last?: Message;
  /** When something last happened here, for the order of the list. */
  at: number;
  users: WireMember[];
  userCount: number;
  /** The newest own message that has reached a device of somebody else, as far as was told. */
  delivered: number;
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
    policy: wire.policy ?? known?.policy ?? {},
    mutedUntil: wire.muted_until ?? 0,
    prefs: wire.prefs ?? {},
    pins: wire.pins,
    open: wire.policy ? wire.policy.join === "open" : (known?.open ?? wire.kind === "channel"),
    seq: Math.max(wire.seq ?? 0, last?.seq ?? 0),
    read: Math.max(wire.read ?? 0, known?.read ?? 0),
    unread: wire.unread ?? 0,
    mentions: wire.mentions ?? 0,
    last,
    at: last?.at ?? known?.at ?? 0,
    users,
    userCount: Math.max(wire.user_count ?? known?.userCount ?? 0, users.length),
    delivered: known?.delivered ?? 0,
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

/** What one has put on top; then newest activity first; then by id, so that the order never flickers. */
export function byActivity(a: Room, b: Room): number {
  return Number(b.prefs.pin === true) - Number(a.prefs.pin === true) || b.at - a.at || (a.id < b.id ? -1 : 1);
}

/** Hidden until somebody writes there again. */
export const isHidden = (room: Room): boolean => typeof room.prefs.hide === "number" && room.seq <= room.prefs.hide;

const rankOf = (role: string): number => (RANKS as readonly string[]).indexOf(role);
export const atLeast = (role: string, least: string): boolean => rankOf(role) >= rankOf(least);
export const managesRoom = (room: Room): boolean => atLeast(room.role, "admin");

/** Admins manage those below them, owners all. */
export const managesMember = (room: Room, member: WireMember): boolean =>
  room.role === "owner" || (room.role === "admin" && !atLeast(member.role ?? "member", "admin"));

/** The roles that whoever manages a member may give: none above their own. The highest comes first. */
export const rolesToGive = (room: Room): Role[] => RANKS.filter((role) => atLeast(room.role, role)).reverse();

/** Both people of a direct room may; elsewhere admins. */
export const maySetPins = (room: Room): boolean => room.kind === "direct" || managesRoom(room);
export const mayCallAll = (room: Room): boolean => room.kind !== "direct" && atLeast(room.role, room.policy.mention_all ?? "owner");

export function mayRecall(room: Room, message: Message, me: string, now: number): boolean {
  if (room.kind !== "direct" && managesRoom(room)) return true;
  const { recall_s = 0 } = room.policy;
  return message.from === me && (recall_s === 0 || now < message.at + recall_s * 1000);
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
