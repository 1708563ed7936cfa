// Every English sentence of the lab. zh.ts has the same shape; the compiler holds them together.
import type { RowId } from "../catalog.ts";
import type { Cause, Lamp } from "../meter.ts";

const n = (value: number) => value.toLocaleString("en");
const plural = (value: number, one: string, many: string) => `${n(value)} ${value === 1 ? one : many}`;

export interface RowWords {
  name: string;
  /** For the timeline, where there is little room. */
  short: string;
  text: string;
}

const rows: Record<RowId, RowWords> = {
  poll: {
    name: "Polling",
    short: "Polling",
    text: "A request every two seconds, answered at once, mostly with nothing. It works through everything, and a message is on average half an interval late. Each question carries the cursor, so an answer that gets lost on its way is simply given again.",
  },
  longpoll: {
    name: "Long polling",
    short: "Long poll",
    text: "The server keeps the question until there is something to say, at most 25 seconds. The message is there at once; the price is one request for each burst of messages. This is what Wigeon starts with everywhere, before it tries anything better.",
  },
  xhr: {
    name: "XHR streaming",
    short: "XHR stream",
    text: "One answer that does not end, one JSON object a line, read while it still grows (readyState 3). Old engines hide the first 2 KiB, so the answer begins with that much padding; it ends itself after 128 KiB, because the browser keeps the whole text, and the library comes back with its cursor.",
  },
  iframe: {
    name: "Iframe streaming",
    short: "Iframe",
    text: "The forever frame: a hidden document that never finishes loading, with one small script element for each message, calling a function of this page. Messages are escaped so that no “</script>” in one of them can end the element. A broken connection fires no event here; only missing heartbeats tell.",
  },
  htmlfile: {
    name: "htmlfile streaming",
    short: "htmlfile",
    text: "The same frame inside ActiveXObject(\"htmlfile\"), a document in memory: Internet Explorer then neither clicks nor spins. No browser of today has it, so what you see here is the library's legacy build over a stand-in: a hidden frame's document that obeys the same rules.",
  },
  sse: {
    name: "Server-sent events",
    short: "SSE",
    text: "EventSource, made for exactly this: a text stream of events, each with its id. Here the id is the cursor, so even a bare EventSource resumes by itself. The library uses its own reconnect all the same: the built-in one gives up at the first 503.",
  },
  cors: {
    name: "CORS",
    short: "CORS",
    text: "What a page of another site sends: no header of our own (each would cost a preflight), a short-lived ticket in the address instead of a token, text/plain going up. The server answers listed origins by name, never with *. Here the same requests go to this page's own origin, because its security policy lets it talk to no other; the curl line shows the preflight.",
  },
  xdr: {
    name: "XDomainRequest",
    short: "XDR",
    text: "Internet Explorer 8 and 9 across origins: GET and POST only, no headers, no cookies, no status, and nothing of a stream before 2 KiB. The legacy build carries the line stream over it. The object here is a stand-in over fetch that enforces those rules.",
  },
  jsonp: {
    name: "JSONP",
    short: "JSONP",
    text: "A script tag may load from anywhere: the answer is a script that calls our function. It has no status and shows nothing before its end, so it is held like a long poll. The server demands a ticket, a known page as referrer and a harmless function name. Commands go up the same way.",
  },
  websocket: {
    name: "WebSocket",
    short: "WebSocket",
    text: "One connection, both ways, a few bytes of framing per message: what the others imitate. The token travels in the first frame, not in the address. When a proxy refuses the upgrade, all a script learns is 1006, and Wigeon reads on over one of the transports above, from the same cursor.",
  },
};

const lamps: Record<Lamp, string> = {
  off: "off",
  turn: "waits its turn",
  connecting: "connecting",
  online: "online",
  waiting: "will retry",
  offline: "network dropped",
  closed: "refused",
  absent: "not in this browser",
};

const causes: Record<Cause, string> = {
  ended: "answer was full",
  held_back: "held back on its way",
  timeout: "nothing came in time",
  dropped: "network dropped",
  refused: "refused",
  network: "connection lost",
};

