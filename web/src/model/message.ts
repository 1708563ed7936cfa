// A message as the page shows it. Objects are never changed in place: an edit makes a new one, so that
// a row whose message is the same object need not be drawn again.
import type { MessageFrame } from "../wire.ts";

export interface Message {
  room: string;
  seq: number;
  id: string;
  from: string;
  at: number;
  text: string;
  replyTo?: number;
  /** The number of the message whose thread it is in. */
  thread?: number;
  mentions: string[];
  /** Everybody is spoken to. */
  mentionsAll: boolean;
  /** Who wrote it first, and where, as far as that may be told. */
  forwarded?: { from: string; room?: string; seq?: number };
  edited: boolean;
  /** How often it was edited. */
  version: number;
  recalled: boolean;
  reactions: Reaction[];
}

export interface Reaction {
  emoji: string;
  users: string[];
}

export function messageOf(frame: MessageFrame): Message {
  return {
    room: frame.room,
    seq: frame.seq,
    id: frame.id,
    from: frame.from,
    at: frame.at,
    text: frame.body?.text ?? "",
    replyTo: frame.reply_to,
    thread: frame.thread,
    mentions: frame.mentions ?? [],
    mentionsAll: frame.mention_all === true,
    forwarded: frame.forwarded,
    edited: (frame.version ?? 0) > 0,
    version: frame.version ?? 0,
    recalled: frame.recalled === true,
    reactions: frame.reactions ?? [],
  };
}

export function react(message: Message, user: string, emoji: string, on: boolean): Message {
  const others = (users: string[]) => users.filter((id) => id !== user);
  const known = message.reactions.some((reaction) => reaction.emoji === emoji);
  const reactions = message.reactions
    .map((r) => (r.emoji === emoji ? { emoji, users: on ? [...others(r.users), user] : others(r.users) } : r))
    .concat(known || !on ? [] : [{ emoji, users: [user] }])
    .filter((reaction) => reaction.users.length > 0);
  return { ...message, reactions };
}
