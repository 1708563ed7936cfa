// What tabs of one person say to one another. One of them leads: it holds the connection and tells the others
// what comes; they tell it what is to be sent.
//
//   follower                                     leader
//   hello{greeting, cursor} ───────────────────▶
//                ◀───────────────────────────── welcome{greeting, same}   from here on its frames count
//                ◀───────────────────────────── snapshot{greeting}        unless both were at one cursor
//                ◀───────────────────────────── frame, state, outbox
//   ask{id, type, fields} ─────────────────────▶
//                ◀───────────────────────────── answer{id}
//   ping ──────────────────────────────────────▶ pong{hidden_ms}
//
// A new leader says `lead`; the others greet it, and ask again what is unanswered, under the same ids. Who greets
// twice (a leader that begins may have heard the first time as well) listens to the answers to the last greeting only.
import type { Frame, OutboxEntry, Snapshot, State, WigeonError } from "wigeon-client";

export type Word =
  | { kind: "hello"; tab: string; greeting: string; cursor: string | null }
  | { kind: "ask"; leader: string; tab: string; id: string; type: string; fields: Record<string, unknown> }
  | { kind: "tell"; leader: string; verb: Verb; args: unknown[] }
  | { kind: "ping"; tab: string }
  | { kind: "lead"; leader: string }
  | { kind: "pong"; leader: string; hidden_ms: number }
  | { kind: "welcome"; leader: string; greeting: string; same: boolean; state: State; outbox: readonly OutboxEntry[] }
  | { kind: "snapshot"; leader: string; greeting: string | null; snapshot: Snapshot }
  | { kind: "frame"; leader: string; frame: Frame; cursor: string | null }
  | { kind: "state"; leader: string; state: State }
  | { kind: "outbox"; leader: string; outbox: readonly OutboxEntry[] }
  | { kind: "answer"; leader: string; to: string; id: string; ok?: unknown; error?: PlainError };

/** What is said to the connection without an answer. */
export const VERBS = ["typing", "retry", "discard", "force", "dropNetwork", "retryNow"] as const;
export type Verb = (typeof VERBS)[number];

/** An error as it travels: copied between tabs, an Error loses its fields. */
export type PlainError = Pick<WigeonError, "code" | "message" | "retry_after_ms" | "outcome">;

export function plain(error: WigeonError): PlainError {
  const { code, message, retry_after_ms, outcome } = error;
  return { code, message, ...(retry_after_ms === undefined ? {} : { retry_after_ms }), ...(outcome ? { outcome } : {}) };
}

export const plainState = (state: State): State => (state.error ? { ...state, error: plain(state.error) as WigeonError } : state);

export const plainOutbox = (outbox: readonly OutboxEntry[]): OutboxEntry[] =>
  outbox.map((entry) => (entry.error ? { ...entry, error: plain(entry.error) as WigeonError } : entry));
