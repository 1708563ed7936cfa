// Who is about. The page says whom it shows: the people of direct conversations and the members of the room on screen.
// The server tells of them for two minutes at a time, so the question is repeated before that.
import { otherOf } from "../model/room.ts";
import type { WirePresence } from "../wire.ts";
import { type Host, Verbs } from "./verbs.ts";

/** The server's bound on one question. */
const USERS_MAX = 100;
/** What is asked for lasts 120 s. */
const AGAIN_MS = 90_000;
/** Moving about the page changes who is shown; once it rests, that is asked. */
const REST_MS = 400;

interface PresenceHost extends Host {
  readonly open: { target: { room?: string; to?: string } } | null;
}

export class Presence extends Verbs<PresenceHost> {
  private watched = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private again: ReturnType<typeof setInterval> | undefined;

  /** Something changed on the page, perhaps who is on it. */
  look(): void {
    this.again ??= setInterval(() => this.forget(), AGAIN_MS);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.app.chat.state.status === "online") void this.watch();
    }, REST_MS);
  }

  /** A new connection has to be told anew whom we watch. */
  forget(): void {
    this.watched = "";
    this.look();
  }

  stop(): void {
    clearTimeout(this.timer);
    clearInterval(this.again);
  }

  private shown(): string[] {
    const { model, open } = this.app;
    const users = new Set<string>();
    if (open?.target.to) users.add(open.target.to);
    const here = open?.target.room ? model.rooms.get(open.target.room) : undefined;
    for (const user of here?.users ?? []) users.add(user.id);
    for (const room of model.rooms.values()) {
      const other = otherOf(room, model.me);
      if (other) users.add(other);
    }
    users.delete(model.me);
    return [...users].slice(0, USERS_MAX);
  }

  private async watch(): Promise<void> {
    const users = this.shown();
    const watched = users.join();
    if (watched === this.watched) return;
    this.watched = watched;
    if (users.length === 0) return;
    try {
      const answer = (await this.app.chat.command("presence.watch", { users })) as { users: WirePresence[] };
      for (const presence of answer.users) this.app.model.present(presence);
      this.app.changed();
    } catch {
      // Without a live feed (polling) nobody is watched: no dots, and nothing else is missing.
    }
  }
}
