// ndjson through fetch and a ReadableStream: no growing responseText, no 50 ms throttle, no prelude.
import type { Transport } from "../transport.ts";
import { hasFetch } from "../http.ts";
import { fault, fromResponse } from "../fault.ts";
import { json, lineReader, retryAfterMs } from "../text.ts";

export const fetchStream: Transport = {
  name: "fetch-stream",
  kind: "stream",
  ticket: "cross",
  usable: site => hasFetch(site) && !!site.env.root.ReadableStream && !!site.env.root.TextDecoder,
  auto: () => true,
  open(link) {
    const { env } = link.site;
    const control = new env.root.AbortController();
    const url = link.url("ndjson");
    let open = true;
    const end: typeof link.end = error => {
      if (open) { open = false; link.end(error); }
    };
    link.raw("up", "GET " + url, 1);
    env.root.fetch(url, {
      headers: link.bearer ? { Authorization: "Bearer " + link.bearer } : {}, signal: control.signal, credentials: "omit", cache: "no-store",
    }).then((answer: any) => {
      if (answer.status !== 200 || !answer.body) {
        return answer.text().then((text: string) => end(fromResponse(answer.status, text, retryAfterMs(answer.headers.get("Retry-After"), env.now()))));
      }
      const reader = answer.body.getReader(), decoder = new env.root.TextDecoder();
      const feed = lineReader(line => {
        const frame = json(line);
        if (open && frame) link.frame(frame);
      });
      const pump = (): any => reader.read().then((chunk: any) => {
        if (!open) return;
        if (chunk.done) return end(null);
        // `stream: true`: a character may be split over two chunks.
        const text = decoder.decode(chunk.value, { stream: true });
        link.raw("down", text);
        feed(text);
        return pump();
      });
      return pump();
    }).then(null, (error: any) => end(fault("network", String(error))));
    return { close() { open = false; control.abort(); } };
  },
};
