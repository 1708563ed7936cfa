// HTTP by XMLHttpRequest, and what is odd about it in old engines. A stream's text is read while it grows (readyState 3);
// never so in IE ≤ 9, which shows nothing before the end.
import type { Site } from "../site.ts";
import { headers, once } from "./http.ts";
import type { HttpClient } from "../site.ts";
import { retryAfterMs } from "../text.ts";

/** One that may reach the server: on another origin only one that knows CORS. */
export function hasXhr(site: Site): boolean {
  const X = site.env.root.XMLHttpRequest;
  return !!X && (!site.cross || "withCredentials" in new X());
}

export const byXhr: HttpClient = (env, request, done) => {
  const xhr = new env.root.XMLHttpRequest(), { piece } = request;
  let read = 0;
  const end = once(env, request, done, () => {
    // IE 8 refuses null here.
    xhr.onreadystatechange = () => {};
    try { xhr.abort(); } catch (_) { /* already gone */ }
  });
  xhr.open(request.method, request.url, true);
  headers(request, (name, value) => xhr.setRequestHeader(name, value));
  xhr.onreadystatechange = () => {
    if (xhr.readyState < 3) return;
    let status = 0, text = "";
    // IE throws on reading these too early.
    try {
      status = xhr.status;
      text = xhr.responseText;
    } catch (_) { /* not yet */ }
    // IE says 12029 and the like for a lost connection.
    if (status > 599) status = 0;
    // On a network error responseText is cleared: what was not read comes again after the cursor.
    if (piece && status === 200 && text.length > read) {
      const more = text.slice(read);
      read = text.length;
      piece(more);
    }
    // Reading a header that CORS does not expose logs an error in some engines; it only matters on 429 and 503.
    if (xhr.readyState === 4) end.done(status, text, retryAfterMs(status > 428 && xhr.getResponseHeader("Retry-After")));
  };
  xhr.send(request.body || null);
  return end.abort;
};
