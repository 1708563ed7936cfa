// One frame a line in an answer that goes on, by any HTTP client: fetch, XMLHttpRequest, XDomainRequest. The server ends
// it by size, so that what an old engine must hold stays bounded.
import type { Transport } from "../transport.ts";
import type { TransportName } from "../types.ts";
import type { Site } from "../site.ts";
import type { HttpClient } from "../site.ts";
import { fromResponse } from "../fault.ts";
import { json, lineReader } from "../text.ts";

/** IE shows the text only after 2 KiB, old WebKits after 1 KiB. */
export const PRELUDE = 2048;

export function ndjson(name: TransportName, http: HttpClient, padding: number, usable: (site: Site) => boolean, auto: (site: Site) => boolean): Transport {
  return {
    name, family: "stream", usable, auto,
    ticket: http.bare ? "always" : "cross",
    open(link) {
      const url = link.url("ndjson", { padding: padding || null });
      const feed = lineReader(line => link.frame(json(line)));
      link.tap("up", "GET " + url, 1);
      return {
        close: http(link.site.env, {
          method: "GET", url, bearer: link.bearer,
          piece(text) {
            link.tap("down", text);
            feed(text);
          },
        }, (status, text, retry) => link.end(status === 200 ? null : fromResponse(status, text, retry))),
      };
    },
  };
}
