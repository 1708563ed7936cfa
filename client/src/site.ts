// Where the server is, and what this engine has to reach it with.
import type { Env } from "./env.ts";

export interface HttpRequest {
  method: "GET" | "POST";
  url: string;
  body?: string;
  /** Content-Type of the body. */
  type?: string;
  bearer?: string | null;
  /** None: it may last. */
  timeout_ms?: number;
  /** Gets a good answer's text as it comes; `done` then gets no text. */
  piece?: (text: string) => void;
}

export type HttpDone = (status: number, text: string, retry_after_ms?: number) => void;

/** Starts it and returns how to abort it; after that `done` is not called. */
export interface HttpClient {
  (env: Env, request: HttpRequest, done: HttpDone): () => void;
  /** It cannot set headers. */
  bare?: boolean;
}

/** What a build has to reach this server with; null where only script tags can. */
export type HttpChoice = (site: Site) => HttpClient | null;

/** Where the server is, seen from here. */
export interface Site {
  env: Env;
  /** No slash at the end. */
  base: string;
  /** Another origin than the page's: requests with our own headers would cost a preflight each. */
  cross: boolean;
  /** Null where only script tags reach the server. */
  http: HttpClient | null;
}

export function site(env: Env, http: HttpChoice, url?: string): Site {
  const at = env.root.location;
  // IE ≤ 10 has no location.origin.
  const own = at ? at.protocol + "//" + at.host : "";
  const base = (url || own).replace(/\/+$/, "");
  const found: Site = { env, base, cross: !!own && base !== own, http: null };
  found.http = http(found);
  return found;
}
