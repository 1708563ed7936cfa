// Does this Enter key send? While an input method composes (Chinese, Japanese, Korean), Enter chooses a
// candidate. Chrome then says isComposing; older engines say keyCode 229; Safari fires compositionend
// *before* the Enter that ended it, so an Enter right after one is still the input method's.

export const AFTER_COMPOSITION_MS = 50;

export interface Key {
  key: string;
  keyCode: number;
  isComposing: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

export function enterSends(key: Key, now: number, compositionEnded: number, touch: boolean): boolean {
  if (key.key !== "Enter" || key.shiftKey || key.altKey) return false;
  if (composing(key, now, compositionEnded)) return false;
  return !touch;
}

export function composing(key: Key, now: number, compositionEnded: number): boolean {
  return key.isComposing || key.keyCode === 229 || now - compositionEnded < AFTER_COMPOSITION_MS;
}
