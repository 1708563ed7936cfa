// One HTTP request and its whole answer, by whatever the engine has: fetch, XMLHttpRequest, or XDomainRequest (IE 8–9,
// other origin: no headers, no status). `status` 0 means that no answer came.
import { type Env, type Site } from "./env.ts";
import { retryAfterMs } from "./text.ts";

export interface HttpRequest {
  method: "GET" | "POST";
  url: string;
  body?: string;
  /** Content-Type of the body. */
  type?: string;
  bearer?: string | null;
  timeout_ms: number;
}

export type HttpDone = (status: number, text: string, retry_after_ms?: number) => void;

/** Starts it and returns how to abort it; after that `done` is not called. */
export type HttpClient = (env: Env, request: HttpRequest, done: HttpDone) => () => void;

export const hasFetch = (site: Site): boolean => !!site.env.root.fetch && !!site.env.root.AbortController;

/** An XHR that may reach the server: on another origin only one that knows CORS. */
export function hasXhr(site: Site): boolean {
  const X = site.env.root.XMLHttpRequest;
  return !!X && (!site.cross || "withCredentials" in new X());
}

export const hasXdr = (site: Site): boolean => !!site.env.root.XDomainRequest;

/** The best there is; null where only script tags can reach the server. */
export function httpClient(site: Site): HttpClient | null {
  return hasFetch(site) ? byFetch : hasXhr(site) ? byXhr : hasXdr(site) ? byXdr : null;
}

function headers(request: HttpRequest, set: (name: string, value: string) => void): void {
  if (request.type) set("Content-Type", request.type);
  if (request.bearer) set("Authorization", "Bearer " + request.bearer);
}

/** Lets exactly one outcome through and ends the clock with it. */
function once(env: Env, request: HttpRequest, done: HttpDone, abort: () => void): { done: HttpDone; abort: () => void } {
  let open = true;
  const close = (): boolean => {
    const was = open;
    open = false;
    env.cancel(timer);
    return was;
  };
  const timer = env.after(request.timeout_ms, () => {
    if (close()) { abort(); done(0, "timeout"); }
  });
  return {
    done: (status, text, retry) => { if (close()) done(status, text, retry); },
    abort: () => { if (close()) abort(); },
  };
}

const byFetch: HttpClient = (env, request, done) => {
  const control = new env.root.AbortController();
  const end = once(env, request, done, () => control.abort());
  const head: any = {};
  headers(request, (name, value) => { head[name] = value; });
  const body = request.body;
  env.root.fetch(request.url, {
    method: request.method, headers: head, body, signal: control.signal, credentials: "omit", cache: "no-store",
    // A send must outlive the page that closes right after it; browsers allow 64 KiB of that in flight.
    keepalive: !!body && body.length < 16000,
  }).then((answer: any) => answer.text().then((text: string) =>
    end.done(answer.status, text, retryAfterMs(answer.headers.get("Retry-After"), env.now()))),
  ).then(null, (error: any) => end.done(0, String(error)));
  return end.abort;
};

const byXhr: HttpClient = (env, request, done) => {
  const xhr = new env.root.XMLHttpRequest();
  const end = once(env, request, done, () => stopXhr(xhr));
  xhr.open(request.method, request.url, true);
  headers(request, (name, value) => xhr.setRequestHeader(name, value));
  xhr.onreadystatechange = () => {
    if (xhr.readyState !== 4) return;
    const status = xhrStatus(xhr);
    // Reading a header that CORS does not expose logs an error in some engines; it only matters on these two.
    const retry = status === 429 || status === 503 ? retryAfterMs(xhr.getResponseHeader("Retry-After"), env.now()) : undefined;
    end.done(status, status ? xhr.responseText : "", retry);
  };
  xhr.send(request.body || null);
  return end.abort;
};

/** IE throws on reading `status` early, says 1223 for 204 and Windows error numbers for lost connections. */
export function xhrStatus(xhr: any): number {
  let status = 0;
  try { status = xhr.status; } catch (_) { /* no status yet */ }
  return status === 1223 ? 204 : status > 599 ? 0 : status;
}

export function stopXhr(xhr: any): void {
  // IE 8 refuses null here.
  xhr.onreadystatechange = () => {};
  try { xhr.abort(); } catch (_) { /* already gone */ }
}

const byXdr: HttpClient = (env, request, done) => {
  let xdr: any = openXdr(env, request.method, request.url, request.body, () => {}, ok => {
    end.done(ok ? 200 : 0, ok ? xdr.responseText : "");
    xdr = null;
  });
  const end = once(env, request, done, () => stopXdr(xdr));
  return end.abort;
};

/** References to requests in flight: IE collects, and so aborts, what nothing holds. */
const held: any[] = [];

/** IE 9 aborts silently unless every handler is set before `send`, and `send` is called from a timer. */
export function openXdr(env: Env, method: string, url: string, body: string | undefined, progress: () => void, end: (ok: boolean) => void): any {
  const xdr = new env.root.XDomainRequest();
  held.push(xdr);
  const over = (ok: boolean) => () => {
    release(xdr);
    end(ok);
  };
  xdr.onprogress = progress;
  xdr.onload = over(true);
  xdr.onerror = xdr.ontimeout = over(false);
  xdr.timeout = 0x7fffffff;
  // IE caches even POSTs of XDomainRequest.
  xdr.open(method, url + "&t=" + env.now() + held.length);
  env.after(0, () => { if (isHeld(xdr)) xdr.send(body || ""); });
  return xdr;
}

export function stopXdr(xdr: any): void {
  if (!xdr) return;
  release(xdr);
  xdr.onprogress = xdr.onload = xdr.onerror = xdr.ontimeout = () => {};
  try { xdr.abort(); } catch (_) { /* not sent yet */ }
}

function isHeld(xdr: any): boolean {
  for (let i = 0; i < held.length; i++) if (held[i] === xdr) return true;
  return false;
}

function release(xdr: any): void {
  for (let i = held.length; i--;) if (held[i] === xdr) held.splice(i, 1);
}
