// What can be asked of a search, and how what it found reads. Pure.

export type Period = "any" | "day" | "week" | "month" | "year" | "days";

export interface Question {
  q: string;
  /** Only in this room; null = in all. */
  room: string | null;
  /** Only of this person; "" = of anybody. */
  from: string;
  period: Period;
  /** For the period "days", calendar days as a date field has them; "" = no bound. Both are included. */
  since: string;
  until: string;
}

export const NOTHING: Question = { q: "", room: null, from: "", period: "any", since: "", until: "" };

const DAY_MS = 86_400_000;
const LENGTHS: Partial<Record<Period, number>> = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS };

/** The fields of the command. Days are the reader's, in the reader's zone; `next` is where the last answer ended. */
export function fieldsOf(question: Question, now: number, next?: string): Record<string, unknown> {
  const { q, room, from, period } = question;
  const length = LENGTHS[period];
  // Bounds are exclusive: the first moment of the day is of the day.
  const since = period === "days" ? dayStart(question.since, 0) : undefined;
  const after = length ? now - length : since === undefined ? undefined : since - 1;
  const before = next ?? (period === "days" ? dayStart(question.until, 1) : undefined);
  return {
    q: q.trim(),
    ...(room === null ? {} : { room }),
    ...(from === "" ? {} : { from }),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
  };
}

/** The first moment of a day, so many days on. */
function dayStart(day: string, on: number): number | undefined {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || !month || !date) return undefined;
  return new Date(year, month - 1, date + on).getTime();
}

/** A snippet as a list shows it: without the marks of Markdown, which say nothing out of their place. */
export function plainSnippet(parts: readonly string[]): string[] {
  return parts.map((part) => part.replace(/\*\*|~~|`+|^> ?|\n> ?/g, (mark) => (mark.startsWith("\n") ? " " : "")));
}
