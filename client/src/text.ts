// Pure text work: query strings, lines, sizes, the order of cursors. No state, no engine.

export interface Params { [name: string]: string | number | null | undefined }

export function query(params: Params): string {
  let out = "";
  for (const name in params) {
    const value = params[name];
    if (value != null && value !== "") out += (out ? "&" : "?") + name + "=" + encodeURIComponent(value);
  }
  return out;
}

/** Takes complete lines out of a text that grows: the part after the last newline waits for more. */
export function lineReader(line: (text: string) => void): (more: string) => void {
  let rest = "";
  return more => {
    const parts = (rest + more).split("\n");
    rest = parts.pop()!;
    for (const part of parts) if (/\S/.test(part)) line(part);
  };
}

export function json(text: any): any {
  try { return JSON.parse(text); } catch (_) { return undefined; }
}

/** How many bytes UTF-8 takes; half a surrogate pair counts half of four. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0x7ff && (c < 0xd800 || c > 0xdfff)) bytes += 2;
    else if (c > 0x7f) bytes += 1;
  }
  return bytes;
}

/** Cursors of one epoch (nine characters) sort as strings. True when `a` is at or before `b`. */
export function isSeen(a: string, b: string | null): boolean {
  return !!b && a.slice(0, 9) === b.slice(0, 9) && a <= b;
}

/** `Retry-After` in seconds, to milliseconds. (As a date it is of another clock than ours: back-off decides then.) */
export const retryAfterMs = (header: any): number | undefined => header * 1000 || undefined;

/** The `sub` of a JWT, unchecked: only to name the stored outbox before the server has told who we are. IE ≤ 9 waits for that. */
export function subject(root: any, token: string): string | null {
  try {
    return JSON.parse(root.atob(token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"))).sub || null;
  } catch (_) {
    return null;
  }
}

/** Tickets are credentials: they stay out of instruments and logs. */
export const redact = (text: string): string => text.replace(/(ticket=|"(?:ticket|token)":")[^&"]*/g, "$1…");
