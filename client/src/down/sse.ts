// Server-Sent Events. The built-in reconnect is never used: it keeps the old URL (ticket, cursor), has no jitter, and
// dies on the first 503; on any error we close and come back with the cursor.
import type { Transport } from "../transport.ts";
import { fault } from "../fault.ts";
import { json } from "../text.ts";

export const sse: Transport = {
  name: "sse",
  family: "stream",
  ticket: "always",
  usable: site => !!site.env.root.EventSource,
  auto: () => true,
  open(link) {
    const url = link.url("sse");
    const source = new link.site.env.root.EventSource(url);
    link.tap("up", "GET " + url, 1);
    source.onmessage = (event: any) => {
      link.tap("down", (event.lastEventId && "id: " + event.lastEventId + "\n") + "data: " + event.data + "\n\n");
      link.frame(json(event.data));
    };
    source.onerror = () => {
      // 0: it was open and ended. 2: refused; the status is not told.
      const refused = source.readyState === 2;
      source.close();
      link.end(refused ? fault("network") : null);
    };
    return { close: () => source.close() };
  },
};
