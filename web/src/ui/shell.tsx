// The page of somebody who is in: list and conversation side by side, or one of them on a narrow screen.
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { App } from "../app/app.ts";
import { invitationFromAddress } from "../app/identity.ts";
import { keyOf } from "../app/conversation.ts";
import { currentSide, onPlaceChange } from "../app/navigation.ts";
import { covering } from "../app/side.ts";
import { showUnread } from "../app/title.ts";
import { t } from "../i18n/index.ts";
import { AppContext } from "./context.ts";
import { ConnectionChip } from "./connection.tsx";
import { Invitation } from "./invitation.tsx";
import { Jump } from "./jump.tsx";
import { NewChat } from "./new_chat.tsx";
import { RoomView } from "./room_view.tsx";
import { SearchPanel } from "./search_panel.tsx";
import { Settings } from "./settings_dialog.tsx";
import { jumps, searches } from "./shortcuts.ts";
import { Sidebar } from "./sidebar.tsx";
import { ThreadPanel } from "./thread_panel.tsx";

/** One column: the same width as in shell.css. */
const narrow = matchMedia("(max-width: 639.98px)");

export function Shell({ app, onSignOut, onSettings }: { app: App; onSignOut: () => void; onSettings: () => void }) {
  const [dialog, setDialog] = useState<"new" | "jump" | "settings" | null>(null);
  const [invitation, setInvitation] = useState(invitationFromAddress);
  const [, redraw] = useState(0);

  // Layout effects, all that listens: what happens between the drawing and the effects after it is missed by nobody.
  useLayoutEffect(() => app.subscribe(() => redraw((n) => n + 1)), [app]);
  useEffect(() => {
    const turned = () => redraw((n) => n + 1);
    for (const media of [narrow, covering]) media.addEventListener("change", turned);
    return () => {
      for (const media of [narrow, covering]) media.removeEventListener("change", turned);
    };
  }, []);
  useLayoutEffect(() => {
    app.side.came(currentSide());
    return onPlaceChange((key, side) => {
      // An older entry may lead to a room that we have left since.
      app.select(key !== null && app.lost(key) ? null : key);
      app.side.came(side);
    });
  }, [app]);
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (jumps(event)) {
        event.preventDefault();
        setDialog((open) => (open === null ? "jump" : open));
      } else if (searches(event) && !document.querySelector("dialog[open]")) {
        event.preventDefault();
        const field = document.querySelector<HTMLInputElement>('[data-testid="search"]');
        if (field) field.focus();
        else app.side.openSearch(app.open?.target.room ?? null);
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);

  const unread = app.reading.total();
  const title = app.open ? app.titleOf(app.open.target) : "";
  useEffect(() => showUnread(unread, title), [unread, title]);

  const close = () => setDialog(null);
  return (
    <AppContext.Provider value={app}>
      <div class={["shell", app.open && "shell-room", app.side.shown && "shell-side"].filter(Boolean).join(" ")}>
        <Sidebar alone={narrow.matches && app.open === null && app.side.shown === null} onNew={() => setDialog("new")} onJump={() => setDialog("jump")} onSignOut={onSignOut} onConfigure={() => setDialog("settings")} />
        {app.open ? (
          <RoomView conversation={app.open} onSignOut={onSignOut} />
        ) : (
          <main class="room room-none">
            <ConnectionChip />
            <img src="assets/logo.svg" alt="" width="96" height="96" />
            <p class="muted">{t.pickRoom}</p>
          </main>
        )}
        {app.side.shown === "search" && <SearchPanel />}
        {app.side.thread && <ThreadPanel key={keyOf(app.side.thread.target)} conversation={app.side.thread} />}
      </div>
      {invitation && app.model.loaded && (
        <Invitation
          code={invitation}
          onClose={() => {
            // Once answered, it does not ask again at the next load.
            history.replaceState(history.state, "", location.pathname);
            setInvitation(null);
          }}
        />
      )}
      {dialog === "new" && <NewChat onClose={close} />}
      {dialog === "settings" && <Settings onClose={close} onSettings={onSettings} />}
      {dialog === "jump" && <Jump onClose={close} />}
      <div class="toasts" role="status" aria-live="polite">
        {app.toasts.map((toast) => (
          <p key={toast.id} class="toast">
            {toast.text}
          </p>
        ))}
      </div>
    </AppContext.Provider>
  );
}
