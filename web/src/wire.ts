// The frames and replies this page reads, as PROTOCOL.md describes them, and no more of each than is
// used here. Everything is optional that a newer or an older server may leave out.

export type RoomKind = "direct" | "group" | "channel";

export interface Body {
  text: string;
}

export interface WireMember {
  id: string;
  name?: string;
  role?: string;
  /** Until when they may not speak, in ms since 1970. */
  muted_until?: number;
}

export interface Policy {
  history?: string;
  join?: string;
  visibility?: string;
  /** Seconds between two messages of one member; 0 = no bound. */
  slow_s?: number;
  /** The least role that may call everybody. */
  mention_all?: string;
  /** Days after which messages go; 0 = the server's own rule. */
  retention_days?: number;
  /** Seconds in which an author may take a message back; 0 = always. */
  recall_s?: number;
}

export type Level = "all" | "mentions" | "none";

/** A person's settings, for a room or for all; the same on all devices. Null takes one away. */
export interface Prefs {
  level?: Level | null;
  mute?: boolean | null;
  hide?: number | null;
  pin?: boolean | null;
  draft?: { text: string; reply_to?: number } | null;
  private_read?: boolean | null;
}

export interface Invite {
  code: string;
  room: string;
  by: string;
  at: number;
  uses_left?: number;
  expires_at?: number;
}

/** A room as strangers see it. */
export interface PublicRoom {
  id: string;
  kind: RoomKind;
  title: string;
  users: number;
  joined: boolean;
}
export type InvitedRoom = PublicRoom;

export interface Version {
  version: number;
  body: Body;
  at: number;
}

export interface WirePresence {
  user: string;
  state: "online" | "offline";
  /** When they were last active. */
  at?: number;
}

export interface Receipts {
  state: "on" | "off";
  read: { count: number; users: WireMember[] };
  delivered?: { count: number; users: WireMember[] };
}

export interface WireReaction {
  emoji: string;
  users: string[];
}

/** A message as it lives in the stream, and (with the optional fields) as history returns it today. */
export interface MessageFrame {
  type?: "message";
  room: string;
  seq: number;
  id: string;
  from: string;
  at: number;
  body?: Body;
  reply_to?: number;
  thread?: number;
  mentions?: string[];
  mention_all?: boolean;
  forwarded?: { from: string; room?: string; seq?: number };
  edited_at?: number;
  version?: number;
  recalled?: boolean;
  reactions?: WireReaction[];
}

export interface WireRoom {
  id: string;
  kind: RoomKind;
  title?: string;
  role?: string;
  policy?: Policy;
  /** Of the asker. */
  muted_until?: number;
  prefs?: Prefs;
  /** Newest pin first. */
  pins?: number[];
  seq?: number;
  read?: number;
  unread?: number;
  mentions?: number;
  last?: MessageFrame | null;
  users?: WireMember[];
  user_count?: number;
}

export interface Snapshot {
  user: string;
  name?: string;
  cursor?: string;
  rooms: WireRoom[];
  next?: string;
  prefs?: Prefs;
  blocked?: string[];
}

export interface HistoryPage {
  messages: MessageFrame[];
  min_seq?: number;
  max_seq?: number;
  more: boolean;
}

/** A message that a search found. */
export interface Hit {
  room: string;
  seq: number;
  from: string;
  at: number;
  /** What stands around the words that were looked for: by turns plain text and such a word. */
  snippet: string[];
}

export interface Found {
  hits: Hit[];
  more: boolean;
  /** Where the next question goes on. */
  next?: string;
}

interface Event {
  cursor?: string;
  room: string;
  from: string;
  at: number;
}

export type Frame =
  | (MessageFrame & { type: "message" })
  | (Event & { type: "message.edited"; seq: number; body: Body; version?: number })
  | (Event & { type: "message.recalled"; seq: number })
  | (Event & { type: "message.expired"; to_seq: number })
  | (Event & { type: "reaction"; seq: number; emoji: string; on: boolean })
  | (Event & { type: "member"; action: MemberAction; users: string[]; role?: string; until?: number })
  | (Event & { type: "room"; action: "create" | "update"; kind?: RoomKind; title?: string; policy?: WireRoom["policy"]; users?: (string | WireMember)[] })
  | (Event & { type: "pin"; seq: number; on: boolean })
  | (Event & { type: "prefs"; about?: string; prefs: Prefs })
  | (Event & { type: "block"; user: string; on: boolean })
  | (Event & { type: "read"; user: string; seq: number; back?: boolean })
  /** An event of one's own name; a signal of somebody else's. */
  | { type: "user"; user: string; name: string }
  | { type: "delivered"; room: string; user: string; seq: number }
  | { type: "typing"; room: string; user: string }
  | ({ type: "presence" } & WirePresence)
  | { type: "unread"; room: string; unread: number; mentions?: number }
  | { type: "gap"; room: string; from_seq: number; to_seq: number }
  | { type: "reset"; reason: string };

export type MemberAction = "join" | "leave" | "add" | "remove" | "role" | "ban" | "unban" | "mute";

/** What is being sent, as the library's outbox keeps it until the server has said yes. */
export interface SendCommand {
  room?: string;
  to?: string;
  /** Or, instead, `forward`. */
  body?: Body;
  forward?: { room: string; seq: number };
  reply_to?: number;
  /** The number of the message that began the thread. */
  thread?: number;
  mentions?: string[];
  mention_all?: boolean;
}
