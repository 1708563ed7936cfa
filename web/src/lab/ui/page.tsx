// The page: who made it possible, what the numbers say, the knobs, the timeline, then the instruments in their chapters.
import { useEffect, useReducer, useState } from "preact/hooks";
import { settings, type Theme } from "../../app/settings.ts";
import { type Language, LANGUAGES } from "../../i18n/index.ts";
import { Bench } from "../bench.ts";
import { CHAPTERS, rowsOf } from "../catalog.ts";
import { isRefused, openSession } from "../session.ts";
import { words } from "../words/index.ts";
import { Choice, Controls } from "./controls.tsx";
import { Panel } from "./panel.tsx";
import { TimelineView } from "./timeline_view.tsx";

const REDRAW_MS = 250;
const THEMES: readonly Theme[] = ["system", "light", "dark"];
const DOCUMENT = "https://zhuanlan.zhihu.com/p/21573180";

declare global {
  interface Window {
    /** For tests and the curious: the numbers on the page. */
    lab?: { snapshot(): ReturnType<Bench["snapshot"]> };
  }
}

export function Page() {
  const [bench, setBench] = useState<Bench | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const w = words();

  const open = (token?: string) => {
    setError(null);
    openSession(token).then((session) => {
      const opened = new Bench(session);
      window.lab = { snapshot: () => opened.snapshot() };
      setBench(opened);
    }, setError);
  };
  useEffect(open, []);
  useEffect(() => {
    document.title = `${w.page} · Wigeon`;
  });
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && redraw(0), REDRAW_MS);
    return () => clearInterval(timer);
  }, []);

  return (
    <>
      <Top onChange={() => redraw(0)} />
      <main class="lab">
        <section class="intro">
          <h1>{w.title}</h1>
          <p>
            {w.intro} <a href={DOCUMENT} rel="noreferrer" hreflang="zh">{w.document}</a>
          </p>
        </section>
        {bench ? <Instruments bench={bench} onChange={() => redraw(0)} /> : <Entrance error={error} onOpen={open} />}
      </main>
    </>
  );
}

function Top({ onChange }: { onChange: () => void }) {
  const w = words();
  const languages = Object.entries(LANGUAGES) as [Language, { languageName: string; code: string }][];
  return (
    <header class="top">
      <a class="top-home" href="./" title={w.chat}>
        <img src="assets/logo.svg" alt="" width="36" height="36" />
        <span class="wordmark">Wigeon</span>
      </a>
      <span class="top-page">{w.page}</span>
      <div class="top-settings">
        <Choice bare label={w.language} name="language" value={settings.language} options={languages.map(([code, { languageName, code: lang }]) => [code, <span lang={lang}>{languageName}</span>] as const)} onChange={(code) => { settings.language = code; onChange(); }} />
        <Choice bare label={w.theme} name="theme" value={settings.theme} options={THEMES.map((theme) => [theme, w.themes[theme]] as const)} onChange={(theme) => { settings.theme = theme; onChange(); }} />
      </div>
    </header>
  );
}

/** Before the bench is open: it is being opened, or something is in the way. */
function Entrance({ error, onOpen }: { error: unknown; onOpen: (token?: string) => void }) {
  const [token, setToken] = useState("");
  const [tried, setTried] = useState(false);
  const w = words();
  if (error === null) return <p class="panel entrance" aria-busy="true">{w.opening}</p>;
  if (!isRefused(error)) {
    return (
      <div class="panel entrance" role="alert">
        <p>{w.failed} {(error as Error).message}</p>
        <button type="button" class="button button-primary" onClick={() => onOpen()}>{w.again}</button>
      </div>
    );
  }
  return (
    <form class="panel entrance" onSubmit={(event) => { event.preventDefault(); setTried(true); onOpen(token.trim()); }}>
      <h2>{w.tokenTitle}</h2>
      <p>{w.tokenText} <code>wigeon token --user lab</code></p>
      <label class="form-field">
        <span>{w.token}</span>
        <input type="password" value={token} autocomplete="off" spellcheck={false} onInput={(event) => setToken(event.currentTarget.value)} />
      </label>
      {tried && <p class="bad" role="alert">{w.tokenRefused}</p>}
      <button type="submit" class="button button-primary" disabled={!token.trim()}>{w.tokenGo}</button>
    </form>
  );
}

function Instruments({ bench, onChange }: { bench: Bench; onChange: () => void }) {
  const w = words();
  const of = (chapter: string) => bench.instruments.filter(({ row }) => rowsOf(chapter).includes(row));
  return (
    <>
      <Verdict bench={bench} />
      <Controls bench={bench} onChange={onChange} />
      <TimelineView bench={bench} />
      {CHAPTERS.map((chapter) => (
        <section key={chapter} class="chapter" aria-labelledby={`chapter-${chapter}`}>
          <h2 id={`chapter-${chapter}`}><span>{chapter}</span>{w.chapters[chapter]}</h2>
          <div class="instruments">
            {of(chapter).map((instrument) => (
              <Panel key={instrument.row.id} bench={bench} instrument={instrument} />
            ))}
            {chapter === "5" && <About bench={bench} />}
          </div>
        </section>
      ))}
    </>
  );
}

function Verdict({ bench }: { bench: Bench }) {
  const w = words();
  const meters = bench.instruments.map(({ meter }) => meter);
  const sum = (of: (meter: (typeof meters)[number]) => number) => meters.reduce((total, meter) => total + of(meter), 0);
  const missing = sum(({ gaps }) => gaps);
  const damaged = sum((meter) => meter.damaged);
  const heard = meters.filter(({ messages }) => messages > 0).length;
  const bad = missing + damaged > 0;
  const cells: [string, number, boolean][] = [
    [w.sent, bench.publisher.sent, false],
    [w.arrived, sum(({ messages }) => messages), false],
    [w.missing, missing, true],
    [w.damaged, damaged, true],
    [w.twice, sum(({ duplicates }) => duplicates), false],
  ];
  return (
    <section class={`panel verdict ${bad ? "verdict-bad" : ""}`}>
      <dl>
        {cells.map(([label, value, zero]) => (
          <div key={label} class={zero ? (value > 0 ? "bad" : heard > 0 ? "good" : "") : ""}>
            <dd>{w.number(value)}</dd>
            <dt>{label}</dt>
          </div>
        ))}
      </dl>
      <p role="status">{bad ? w.verdictBad : heard > 0 ? w.verdictGood(heard) : w.verdictWaiting}</p>
    </section>
  );
}

function About({ bench }: { bench: Bench }) {
  const w = words();
  return (
    <aside class="panel about" aria-label={w.aboutTitle}>
      {w.about.map(({ title, text }) => (
        <section key={title}>
          <h3>{title}</h3>
          <p>{text(bench.protocol, bench.limited)}</p>
        </section>
      ))}
    </aside>
  );
}
