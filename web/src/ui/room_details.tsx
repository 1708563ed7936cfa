// About a room: how others get in, who is there, and the way out.
import { useEffect, useState } from "preact/hooks";
import { linkTo } from "../app/identity.ts";
import { t } from "../i18n/index.ts";
import type { Room } from "../model/room.ts";
import type { WireMember } from "../wire.ts";
import { PersonAvatar } from "./avatar.tsx";
import { CopyLink } from "./copy_link.tsx";
import { useApp } from "./context.ts";
import { Confirm, Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";
import { Menu, MenuItem, type Place, placeOf } from "./menu.tsx";
import { PeoplePicker } from "./people_picker.tsx";

const MAY_MANAGE = ["owner", "admin"];

export function RoomDetails({ room, onClose }: { room: Room; onClose: () => void }) {
  const app = useApp();
  const [members, setMembers] = useState<WireMember[]>(room.users);
  const [leaving, setLeaving] = useState(false);
  const refresh = () => void app.membersOf(room.id).then((users) => users.length > 0 && setMembers(users));
  useEffect(refresh, [room.userCount]);

  const title = app.titleOf({ room: room.id });
  if (leaving) {
    const leave = () => {
      onClose();
      void app.leaveRoom(room.id);
    };
    return <Confirm title={t.leaveAsk(title)} text={t.leaveText} yes={t.leave} onYes={leave} onClose={() => setLeaving(false)} />;
  }
  // A room keeps an owner: its only one cannot go while others stay.
  const owners = members.filter((user) => user.role === "owner");
  const bound = members.length > 1 && owners.length === 1 && owners[0]?.id === app.model.me;
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
      {room.role !== "reader" && <AddPeople room={room} members={members} />}
      <section class="section">
        <h3>{t.members(Math.max(room.userCount, members.length))}</h3>
        <ul class="people">
          {members.map((user) => (
            <MemberItem key={user.id} room={room} user={user} onClose={onClose} onChange={refresh} />
          ))}
        </ul>
      </section>
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

function AddPeople({ room, members }: { room: Room; members: WireMember[] }) {
  const app = useApp();
  const [picked, setPicked] = useState<WireMember[] | null>(null);
  const add = async () => {
    if (picked && (await app.addMembers(room.id, picked.map((user) => user.id)))) setPicked(null);
  };
  if (picked === null) {
    return (
      <section class="section">
        <button type="button" class="button" onClick={() => setPicked([])}>
          <Icon name="people" />
          {t.addPeople}
        </button>
      </section>
    );
  }
  return (
    <section class="section">
      <PeoplePicker
        label={t.findPeople}
        without={members.map((user) => user.id)}
        picked={picked}
        onPick={(user) => setPicked([...picked, user])}
        onDrop={(user) => setPicked(picked.filter((other) => other.id !== user.id))}
      />
      <div class="dialog-actions">
        <button type="button" class="button" onClick={() => setPicked(null)}>
          {t.cancel}
        </button>
        <button type="button" class="button button-primary" disabled={picked.length === 0} onClick={add}>
          {t.add}
        </button>
      </div>
    </section>
  );
}

function MemberItem({ room, user, onClose, onChange }: { room: Room; user: WireMember; onClose: () => void; onChange: () => void }) {
  const app = useApp();
  const [menu, setMenu] = useState<Place | null>(null);
  const name = user.name || app.nameOf(user.id);
  const me = user.id === app.model.me;
  const role = t.roles[user.role ?? "member"];
  const manage = !me && MAY_MANAGE.includes(room.role);
  const message = () => {
    onClose();
    app.person(user.id);
  };
  const change = (action: () => Promise<boolean>) => async () => {
    setMenu(null);
    if (await action()) onChange();
  };
  return (
    <li>
      <button type="button" class="person" disabled={me} aria-haspopup={manage ? "menu" : undefined} title={manage ? t.memberActions(name) : undefined} onClick={(event) => (manage ? setMenu(placeOf(event.currentTarget)) : message())}>
        <PersonAvatar id={user.id} name={name} small />
        <span>
          {name}
          {me && ` (${t.you})`}
        </span>
        {role && <small>{role}</small>}
      </button>
      {menu && (
        <Menu label={t.memberActions(name)} at={menu} onClose={() => setMenu(null)}>
          <MenuItem icon="reply" onClick={message}>
            {t.message}
          </MenuItem>
          {room.role === "owner" && user.role !== "owner" && (
            <MenuItem icon="people" onClick={change(() => app.makeOwner(room.id, user.id))}>
              {t.makeOwner}
            </MenuItem>
          )}
          {user.role !== "owner" && (
            <MenuItem icon="trash" danger onClick={change(() => app.removeMember(room.id, user.id))}>
              {t.removeMember}
            </MenuItem>
          )}
        </Menu>
      )}
    </li>
  );
}
