// The chat page begins here: settings, then who this tab is, then either the form or the conversations.
import "./tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/menu.css";
import "./styles/choice.css";
import "./styles/welcome.css";
import "./styles/shell.css";
import "./styles/rooms.css";
import "./styles/timeline.css";
import "./styles/message.css";
import "./styles/text.css";
import "./styles/preview.css";
import "./styles/composer.css";
import "./styles/pins.css";
import "./styles/picking.css";
import "./styles/side.css";
import "./styles/search.css";
import "./styles/thread.css";
import "./styles/dialogs.css";
import "./styles/details.css";
import "./styles/forced_colors.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { App } from "./app/app.ts";
import { chatFor, type Entered, enter } from "./app/enter.ts";
import { targetOf } from "./app/conversation.ts";
import { forgetIdentity, type Identity, keepIdentity, nameFromAddress, storedIdentity, takeTokenFromAddress, targetFromAddress } from "./app/identity.ts";
import { currentPlace } from "./app/navigation.ts";
import { applySettings } from "./app/settings.ts";
import { t } from "./i18n/index.ts";
import { followViewport } from "./app/viewport.ts";
import { Shell } from "./ui/shell.tsx";
import { Welcome } from "./ui/welcome.tsx";

const LOBBY = "lobby";

/** Opens what the link, or the last visit, says; else the lobby; else the newest conversation. */
async function openFirst(app: App): Promise<void> {
  const place = currentPlace();
  if (place === null || (place !== undefined && (targetOf(place).to || app.model.rooms.has(place)))) return app.select(place);
  const { room, to } = targetFromAddress();
  if (room && (await app.rooms.join(room))) return;
  if (to) return app.person(to);
  const first = app.model.rooms.has(LOBBY) ? LOBBY : [...app.model.rooms.keys()][0];
  if (first) app.show(first);
}

function Page({ identity, as }: { identity: Identity | null; as: string | null }) {
  const [app, setApp] = useState<App | null>(null);
  const [name, setName] = useState(identity?.name ?? "");
  const [waiting, setWaiting] = useState(identity !== null || as !== null);
  const [refused, setRefused] = useState<unknown>(null);
  const [, redraw] = useState(0);

  const onEntered = ({ chat, snapshot, identity: kept }: Entered) => {
    const entered = new App(chat, snapshot);
    setName(kept.name ?? "");
    setApp(entered);
    void openFirst(entered);
  };

  /** This tab has been here before: show the page at once, also without a connection. */
  const comeBack = (known: Identity) => {
    const back = new App(chatFor(known.token));
    const off = back.chat.on("snapshot", () => {
      off();
      if (!back.open) void openFirst(back);
    });
    back.chat.on("state", ({ status, error }) => {
      // The server no longer knows us (another data directory, an expired token) and nothing is on screen yet.
      if (status !== "closed" || back.model.loaded) return;
      setRefused(error);
      leave(back);
    });
    setApp(back);
    if (currentPlace()) back.select(currentPlace() ?? null);
    back.chat.connect();
  };

  const leave = (from: App | null) => {
    from?.close();
    forgetIdentity();
    setApp(null);
    setWaiting(false);
  };

  useEffect(() => {
    if (identity) comeBack(identity);
    else if (as) enter({ guest: { name: as } }).then(onEntered, () => leave(null));
  }, []);

  const onSettings = () => redraw((n) => n + 1);
  if (app) return <Shell app={app} onSignOut={() => leave(app)} onSettings={onSettings} />;
  if (waiting) {
    return (
      <main class="welcome" aria-busy="true">
        <div class="welcome-card">
          <img src="assets/logo.svg" alt="" width="112" height="112" />
          <h1 class="muted">{t.entering}</h1>
        </div>
      </main>
    );
  }
  return <Welcome name={name || (as ?? "")} refused={refused} onEntered={onEntered} onSettings={onSettings} />;
}

function start(): void {
  applySettings();
  followViewport();
  const token = takeTokenFromAddress();
  // The address no longer has it: a reload finds it here.
  if (token) keepIdentity({ token });
  const as = nameFromAddress();
  const stored = storedIdentity();
  // `?as=` asks for somebody else than this tab was, unless it was them.
  const fits = stored !== null && (as === null || stored.name === as);
  const identity = token ? { token } : fits ? stored : null;
  const root = document.getElementById("app");
  if (root) render(<Page identity={identity} as={as} />, root);
}

start();
