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
    for (let i = 0; i < parts.length; i++) if (/\S/.test(parts[i]!)) line(parts[i]!);
  };
}

export function json(text: string): any {
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

/** `Retry-After` in seconds or as a date, to milliseconds from now. */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? +header * 1000 : Date.parse(header) - now;
  return ms >= 0 ? ms : undefined;
}

/** The `sub` of a JWT, unchecked: only to name the stored outbox before the server has told who we are. */
export function subject(token: string): string | null {
  const part = token.split(".")[1] || "";
  let bits = 0, held = 0, out = "";
  for (let i = 0; i < part.length; i++) {
    const v = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(part.charAt(i));
    if (v < 0) return null;
    held = (held << 6 | v) & 0xffff;
    bits += 6;
    if (bits >= 8) out += String.fromCharCode(held >> (bits -= 8) & 255);
  }
  const claims = json(out);
  return claims && typeof claims.sub === "string" ? claims.sub : null;
}

/** Tickets are credentials: they stay out of instruments and logs. */
export const redact = (text: string): string => text.replace(/(ticket=|"(?:ticket|token)":")[^&"]*/g, "$1…");
