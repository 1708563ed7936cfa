// What one can do with a conversation from the list, without opening it.
import { t } from "../i18n/index.ts";
import { otherOf, type Room, unreadOf } from "../model/room.ts";
import { useApp } from "./context.ts";
import { Menu, MenuItem, type Place } from "./menu.tsx";

export function RoomMenu({ room, at, onClose }: { room: Room; at: Place; onClose: () => void }) {
  const app = useApp();
  const then = (action: () => void) => () => {
    onClose();
    action();
  };
  const pinned = room.prefs.pin === true;
  const muted = room.prefs.mute === true;
  const other = otherOf(room, app.model.me);
  const blocked = other !== undefined && app.model.blocked.has(other);
  return (
    <Menu label={t.roomActions(app.titleOf({ room: room.id }))} at={at} onClose={onClose}>
      <MenuItem icon="pin" onClick={then(() => app.people.set({ pin: pinned ? null : true }, room.id))}>
        {pinned ? t.unpinRoom : t.pinRoom}
      </MenuItem>
      <MenuItem icon={muted ? "bell" : "mute"} onClick={then(() => app.people.set({ mute: muted ? null : true }, room.id))}>
        {muted ? t.unmuteRoom : t.muteRoom}
      </MenuItem>
      {unreadOf(room) > 0 ? (
        <MenuItem icon="check" onClick={then(() => app.reading.saw(room.id))}>
          {t.markRead}
        </MenuItem>
      ) : (
        room.last && (
          <MenuItem icon="dot" onClick={then(() => void app.markUnread(app.conversation({ room: room.id }), room.seq))}>
            {t.markUnread}
          </MenuItem>
        )
      )}
      <MenuItem icon="eyeOff" hint={t.hideHint} onClick={then(() => app.hide(room.id))}>
        {t.hideRoom}
      </MenuItem>
      {other && (
        <MenuItem icon="shield" danger={!blocked} onClick={then(() => void app.people.block(other, !blocked))}>
          {blocked ? t.unblock : t.block}
        </MenuItem>
      )}
    </Menu>
  );
}
