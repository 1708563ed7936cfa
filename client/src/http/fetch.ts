// HTTP by fetch: every engine that can run the modern build, and Node. Streams need no prelude, and hold no growing text.
import type { Site } from "../site.ts";
import { headers, once } from "./http.ts";
import type { HttpClient } from "../site.ts";
import { retryAfterMs } from "../text.ts";

export const hasFetch = (site: Site): boolean => !!site.env.root.fetch;

export const byFetch: HttpClient = (env, request, done) => {
  const control = new AbortController(), head: any = {}, { method, body, piece } = request;
  const end = once(env, request, done, () => control.abort());
  headers(request, (name, value) => { head[name] = value; });
  env.root.fetch(request.url, {
    method, body, headers: head, signal: control.signal, credentials: "omit", cache: "no-store",
    // A send must outlive the page that closes right after it; browsers allow 64 KiB of that in flight.
    keepalive: !!body && body.length < 16000,
  }).then((answer: any) => {
    const finish = (text: string) => end.done(answer.status, text, retryAfterMs(answer.headers.get("Retry-After")));
    if (!piece || answer.status !== 200) return answer.text().then(finish);
    const reader = answer.body.getReader(), decoder = new TextDecoder();
    const pump = (): any => reader.read().then((chunk: any) => {
      if (chunk.done) return finish("");
      // `stream: true`: a character may be split over two chunks.
      piece(decoder.decode(chunk.value, { stream: true }));
      return pump();
    });
    return pump();
  }).then(null, () => end.done(0, ""));
  return end.abort;
};
