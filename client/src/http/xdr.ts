// HTTP by XDomainRequest (IE 8–9, another origin): no headers, no cookies, no status, no Content-Type; of a stream nothing
// shows before 2 KiB.
import type { Site } from "../site.ts";
import { once } from "./http.ts";
import type { HttpClient } from "../site.ts";
import { has, pick } from "../list.ts";

export const hasXdr = (site: Site): boolean => !!site.env.root.XDomainRequest;

/** Requests in flight: IE collects, and so aborts, what nothing refers to. */
let held: any[] = [];

export const byXdr: HttpClient = (env, request, done) => {
  const xdr = new env.root.XDomainRequest(), { piece } = request;
  let read = 0;
  const release = () => { held = pick(held, other => other !== xdr); };
  const end = once(env, request, done, () => {
    release();
    try { xdr.abort(); } catch (_) { /* not sent yet */ }
  });
  const take = () => {
    const text = xdr.responseText, more = text.slice(read);
    if (!piece || !more || !has(held, xdr)) return;
    read = text.length;
    piece(more);
  };
  held.push(xdr);
  // IE 9 aborts silently unless every handler is set before `send`, and `send` is called from a timer.
  xdr.onprogress = take;
  xdr.onload = () => {
    take();
    release();
    end.done(200, xdr.responseText);
  };
  xdr.onerror = xdr.ontimeout = () => {
    release();
    end.done(0, "");
  };
  xdr.timeout = 0x7fffffff;
  // IE caches even POSTs of XDomainRequest.
  xdr.open(request.method, request.url + "&t=" + env.now() + held.length);
  env.after(0, () => { if (has(held, xdr)) xdr.send(request.body || ""); });
  return end.abort;
};

byXdr.bare = true;
