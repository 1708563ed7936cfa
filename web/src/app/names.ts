// Names of people: those the page lacks, and those that may have changed while it was away. A new name is told by a
// signal, and signals reach only who is there; so after each absence the names on screen are asked for again.
import type { WireMember } from "../wire.ts";
import { peopleShown, type Shown } from "./people_shown.ts";
import { type Host, Verbs } from "./verbs.ts";

const USERS_PER_ASK = 50;
/** The server's bound on one question. */
const USERS_MAX = 200;

export class Names extends Verbs<Host & Shown> {
  private asked = new Set<string>();

  fetchWanted(): void {
    const { wantedUsers } = this.app.model;
    const users = [...wantedUsers].filter((user) => !this.asked.has(user)).slice(0, USERS_PER_ASK);
    wantedUsers.clear();
    if (users.length === 0) return;
    for (const user of users) this.asked.add(user);
    this.fetch(users).catch(() => {
      for (const user of users) this.asked.delete(user);
    });
  }

  /** There was no connection for a while. */
  async refresh(): Promise<void> {
    const users = peopleShown(this.app).slice(0, USERS_MAX);
    // Without an answer there is no connection: it is asked when that comes back.
    if (users.length > 0) await this.fetch(users).catch(() => {});
  }

  private async fetch(users: string[]): Promise<void> {
    const answer = (await this.app.chat.command("user.get", { users })) as { users?: WireMember[] };
    this.app.model.learn(answer.users);
    this.app.changed();
  }
}
