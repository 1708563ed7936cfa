// WebSocket: frames both ways, several to a message. The token travels in the first frame, never in the URL.
import type { Transport } from "../transport.ts";
import { commandId } from "../env.ts";
import { fromClose } from "../fault.ts";
import { json, lineReader } from "../text.ts";

/** Beyond this the network is slower than we: what is left stays in the outbox. */
const BUFFERED_BYTES_MAX = 1 << 20;

export const websocket: Transport = {
  name: "websocket",
  family: "websocket",
  ticket: "never",
  usable: site => !!site.env.root.WebSocket,
  auto: () => true,
  open(link) {
    const { env } = link.site, url = link.url("websocket").replace(/^http/, "ws");
    const socket = new env.root.WebSocket(url);
    const send = (text: string): boolean => {
      if (socket.readyState !== 1 || socket.bufferedAmount > BUFFERED_BYTES_MAX) return false;
      link.tap("up", text);
      socket.send(text);
      return true;
    };
    link.tap("up", "GET " + url, 1);
    socket.onopen = () => {
      if (link.bearer) send(JSON.stringify({ id: commandId(env), type: "hello", token: link.bearer, after: link.after() }));
    };
    socket.onmessage = (event: any) => {
      link.tap("down", event.data);
      lineReader(line => link.frame(json(line)))(event.data + "\n");
    };
    socket.onclose = (event: any) => link.end(fromClose(event.code, event.reason));
    return {
      send,
      // A dead peer keeps a socket in CLOSING for long, and one in CONNECTING blocks all others to this host: close, never wait.
      close: () => socket.close(),
    };
  },
};
