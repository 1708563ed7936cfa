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
  mentions?: string[];
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
  policy?: { history?: string; join?: string; visibility?: string };
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
}

export interface HistoryPage {
  messages: MessageFrame[];
  min_seq?: number;
  max_seq?: number;
  more: boolean;
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
  | (Event & { type: "reaction"; seq: number; emoji: string; on: boolean })
  | (Event & { type: "member"; action: MemberAction; users: string[]; role?: string })
  | (Event & { type: "room"; action: "create" | "update"; kind?: RoomKind; title?: string; policy?: WireRoom["policy"]; users?: (string | WireMember)[] })
  | (Event & { type: "read"; user: string; seq: number })
  | (Event & { type: "user"; user: string; name: string })
  | { type: "typing"; room: string; user: string }
  | { type: "unread"; room: string; unread: number; mentions?: number }
  | { type: "gap"; room: string; from_seq: number; to_seq: number }
  | { type: "reset"; reason: string };

export type MemberAction = "join" | "leave" | "add" | "remove" | "role";

/** What is being sent, as the library's outbox keeps it until the server has said yes. */
export interface SendCommand {
  room?: string;
  to?: string;
  body: Body;
  reply_to?: number;
  mentions?: string[];
}
