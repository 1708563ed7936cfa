// The one interface that every way down implements. A transport knows how to ask "what is after my cursor" and how to
// take frames out of the answer; it knows no state, no cursor rule, no choice: those are the reader's and the selector's.
import type { Frame, TransportName, WigeonError } from "./types.ts";
import type { Site } from "./site.ts";
import type { Params } from "./text.ts";

/** What a transport is given for one attempt, and what it reports to. After `end` it reports nothing more. */
export interface Link {
  site: Site;
  /** The URL to read from: the cursor of now, the nonce, the ticket where one is needed. */
  url(transport: string, more?: Params): string;
  after(): string;
  /** For a header or a first frame; "" where the ticket in the URL speaks. */
  bearer: string;
  /** Undefined, for what was no JSON, is ignored. */
  frame(frame: Frame | undefined): void;
  /** A whole poll answer. */
  answer(answer: PollAnswer): void;
  tap(direction: "up" | "down", text: string, requests?: number): void;
  rtt(ms: number): void;
  /** Null: the answer ended as answers end, come back with the cursor. */
  end(error: WigeonError | null): void;
  visible(): boolean;
}

export interface PollAnswer { frames: Frame[]; cursor: string; more?: boolean; ticket?: any; unavailable?: string[] }

/** An attempt in progress. */
export interface Channel {
  close(): void;
  /** WebSocket only. False: it cannot take it now. */
  send?(text: string): boolean;
  /** Polls only: ask again now. */
  poke?(): void;
}

export interface Transport {
  name: TransportName;
  family: "websocket" | "stream" | "poll";
  /** Shows a ticket in the URL: always, or only to another origin (a header would cost a preflight), or never. */
  ticket: "always" | "cross" | "never";
  /** The engine has it. */
  usable(site: Site): boolean;
  /** It is worth a try without being asked for: not where the engine has something strictly better of its kind. */
  auto(site: Site): boolean;
  open(link: Link): Channel;
}
