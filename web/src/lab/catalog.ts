// The ten instruments, in the order of the founding document, and what each needs to run.
import type { TransportName, UplinkName } from "wigeon-client";
import type { Wire } from "./wire.ts";

export type RowId = "poll" | "longpoll" | "xhr" | "iframe" | "htmlfile" | "sse" | "cors" | "xdr" | "jsonp" | "websocket";

export interface Row {
  id: RowId;
  /** Where the founding document writes of it. */
  section: string;
  transport: TransportName;
  uplink: UplinkName;
  wire: Wire;
  /** It holds one of the browser's connections to the host while it waits. */
  held: boolean;
  /** The library's legacy build has it, over an object that only old Internet Explorers have. */
  standin?: "htmlfile" | "xdr";
  /** It speaks as a page of another site must. */
  cross?: boolean;
  /** Messages may pass a proxy on this page: frames and script tags load by themselves. */
  dammed: boolean;
}

export const ROWS: readonly Row[] = [
  { id: "poll", section: "3.1", transport: "poll", uplink: "post", wire: "answer", held: false, dammed: true },
  { id: "longpoll", section: "3.2", transport: "longpoll", uplink: "post", wire: "answer", held: true, dammed: true },
  { id: "xhr", section: "3.3.1", transport: "xhr-stream", uplink: "post", wire: "lines", held: true, dammed: true },
  { id: "iframe", section: "3.3.2", transport: "iframe", uplink: "text", wire: "frame", held: true, dammed: false },
  { id: "htmlfile", section: "3.3.3", transport: "htmlfile", uplink: "text", wire: "frame", held: true, standin: "htmlfile", dammed: false },
  { id: "sse", section: "3.4", transport: "sse", uplink: "post", wire: "sse", held: true, dammed: true },
  { id: "cors", section: "4.1", transport: "longpoll", uplink: "text", wire: "answer", held: true, cross: true, dammed: true },
  { id: "xdr", section: "4.2", transport: "xdr", uplink: "text", wire: "lines", held: true, cross: true, standin: "xdr", dammed: true },
  { id: "jsonp", section: "4.3", transport: "jsonp", uplink: "jsonp", wire: "script", held: true, cross: true, dammed: false },
  { id: "websocket", section: "5", transport: "websocket", uplink: "websocket", wire: "socket", held: false, dammed: true },
];

export const CHAPTERS = ["3", "4", "5"] as const;
export const rowsOf = (chapter: string): Row[] => ROWS.filter((row) => row.section[0] === chapter);

/** A line for a terminal that shows the same bytes. The address comes first: it is what differs. */
export function curlLine(row: Row, origin: string, token: string): string {
  const bearer = `-H 'Authorization: Bearer ${token}'`;
  const url = (query: string) => `'${origin}/v1/events?transport=${query}'`;
  switch (row.id) {
    case "poll": return `curl -i ${url("poll&last=3")} ${bearer}`;
    case "longpoll": return `curl -i ${url("longpoll&wait=25")} ${bearer}`;
    case "xhr": return `curl -N ${url("ndjson&padding=2048&last=3")} ${bearer}`;
    case "iframe": return `curl -N ${url("iframe&callback=parent.show&last=3")} ${bearer}`;
    case "htmlfile": return `curl -N ${url("htmlfile&callback=parent.show&last=3")} ${bearer}`;
    case "sse": return `curl -N ${url("sse&last=3")} ${bearer}`;
    case "cors": return `curl -i -X OPTIONS ${url("longpoll")} -H 'Origin: ${origin}' -H 'Access-Control-Request-Method: GET' -H 'Access-Control-Request-Headers: authorization'`;
    case "xdr": return `curl -N ${url("ndjson&padding=2048")} -H 'Origin: ${origin}' ${bearer}`;
    case "jsonp": return `curl -i ${url("jsonp&callback=show&last=3")} -e '${origin}/lab' ${bearer}`;
    case "websocket": return `curl -N --http1.1 '${origin}/v1/events?last=3' -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' ${bearer} -o -`;
  }
}
