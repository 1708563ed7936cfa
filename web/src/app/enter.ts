// From a name or a token to a connected client. The library logs guests in; this only waits until it is
// clear whether the server lets us in, and keeps the identity so that a reload is the same person.
import { Wigeon } from "wigeon-client";
import type { Client, Snapshot } from "wigeon-client";
import type { Chat } from "../tabs/chat.ts";
import { canShare, SharedChat } from "../tabs/shared.ts";
import { type Identity, keepIdentity, personOf } from "./identity.ts";
import { tab } from "./keep.ts";
import { OutboxStore } from "./outbox_store.ts";

/** After an absence, at most this many messages of a room are replayed; the rest is read on demand. */
const MESSAGES_PER_ROOM_MAX = 50;

export interface Info {
  guests: boolean;
  /** Whether it tells what links lead to. */
  previews?: boolean;
  transports?: string[];
}

/** What the server says of itself, or null when it does not answer. */
export async function serverInfo(): Promise<Info | null> {
  try {
    const response = await fetch("v1/info", { headers: { accept: "application/json" } });
    return response.ok ? ((await response.json()) as Info) : null;
  } catch {
    return null;
  }
}

type Who = { token: string } | { guest: { name: string } };

const client = (who: Who, cursor: string | null = null): Client =>
  new Wigeon({ ...who, cursor: cursor ?? undefined, storage: canShare() ? new OutboxStore() : tab, maxPerRoom: MESSAGES_PER_ROOM_MAX });

/** Shared with the other tabs of this person, where the browser can; else a connection of this tab's own. */
export function chatFor(token: string, first?: { client: Client; cursor: string }): Chat {
  const name = personOf(token);
  if (!canShare() || !name) return first?.client ?? client({ token });
  const { transports } = first?.client ?? new Wigeon();
  return new SharedChat({ name, transports, first, open: (cursor) => client({ token }, cursor) });
}

export interface Entered {
  chat: Chat;
  snapshot: Snapshot;
  identity: Identity;
}

/** Resolves with the first snapshot; rejects with the library's error when the server says no. */
export function enter(who: Who): Promise<Entered> {
  // With a token it only asks whether it is good: what is unsent is the business of the tab that leads.
  const first = "guest" in who ? client(who) : new Wigeon(who);
  return new Promise((resolve, reject) => {
    const stop = [
      first.on("snapshot", (snapshot) => {
        stop.forEach((off) => off());
        const guest = first.guestToken;
        const identity = guest ? { token: guest.token, name: guest.name } : { token: "token" in who ? who.token : "" };
        keepIdentity(identity);
        // A guest who has just come in is alone under this name; a token may be in use in another tab.
        if (!guest) first.close();
        const chat = chatFor(identity.token, guest ? { client: first, cursor: snapshot.cursor } : undefined);
        chat.connect();
        resolve({ chat, snapshot, identity });
      }),
      first.on("state", ({ status, error }) => {
        if (status !== "closed") return;
        stop.forEach((off) => off());
        reject(error ?? new Error("closed"));
      }),
    ];
    first.connect();
  });
}
