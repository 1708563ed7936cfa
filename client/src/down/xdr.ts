// ndjson through XDomainRequest, IE 8–9 across origins: no headers, no cookies, no status; text shows only after 2 KiB.
import type { Transport } from "../transport.ts";
import { hasXdr, openXdr, stopXdr } from "../http.ts";
import { fault } from "../fault.ts";
import { json, lineReader } from "../text.ts";

export const xdr: Transport = {
  name: "xdr",
  kind: "stream",
  ticket: "always",
  usable: hasXdr,
  auto: site => site.cross,
  open(link) {
    let read = 0, open = true;
    const url = link.url("ndjson", { padding: 2048 });
    const feed = lineReader(line => {
      const frame = json(line);
      if (open && frame) link.frame(frame);
    });
    const take = () => {
      const text = request.responseText || "", more = text.slice(read);
      read = text.length;
      if (!open || !more) return;
      link.raw("down", more);
      feed(more);
    };
    link.raw("up", "GET " + url, 1);
    const request = openXdr(link.site.env, "GET", url, undefined, take, ok => {
      if (ok) take();
      if (!open) return;
      open = false;
      link.end(ok ? null : fault("network", "XDomainRequest failed"));
    });
    return { close() { open = false; stopXdr(request); } };
  },
};
