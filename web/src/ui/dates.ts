// Days and times in the reader's own language, region and zone. Formatters are costly to make, so each
// is made once per language.
import { dateLocale, t } from "../i18n/index.ts";

const formatters = new Map<string, Intl.DateTimeFormat>();

function format(at: number, name: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${dateLocale()} ${name}`;
  let formatter = formatters.get(key);
  if (!formatter) formatters.set(key, (formatter = new Intl.DateTimeFormat(dateLocale(), options)));
  return formatter.format(at);
}

export const timeOf = (at: number): string => format(at, "time", { hour: "numeric", minute: "2-digit" });
export const fullTimeOf = (at: number): string => format(at, "full", { dateStyle: "long", timeStyle: "short" });

/** A calendar day, to compare. */
export function dayOf(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

export function dayTitle(at: number, now: number): string {
  if (dayOf(at) === dayOf(now)) return t.today;
  if (dayOf(at) === dayOf(now - 86_400_000)) return t.yesterday;
  const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return format(at, `day ${year}`, { weekday: "long", day: "numeric", month: "long", year });
}

/** For the list: the time today, the day this week, else the date. */
export function briefTimeOf(at: number, now: number): string {
  if (dayOf(at) === dayOf(now)) return timeOf(at);
  if (now - at < 6 * 86_400_000) return format(at, "weekday", { weekday: "short" });
  return format(at, "date", { day: "numeric", month: "numeric", year: new Date(at).getFullYear() === new Date(now).getFullYear() ? undefined : "2-digit" });
}

const STEPS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** "5 minutes ago", in the reader's language. */
export function agoOf(at: number, now: number): string {
  const ago = Math.max(0, now - at);
  const [unit, ms] = STEPS.find(([, step]) => ago >= step) ?? ["minute", 60_000];
  return new Intl.RelativeTimeFormat(dateLocale(), { numeric: "auto" }).format(-Math.max(1, Math.floor(ago / ms)), unit);
}
