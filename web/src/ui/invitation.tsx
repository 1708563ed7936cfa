// What a link with an invitation leads to: which room it is, and the question whether to join.
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { InvitedRoom } from "../wire.ts";
import { useApp } from "./context.ts";
import { Dialog } from "./dialog.tsx";

export function Invitation({ code, onClose }: { code: string; onClose: () => void }) {
  const app = useApp();
  const [room, setRoom] = useState<InvitedRoom | null | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  useEffect(() => void app.rooms.invitation(code).then((found) => (found === undefined ? onClose() : setRoom(found))), []);
  if (room === undefined) return null;
  if (room === null) {
    return (
      <Dialog title={t.invitation} onClose={onClose}>
        <p class="muted">{t.invitationGone}</p>
      </Dialog>
    );
  }
  const go = async () => {
    setBusy(true);
    if (await app.rooms.accept(code)) onClose();
    setBusy(false);
  };
  return (
    <Dialog title={room.joined ? t.joinedAlready(room.title) : t.joinAsk(room.title)} onClose={onClose}>
      <p class="muted">{t.members(room.users)}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          {t.cancel}
        </button>
        <button type="button" class="button button-primary" disabled={busy} onClick={go}>
          {room.joined ? t.open : t.join}
        </button>
      </div>
    </Dialog>
  );
}
