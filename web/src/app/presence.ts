// Who is about. The page says whom it shows; of these it is also told new names, however large the room.
// The server tells of them for two minutes at a time, so the question is repeated before that.
import type { WirePresence } from "../wire.ts";
import { peopleShown, type Shown } from "./people_shown.ts";
import { type Host, Verbs } from "./verbs.ts";

/** The server's bound on one question. */
const USERS_MAX = 100;
/** What is asked for lasts 120 s. */
const AGAIN_MS = 90_000;
/** Moving about the page changes who is shown; once it rests, that is asked. */
const REST_MS = 400;

export class Presence extends Verbs<Host & Shown> {
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

  private async watch(): Promise<void> {
    const users = peopleShown(this.app).slice(0, USERS_MAX);
    const watched = users.join();
    if (watched === this.watched) return;
    this.watched = watched;
    if (users.length === 0) return;
    const { model } = this.app;
    const before = new Map(users.map((user) => [user, model.presenceOf(user)]));
    try {
      const answer = (await this.app.chat.command("presence.watch", { users })) as { users: WirePresence[] };
      // Who has come or gone meanwhile did so after the question, or the answer says the same.
      for (const presence of answer.users) if (model.presenceOf(presence.user) === before.get(presence.user)) model.present(presence);
      this.app.changed();
    } catch {
      // Without a live feed (polling) nobody is watched: no dots, and nothing else is missing.
    }
  }
}
