// Settings: who one is, how the page looks and how it behaves. What concerns the look stays in this browser;
// what concerns the person goes to the server.
import { useState } from "preact/hooks";
import { type Density, settings, type Theme } from "../app/settings.ts";
import { LANGUAGES, type Language, t } from "../i18n/index.ts";
import { PersonAvatar } from "./avatar.tsx";
import { Choice, Switch } from "./choice.tsx";
import { useApp } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { apple } from "./shortcuts.ts";

export function Settings({ onClose, onSettings }: { onClose: () => void; onSettings: () => void }) {
  const app = useApp();
  const kept = app.nameOf(app.model.me);
  const [name, setName] = useState(kept);
  const set = (change: () => void) => {
    change();
    onSettings();
  };
  const rename = async (event: Event) => {
    event.preventDefault();
    if (await app.people.rename(name.trim())) app.toast(t.nameChanged);
  };
  return (
    <Dialog title={t.settings} onClose={onClose}>
      <form class="form form-name" onSubmit={rename}>
        <label class="form-field">
          <span>{t.yourName}</span>
          <input type="text" maxLength={64} autocomplete="off" spellcheck={false} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button" disabled={name.trim() === "" || name.trim() === kept}>
          {t.save}
        </button>
      </form>
      <section class="section section-wide">
        <Choice<Theme>
          label={t.theme}
          value={settings.theme}
          options={[["system", t.themeSystem], ["light", t.themeLight], ["dark", t.themeDark]]}
          onValue={(theme) => set(() => (settings.theme = theme))}
        />
        <Choice<Density>
          label={t.density}
          value={settings.density}
          options={[["roomy", t.densityRoomy], ["compact", t.densityCompact]]}
          onValue={(density) => set(() => (settings.density = density))}
        />
        <Choice<Language>
          label={t.language}
          value={settings.language}
          options={(Object.keys(LANGUAGES) as Language[]).map((language) => [language, LANGUAGES[language].languageName] as const)}
          onValue={(language) => set(() => (settings.language = language))}
        />
        <Choice<"enter" | "modified">
          label={t.sendWith}
          value={settings.enterSends ? "enter" : "modified"}
          options={[["enter", "Enter"], ["modified", apple ? "⌘ + Enter" : "Ctrl + Enter"]]}
          onValue={(way) => set(() => (settings.enterSends = way === "enter"))}
        />
        <Switch label={t.linkPreviews} hint={t.linkPreviewsHint} on={settings.previews} onSwitch={(on) => set(() => (settings.previews = on))} />
        <Switch label={t.privateRead} hint={t.privateReadHint} on={app.model.prefs.private_read === true} onSwitch={(on) => app.people.set({ private_read: on || null })} />
      </section>
      {app.model.blocked.size > 0 && (
        <section class="section section-wide">
          <h3>{t.blockedPeople}</h3>
          <ul class="people">
            {[...app.model.blocked].map((id) => (
              <li key={id} class="person">
                <PersonAvatar id={id} name={app.nameOf(id)} small />
                <span dir="auto">{app.nameOf(id)}</span>
                <button type="button" class="button button-small" onClick={() => void app.people.block(id, false)}>
                  {t.unblock}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Dialog>
  );
}
