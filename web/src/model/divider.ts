// Where the line "new messages" stands. It is fixed the moment a reader's eyes leave the end of a room
// or come to the room with unread messages, and does not move while they read; it goes when they leave.

export interface Divider {
  /** The last seq read before; -1 = no line. */
  after: number;
}

export const NO_DIVIDER: Divider = { after: -1 };

/** Entering a room. Who has read nothing here is new: all is new, and the newest is what matters. */
export function onEnter(room: { read: number; unread: number; seq: number }): Divider {
  return room.unread > 0 && room.read > 0 && room.read < room.seq ? { after: room.read } : NO_DIVIDER;
}

/** A message of somebody else arrived while nobody was looking at the end of the room. */
export function onUnseen(divider: Divider, room: { read: number }): Divider {
  const spent = divider.after < room.read;
  return spent ? { after: room.read } : divider;
}
