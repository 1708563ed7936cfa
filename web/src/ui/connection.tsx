// The connection, said quietly: a chip with transport and round trip, whose menu forces one transport or
// cuts the network (the conversation goes on: that is the point); and a line that appears only when the
// connection has been away for more than a moment.
import { useEffect, useState } from "preact/hooks";
import type { TransportName } from "wigeon-client";
import { t } from "../i18n/index.ts";
import { AWAY_MS } from "../app/absence.ts";
import { useApp } from "./context.ts";
import { Icon } from "./icons.tsx";
import { Menu, MenuGroup, MenuItem, type Place, placeOf } from "./menu.tsx";

const DROP_MS = 10_000;

const name = (transport: string) => t.transports[transport] ?? transport;
const shortName = (transport: string) => t.transportShort[transport] ?? name(transport);

export function ConnectionChip() {
  const app = useApp();
  const [menu, setMenu] = useState<Place | null>(null);
  const { status, transport, rtt_ms, forced } = app.state;
  const online = status === "online" && transport !== null;
  const text = online ? shortName(transport) : status === "connecting" ? t.connecting : t.offline;
  const trip = online && rtt_ms !== null ? t.roundTrip(Math.max(1, Math.round(rtt_ms))) : "";
  const force = (next: TransportName | null) => () => {
    setMenu(null);
    app.chat.force(next);
  };
  return (
    <>
      <button
        type="button"
        class={`chip chip-${online ? "online" : status === "connecting" ? "connecting" : "offline"}`}
        data-testid="connection-chip"
        data-transport={transport ?? ""}
        data-status={status}
        aria-haspopup="menu"
        aria-expanded={menu !== null}
        onClick={(event) => setMenu(placeOf(event.currentTarget))}
      >
        <span class="sr-only">{t.connection}</span>
        <span class="chip-dot" />
        <span class="chip-name">{text}</span>
        {trip && <span class="chip-trip">{trip}</span>}
      </button>
      {menu && (
        <Menu label={t.connection} at={menu} align="end" onClose={() => setMenu(null)}>
          <MenuGroup label={t.transport}>
            <MenuItem checked={forced === null} onClick={force(null)}>
              {t.transports.auto}
            </MenuItem>
            {app.chat.transports.map((each) => (
              <MenuItem key={each} checked={forced === each} onClick={force(each)}>
                {name(each)}
              </MenuItem>
            ))}
          </MenuGroup>
          <MenuItem
            icon="plug"
            hint={t.dropHint}
            onClick={() => {
              setMenu(null);
              app.chat.dropNetwork(DROP_MS);
            }}
          >
            {t.dropNetwork}
          </MenuItem>
        </Menu>
      )}
    </>
  );
}

export function ConnectionBanner({ onSignOut }: { onSignOut: () => void }) {
  const app = useApp();
  const { status, retry_at } = app.state;
  const { since, news } = app.absence;
  const away = since !== null;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!away) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [away]);

  if (status === "closed") {
    return (
      <div class="banner" role="alert" data-testid="banner">
        <span>{t.signedOut}</span>
        <button type="button" class="button button-small" onClick={onSignOut}>
          {t.enter}
        </button>
      </div>
    );
  }
  if (news !== null && news > 0) {
    return (
      <div class="banner banner-back" role="status" data-testid="banner">
        <Icon name="check" />
        <span>{t.backOnline(news)}</span>
      </div>
    );
  }
  if (!away || now - (since ?? now) < AWAY_MS) return null;
  const seconds = retry_at === null ? 0 : Math.ceil((retry_at - now) / 1000);
  const text = !navigator.onLine ? t.noNetwork : seconds > 0 ? t.reconnectingIn(seconds) : t.reconnecting;
  return (
    <div class="banner" data-testid="banner">
      <Icon name="plug" />
      {/* Said once to a screen reader, not at every second of the countdown. */}
      <span class="sr-only" role="status">
        {t.reconnecting}
      </span>
      <span aria-hidden="true">{text}</span>
      {seconds > 0 && (
        <button type="button" class="button button-small" onClick={() => app.chat.retryNow()}>
          {t.tryNow}
        </button>
      )}
    </div>
  );
}
