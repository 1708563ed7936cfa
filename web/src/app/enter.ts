// From a name or a token to a connected client. The library logs guests in; this only waits until it is
// clear whether the server lets us in, and keeps the identity so that a reload is the same person.
import { Wigeon } from "wigeon-client";
import type { Client, Snapshot } from "wigeon-client";
import { type Identity, keepIdentity } from "./identity.ts";
import { tab } from "./keep.ts";

/** After an absence, at most this many messages of a room are replayed; the rest is read on demand. */
const MESSAGES_PER_ROOM_MAX = 50;

export interface Info {
  guests: boolean;
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

export function clientFor(who: { token: string } | { guest: { name: string } }): Client {
  return new Wigeon({ ...who, storage: tab, maxPerRoom: MESSAGES_PER_ROOM_MAX });
}

export interface Entered {
  chat: Client;
  snapshot: Snapshot;
  identity: Identity;
}

/** Resolves with the first snapshot; rejects with the library's error when the server says no. */
export function enter(who: { token: string } | { guest: { name: string } }): Promise<Entered> {
  const chat = clientFor(who);
  return new Promise((resolve, reject) => {
    const stop = [
      chat.on("snapshot", (snapshot) => {
        stop.forEach((off) => off());
        const guest = chat.guestToken;
        const identity = guest ? { token: guest.token, name: guest.name } : { token: "token" in who ? who.token : "" };
        keepIdentity(identity);
        resolve({ chat, snapshot, identity });
      }),
      chat.on("state", ({ status, error }) => {
        if (status !== "closed") return;
        stop.forEach((off) => off());
        reject(error ?? new Error("closed"));
      }),
    ];
    chat.connect();
  });
}
