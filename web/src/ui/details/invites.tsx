// Invitations to a closed room: links that let so many in for so long, and an end to each of them.
import { useEffect, useState } from "preact/hooks";
import { invitationTo } from "../../app/identity.ts";
import { t } from "../../i18n/index.ts";
import type { Room } from "../../model/room.ts";
import type { Invite } from "../../wire.ts";
import { CopyLink } from "../copy_link.tsx";
import { useApp } from "../context.ts";
import { fullTimeOf } from "../dates.ts";
import { Icon } from "../icons.tsx";

const DAY_S = 86_400;
const BOUNDS: Record<string, { uses?: number; expires_in?: number }> = {
  once: { uses: 1, expires_in: DAY_S },
  week: { expires_in: 7 * DAY_S },
  open: {},
};

export function Invites({ room }: { room: Room }) {
  const app = useApp();
  const [invites, setInvites] = useState<Invite[]>([]);
  const [bounds, setBounds] = useState("week");
  useEffect(() => void app.rooms.invites(room.id).then(setInvites), []);
  const create = async () => {
    const invite = await app.rooms.invite(room.id, BOUNDS[bounds] ?? {});
    if (invite) setInvites([invite, ...invites]);
  };
  const revoke = async (code: string) => {
    if (await app.rooms.revoke(code)) setInvites(invites.filter((invite) => invite.code !== code));
  };
  const limitsOf = ({ uses_left, expires_at }: Invite) =>
    [uses_left === undefined ? "" : t.usesLeft(uses_left), expires_at === undefined ? "" : t.until(fullTimeOf(expires_at))].filter(Boolean).join(" · ") || t.noLimit;
  return (
    <section class="section section-wide">
      <h3>{t.invite}</h3>
      <div class="invite-new">
        <select aria-label={t.inviteFor} value={bounds} onChange={(event) => setBounds(event.currentTarget.value)}>
          <option value="once">{t.inviteOnce}</option>
          <option value="week">{t.inviteWeek}</option>
          <option value="open">{t.inviteOpen}</option>
        </select>
        <button type="button" class="button" onClick={create}>
          <Icon name="link" />
          {t.createInvite}
        </button>
      </div>
      {invites.length > 0 && (
        <ul class="invites">
          {invites.map((invite) => (
            <li key={invite.code}>
              <span>
                <code>{invite.code}</code>
                <small>{limitsOf(invite)}</small>
              </span>
              <CopyLink href={invitationTo(invite.code)} />
              <button type="button" class="button-icon" aria-label={t.revoke} title={t.revoke} onClick={() => revoke(invite.code)}>
                <Icon name="trash" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
