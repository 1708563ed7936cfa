// A round sign for a person (initials, colour by id) or a room.
import type { Room } from "../model/room.ts";
import { otherOf } from "../model/room.ts";
import { colourOf, initialsOf } from "../model/text.ts";
import { useApp } from "./context.ts";
import { Icon } from "./icons.tsx";

/** As many as tokens.css has `--person-…` colours. */
const COLOURS = 8;

export function PersonAvatar({ id, name, small }: { id: string; name: string; small?: boolean }) {
  const online = useApp().model.presenceOf(id)?.state === "online";
  return (
    <span class={`avatar avatar-${colourOf(id, COLOURS)}${small ? " avatar-small" : ""}`} aria-hidden="true">
      {initialsOf(name)}
      {online && <i class="avatar-online" />}
    </span>
  );
}

export function RoomAvatar({ room }: { room: Room }) {
  const app = useApp();
  const other = otherOf(room, app.model.me);
  if (other) return <PersonAvatar id={other} name={app.nameOf(other)} />;
  return (
    <span class={`avatar avatar-room avatar-${colourOf(room.id, COLOURS)}`} aria-hidden="true">
      <Icon name={room.kind === "channel" ? "hash" : "people"} />
    </span>
  );
}
