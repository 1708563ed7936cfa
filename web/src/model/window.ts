// Which part of a timeline is in the document. However much has been loaded, at most
// MESSAGES_SHOWN_MAX message nodes exist; the window slides by a step when the reader nears an edge.
import { lowerBound } from "./timeline.ts";

/** Numbers of the first and last message shown; `to` = Infinity means "and whatever comes". */
export interface Window {
  from: number;
  to: number;
}

type Numbered = readonly { seq: number }[];

/** More than three tall screens of one-line messages, and few enough to lay out in a frame. */
export const MESSAGES_SHOWN_MAX = 160;
export const MESSAGES_STEP = 50;

export const atTail = (window: Window): boolean => window.to === Infinity;

/** The newest messages, following the tail. */
export function tail(messages: Numbered, count = MESSAGES_STEP): Window {
  return { from: messages[Math.max(0, messages.length - count)]?.seq ?? 0, to: Infinity };
}

/** A window with `seq` in its middle. */
export function around(messages: Numbered, seq: number): Window {
  const middle = lowerBound(messages, seq);
  const last = middle + MESSAGES_STEP;
  return {
    from: messages[Math.max(0, middle - MESSAGES_STEP)]?.seq ?? 0,
    to: last >= messages.length - 1 ? Infinity : (messages[last]?.seq ?? Infinity),
  };
}

export function canGrowUp(messages: Numbered, window: Window): boolean {
  return lowerBound(messages, window.from) > 0;
}

/** One step towards older messages; lets go of newer ones beyond the bound. */
export function growUp(messages: Numbered, window: Window): Window {
  const first = Math.max(0, lowerBound(messages, window.from) - MESSAGES_STEP);
  const from = messages[first]?.seq ?? window.from;
  return bound(messages, { from, to: window.to }, "older");
}

/** One step towards newer messages; follows the tail again once it is reached. */
export function growDown(messages: Numbered, window: Window): Window {
  if (atTail(window)) return window;
  const last = lowerBound(messages, window.to + 1) - 1 + MESSAGES_STEP;
  const to = last >= messages.length - 1 ? Infinity : (messages[last]?.seq ?? Infinity);
  return bound(messages, { from: window.from, to }, "newer");
}

/** Holds the bound around what the reader sees: a hole that is filled grows the window from inside. */
export function boundAround(messages: Numbered, window: Window, seq: number): Window {
  const first = lowerBound(messages, window.from);
  const end = atTail(window) ? messages.length : lowerBound(messages, window.to + 1);
  if (end - first <= MESSAGES_SHOWN_MAX) return window;
  const half = MESSAGES_SHOWN_MAX / 2;
  const from = Math.min(Math.max(first, lowerBound(messages, seq) - half), end - MESSAGES_SHOWN_MAX);
  const last = from + MESSAGES_SHOWN_MAX;
  return { from: messages[from]?.seq ?? window.from, to: last >= end ? window.to : (messages[last - 1]?.seq ?? window.to) };
}

/** Holds the bound; `keep` says which end the reader is looking at. */
export function bound(messages: Numbered, window: Window, keep: "older" | "newer"): Window {
  const first = lowerBound(messages, window.from);
  const end = atTail(window) ? messages.length : lowerBound(messages, window.to + 1);
  if (end - first <= MESSAGES_SHOWN_MAX) return window;
  return keep === "newer"
    ? { from: messages[end - MESSAGES_SHOWN_MAX]?.seq ?? window.from, to: window.to }
    : { from: window.from, to: messages[first + MESSAGES_SHOWN_MAX - 1]?.seq ?? window.to };
}
