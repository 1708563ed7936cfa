// What was being written, per conversation. In this tab it survives a reload at once; on the person's other
// devices it shows a moment after the writing stopped.
import type { Room } from "../model/room.ts";
import { tab } from "./keep.ts";

const key = (conversation: string) => `wigeon.draft.${conversation}`;

/** This tab's own, or else the one that another device left in the room. */
export const draftOf = (conversation: string, room: Room | undefined): string => tab.getItem(key(conversation)) ?? room?.prefs.draft?.text ?? "";

/** An empty text is kept as well: it says that the other device's draft was taken out here. */
export function keepDraft(conversation: string, text: string): void {
  tab.setItem(key(conversation), text);
}

/** What was begun to a person goes on in the room that has come of it. */
export function moveDraft(from: string, to: string): void {
  const text = tab.getItem(key(from));
  if (!text) return;
  keepDraft(to, text);
  keepDraft(from, "");
}

/** The other devices' word: what they have is what counts, unless something else is being written here. */
export function draftCame(conversation: string, before: string, now: string): void {
  if ((tab.getItem(key(conversation)) ?? before) === before) keepDraft(conversation, now);
}
