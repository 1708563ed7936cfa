// The page of somebody who is in: list and conversation side by side, or one of them on a narrow screen.
import { useEffect, useState } from "preact/hooks";
import type { App } from "../app/app.ts";
import { invitationFromAddress } from "../app/identity.ts";
import { onPlaceChange } from "../app/navigation.ts";
import { showUnread } from "../app/title.ts";
import { t } from "../i18n/index.ts";
import { AppContext } from "./context.ts";
import { ConnectionChip } from "./connection.tsx";
import { Invitation } from "./invitation.tsx";
import { Jump } from "./jump.tsx";
import { NewChat } from "./new_chat.tsx";
import { RoomView } from "./room_view.tsx";
import { Settings } from "./settings_dialog.tsx";
import { Sidebar } from "./sidebar.tsx";

/** One column: the same width as in shell.css. */
const narrow = matchMedia("(max-width: 639.98px)");

export function Shell({ app, onSignOut, onSettings }: { app: App; onSignOut: () => void; onSettings: () => void }) {
  const [dialog, setDialog] = useState<"new" | "jump" | "settings" | null>(null);
  const [invitation, setInvitation] = useState(invitationFromAddress);
  const [, redraw] = useState(0);

  useEffect(() => app.subscribe(() => redraw((n) => n + 1)), [app]);
  useEffect(() => {
    const turned = () => redraw((n) => n + 1);
    narrow.addEventListener("change", turned);
    return () => narrow.removeEventListener("change", turned);
  }, []);
  useEffect(() => onPlaceChange((key) => app.select(key)), [app]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setDialog((open) => (open === null ? "jump" : open));
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
      <div class={app.open ? "shell shell-room" : "shell"}>
        <Sidebar alone={narrow.matches && app.open === null} onNew={() => setDialog("new")} onJump={() => setDialog("jump")} onSignOut={onSignOut} onConfigure={() => setDialog("settings")} />
        {app.open ? (
          <RoomView conversation={app.open} onSignOut={onSignOut} />
        ) : (
          <main class="room room-none">
            <ConnectionChip />
            <img src="assets/logo.svg" alt="" width="96" height="96" />
            <p class="muted">{t.pickRoom}</p>
          </main>
        )}
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
