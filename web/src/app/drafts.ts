// What was being written, per conversation; survives reloads.
import { tab } from "./keep.ts";

const key = (conversation: string) => `wigeon.draft.${conversation}`;

export const draftOf = (conversation: string): string => tab.getItem(key(conversation)) ?? "";

export function keepDraft(conversation: string, text: string): void {
  if (text) tab.setItem(key(conversation), text);
  else tab.removeItem(key(conversation));
}