export const en = {
  rows,
  lamps,
  causes,
  number: n,
  page: "Transport lab",
  title: "Every way to bring a message to a page",
  intro: "Ten transports read the same log of the same server, side by side, in the order in which a well-known Chinese tutorial explains them. Each is measured here, now, in your browser. Send something and watch it arrive ten times.",
  document: "The tutorial (in Chinese)",
  chat: "Chat",
  language: "Language",
  theme: "Appearance",
  themes: { system: "System", light: "Light", dark: "Dark" },
  chapters: { 3: "Full duplex, with little delay", 4: "Across origins", 5: "WebSocket" },

  opening: "Opening the bench…",
  failed: "The bench could not be opened:",
  again: "Try again",
  tokenTitle: "This server lets no guests in",
  tokenText: "Paste an access token; whoever runs the server makes one with",
  token: "Access token",
  tokenRefused: "The server does not accept this token.",
  tokenGo: "Open the bench",

  sent: "sent",
  arrived: "arrivals",
  missing: "missing",
  twice: "duplicates dropped",
  damaged: "changed on the way",
  verdictGood: (count: number) => `Over ${plural(count, "transport", "transports")}: nothing lost, nothing twice, nothing changed.`,
  verdictBad: "Something is missing. Please report it: this should not be possible.",
  verdictWaiting: "Waiting for the first messages…",

  controls: "Controls",
  pace: "Messages",
  paces: { 0: "Pause", 1: "1/s", 10: "10/s", 100: "100/s" },
  send: "Send one",
  fastFor: (s: number) => `Back to 1/s in ${s} s: every message stays in the server's log.`,
  size: "Text",
  bytes: (value: number) => (value < 1024 ? `${value} B` : `${value / 1024} KiB`),
  hostile: "Hostile text",
  hostileHint: "</script>, U+2028, line ends, NUL, quotes, emoji: each message is compared with what was sent.",
  drop: "Drop the network for 10 s",
  dropped: (s: number) => `Dropped: back in ${s} s`,
  delay: "Delay",
  delays: { 0: "None", 200: "200 ms", 1000: "1 s" },
  proxy: "Buffering proxy",
  proxyHint: "A layer of this page holds back whatever comes down until 4 KiB are full or the answer ends, as a proxy with default settings does.",
  standins: "Stand-ins for old IE",
  networkNote: "Delay and proxy are made on this page, around its own fetch, XMLHttpRequest, EventSource and WebSocket (delay only: once open, proxies let a WebSocket through). Frames and script tags load by themselves and pass by untouched: iframe, htmlfile, JSONP.",
  proxyNote: "The proxy is on. Watch the streams: they open, and nothing comes. The library notices that the heartbeat behind its first line does not arrive, and calls the transport held back. Left to choose by itself it would go on with long polling, whose answers end; here each is pinned to its transport, tries again, and still loses nothing.",
  refused: "The server refused a message:",

  timeline: "The last 30 seconds",
  timelineText: "Polling makes a comb, a stream one long bar. A dotted lamp waits for its turn.",
  legendRequest: "open request",
  legendPrompt: "message",
  legendLate: "more than 1 s late",
  timelineAria: "For each transport its open requests and the messages that arrived in the last 30 seconds. The numbers are in the panels below.",
  now: "now",
  seconds: (s: number) => `${s} s ago`,

  latency: "Latency",
  latencyAria: "Latency of the latest messages, logarithmic",
  noSamples: "nothing measured yet",
  messages: "Messages",
  caughtUp: (count: number) => `${n(count)} after a wait`,
  gaps: "Missing",
  duplicates: "Duplicates dropped",
  requests: "Requests",
  perMessage: (value: string) => `${value} per message`,
  down: "Down",
  up: "Up",
  event: "The event itself",
  overhead: "Around it",
  aMessage: "per message",
  reconnects: "Reconnects",
  wire: "On the wire",
  wireHold: "hold the pointer here to read",
  wireNothing: "Nothing yet.",
  curl: "In a terminal",
  curlHint: "The copied line carries the token of this tab.",
  copy: "Copy",
  copied: "Copied",
  running: (name: string) => `Run ${name}`,
  retryIn: (s: number) => `retries in ${s} s`,
  passesBy: "Not behind the proxy: loads by itself",
  standin: "stand-in",
  rehearsal: "own origin",

  aboutTitle: "What you should know",
  about: [
    {
      title: "Six connections",
      text: (protocol: string, limited: boolean) =>
        limited
          ? `This page came over ${protocol}: a browser then opens at most six connections to a host, for all its tabs together (WebSockets have their own). Eight of the ten hold one each. So four run at a time and take turns of some seconds; two stay free for polls and sends. Who waits keeps its cursor, and catches up when its turn comes: watch “missing” stay 0.`
          : `This page came over ${protocol}, which carries any number of requests over one connection, or few enough are switched on: nobody has to wait for a turn.`,
    },
    {
      title: "What is measured",
      text: () =>
        "Latency is the time from the call of send on this page, up over a WebSocket of its own, through the server's disk, down to the handler. Texts are counted as the library sends and takes them; what HTTP adds around them is estimated, since scripts cannot see it (TCP and TLS are left out). “Around it” is all of that, acknowledgements included, minus the events themselves.",
    },
    {
      title: "Which one Wigeon takes",
      text: () =>
        "Left to itself the library begins with long polling, which works at once, and tries WebSocket and one stream beside it. A better one takes over when it has shown that small pieces come through as they are sent, from the same cursor, so the change cannot be seen. When it falls silent the library steps down, and tries again later.",
    },
    {
      title: "Why nothing is lost",
      text: () =>
        "Every message has a place in one log, and a client asks for “what is after my cursor”, over whatever transport. What comes twice has a cursor it has passed and is dropped. That is the whole trick, and why you can pull every cable here.",
    },
  ],
};

export type Words = typeof en;
