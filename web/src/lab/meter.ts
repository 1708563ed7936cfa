// The instrument of one transport: everything the page shows of it, from the library's public events alone. It takes
// the time as an argument and touches nothing, so that tests can play a day to it in a millisecond.
import type { Message, Raw, State } from "wigeon-client";
import { Lane } from "./timeline.ts";
import { Samples } from "./stats.ts";
import { bytesOfEvent, cost, FrameFinder, type Heads, shown, type Wire } from "./wire.ts";

export type Lamp = "off" | "turn" | "connecting" | "online" | "waiting" | "offline" | "closed" | "absent";

/** Why a connection was opened again. */
export type Cause = "ended" | "held_back" | "timeout" | "dropped" | "refused" | "network";

export interface TapLine {
  at: number;
  direction: "up" | "down";
  bytes: number;
  text: string;
}

const TAP_MAX = 12;
const LATE_MS = 1_000;

/** `#12 1795410374734.2 …`: number and time of sending stand at the beginning of the text. */
export function stampOf(text: string): { n: number; sent_at: number } | null {
  const found = /^#(\d+) (\d+(?:\.\d+)?) /.exec(text);
  return found ? { n: Number(found[1]), sent_at: Number(found[2]) } : null;
}

export class Meter {
  lamp: Lamp = "off";
  error: { code: string; message: string } | null = null;
  retry_at: number | null = null;
  messages = 0;
  /** Messages that are missing. */
  gaps = 0;
  /** Messages whose text is not what was sent. */
  damaged = 0;
  /** Messages fetched after waiting for a turn; their age says nothing about the transport. */
  caught_up = 0;
  requests = 0;
  up_bytes = 0;
  down_bytes = 0;
  event_bytes = 0;
  reconnects = 0;
  causes = new Map<Cause, number>();
  last_cause: Cause | null = null;
  tap: TapLine[] = [];
  readonly lane = new Lane();
  readonly latencies = new Samples();

  private readonly finder: FrameFinder;
  private came = 0;
  private opened = false;
  private pending: Cause | null = null;
  private resumed_at = 0;

  constructor(
    private readonly wire: Wire,
    private readonly room: () => string,
    /** Seq of the newest message before the first one that is expected. */
    private seq: number,
    private readonly heads: Heads,
  ) {
    this.finder = new FrameFinder(wire);
  }

  /** Came over the wire and were not handed on: the library hands on what is new, at once, and drops the rest. */
  get duplicates(): number {
    return Math.max(0, this.came - this.messages);
  }

  /** Bytes on the wire beyond the events themselves, per message. */
  get overhead(): number | null {
    return this.messages ? (this.up_bytes + this.down_bytes - this.event_bytes) / this.messages : null;
  }

  onRaw(raw: Raw, now: number): void {
    this.requests += raw.requests;
    const { up, down } = cost(raw, this.heads);
    this.up_bytes += up;
    this.down_bytes += down;
    const text = shown(this.wire, raw);
    if (text) this.tap = [{ at: now, direction: raw.direction, bytes: raw.bytes, text }, ...this.tap].slice(0, TAP_MAX);
    const reads = raw.text.startsWith("GET ") && raw.text.includes("/v1/events");
    if (raw.direction === "up" && reads) this.onRequest(now);
    if (raw.direction === "down") this.onText(raw, now);
  }

  private onRequest(now: number): void {
    this.finder.restart();
    this.lane.begin(now);
    const polls = this.wire === "answer" || this.wire === "script";
    if (this.opened && (!polls || this.pending)) this.reopened(this.pending ?? "ended");
    this.opened = true;
    this.pending = null;
  }

  private reopened(cause: Cause): void {
    this.reconnects++;
    this.last_cause = cause;
    this.causes.set(cause, (this.causes.get(cause) ?? 0) + 1);
  }

  private onText(raw: Raw, now: number): void {
    // A command's answer is of another way than the one that is read; JSONP alone has both under one name.
    if (raw.transport === "post" || raw.transport === "text" || (this.wire === "script" && raw.text.startsWith('{"replies"'))) return;
    if (this.wire === "answer" || this.wire === "script") this.lane.end(now);
    for (const frame of this.finder.take(raw.text)) if (frame.type === "message" && frame.room === this.room()) this.came++;
  }

  /** `sent`: the text as it was sent, where this page still knows it. */
  onMessage(message: Message, now: number, wall: number, sent: string | undefined): void {
    if (message.room !== this.room()) return;
    this.messages++;
    this.event_bytes += bytesOfEvent(message);
    if (message.seq > this.seq + 1) this.gaps += message.seq - this.seq - 1;
    this.seq = Math.max(this.seq, message.seq);
    const text = message.body?.text ?? "";
    if (sent !== undefined && sent !== text) this.damaged++;
    const stamp = stampOf(text);
    const age = stamp ? Math.max(0, wall - stamp.sent_at) : 0;
    if (stamp && stamp.sent_at < this.resumed_at) this.caught_up++;
    else if (stamp) this.latencies.add(age, now);
    this.lane.message(now, age > LATE_MS);
  }

  onState(state: State, now: number): void {
    const lamp = state.status === "idle" ? "connecting" : state.status;
    this.retry_at = state.retry_at;
    this.error = state.error ? { code: state.error.code, message: state.error.message } : null;
    if (lamp !== "online" && lamp !== "connecting") this.lane.end(now);
    // The first reason is the true one; what follows while it lasts is its consequence.
    if (state.error) this.pending ??= causeOf(state.error);
    this.lamp = lamp;
  }

  /** It runs from now on; what was sent before `wall` it fetches first. */
  resume(wall: number): void {
    this.resumed_at = wall;
    this.opened = false;
    this.pending = null;
    this.lamp = "connecting";
  }

  /** The network is being cut by the person; whatever is told of it afterwards follows from that. */
  cut(): void {
    if (this.lamp !== "off" && this.lamp !== "turn" && this.lamp !== "absent") this.pending = "dropped";
  }

  pause(lamp: "off" | "turn" | "absent", now: number): void {
    this.lane.end(now);
    this.error = null;
    this.retry_at = null;
    this.lamp = lamp;
  }
}

/** The library's words for what ended a reading; a held-back stream is a time-out that names itself. */
export function causeOf(error: { code: string; message: string }): Cause {
  if (/held back/.test(error.message)) return "held_back";
  if (error.code === "timeout") return "timeout";
  return error.code === "network" ? "network" : "refused";
}
