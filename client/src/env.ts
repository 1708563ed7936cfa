// What the engine gives: time, chance and the global object. Everything else takes these as arguments, so that tests
// advance a clock instead of sleeping. Globals are looked up when used, never at load: a page may polyfill later.

export interface Env {
  root: any;
  now(): number;
  after(ms: number, then: () => void): any;
  cancel(timer: any): void;
  /** [0, 1) */
  chance(): number;
  /** `count` random bytes, from a CSPRNG where the engine has one. */
  bytes(count: number): ArrayLike<number>;
  /** Adds a listener to a window, a document or an element, if it is there; returns how to remove it. */
  listen(target: any, type: string, then: (event: any) => void): () => void;
}

const root: any = typeof window !== "undefined" ? window : typeof self !== "undefined" ? self : globalThis;

export const engine: Env = {
  root,
  now: () => +new Date(),
  after: (ms, then) => root.setTimeout(then, ms),
  cancel: timer => root.clearTimeout(timer),
  chance: () => Math.random(),
  bytes: count => root.crypto.getRandomValues(new Uint8Array(count)),
  listen(target, type, then) {
    target?.addEventListener?.(type, then);
    return () => target?.removeEventListener?.(type, then);
  },
};

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** `count` characters of five random bits each. */
export function random(env: Env, count: number): string {
  const bytes = env.bytes(count);
  let out = "";
  for (let i = 0; i < count; i++) out += ALPHABET.charAt(bytes[i]! & 31);
  return out;
}

/** An id for a command: 45 bits of time first, so that ids sort by when they were made, then 100 random bits. */
export function commandId(env: Env): string {
  let time = env.now(), head = "";
  for (let i = 0; i < 9; i++) {
    head = ALPHABET.charAt(time % 32) + head;
    time = Math.floor(time / 32);
  }
  return head + random(env, 20);
}
