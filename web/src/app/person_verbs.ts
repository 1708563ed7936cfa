// What concerns the person alone: name, preferences on all devices, whom they block, and finding others.
import type { Prefs, WireMember } from "../wire.ts";
import { Verbs } from "./verbs.ts";

export class PersonVerbs extends Verbs {
  /** How many answers to `set` are awaited, by room. */
  private setting = new Map<string | undefined, number>();

  async rename(name: string): Promise<boolean> {
    if (!(await this.does("user.update", { name }))) return false;
    this.app.model.learn([{ id: this.app.model.me, name }]);
    this.app.changed();
    return true;
  }

  async find(q: string): Promise<WireMember[]> {
    const users = (await this.ask<{ users?: WireMember[] }>("user.search", { q, limit: 20 }))?.users ?? [];
    this.app.model.learn(users);
    return users.filter((user) => user.id !== this.app.model.me);
  }

  /** Named fields replace, null takes away. Shown at once; the server's word, which comes to all devices, settles it. */
  set(prefs: Prefs, room?: string): void {
    this.app.model.prefer(prefs, room);
    this.app.changed();
    const count = (by: number) => this.setting.set(room, (this.setting.get(room) ?? 0) + by);
    count(1);
    void this.does("prefs.set", { prefs, ...(room ? { room } : {}) }).then(() => count(-1));
  }

  /** What the server tells of a room's preferences is not yet what was set here last. */
  isSetting = (room: string): boolean => (this.setting.get(room) ?? 0) > 0;

  /** The conversation goes from the list until somebody writes there. */
  hide(room: string): void {
    const known = this.app.model.rooms.get(room);
    if (known) this.set({ hide: known.seq }, room);
  }

  async block(user: string, on: boolean): Promise<boolean> {
    if (!(await this.does("block.set", { user, on }))) return false;
    this.app.model.block(user, on);
    this.app.changed();
    return true;
  }
}
