// ndjson through XMLHttpRequest: `responseText` is read while it grows (readyState 3). Never in IE ≤ 9, which shows
// nothing before the end; the proof finds that out. The server ends the answer by size, so the text stays bounded.
import type { Transport } from "../transport.ts";
import { hasFetch, hasXhr, stopXhr, xhrStatus } from "../http.ts";
import { fromResponse } from "../fault.ts";
import { json, lineReader } from "../text.ts";

export const xhrStream: Transport = {
  name: "xhr-stream",
  kind: "stream",
  ticket: "cross",
  usable: hasXhr,
  auto: site => !hasFetch(site),
  open(link) {
    const xhr = new link.site.env.root.XMLHttpRequest();
    // IE shows text only after 2 KiB, old WebKits after 1 KiB.
    const url = link.url("ndjson", { padding: 2048 });
    let read = 0, open = true;
    const feed = lineReader(line => {
      const frame = json(line);
      if (open && frame) link.frame(frame);
    });
    xhr.open("GET", url, true);
    if (link.bearer) xhr.setRequestHeader("Authorization", "Bearer " + link.bearer);
    xhr.onreadystatechange = () => {
      if (!open || xhr.readyState < 3) return;
      const status = xhrStatus(xhr);
      let text = "";
      try { text = xhr.responseText; } catch (_) { /* IE: not readable yet */ }
      // On a network error responseText is cleared: what was not parsed comes again after the cursor.
      if (status === 200 && text.length > read) {
        const more = text.slice(read);
        read = text.length;
        link.raw("down", more);
        feed(more);
      }
      if (open && xhr.readyState === 4) {
        open = false;
        link.end(status === 200 ? null : fromResponse(status, text));
      }
    };
    link.raw("up", "GET " + url, 1);
    xhr.send(null);
    return { close() { open = false; stopXhr(xhr); } };
  },
};
