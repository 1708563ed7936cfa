// What can be done with rooms and the people in them. Who may do what is the server's to say; the view only
// leaves out what would surely be refused.
import type { Role } from "../model/room.ts";
import type { Invite, InvitedRoom, Policy, PublicRoom, WireMember, WireRoom } from "../wire.ts";
import { type Host, Verbs } from "./verbs.ts";

export interface RoomHost extends Host {
  /** Puts a room on screen. */
  show(key: string): void;
  refreshRoom(room: string): Promise<void>;
  /** A room has gone: it must not stay on screen. */
  closeLost(): void;
}

const MEMBERS_MAX = 100;

export class RoomVerbs extends Verbs<RoomHost> {
  private asked = new Set<string>();

  async create(kind: "group" | "channel", title: string, members: string[]): Promise<boolean> {
    const made = await this.ask<{ room: WireRoom }>("room.create", { kind, title, ...(members.length > 0 ? { members } : {}) });
    if (!made) return false;
    this.app.model.room(made.room);
    this.app.model.wantedRooms.add(made.room.id);
    this.enter(made.room.id);
    return true;
  }

  async join(room: string): Promise<boolean> {
    if (this.app.model.rooms.has(room)) {
      this.app.show(room);
      return true;
    }
    return (await this.does("room.join", { room })) && this.arrive(room);
  }

  private async arrive(room: string): Promise<boolean> {
    await this.app.refreshRoom(room);
    this.enter(room);
    return true;
  }

  private enter(room: string): void {
    this.app.model.touch(room, Date.now());
    this.app.show(room);
  }

  async leave(room: string): Promise<void> {
    if (!(await this.does("room.leave", { room }))) return;
    this.app.model.rooms.delete(room);
    this.app.closeLost();
  }

  update(room: string, change: { title?: string; policy?: Partial<Policy> }): Promise<boolean> {
    return this.does("room.update", { room, ...change });
  }

  async publicOnes(): Promise<PublicRoom[]> {
    return (await this.ask<{ rooms?: PublicRoom[] }>("room.list", { limit: 100 }))?.rooms ?? [];
  }

  // ---- members

  async members(room: string): Promise<WireMember[]> {
    const users = (await this.ask<{ users?: WireMember[] }>("member.list", { room, limit: MEMBERS_MAX }))?.users ?? [];
    if (users.length > 0) this.app.model.members(room, users);
    return users;
  }

  /** A room comes with its first members only; the rest are asked for when somebody is to be named. */
  learnMembers(room: { id: string; users: readonly WireMember[]; userCount: number }): void {
    if (room.users.length >= room.userCount || this.asked.has(room.id)) return;
    this.asked.add(room.id);
    void this.members(room.id);
  }

  async add(room: string, users: string[]): Promise<boolean> {
    if (!(await this.does("member.add", { room, users }))) return false;
    await this.app.refreshRoom(room);
    return true;
  }

  role = (room: string, user: string, role: Role) => this.does("member.role", { room, user, role });
  remove = (room: string, user: string) => this.does("member.remove", { room, user });
  ban = (room: string, user: string) => this.does("member.ban", { room, user });
  unban = (room: string, user: string) => this.does("member.unban", { room, user });
  /** `until` in ms since 1970; 0 lets them speak again. */
  mute = (room: string, user: string, until: number) => this.does("member.mute", { room, user, until });

  async banned(room: string): Promise<WireMember[]> {
    const users = (await this.ask<{ users?: WireMember[] }>("ban.list", { room, limit: MEMBERS_MAX }))?.users ?? [];
    this.app.model.learn(users);
    return users;
  }

  // ---- invitations

  async invites(room: string): Promise<Invite[]> {
    return (await this.ask<{ invites?: Invite[] }>("invite.list", { room }))?.invites ?? [];
  }

  async invite(room: string, bounds: { uses?: number; expires_in?: number }): Promise<Invite | undefined> {
    return (await this.ask<{ invite: Invite }>("invite.create", { room, ...bounds }))?.invite;
  }

  revoke = (code: string) => this.does("invite.revoke", { code });

  /** `null` where the invitation is good no more; `undefined` is a failure that was told. */
  async invitation(code: string): Promise<InvitedRoom | null | undefined> {
    try {
      return ((await this.app.chat.command("invite.get", { code })) as { room: InvitedRoom }).room;
    } catch (error) {
      if (["not_found", "gone"].includes((error as { code?: string }).code ?? "")) return null;
      this.app.complain(error);
      return undefined;
    }
  }

  async accept(code: string): Promise<boolean> {
    const answer = await this.ask<{ room: string }>("invite.accept", { code });
    return answer !== undefined && this.arrive(answer.room);
  }
}
