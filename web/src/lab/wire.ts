// What passes on the wire, as far as a script can know it. The library tells the text of everything it sends and takes
// (`raw` events); this file finds the frames in it, puts back the framing that browsers hide from scripts, and
// estimates what HTTP adds. Estimates are said to be estimates on the page.
import type { Frame, Raw } from "wigeon-client";

/** How frames are put into what comes down. */
export type Wire = "answer" | "lines" | "sse" | "frame" | "script" | "socket";

const encoder = new TextEncoder();
export const bytesOfText = (text: string): number => encoder.encode(text).length;

/** As the server escapes JSON, so that it is safe inside a script element too. */
export function escaped(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** The bytes of an event, the same for every transport. */
export const bytesOfEvent = (frame: Frame): number => bytesOfText(escaped(JSON.stringify(frame)));

function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Takes frames out of texts in the order they come. A line may be split over two pieces of a stream. */
export class FrameFinder {
  private rest = "";

  constructor(private readonly wire: Wire) {}

  /** A new answer begins: half a line of the old one means nothing. */
  restart(): void {
    this.rest = "";
  }

  take(text: string): Frame[] {
    if (this.wire === "answer" || this.wire === "script") return parse(text)?.frames ?? [];
    if (this.wire === "frame") return this.lines([text]);
    if (this.wire === "socket") return this.lines(text.split("\n"));
    if (this.wire === "sse") return this.lines(text.split("\n").map((line) => line.replace(/^data: ?|^id:.*/, "")));
    const parts = (this.rest + text).split("\n");
    this.rest = parts.pop() ?? "";
    return this.lines(parts);
  }

  private lines(lines: string[]): Frame[] {
    return lines.map(parse).filter((frame) => frame?.type !== undefined);
  }
}

const SHOWN_MAX = 360;

/** The text as it stood on the wire, shortened for reading. */
export function shown(wire: Wire, raw: Raw): string {
  let text = raw.text;
  if (raw.direction === "down" && (raw.transport === "iframe" || raw.transport === "htmlfile")) text = `<script nonce="…">p(${escaped(text)})</script>`;
  else if (raw.direction === "down" && raw.transport === "jsonp") text = `/**/wigeon_…(${escaped(text)});`;
  else if (wire === "lines" && raw.direction === "down") text = text.replace(/^ {16,}/, (pad) => `␠×${pad.length}`);
  text = text.replace(/\s+$/, "");
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}… +${text.length - SHOWN_MAX}` : text;
}

/** Sizes no script can see: this browser's usual request head, the server's response head, a Bearer header. */
export interface Heads {
  request: number;
  response: number;
  bearer: number;
}

/** The first bytes of a frame's document: its script and the padding that old parsers wait for. */
const FRAME_PRELUDE = 2_300;
const FRAME_AROUND = '<script nonce="0123456789abcdefghijkl">p()</script>\n'.length;
const SCRIPT_AROUND = "/**/wigeon_0123456789ab();\r\n".length;
const REQUEST_LINE_REST = " HTTP/1.1\r\n".length;

const chunkAround = (bytes: number): number => bytes.toString(16).length + 4;
/** RFC 6455 §5.2; what browsers send is masked. */
const socketAround = (bytes: number, masked: boolean): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10) + (masked ? 4 : 0);

/** What one raw event costs on the wire, HTTP heads included, TCP and TLS not. */
export function cost(raw: Raw, heads: Heads): { up: number; down: number } {
  const { bytes, text, transport } = raw;
  const socket = transport === "websocket";
  if (raw.direction === "up") {
    if (!/^(GET|POST) /.test(text)) return { up: bytes + socketAround(bytes, true), down: 0 };
    const bearer = text.includes("ticket=") || socket ? 0 : heads.bearer;
    const up = bytes + REQUEST_LINE_REST + heads.request + bearer;
    if (transport === "iframe" || transport === "htmlfile") return { up, down: heads.response + FRAME_PRELUDE };
    const begins = socket || transport === "sse" || transport === "xhr-stream" || transport === "fetch-stream" || transport === "xdr";
    return { up, down: begins ? heads.response : 0 };
  }
  if (socket) return { up: 0, down: bytes + socketAround(bytes, false) };
  if (transport === "iframe" || transport === "htmlfile") return { up: 0, down: bytes + FRAME_AROUND + chunkAround(bytes + FRAME_AROUND) };
  if (transport === "sse" || transport === "xhr-stream" || transport === "fetch-stream" || transport === "xdr") return { up: 0, down: bytes + chunkAround(bytes) };
  return { up: 0, down: bytes + heads.response + (transport === "jsonp" ? SCRIPT_AROUND : 0) };
}
