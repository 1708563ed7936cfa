// The left-hand side: the conversations, the way to new ones, and who one is.
import { useRef, useState } from "preact/hooks";
import { keyOf } from "../app/conversation.ts";
import { draftOf } from "../app/drafts.ts";
import { openSecondWindow } from "../app/identity.ts";
import { t } from "../i18n/index.ts";
import { type Room, byActivity, isHidden, mentionsOf, unreadOf } from "../model/room.ts";
import { wordsOf } from "../model/markup.ts";
import { oneLine } from "../model/text.ts";
import { PersonAvatar, RoomAvatar } from "./avatar.tsx";
import { useApp } from "./context.ts";
import { briefTimeOf } from "./dates.ts";
import { Icon } from "./icons.tsx";
import { useLongPress } from "./long_press.ts";
import { Menu, MenuItem, type Place, placeOf } from "./menu.tsx";
import { RoomMenu } from "./room_menu.tsx";
import { jumpKey } from "./shortcuts.ts";

interface Props {
  /** On a narrow screen the list is the whole page: then it is the main part, with the heading. */
  alone: boolean;
  onNew: () => void;
  onJump: () => void;
  onSignOut: () => void;
  onConfigure: () => void;
}

export function Sidebar({ alone, onNew, onJump, onSignOut, onConfigure }: Props) {
  const app = useApp();
  const [stop, setStop] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const rooms = [...app.model.rooms.values()].filter((room) => !isHidden(room) || app.open?.target.room === room.id).sort(byActivity);
  // One stop of the Tab key for the whole list; arrows go on from there.
  const here = rooms.find((room) => room.id === stop) ?? rooms.find((room) => room.id === app.open?.target.room) ?? rooms[0];
  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(list.current?.querySelectorAll<HTMLElement>(".room-item") ?? [])];
    const now = items.findIndex((item) => item.parentElement?.contains(event.target as Node));
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || now < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    items[to]?.focus();
  };
  return (
    <div class="sidebar" role={alone ? "main" : "navigation"} aria-label={t.rooms}>
      <div class="sidebar-head">
        <img src="assets/logo.svg" alt="" width="34" height="34" />
        {alone ? <h1 class="wordmark">Wigeon</h1> : <span class="wordmark">Wigeon</span>}
        <button type="button" class="button-icon" aria-label={t.newChat} title={t.newChat} data-testid="new-chat" onClick={onNew}>
          <Icon name="pencil" />
        </button>
      </div>
      <button type="button" class="jump-button" onClick={onJump}>
        <Icon name="search" />
        <span>{t.jump}</span>
        <kbd>{jumpKey}</kbd>
      </button>
      <ul ref={list} class="rooms" data-testid="room-list" aria-busy={!app.model.loaded} onKeyDown={onKeyDown}>
        {rooms.map((room) => (
          <RoomItem key={room.id} room={room} tab={room === here ? 0 : -1} onFocus={() => setStop(room.id)} />
        ))}
        {!app.model.loaded && [1, 2, 3].map((n) => <li key={n} class="room-ghost" aria-hidden="true" />)}
        {app.model.loaded && rooms.length === 0 && (
          <li class="rooms-empty">
            <b>{t.noRooms}</b>
            <span>{t.noRoomsText}</span>
          </li>
        )}
      </ul>
      <Account onSignOut={onSignOut} onConfigure={onConfigure} />
    </div>
  );
}

