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
import { PeoplePicker } from "./people_picker.tsx";

export function RoomDetails({ room, onClose }: { room: Room; onClose: () => void }) {
  const app = useApp();
  const [members, setMembers] = useState<WireMember[]>(room.users);
  const [adding, setAdding] = useState<WireMember[] | null>(null);
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    void app.membersOf(room.id).then((users) => users.length > 0 && setMembers(users));
  }, [room.userCount]);

  const title = app.titleOf({ room: room.id });
  if (leaving) {
    return (
      <Confirm
        title={t.leaveAsk(title)}
        text={t.leaveText}
        yes={t.leave}
        onYes={() => {
          onClose();
          void app.leaveRoom(room.id);
        }}
        onClose={() => setLeaving(false)}
      />
    );
  }
  const mayAdd = room.open || room.role === "owner" || room.role === "admin" || room.role === "member";
  const add = async () => {
    if (adding && (await app.addMembers(room.id, adding.map((user) => user.id)))) setAdding(null);
  };
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
      {mayAdd && (
        <section class="section">
          {adding === null ? (
            <button type="button" class="button" onClick={() => setAdding([])}>
              <Icon name="people" />
              {t.addPeople}
            </button>
          ) : (
            <>
              <PeoplePicker label={t.findPeople} without={members.map((user) => user.id)} picked={adding} onPick={(user) => setAdding([...adding, user])} onDrop={(user) => setAdding(adding.filter((other) => other.id !== user.id))} />
              <div class="dialog-actions">
                <button type="button" class="button" onClick={() => setAdding(null)}>
                  {t.cancel}
                </button>
                <button type="button" class="button button-primary" disabled={adding.length === 0} onClick={add}>
                  {t.add}
                </button>
              </div>
            </>
          )}
        </section>
      )}
      <section class="section">
        <h3>{t.members(Math.max(room.userCount, members.length))}</h3>
        <ul class="people">
          {members.map((user) => {
            const name = user.name || app.nameOf(user.id);
            const me = user.id === app.model.me;
            const role = t.roles[user.role ?? "member"];
            return (
              <li key={user.id}>
                <button
                  type="button"
                  class="person"
                  disabled={me}
                  onClick={() => {
                    onClose();
                    app.person(user.id);
                  }}
                >
                  <PersonAvatar id={user.id} name={name} small />
                  <span>
                    {name}
                    {me && ` (${t.you})`}
                  </span>
                  {role && <small>{role}</small>}
                </button>
              </li>
            );
          })}
        </ul>
      </section>
      <section class="section">
        <button type="button" class="button button-danger-quiet" onClick={() => setLeaving(true)}>
          <Icon name="leave" />
          {t.leave}
        </button>
      </section>
    </Dialog>
  );
}
