// What the engine gives: time, chance and the global object. Everything else takes these as arguments, so that tests
// advance a clock instead of sleeping. Globals are looked up when used, never at load: a page may polyfill later.

export interface Env {
  root: any;
  now(): number;
  after(ms: number, then: () => void): any;
  cancel(timer: any): void;
  /** [0, 1) */
  random(): number;
}

const root: any = typeof window !== "undefined" ? window : typeof self !== "undefined" ? self : globalThis;

export const engine: Env = {
  root,
  now: () => +new Date(),
  after: (ms, then) => root.setTimeout(then, ms),
  cancel: timer => root.clearTimeout(timer),
  random: () => Math.random(),
};

/** Where the server is, seen from here. */
export interface Site {
  env: Env;
  /** No slash at the end. */
  base: string;
  /** Another origin than the page's: requests with our own headers would cost a preflight each. */
  cross: boolean;
}

export function site(env: Env, url?: string): Site {
  const at = env.root.location;
  // IE ≤ 10 has no location.origin.
  const own = at && /^http/.test(at.protocol) ? at.protocol + "//" + at.host : "";
  const base = (url || own).replace(/\/+$/, "");
  return { env, base, cross: !!own && base !== own };
}

/** Adds a listener to the window or the document of any age; returns how to remove it. */
export function listen(target: any, type: string, then: (event: any) => void): () => void {
  if (!target) return () => {};
  if (target.addEventListener) {
    target.addEventListener(type, then);
    return () => target.removeEventListener(type, then);
  }
  if (target.attachEvent) {
    target.attachEvent("on" + type, then);
    return () => target.detachEvent("on" + type, then);
  }
  return () => {};
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** `count` characters of five random bits each, from the engine's CSPRNG where it has one. */
export function random(env: Env, count: number): string {
  const crypto = env.root.crypto || env.root.msCrypto;
  const bytes = crypto && crypto.getRandomValues && env.root.Uint8Array && crypto.getRandomValues(new env.root.Uint8Array(count));
  let out = "";
  for (let i = 0; i < count; i++) out += ALPHABET.charAt(bytes ? bytes[i] & 31 : Math.floor(env.random() * 32));
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
