// What the page asks of its connection. The library's client offers it, and so does a tab that shares
// another tab's client (shared.ts): the page does not know which of the two it has.
import type { Client, OutboxEntry, SendFields, SendOk, State } from "wigeon-client";

export type Chat = Pick<
  Client,
  "state" | "outbox" | "transports" | "on" | "connect" | "close" | "send" | "command" | "history" | "read" | "typing" | "retry" | "discard" | "force" | "dropNetwork" | "retryNow"
>;

export type Sending = Promise<SendOk> & { readonly id: string };
export type { OutboxEntry, SendFields, State };

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** An id for a command: a tab makes it itself, so that whichever tab sends it, and however often, it is done once. */
export function commandId(): string {
  const random = crypto.getRandomValues(new Uint8Array(20));
  return Date.now().toString(32).padStart(9, "0") + [...random].map((byte) => ALPHABET[byte & 31]).join("");
}
