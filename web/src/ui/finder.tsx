// A field that finds a conversation or a person; arrows choose, Enter takes. Ctrl/⌘+K opens one to jump,
// forwarding a message another to choose where to. Conversations are there at once, people a round trip later:
// they come below what stands there, so that nothing moves under a pointer, and an Enter that is faster waits for them.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { byActivity } from "../model/room.ts";
import type { WireMember } from "../wire.ts";
import { PersonAvatar, RoomAvatar } from "./avatar.tsx";
import { useApp } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";

const ROOMS_SHOWN = 8;
const PEOPLE_SHOWN = 6;
const PAUSE_MS = 150;

interface Props {
  title: string;
  onClose: () => void;
  onRoom: (room: string) => void;
  onPerson: (user: string) => void;
  /** What is written may also be looked for in messages. */
  onSearch?: (q: string) => void;
}

export function Finder({ title: heading, onClose, onRoom, onPerson, onSearch }: Props) {
  const app = useApp();
  const [q, setQ] = useState("");
  const [people, setPeople] = useState<WireMember[]>([]);
  /** What the people were looked for by. */
  const [answered, setAnswered] = useState("");
  const [picked, setPicked] = useState<number | null>(null);
  const [entered, setEntered] = useState(false);
  const list = useId();
  const round = useRef(0);
  const wanted = q.trim().toLocaleLowerCase();

  useEffect(() => {
    setPicked(null);
    setEntered(false);
    const mine = ++round.current;
    const answer = (found: WireMember[]) => {
      if (mine !== round.current) return;
      setPeople(found);
      setAnswered(wanted);
    };
    if (!wanted) return answer([]);
    const timer = setTimeout(async () => {
      const found = await app.people.find(wanted);
      answer(found.filter((user) => !app.model.directWith(user.id)).slice(0, PEOPLE_SHOWN));
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [wanted]);

  const rooms = [...app.model.rooms.values()]
    .sort(byActivity)
    .map((room) => ({ room, title: app.titleOf({ room: room.id }) }))
    .filter(({ title }) => title.toLocaleLowerCase().includes(wanted))
    .slice(0, ROOMS_SHOWN);
  const looking = answered !== wanted;
  const options = [
    ...(onSearch && wanted ? [{ key: "search", title: t.searchFor(q.trim()), avatar: <SearchSign />, go: () => onSearch(q.trim()) }] : []),
    ...rooms.map(({ room, title }) => ({ key: room.id, title, avatar: <RoomAvatar room={room} />, go: () => onRoom(room.id) })),
    ...(looking ? [] : people).map((user) => ({ key: user.id, title: app.nameOf(user.id), avatar: <PersonAvatar id={user.id} name={app.nameOf(user.id)} />, go: () => onPerson(user.id) })),
  ];
  // A conversation or a person goes before a search, though that stands first.
  const first = options.findIndex(({ key }) => key !== "search");
  const chosen = picked ?? (first < 0 && !looking ? 0 : first);
  const go = (index: number) => {
    const option = options[index];
    if (!option) return;
    onClose();
    option.go();
  };
  useEffect(() => {
    if (entered && !looking) go(chosen);
  }, [entered, looking]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setPicked((Math.max(0, chosen) + (chosen < 0 ? 0 : step) + options.length) % Math.max(1, options.length));
    else if (event.key === "Enter" && chosen < 0) setEntered(true);
    else if (event.key === "Enter") go(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={heading} onClose={onClose} bare>
      <label class="field field-large">
        <span class="sr-only">{heading}</span>
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={options[chosen] ? `${list}-${chosen}` : undefined}
          autocomplete="off"
          spellcheck={false}
          placeholder={heading}
          value={q}
          onInput={(event) => setQ(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </label>
      <ul class="people" role="listbox" id={list} aria-label={heading}>
        {options.map((option, index) => (
          <li key={option.key} id={`${list}-${index}`} role="option" aria-selected={index === chosen} class="person" onMouseMove={() => setPicked(index)} onClick={() => go(index)}>
            {option.avatar}
            <span dir="auto">{option.title}</span>
          </li>
        ))}
      </ul>
      {options.length === 0 && !looking && <p class="muted jump-empty">{t.jumpEmpty}</p>}
    </Dialog>
  );
}

function SearchSign() {
  return (
    <span class="avatar avatar-room avatar-search" aria-hidden="true">
      <Icon name="search" />
    </span>
  );
}
