// The public words of the library: what a page writes and reads. This file holds types only, so the build copies it
// as it stands into dist/wigeon.d.ts. Names are the wire's names (PROTOCOL.md); times are milliseconds since the epoch.

/** The ways down. `fetch-stream`, `xhr-stream` and `xdr` all carry ndjson; `htmlfile` and `xdr` need an old Internet Explorer. */
export type TransportName =
  | "websocket" | "fetch-stream" | "xhr-stream" | "sse" | "xdr" | "htmlfile" | "iframe" | "longpoll" | "jsonp" | "poll";

/** The ways up: WebSocket frames, POST of JSON with a Bearer token, POST of text/plain with a ticket, a hidden form, a script tag. */
export type UplinkName = "websocket" | "post" | "text" | "form" | "jsonp";

/** The server's codes, and three of our own: `network` (no answer), `timeout`, `closed`. */
export type ErrorCode =
  | "bad_request" | "unauthenticated" | "token_expired" | "forbidden" | "not_member" | "not_found" | "gone" | "conflict"
  | "misdirected_request" | "too_large" | "rate_limited" | "busy" | "unavailable" | "internal" | "network" | "timeout" | "closed";

export interface WigeonError extends Error {
  name: "WigeonError";
  code: ErrorCode;
  retry_after_ms?: number;
  /** `unknown`: it may have happened. Durable commands are then repeated under the same id, so you need not care. */
  outcome?: "none" | "unknown";
}

/** One JSON object from the server: event, signal or control. */
export interface Frame {
  type: string;
  cursor?: string;
  room?: string;
  from?: string;
  at?: number;
  [field: string]: any;
}

export interface Message extends Frame {
  type: "message";
  cursor: string;
  room: string;
  seq: number;
  id: string;
  from: string;
  at: number;
  /** Not there once the message is recalled: whoever was away is told of it without its words. */
  body?: { text: string; [field: string]: any };
  reply_to?: any;
  mentions?: string[];
  recalled?: boolean;
  /** In `history` and `snapshot` only: the current form. */
  edited_at?: number;
  version?: number;
  reactions?: { emoji: string; users: string[] }[];
}

export interface RoomSummary {
  id: string;
  kind: "direct" | "group" | "channel";
  title?: string;
  role?: string;
  seq: number;
  read: number;
  unread: number;
  mentions: number;
  last: Message | null;
  users?: { id: string; name: string; role?: string }[];
  [field: string]: any;
}

export interface Snapshot {
  user: string;
  name?: string;
  cursor: string;
  rooms: RoomSummary[];
}

export interface SendOk { room: string; seq: number; cursor: string; at: number }

export interface History { messages: Message[]; min_seq: number; max_seq: number; more: boolean }

export interface Reply { re: string | null; ok?: any; error?: { code: ErrorCode; message: string; retry_after_ms?: number; outcome?: "none" | "unknown" } }

export type Status = "idle" | "connecting" | "online" | "waiting" | "offline" | "closed";

export interface State {
  status: Status;
  /** The transport that is being read now; null when there is none. */
  transport: TransportName | null;
  /** The transport you pinned with `force`, or null. */
  forced: TransportName | null;
  /** How commands leave now. */
  up: UplinkName;
  /** Smoothed time from a request to its answer. */
  rtt_ms: number | null;
  /** When the next try begins, in `waiting` and `offline`. */
  retry_at: number | null;
  /** Why it waits or is closed. */
  error?: WigeonError;
}

export interface Command { id: string; type: string; [field: string]: any }

export interface OutboxEntry {
  readonly id: string;
  readonly command: Command;
  /** When it was asked for. */
  readonly at: number;
  /** How often it was handed to the network. */
  readonly tries: number;
  /** Set when the server refused it or 24 h passed: it waits for `retry` or `discard`. */
  readonly error?: WigeonError;
}