function RoomItem({ room, tab, onFocus }: { room: Room; tab: number; onFocus: () => void }) {
  const app = useApp();
  const key = keyOf({ room: room.id });
  const current = app.open !== null && keyOf(app.open.target) === key;
  const unread = unreadOf(room);
  const mentions = mentionsOf(room);
  const quiet = app.model.isQuiet(room);
  const [menu, setMenu] = useState<Place | null>(null);
  const press = useLongPress((row) => setMenu(placeOf(row)));
  return (
    <li
      class="room-row"
      onFocusIn={onFocus}
      onContextMenu={(event) => {
        event.preventDefault();
        const { clientX: x, clientY: y } = event;
        setMenu({ left: x, right: x, top: y, bottom: y });
      }}
      {...press}
    >
      <button type="button" tabIndex={tab} class={["room-item", unread > 0 && "room-unread", quiet && "room-quiet"].filter(Boolean).join(" ")} aria-current={current ? "true" : undefined} data-testid="room-item" data-room={room.id} onClick={() => app.show(key)}>
        <RoomAvatar room={room} />
        <span class="room-item-title" dir="auto">
          {app.titleOf({ room: room.id })}
          {room.prefs.pin === true && <Icon name="pin" label={t.pinnedRoom} />}
          {room.prefs.mute === true && <Icon name="mute" label={t.mutedRoom} />}
        </span>
        {room.last && <time class="room-item-time">{briefTimeOf(room.last.at, Date.now())}</time>}
        <span class="room-item-last">
          <Preview room={room} current={current} />
        </span>
        <span class="room-item-badges">
          {mentions > 0 && (
            <span class="badge badge-mention">
              <span aria-hidden="true">@</span>
              <span class="sr-only">{t.mentionBadge(mentions)}</span>
            </span>
          )}
          {unread > 0 && (
            <span class="badge" data-testid="unread-badge">
              <span aria-hidden="true">{unread > 99 ? "99+" : unread}</span>
              <span class="sr-only">{t.unreadBadge(unread)}</span>
            </span>
          )}
        </span>
      </button>
      <button type="button" tabIndex={tab} class="button-icon room-more" aria-label={t.roomActions(app.titleOf({ room: room.id }))} title={t.moreActions} aria-haspopup="menu" onClick={(event) => setMenu(placeOf(event.currentTarget))}>
        <Icon name="more" />
      </button>
      {menu && <RoomMenu room={room} at={menu} onClose={() => setMenu(null)} />}
    </li>
  );
}

function Preview({ room, current }: { room: Room; current: boolean }) {
  const app = useApp();
  const typing = app.model.typingIn(room.id, Date.now());
  if (typing.length > 0) return <em class="room-item-typing">{typing.length > 3 ? t.typingMany : t.typing(typing.map((user) => app.nameOf(user)))}</em>;
  const draft = current ? "" : draftOf(keyOf({ room: room.id }), room);
  if (draft) {
    return (
      <>
        <em class="draft">{t.draft} </em>
        <Beginning text={draft} />
      </>
    );
  }
  const last = app.pendings.of(room.id, undefined).at(-1);
  if (last) return <Beginning who={t.you} text={wordsOf(last.command.body?.text ?? "")} />;
  if (!room.last) return <>{t.noMessages}</>;
  if (room.last.recalled) return <>{t.recalledPreview}</>;
  const who = room.last.from === app.model.me ? t.you : room.kind === "direct" ? undefined : app.nameOf(room.last.from);
  return <Beginning who={who} text={wordsOf(room.last.text)} />;
}

/** Name and text are cut off apart: each at the end that is its own, which is the left one in Hebrew and Arabic. */
function Beginning({ who, text }: { who?: string; text: string }) {
  return (
    <>
      {who !== undefined && (
        <>
          <span class="room-item-who" dir="auto">
            {who}
          </span>
          {": "}
        </>
      )}
      <span class="room-item-text" dir="auto">
        {oneLine(text, 60)}
      </span>
    </>
  );
}

function Account({ onSignOut, onConfigure }: { onSignOut: () => void; onConfigure: () => void }) {
  const app = useApp();
  const [menu, setMenu] = useState<Place | null>(null);
  const { me } = app.model;
  const name = me ? app.nameOf(me) : "";
  const close = () => setMenu(null);
  return (
    <div class="account">
      <button type="button" class="account-button" aria-haspopup="menu" aria-expanded={menu !== null} title={t.account} data-testid="account" onClick={(event) => setMenu(placeOf(event.currentTarget))}>
        {me && <PersonAvatar id={me} name={name} />}
        <span class="account-name">{name}</span>
        <Icon name="more" />
      </button>
      <button type="button" class="button-icon" aria-label={t.secondWindow} title={t.secondWindow} data-testid="second-window" onClick={() => openSecondWindow(name)}>
        <Icon name="window" />
      </button>
      {menu && (
        <Menu label={t.account} at={menu} onClose={close}>
          <MenuItem
            icon="sliders"
            onClick={() => {
              close();
              onConfigure();
            }}
          >
            {t.settings}
          </MenuItem>
          <MenuItem
            icon="window"
            onClick={() => {
              close();
              openSecondWindow(name);
            }}
          >
            {t.secondWindow}
          </MenuItem>
          <MenuItem
            icon="leave"
            onClick={() => {
              close();
              onSignOut();
            }}
          >
            {t.signOut}
          </MenuItem>
        </Menu>
      )}
    </div>
  );
}
