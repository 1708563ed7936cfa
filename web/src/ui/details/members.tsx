// Who is in a room, what can be done with each of them, and who is kept out.
import { useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { managesMember, managesRoom, rolesToGive, type Room } from "../../model/room.ts";
import type { WireMember } from "../../wire.ts";
import { PersonAvatar } from "../avatar.tsx";
import { useApp } from "../context.ts";
import { fullTimeOf } from "../dates.ts";
import { Confirm } from "../dialog.tsx";
import { Icon } from "../icons.tsx";
import { Menu, MenuGroup, MenuItem, type Place, placeOf } from "../menu.tsx";
import { PeoplePicker } from "../people_picker.tsx";

const HOUR_MS = 3_600_000;
const MUTES = [HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS];

export function Members({ room, onClose }: { room: Room; onClose: () => void }) {
  return (
    <section class="section section-wide">
      <h3>{t.members(Math.max(room.userCount, room.users.length))}</h3>
      {room.role !== "reader" && <AddPeople room={room} />}
      <ul class="people">
        {room.users.map((user) => (
          <MemberItem key={user.id} room={room} user={user} onClose={onClose} />
        ))}
      </ul>
      {managesRoom(room) && <Banned room={room} />}
    </section>
  );
}

function AddPeople({ room }: { room: Room }) {
  const app = useApp();
  const [picked, setPicked] = useState<WireMember[] | null>(null);
  const add = async () => {
    if (picked && (await app.rooms.add(room.id, picked.map((user) => user.id)))) setPicked(null);
  };
  if (picked === null) {
    return (
      <button type="button" class="button button-start" onClick={() => setPicked([])}>
        <Icon name="people" />
        {t.addPeople}
      </button>
    );
  }
  return (
    <>
      <PeoplePicker
        label={t.findPeople}
        without={room.users.map((user) => user.id)}
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
    </>
  );
}

function MemberItem({ room, user, onClose }: { room: Room; user: WireMember; onClose: () => void }) {
  const app = useApp();
  const [menu, setMenu] = useState<Place | null>(null);
  const [asking, setAsking] = useState<"remove" | "ban" | null>(null);
  const name = app.nameOf(user.id);
  const me = user.id === app.model.me;
  const role = user.role ?? "member";
  const muted = (user.muted_until ?? 0) > Date.now();
  const manages = !me && managesMember(room, user);
  const blocked = app.model.blocked.has(user.id);
  const then = (action: () => Promise<unknown>) => () => {
    setMenu(null);
    void action();
  };
  const ask = (what: "remove" | "ban") => () => {
    setMenu(null);
    setAsking(what);
  };
  const notes = [t.roles[role], muted && t.mutedUntil(fullTimeOf(user.muted_until ?? 0))].filter(Boolean).join(" · ");
  return (
    <li>
      <button type="button" class="person" disabled={me} aria-haspopup="menu" title={me ? undefined : t.memberActions(name)} onClick={(event) => setMenu(placeOf(event.currentTarget))}>
        <PersonAvatar id={user.id} name={name} small />
        <span dir="auto">
          {name}
          {me && ` (${t.you})`}
        </span>
        {notes && <small>{notes}</small>}
      </button>
      {menu && (
        <Menu label={t.memberActions(name)} at={menu} onClose={() => setMenu(null)}>
          <MenuItem
            icon="reply"
            onClick={() => {
              onClose();
              app.person(user.id);
            }}
          >
            {t.message}
          </MenuItem>
          {manages && (
            <MenuGroup label={t.role}>
              {rolesToGive(room).map((each) => (
                <MenuItem key={each} checked={role === each} onClick={then(() => app.rooms.role(room.id, user.id, each))}>
                  {t.roleNames[each]}
                </MenuItem>
              ))}
            </MenuGroup>
          )}
          {manages && !muted && (
            <MenuGroup label={t.muteMember}>
              {MUTES.map((ms) => (
                <MenuItem key={ms} icon="mute" onClick={then(() => app.rooms.mute(room.id, user.id, Date.now() + ms))}>
                  {t.forHours(ms / HOUR_MS)}
                </MenuItem>
              ))}
            </MenuGroup>
          )}
          {manages && muted && (
            <MenuItem icon="bell" onClick={then(() => app.rooms.mute(room.id, user.id, 0))}>
              {t.unmuteMember}
            </MenuItem>
          )}
          {manages && (
            <MenuItem icon="leave" danger onClick={ask("remove")}>
              {t.removeMember}
            </MenuItem>
          )}
          {manages && (
            <MenuItem icon="shield" danger hint={t.banHint} onClick={ask("ban")}>
              {t.ban}
            </MenuItem>
          )}
          <MenuItem icon="eyeOff" danger={!blocked} onClick={then(() => app.people.block(user.id, !blocked))}>
            {blocked ? t.unblock : t.block}
          </MenuItem>
        </Menu>
      )}
      {asking === "remove" && <Confirm title={t.removeAsk(name)} text={t.removeText} yes={t.removeMember} onYes={() => void app.rooms.remove(room.id, user.id)} onClose={() => setAsking(null)} />}
      {asking === "ban" && <Confirm title={t.banAsk(name)} text={t.banText} yes={t.ban} onYes={() => void app.rooms.ban(room.id, user.id)} onClose={() => setAsking(null)} />}
    </li>
  );
}

function Banned({ room }: { room: Room }) {
  const app = useApp();
  const [users, setUsers] = useState<WireMember[] | null>(null);
  const refresh = () => void app.rooms.banned(room.id).then(setUsers);
  if (users === null) {
    return (
      <button type="button" class="button-link button-start" onClick={refresh}>
        {t.showBanned}
      </button>
    );
  }
  return (
    <div>
      <h4>{t.bannedPeople}</h4>
      <ul class="people">
        {users.length === 0 && <li class="muted">{t.nobodyBanned}</li>}
        {users.map(({ id, name }) => (
          <li key={id} class="person">
            <PersonAvatar id={id} name={name ?? id} small />
            <span dir="auto">{name ?? id}</span>
            <button type="button" class="button button-small" onClick={() => void app.rooms.unban(room.id, id).then(refresh)}>
              {t.unban}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
