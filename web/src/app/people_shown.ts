// Who is on the page: in the conversation on screen, and in the list. Those nearest to the reader come first, since
// what is asked about them has a bound.
import type { Model } from "../model/model.ts";
import { otherOf } from "../model/room.ts";
import type { Window } from "../model/window.ts";

export interface Shown {
  readonly model: Model;
  readonly open: { target: { room?: string; to?: string }; window: Window } | null;
}

export function peopleShown({ model, open }: Shown): string[] {
  const users = new Set<string>();
  if (open?.target.to) users.add(open.target.to);
  const here = open?.target.room ? model.rooms.get(open.target.room) : undefined;
  if (open && here) {
    // A large room has more members than come with it.
    for (const message of model.timeline(here.id).messages) if (message.seq >= open.window.from && message.seq <= open.window.to) users.add(message.from);
    for (const user of here.users) users.add(user.id);
  }
  for (const room of model.rooms.values()) {
    const other = otherOf(room, model.me);
    if (other) users.add(other);
  }
  for (const room of model.rooms.values()) if (room.last) users.add(room.last.from);
  users.delete(model.me);
  return [...users];
}
