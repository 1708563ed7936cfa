// Who the lab is on the server: two guests of its own, one who writes and one whom all ten instruments are, in a private
// room of theirs. They live as long as the tab, so that a reload goes on in the same room and leaves no more guests behind.
import { type Client, type Snapshot, Wigeon, type WigeonError } from "wigeon-client";
import { tab } from "../app/keep.ts";

const KEY = "wigeon.lab";
const TITLE = "Transport lab";

export interface Session {
  /** Writes; reads only to know its replies. */
  publisher: Client;
  /** Of the instruments. */
  token: string;
  room: string;
  /** Where the instruments begin to read, and the newest seq there. */
  cursor: string;
  seq: number;
}

interface Kept {
  publisher: string;
  reader: string;
  room: string;
}

function kept(): Kept | null {
  try {
    const value = JSON.parse(tab.getItem(KEY) ?? "null");
    return typeof value?.publisher === "string" && typeof value.reader === "string" && typeof value.room === "string" ? value : null;
  } catch {
    return null;
  }
}

/** Connects and waits for the first snapshot, or for the server's no. */
function opened(who: { token: string } | { guest: { name: string } }): Promise<{ client: Client; snapshot: Snapshot }> {
  const client: Client = new Wigeon({ ...who, transports: ["websocket", "longpoll"] });
  return new Promise((resolve, reject) => {
    const stop = [
      client.on("snapshot", (snapshot) => {
        stop.forEach((off) => off());
        resolve({ client, snapshot });
      }),
      client.on("state", ({ status, error }) => {
        if (status !== "closed") return;
        stop.forEach((off) => off());
        reject(error ?? new Error("closed"));
      }),
    ];
    client.connect();
  });
}

export const isRefused = (error: unknown): boolean => ["forbidden", "unauthenticated", "token_expired"].includes((error as WigeonError)?.code);

/** Goes on where this tab was, else begins anew: as guests, or as the owner of `token` where guests are not let in. */
export async function openSession(token?: string): Promise<Session> {
  const old = token ? null : kept();
  if (old) {
    const back = await opened({ token: old.publisher }).catch((error) => {
      if (isRefused(error)) return null;
      throw error;
    });
    const room = back?.snapshot.rooms.find(({ id }) => id === old.room);
    if (back && room) return { publisher: back.client, token: old.reader, room: room.id, cursor: back.snapshot.cursor, seq: room.seq };
    back?.client.close();
  }
  return begin(token);
}

async function begin(token?: string): Promise<Session> {
  const { client: publisher } = await opened(token ? { token } : { guest: { name: TITLE } });
  let reader = token;
  const members: string[] = [];
  if (!reader) {
    const other = await opened({ guest: { name: `${TITLE} (reader)` } });
    other.client.close();
    reader = other.client.guestToken?.token ?? "";
    members.push(other.snapshot.user);
  }
  const made = await publisher.command("room.create", {
    kind: "channel", title: TITLE, members, policy: { history: "shared", join: "invite", visibility: "private" },
  });
  const { cursor } = await publisher.snapshot();
  const session = { publisher, token: reader, room: made.room.id as string, cursor, seq: 0 };
  if (publisher.guestToken) tab.setItem(KEY, JSON.stringify({ publisher: publisher.guestToken.token, reader, room: session.room }));
  return session;
}
