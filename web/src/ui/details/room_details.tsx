// About a conversation: how others get in, who is there, how it behaves, and the way out.
import { useEffect, useState } from "preact/hooks";
import { linkTo } from "../../app/identity.ts";
import { t } from "../../i18n/index.ts";
import { managesRoom, type Room } from "../../model/room.ts";
import type { Level } from "../../wire.ts";
import { Select, Switch } from "../choice.tsx";
import { CopyLink } from "../copy_link.tsx";
import { useApp } from "../context.ts";
import { Confirm, Dialog } from "../dialog.tsx";
import { Icon } from "../icons.tsx";
import { Invites } from "./invites.tsx";
import { Members } from "./members.tsx";
import { Rules } from "./rules.tsx";

export function RoomDetails({ room, onClose }: { room: Room; onClose: () => void }) {
  const app = useApp();
  const [leaving, setLeaving] = useState(false);
  useEffect(() => void app.rooms.members(room.id), [room.userCount]);

  const title = app.titleOf({ room: room.id });
  if (leaving) {
    const leave = () => {
      onClose();
      void app.rooms.leave(room.id);
    };
    return <Confirm title={t.leaveAsk(title)} text={t.leaveText} yes={t.leave} onYes={leave} onClose={() => setLeaving(false)} />;
  }
  // A room keeps an owner: its only one cannot go while others stay.
  const owners = room.users.filter((user) => user.role === "owner");
  const bound = room.userCount > 1 && owners.length === 1 && owners[0]?.id === app.model.me;
  return (
    <Dialog title={title} onClose={onClose}>
      {room.open && (
        <section class="section section-row">
          <div>
            <h3>{t.invite}</h3>
            <p class="muted">{t.inviteText}</p>
          </div>
          <CopyLink href={linkTo(room.id)} />
        </section>
      )}
      {!room.open && managesRoom(room) && <Invites room={room} />}
      <section class="section section-wide">
        <Switch label={t.muteRoom} hint={t.muteHint} on={room.prefs.mute === true} onSwitch={(on) => app.people.set({ mute: on || null }, room.id)} />
        <Select<Level>
          label={t.notifyMe}
          value={room.prefs.level ?? "all"}
          options={[["all", t.levelAll], ["mentions", t.levelMentions], ["none", t.levelNone]]}
          onValue={(level) => app.people.set({ level }, room.id)}
        />
      </section>
      <Members room={room} onClose={onClose} />
      {managesRoom(room) && <Rules room={room} />}
      <section class="section">
        <button type="button" class="button button-danger-quiet" disabled={bound} onClick={() => setLeaving(true)}>
          <Icon name="leave" />
          {t.leave}
        </button>
        {bound && <p class="muted">{t.ownerFirst}</p>}
      </section>
    </Dialog>
  );
}
