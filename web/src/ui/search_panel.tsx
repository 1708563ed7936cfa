// Finding messages: words, where, of whom and when; what was found, the newest first, each leading to its place.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { explain, t } from "../i18n/index.ts";
import { type Period, plainSnippet } from "../model/search.ts";
import type { Hit, WireMember } from "../wire.ts";
import { PersonAvatar } from "./avatar.tsx";
import { Choice } from "./choice.tsx";
import { useApp } from "./context.ts";
import { briefTimeOf, fullTimeOf } from "./dates.ts";
import { Icon } from "./icons.tsx";
import { SidePanel } from "./side_panel.tsx";

/** The server takes 512 bytes, and a character is up to three. */
const WORDS_MAX = 160;
const PERIODS: Period[] = ["any", "day", "week", "month", "year", "days"];

export function SearchPanel() {
  const app = useApp();
  const { search } = app.side;
  const { question } = search;
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const here = app.open?.target.room ?? null;

  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  // "In this conversation" means the one on screen.
  useEffect(() => {
    if (question.room !== null && here !== null && question.room !== here) search.look({ room: here, from: "" });
  }, [here]);
  useEffect(() => {
    const room = question.room === null ? undefined : app.model.rooms.get(question.room);
    if (room) app.rooms.learnMembers(room);
  }, [question.room]);

  /** Arrows walk from the field through what was found, and back. */
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = event.target as HTMLElement;
    if (target !== field.current && !list.current?.contains(target)) return;
    const stops: HTMLElement[] = [...(field.current ? [field.current] : []), ...(list.current?.querySelectorAll<HTMLElement>(".hit") ?? [])];
    const next = stops[stops.indexOf(target) + step];
    event.preventDefault();
    next?.focus();
  };

  return (
    <SidePanel title={t.searchMessages}>
      <div class="search" role="search" aria-label={t.searchMessages} onKeyDown={onKeyDown}>
        <div class="search-ask">
          <label class="field">
            <span class="sr-only">{t.searchWords}</span>
            <Icon name="search" />
            <input ref={field} type="search" data-testid="search" autocomplete="off" spellcheck={false} dir="auto" enterkeyhint="search" maxLength={WORDS_MAX} placeholder={t.searchWords} value={question.q} onInput={(event) => search.look({ q: event.currentTarget.value })} />
          </label>
          {here !== null && (
            <Choice<"here" | "all">
              label={t.searchWhere}
              value={question.room === null ? "all" : "here"}
              options={[["here", t.searchHere], ["all", t.searchAll]]}
              onValue={(where) => search.look({ room: where === "here" ? here : null, from: "" })}
            />
          )}
          <div class="search-limits">
            <From />
            <select aria-label={t.searchWhen} value={question.period} onChange={(event) => search.look({ period: event.currentTarget.value as Period })}>
              {PERIODS.map((period) => (
                <option key={period} value={period}>
                  {t.periods[period]}
                </option>
              ))}
            </select>
          </div>
          {question.period === "days" && (
            <div class="search-limits">
              <Day label={t.searchSince} value={question.since} onValue={(since) => search.look({ since })} />
              <Day label={t.searchUntil} value={question.until} onValue={(until) => search.look({ until })} />
            </div>
          )}
        </div>
        <Outcome list={list} />
      </div>
    </SidePanel>
  );
}

function From() {
  const app = useApp();
  const { search } = app.side;
  const { room, from } = search.question;
  const people = new Map<string, WireMember>();
  for (const each of room === null ? app.model.rooms.values() : [app.model.rooms.get(room)]) for (const user of each?.users ?? []) people.set(user.id, user);
  people.delete(app.model.me);
  const names = [...people.keys()].map((id) => [id, app.nameOf(id)] as const).sort(([, a], [, b]) => a.localeCompare(b));
  return (
    <select aria-label={t.searchFrom} value={from} onChange={(event) => search.look({ from: event.currentTarget.value })}>
      <option value="">{t.searchAnybody}</option>
      <option value={app.model.me}>{t.you}</option>
      {names.map(([id, name]) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Day({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <label class="search-day">
      <span>{label}</span>
      <input type="date" value={value} onInput={(event) => onValue(event.currentTarget.value)} />
    </label>
  );
}

function Outcome({ list }: { list: { current: HTMLOListElement | null } }) {
  const { search } = useApp().side;
  const { hits, answered, busy, error, more } = search;
  if (error) {
    return (
      <div class="search-note" role="alert">
        <p>{t.failed(explain(error))}</p>
        <button type="button" class="button button-small" onClick={() => search.again()}>
          {t.tryAgain}
        </button>
      </div>
    );
  }
  return (
    <>
      <p class={answered === null || hits.length === 0 ? "search-note" : "sr-only"} role="status">
        {answered === null ? (busy ? t.searching : t.searchHint) : hits.length === 0 ? (busy ? t.searching : t.searchNothing(answered.q.trim())) : t.searchFound(hits.length, more)}
      </p>
      {answered !== null && (hits.length > 0 || more) && (
        <ol ref={list} class={busy ? "hits hits-old" : "hits"} aria-label={t.searchHits} aria-busy={busy}>
          {hits.map((hit) => (
            <HitItem key={`${hit.room}/${hit.seq}`} hit={hit} everywhere={answered.room === null} />
          ))}
          {more && (
            <li class="hits-more">
              {/* Not disabled while it works: that would take the focus from who came here by keyboard. */}
              <button type="button" class="button button-small" aria-disabled={busy} onClick={() => void search.further()}>
                {t.searchMore}
              </button>
            </li>
          )}
        </ol>
      )}
    </>
  );
}

function HitItem({ hit, everywhere }: { hit: Hit; everywhere: boolean }) {
  const app = useApp();
  const name = hit.from === app.model.me ? t.you : app.nameOf(hit.from);
  const { open } = app;
  const current = open?.target.room === hit.room && open.visited === hit.seq;
  return (
    <li>
      <button type="button" class="hit" aria-current={current ? "true" : undefined} onClick={() => void app.side.goToHit(hit)}>
        <PersonAvatar id={hit.from} name={app.nameOf(hit.from)} small />
        <span class="hit-who">
          <b>{name}</b>
          {everywhere && <span class="hit-room">{app.titleOf({ room: hit.room })}</span>}
        </span>
        <time dateTime={new Date(hit.at).toISOString()} title={fullTimeOf(hit.at)}>
          {briefTimeOf(hit.at, Date.now())}
        </time>
        <span class="hit-text" dir="auto">
          {plainSnippet(hit.snippet).map((part, index) => (index % 2 === 1 ? <mark>{part}</mark> : part))}
        </span>
      </button>
    </li>
  );
}