/** Where the outbox survives a reload: `localStorage` fits as it is; an IndexedDB wrapper may answer with promises. */
export interface OutboxStorage {
  getItem(key: string): string | null | PromiseLike<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/** `raw` events: what passes on the wire, for instruments. Tickets are blanked. */
export interface Raw { transport: TransportName | UplinkName; direction: "up" | "down"; bytes: number; text: string; requests: number }

export interface GuestToken { user: string; name: string; token: string; expires_at: number }

export interface Options {
  /** Origin of the server, `https://chat.example`. Default: the page's own origin. */
  url?: string;
  /** A token, or a function that brings one; it is asked again once when the server no longer accepts the last. */
  token?: string | (() => string | PromiseLike<string>);
  /** Log in as a guest instead (where the server allows it). */
  guest?: { name: string };
  /** A ticket or a function that brings one, for engines that cannot ask for it themselves (IE 8–9 across origins). */
  ticket?: string | (() => string | PromiseLike<string>);
  /** Use only these. Default: all that the engine has. */
  transports?: TransportName[];
  /** Use only these ways up. Default: WebSocket while one is open, else the best POST the engine has. */
  uplinks?: UplinkName[];
  /** Go on after this cursor. Default: take a snapshot and go on from it. */
  cursor?: string;
  /** Keep the outbox here. Default: memory only. */
  storage?: OutboxStorage | null;
  /** Names this client's presence lease. Default: 128 random bits, made anew. */
  session?: string;
  /** Public channels to watch without being a member. */
  rooms?: string[];
  /** After an absence bring at most this many messages of a room, and a `gap` for the rest. Default: all. */
  maxPerRoom?: number;
  /** Rooms on screen now: typing signals come only for these. Default: for all. */
  focus?: string[];
}

export interface Events {
  state: State;
  snapshot: Snapshot;
  reply: Reply;
  outbox: readonly OutboxEntry[];
  raw: Raw;
  message: Message;
  /** Every event, signal, `gap` and `reset`. */
  "*": Frame;
  [type: string]: any;
}

/** What a `Wigeon` is. In the legacy build, where a promise is returned here, a Node-style callback is the last argument. */
export interface Client {
  readonly state: State;
  readonly user: string | null;
  readonly cursor: string | null;
  readonly session: string;
  readonly outbox: readonly OutboxEntry[];
  /** After a guest login: keep it and pass its `token` next time. */
  readonly guestToken: GuestToken | null;
  connect(): void;
  /** Stop reading and sending. What is in the outbox stays there; `connect` goes on from the same cursor. */
  close(): void;
  /** Returns the function that unsubscribes. */
  on<T extends keyof Events & string>(type: T, listener: (value: Events[T]) => void): () => void;
  send(message: SendFields, options?: { id?: string }): Promise<SendOk> & { readonly id: string };
  command(type: string, fields?: { id?: string; [field: string]: any }): Promise<any> & { readonly id: string };
  /** A fresh snapshot. It does not move the cursor: what is on its way still comes. */
  snapshot(): Promise<Snapshot>;
  history(query: { room: string; before?: number; after?: number; around?: number; seqs?: number[]; limit?: number }): Promise<History>;
  read(room: string, seq: number): Promise<any>;
  /** At most one signal per room and 3 s leaves. */
  typing(room: string): void;
  focus(rooms: string[]): void;
  /** Send a refused or expired entry again, under the same id. */
  retry(id: string): void;
  discard(id: string): void;
  /** Read by this transport only (and send by this uplink only); `force(null)` goes automatic again. The old one is left when the new one is proven. */
  force(transport: TransportName | null, uplink?: UplinkName | null): void;
  /** Cut everything and refuse everything for so long; for demonstrations and tests. */
  dropNetwork(ms: number): void;
  /** End the waiting, try now. */
  retryNow(): void;
  /** The transports this engine has, best first. */
  readonly transports: readonly TransportName[];
}

interface SendTo {
  room?: string;
  to?: string;
  reply_to?: any;
  mentions?: string[];
  [field: string]: any;
}

/** What is sent: own words, or a message that one sees, passed on. */
export type SendFields = SendTo & ({ body: { text: string; [field: string]: any } } | { forward: { room: string; seq: number } });
