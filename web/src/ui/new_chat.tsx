// A new conversation: with a person, with a group, or in a public channel.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { PublicRoom, WireMember } from "../wire.ts";
import { useApp } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { PeoplePicker } from "./people_picker.tsx";

type Tab = "person" | "group" | "channel";

export function NewChat({ onClose }: { onClose: () => void }) {
  const app = useApp();
  const [tab, setTab] = useState<Tab>("person");
  const id = useId();
  const tabs: [Tab, string, IconName][] = [
    ["person", t.tabPerson, "pencil"],
    ["group", t.tabGroup, "people"],
    ["channel", t.tabChannel, "hash"],
  ];
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const now = tabs.findIndex(([name]) => name === tab);
    const [next] = tabs[(now + step + tabs.length) % tabs.length] ?? ["person"];
    setTab(next as Tab);
    document.getElementById(`${id}-${next}`)?.focus();
  };
  return (
    <Dialog title={t.newChat} onClose={onClose}>
      <div class="tabs" role="tablist" aria-label={t.newChat} onKeyDown={onKeyDown}>
        {tabs.map(([name, label, icon]) => (
          <button type="button" role="tab" key={name} id={`${id}-${name}`} aria-selected={tab === name} aria-controls={`${id}-panel`} tabIndex={tab === name ? 0 : -1} onClick={() => setTab(name)}>
            <Icon name={icon} />
            {label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab}`} class="tab-panel">
        {tab === "person" && (
          <PeoplePicker
            label={t.findPeople}
            onPick={(user) => {
              onClose();
              app.person(user.id);
            }}
          />
        )}
        {tab === "group" && <NewGroup onClose={onClose} />}
        {tab === "channel" && <Channels onClose={onClose} />}
      </div>
    </Dialog>
  );
}

function NewGroup({ onClose }: { onClose: () => void }) {
  const app = useApp();
  const [title, setTitle] = useState("");
  const [people, setPeople] = useState<WireMember[]>([]);
  const [busy, create] = useOnce(async () => {
    if (await app.rooms.create("group", title.trim(), people.map((user) => user.id))) onClose();
  });
  return (
    <form class="form" onSubmit={create}>
      <TitleField label={t.groupTitle} placeholder={t.groupPlaceholder} value={title} onValue={setTitle} />
      <PeoplePicker label={t.groupPeople} picked={people} onPick={(user) => setPeople([...people, user])} onDrop={(user) => setPeople(people.filter((other) => other.id !== user.id))} />
      <div class="dialog-actions">
        <button type="submit" class="button button-primary" disabled={busy || title.trim() === ""}>
          {t.createGroup}
        </button>
      </div>
    </form>
  );
}

function Channels({ onClose }: { onClose: () => void }) {
  const app = useApp();
  const [rooms, setRooms] = useState<PublicRoom[] | null>(null);
  const [title, setTitle] = useState("");
  useEffect(() => void app.rooms.publicOnes().then(setRooms), []);
  const [busy, create] = useOnce(async () => {
    if (await app.rooms.create("channel", title.trim(), [])) onClose();
  });
  return (
    <>
      <ul class="people" aria-busy={rooms === null}>
        {rooms?.map((room) => (
          <li key={room.id} class="channel">
            <Icon name="hash" />
            <span class="channel-title">
              <bdi>{room.title}</bdi>
              <small>{t.members(room.users)}</small>
            </span>
            <button
              type="button"
              class="button button-small"
              aria-label={`${room.joined ? t.open : t.join}: ${room.title}`}
              onClick={async () => {
                if (await app.rooms.join(room.id)) onClose();
              }}
            >
              {room.joined ? t.open : t.join}
            </button>
          </li>
        ))}
        {rooms?.length === 0 && <li class="muted">{t.noChannels}</li>}
      </ul>
      <form class="form form-apart" onSubmit={create}>
        <TitleField label={t.newChannel} placeholder={t.channelPlaceholder} value={title} onValue={setTitle} />
        <p class="muted">{t.channelText}</p>
        <div class="dialog-actions">
          <button type="submit" class="button button-primary" disabled={busy || title.trim() === ""}>
            {t.createChannel}
          </button>
        </div>
      </form>
    </>
  );
}

/** A submit handler that runs once at a time: an impatient second Enter makes no second room. */
function useOnce(action: () => Promise<void>): [boolean, (event: Event) => void] {
  const [busy, setBusy] = useState(false);
  const running = useRef(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (running.current) return;
    running.current = true;
    setBusy(true);
    void action().finally(() => {
      running.current = false;
      setBusy(false);
    });
  };
  return [busy, submit];
}

function TitleField({ label, placeholder, value, onValue }: { label: string; placeholder: string; value: string; onValue: (value: string) => void }) {
  return (
    <label class="form-field">
      <span>{label}</span>
      <input type="text" maxLength={80} autocomplete="off" value={value} placeholder={placeholder} onInput={(event) => onValue(event.currentTarget.value)} />
    </label>
  );
}
