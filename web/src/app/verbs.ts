// What the verbs of a kind (messages, rooms, reading, preferences) need of the app they belong to.
import type { Chat } from "../tabs/chat.ts";
import type { Model } from "../model/model.ts";

export interface Host {
  readonly chat: Chat;
  readonly model: Model;
  changed(): void;
  /** Tells the person why something did not work. */
  complain(error: unknown): void;
  toast(text: string): void;
}

export class Verbs<H extends Host = Host> {
  constructor(protected readonly app: H) {}

  /** A command whose failure is told to the person; `undefined` is that failure. */
  protected async ask<T = object>(type: string, fields: Record<string, unknown>): Promise<T | undefined> {
    try {
      return ((await this.app.chat.command(type, fields)) ?? {}) as T;
    } catch (error) {
      this.app.complain(error);
      return undefined;
    }
  }

  protected async does(type: string, fields: Record<string, unknown>): Promise<boolean> {
    return (await this.ask(type, fields)) !== undefined;
  }
}
