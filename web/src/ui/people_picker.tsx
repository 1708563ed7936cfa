// Finds people by name and collects them: a search field with a list below. Used for a direct
// conversation (one is picked at once), for a new group, and for adding people to a room.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { WireMember } from "../wire.ts";
import { PersonAvatar } from "./avatar.tsx";
import { useApp } from "./context.ts";
import { Icon } from "./icons.tsx";

const PAUSE_MS = 150;

interface Props {
  label: string;
  /** Already there: not offered. */
  without?: readonly string[];
  picked?: readonly WireMember[];
  onPick: (user: WireMember) => void;
  onDrop?: (user: WireMember) => void;
}

export function PeoplePicker({ label, without = [], picked = [], onPick, onDrop }: Props) {
  const app = useApp();
  const [q, setQ] = useState("");
  const [found, setFound] = useState<WireMember[] | null>(null);
  const round = useRef(0);

  useEffect(() => {
    const mine = ++round.current;
    if (q.trim() === "") return setFound(null);
    const timer = setTimeout(async () => {
      const users = await app.people.find(q.trim());
      // Answers may overtake one another; only the last question counts.
      if (mine === round.current) setFound(users);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [q]);

  const known = new Map<string, WireMember>();
  for (const room of app.model.rooms.values()) for (const user of room.users) known.set(user.id, user);
  known.delete(app.model.me);
  const hidden = new Set([...without, ...picked.map((user) => user.id)]);
  const offered = (found ?? [...known.values()].slice(0, 12)).filter((user) => !hidden.has(user.id));

  return (
    <div class="picker">
      {picked.length > 0 && (
        <ul class="picked">
          {picked.map((user) => (
            <li key={user.id}>
              <span dir="auto">{app.nameOf(user.id)}</span>
              <button type="button" aria-label={t.remove(app.nameOf(user.id))} onClick={() => onDrop?.(user)}>
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <label class="field">
        <span class="sr-only">{label}</span>
        <Icon name="search" />
        <input type="search" autocomplete="off" spellcheck={false} value={q} placeholder={label} data-testid="people-search" onInput={(event) => setQ(event.currentTarget.value)} />
      </label>
      <ul class="people" aria-live="polite">
        {offered.map((user) => (
          <li key={user.id}>
            <button
              type="button"
              class="person"
              onClick={() => {
                onPick(user);
                setQ("");
              }}
            >
              <PersonAvatar id={user.id} name={app.nameOf(user.id)} small />
              <span dir="auto">{app.nameOf(user.id)}</span>
            </button>
          </li>
        ))}
        {offered.length === 0 && <li class="muted">{found ? t.noPeople(q.trim()) : t.startTyping}</li>}
      </ul>
    </div>
  );
}
