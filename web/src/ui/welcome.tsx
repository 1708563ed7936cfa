// The first thing a stranger sees: one field, filled in already, and one button. Where guests are not
// let in, the reason and a field for a token instead.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Entered, enter, serverInfo } from "../app/enter.ts";
import { suggestName } from "../app/identity.ts";
import { settings } from "../app/settings.ts";
import { explain, LANGUAGES, type Language, t } from "../i18n/index.ts";
import { Icon } from "./icons.tsx";

interface Props {
  /** A name to offer: the one this tab had before. */
  name: string;
  /** Why the server let nobody in by the token that the link or this tab had. */
  refused: unknown;
  onEntered: (entered: Entered) => void;
  onSettings: () => void;
}

type Way = "asking" | "guest" | "token" | "away";

export function Welcome({ name: known, refused, onEntered, onSettings }: Props) {
  const [way, setWay] = useState<Way>("asking");
  const [guests, setGuests] = useState(true);
  const [name, setName] = useState(known || suggestName());
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(refused ?? null);
  const field = useRef<HTMLInputElement>(null);

  const ask = async () => {
    const info = await serverInfo();
    setGuests(info?.guests ?? false);
    setWay(info === null ? "away" : info.guests ? "guest" : "token");
  };
  useEffect(() => void ask(), []);
  useLayoutEffect(() => {
    field.current?.focus();
    if (way === "guest") field.current?.select();
  }, [way]);

  const go = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      onEntered(await enter(way === "token" ? { token: token.trim() } : { guest: { name: name.trim() } }));
    } catch (failure) {
      setBusy(false);
      if (way === "guest" && (failure as { code?: string }).code === "forbidden") {
        setGuests(false);
        setWay("token");
      } else {
        setError(failure);
      }
    }
  };

  const other = Object.keys(LANGUAGES).find((language) => language !== settings.language) as Language;
  return (
    <main class="welcome">
      <button
        type="button"
        class="button-link welcome-language"
        lang={LANGUAGES[other].code}
        onClick={() => {
          settings.language = other;
          if (!known) setName(suggestName());
          onSettings();
        }}
      >
        {LANGUAGES[other].languageName}
      </button>
      <div class="welcome-card">
        <img src="assets/logo.svg" alt="" width="112" height="112" />
        <p class="wordmark wordmark-large">Wigeon</p>
        {way === "away" && (
          <>
            <h1>{t.serverAway}</h1>
            <button type="button" class="button button-primary button-wide" onClick={ask}>
              {t.tryAgain}
            </button>
          </>
        )}
        {(way === "guest" || way === "asking") && (
          <form onSubmit={go}>
            <h1>{t.welcomeTitle}</h1>
            <p class="muted">{t.welcomeText}</p>
            <label class="form-field">
              <span>{t.yourName}</span>
              <span class="name-field">
                <input ref={field} type="text" data-testid="name" value={name} maxLength={40} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />
                <button type="button" class="button-icon" aria-label={t.anotherName} title={t.anotherName} onClick={() => setName(suggestName(name))}>
                  <Icon name="dice" />
                </button>
              </span>
            </label>
            <button type="submit" class="button button-primary button-wide" data-testid="enter" disabled={busy || way === "asking" || name.trim() === ""}>
              {busy ? t.entering : t.enter}
            </button>
            <button type="button" class="button-link" onClick={() => setWay("token")}>
              {t.haveToken}
            </button>
          </form>
        )}
        {way === "token" && (
          <form onSubmit={go}>
            <h1>{guests ? t.haveToken : t.guestsOffTitle}</h1>
            {!guests && (
              <p class="muted">
                {t.guestsOffText} <code>wigeon token --user ann</code>
              </p>
            )}
            <label class="form-field">
              <span>{t.token}</span>
              <input ref={field} type="password" data-testid="token" value={token} autocomplete="off" spellcheck={false} onInput={(event) => setToken(event.currentTarget.value)} />
            </label>
            <button type="submit" class="button button-primary button-wide" disabled={busy || token.trim() === ""}>
              {busy ? t.entering : t.signIn}
            </button>
            {guests ? (
              <button type="button" class="button-link" onClick={() => setWay("guest")}>
                {t.asGuest}
              </button>
            ) : (
              <p class="muted small">{t.guestsOffHint}</p>
            )}
          </form>
        )}
        {error !== null && (
          <p class="form-error" role="alert">
            {t.entryRefused} {explain(error)}
          </p>
        )}
      </div>
    </main>
  );
}
