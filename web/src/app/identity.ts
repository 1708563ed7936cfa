// Who this tab is. An identity lives in the tab, so that two tabs of one browser are two people. It comes
// from, in this order: a `#token=` in the address (taken out of it at once, so that it is neither
// bookmarked nor sent on), the tab's memory, `?as=bob`, or the form.
import { t } from "../i18n/index.ts";
import { tab } from "./keep.ts";

export interface Identity {
  token: string;
  /** Guests only: the name they chose, to offer again. */
  name?: string;
}

const KEY = "wigeon.identity";

export function storedIdentity(): Identity | null {
  try {
    const kept = JSON.parse(tab.getItem(KEY) ?? "null") as Identity | null;
    return kept && typeof kept.token === "string" ? kept : null;
  } catch {
    return null;
  }
}

export function keepIdentity(identity: Identity): void {
  tab.setItem(KEY, JSON.stringify(identity));
}

export function forgetIdentity(): void {
  tab.removeItem(KEY);
}

/** Whom a token is for, as it says itself; null where it is no JWT. Only the server decides whether that is true. */
export function personOf(token: string): string | null {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const { sub } = JSON.parse(atob(payload)) as { sub?: unknown };
    return typeof sub === "string" ? sub : null;
  } catch {
    return null;
  }
}

/** `#token=…`, removed from the address bar and from the history entry. */
export function takeTokenFromAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

/** `?as=bob`: the guest name this window is opened for. */
export function nameFromAddress(): string | null {
  return new URLSearchParams(location.search).get("as")?.trim().slice(0, 64) || null;
}

/** `?room=…` and `?to=…`: where a link leads. */
export function targetFromAddress(): { room?: string; to?: string } {
  const query = new URLSearchParams(location.search);
  return { room: query.get("room") ?? undefined, to: query.get("to") ?? undefined };
}

export function suggestName(not = ""): string {
  const { colours, animals, join } = t.guestNames;
  const pick = (list: string[]) => list[Math.floor(Math.random() * list.length)] ?? "";
  for (let tries = 0; tries < 20; tries++) {
    const name = join(pick(colours), pick(animals));
    if (name !== not) return name;
  }
  return not;
}

/** Opens this page, in a room, for somebody else. `noopener` also keeps the new tab from copying our identity. */
export function openSecondWindow(myName: string, room?: string): void {
  const url = new URL(linkTo(room));
  url.searchParams.set("as", suggestName(myName));
  window.open(url.href, "_blank", "noopener");
}

/** `?invite=…`: the code of an invitation. */
export function invitationFromAddress(): string | null {
  return new URLSearchParams(location.search).get("invite");
}

/** The link an invitation travels as. */
export function invitationTo(code: string): string {
  const url = new URL(location.pathname, location.href);
  url.searchParams.set("invite", code);
  return url.href;
}

/** A link to this page for another person, leading to a room. */
export function linkTo(room: string | undefined): string {
  const url = new URL(location.pathname, location.href);
  if (room && room !== "lobby") url.searchParams.set("room", room);
  return url.href;
}
