// How a room is called and behaves: for those who manage it.
import { useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import type { Room } from "../../model/room.ts";
import type { Policy } from "../../wire.ts";
import { Select } from "../choice.tsx";
import { useApp } from "../context.ts";

const DAY_S = 86_400;
const SLOW_S = [0, 5, 30, 60, 300, 3_600];
const RETENTION_DAYS = [0, 1, 7, 30, 90, 365];
const RECALL_S = [0, 120, 3_600, 86_400];

export function Rules({ room }: { room: Room }) {
  const app = useApp();
  const [title, setTitle] = useState(room.title);
  const set = (policy: Partial<Policy>) => void app.rooms.update(room.id, { policy });
  const rename = (event: Event) => {
    event.preventDefault();
    void app.rooms.update(room.id, { title: title.trim() });
  };
  const { slow_s = 0, recall_s = 0, retention_days = 0, mention_all = "admin", join = "invite", history = "joined" } = room.policy;
  return (
    <section class="section section-wide">
      <h3>{t.roomSettings}</h3>
      <form class="form form-name" onSubmit={rename}>
        <label class="form-field">
          <span>{t.roomTitle}</span>
          <input type="text" maxLength={80} autocomplete="off" value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button" disabled={title.trim() === "" || title.trim() === room.title}>
          {t.save}
        </button>
      </form>
      <Select label={t.whoJoins} value={join} options={[["open", t.joinOpen], ["invite", t.joinInvite]]} onValue={(value) => set({ join: value })} />
      <Select label={t.historyFor} value={history} options={[["shared", t.historyShared], ["joined", t.historyJoined]]} onValue={(value) => set({ history: value })} />
      <Select label={t.slowMode} value={String(slow_s)} options={offering(SLOW_S, slow_s).map((s) => [String(s), s === 0 ? t.off : t.duration(s)])} onValue={(value) => set({ slow_s: Number(value) })} />
      <Select label={t.whoCallsAll} value={mention_all} options={[["member", t.roleNames.member ?? ""], ["admin", t.roleNames.admin ?? ""], ["owner", t.roleNames.owner ?? ""]]} onValue={(value) => set({ mention_all: value })} />
      <Select label={t.recallWithin} value={String(recall_s)} options={offering(RECALL_S, recall_s).map((s) => [String(s), s === 0 ? t.always : t.duration(s)])} onValue={(value) => set({ recall_s: Number(value) })} />
      {room.role === "owner" && <Select label={t.keptFor} value={String(retention_days)} options={offering(RETENTION_DAYS, retention_days).map((days) => [String(days), days === 0 ? t.keptAlways : t.duration(days * DAY_S)])} onValue={(value) => set({ retention_days: Number(value) })} />}
    </section>
  );
}

/** Another program may have set a value that is not offered here. */
const offering = (offered: number[], value: number) => (offered.includes(value) ? offered : [...offered, value].sort((a, b) => a - b));
