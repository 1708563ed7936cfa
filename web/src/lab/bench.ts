// The bench: ten instruments, each a client of the library with one transport, and who of them runs now.
import { type Client, Wigeon } from "wigeon-client";
import { type Row, type RowId, ROWS } from "./catalog.ts";
import { Meter, stampOf } from "./meter.ts";
import { conditions } from "./network.ts";
import { Publisher, wallClock } from "./publisher.ts";
import type { Session } from "./session.ts";
import { hasNative, installStandins, legacyWigeon } from "./standins.ts";
import { spread } from "./stats.ts";
import { Turns } from "./turns.ts";
import type { Heads } from "./wire.ts";

/** Of a browser's six connections to a host, two stay free for polls, sends and tickets. */
const HELD_MAX = 4;
const TURNS_EVERY_MS = 250;
export const DROP_MS = 10_000;

export interface Instrument {
  row: Row;
  meter: Meter;
  /** Switched on by the person. */
  wanted: boolean;
  client: Client | null;
  running: boolean;
}

export class Bench {
  readonly publisher: Publisher;
  readonly instruments: Instrument[];
  /** The protocol of this page: over HTTP/2 and 3 one connection carries all, and nobody waits for a turn. */
  readonly protocol: string;
  standins = true;
  dropped_until = 0;
  private readonly turns: Turns;

  constructor(readonly session: Session) {
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    this.protocol = navigation?.nextHopProtocol || "http/1.1";
    this.turns = new Turns(/^h[23]/.test(this.protocol) ? ROWS.length : HELD_MAX);
    this.publisher = new Publisher(session.publisher, session.room);
    const heads = headsOf(session.token);
    this.instruments = ROWS.map((row) => ({
      row, wanted: true, client: null, running: false,
      meter: new Meter(row.wire, () => session.room, session.seq, heads),
    }));
    void measureResponse(heads);
    installStandins();
    this.step();
    setInterval(() => this.step(), TURNS_EVERY_MS);
  }

  get limited(): boolean {
    return this.turns.slots < this.instruments.filter(({ row }) => row.held).length;
  }

  want(id: RowId, on: boolean): void {
    for (const instrument of this.instruments) if (instrument.row.id === id) instrument.wanted = on;
    this.step();
  }

  /** Everything is cut and refused, for readers and writer alike; what is sent meanwhile waits in the library's outbox. */
  drop(): void {
    this.dropped_until = performance.now() + DROP_MS;
    this.session.publisher.dropNetwork(DROP_MS);
    for (const { client, meter } of this.instruments) {
      meter.cut();
      client?.dropNetwork(DROP_MS);
    }
  }

  private available({ row, wanted }: Instrument): boolean {
    return wanted && (!row.standin || hasNative[row.standin] || this.standins);
  }

  private step(): void {
    const now = performance.now();
    const held = this.instruments.filter((one) => one.row.held && this.available(one)).map(({ row }) => row.id);
    const turn = this.turns.at(now, held);
    let begun = false;
    for (const one of this.instruments) {
      if (!this.available(one)) this.pause(one, one.wanted ? "absent" : "off");
      else if (one.row.held && !turn.has(one.row.id)) this.pause(one, "turn");
      else if (!one.running && !begun) {
        // One at a step: ten beginning together would measure how busy this page is.
        begun = true;
        this.run(one);
      }
    }
  }

  private pause(one: Instrument, lamp: "off" | "turn" | "absent"): void {
    one.running = false;
    one.client?.close();
    one.meter.pause(lamp, performance.now());
  }

  private run(one: Instrument): void {
    one.running = true;
    one.meter.resume(wallClock());
    if (one.client) return one.client.connect();
    void this.make(one).then((client) => {
      one.client = client;
      if (one.running) client.connect();
    });
  }

  private async make({ row, meter }: Instrument): Promise<Client> {
    const Build = row.standin ? await legacyWigeon() : Wigeon;
    const client: Client = new Build({
      // The same place, spelled so that the library takes it for another: it then asks as a page of another site must.
      url: row.cross ? `${location.origin}/.` : undefined,
      token: this.session.token,
      transports: [row.transport],
      uplinks: [row.uplink],
      cursor: this.session.cursor,
    });
    client.on("raw", (raw) => meter.onRaw(raw, performance.now()));
    client.on("state", (state) => {
      if (state.status !== "closed" || state.error) meter.onState(state, performance.now());
    });
    client.on("message", (message) => {
      const stamp = stampOf(message.body?.text ?? "");
      meter.onMessage(message, performance.now(), wallClock(), stamp ? this.publisher.text(stamp.n, stamp.sent_at) : undefined);
    });
    const left_ms = this.dropped_until - performance.now();
    if (left_ms > 0) client.dropNetwork(left_ms);
    return client;
  }

  /** The numbers the page shows; tests read these. */
  snapshot() {
    const now = performance.now();
    const { sent, stored, rate, size, hostile } = this.publisher;
    return {
      protocol: this.protocol, sent, stored, rate, size, hostile,
      delay_ms: conditions.delay_ms, buffering: conditions.buffering, standins: this.standins,
      transports: this.instruments.map(({ row, meter, wanted, running }) => ({
        id: row.id, section: row.section, transport: row.transport, wanted, running,
        lamp: meter.lamp, messages: meter.messages, duplicates: meter.duplicates, gaps: meter.gaps, damaged: meter.damaged, caught_up: meter.caught_up,
        requests: meter.requests, up_bytes: meter.up_bytes, down_bytes: meter.down_bytes, overhead: meter.overhead,
        error: meter.error, reconnects: meter.reconnects, causes: Object.fromEntries(meter.causes), latency: spread(meter.latencies.recent(now)),
      })),
    };
  }
}

/** What this browser adds to each request, about: the headers' names and fixed values, and the strings we can ask for. */
function headsOf(token: string): Heads {
  const fixed = 420;
  return {
    request: fixed + navigator.userAgent.length + 2 * location.host.length + location.href.length,
    response: 300,
    bearer: "Authorization: Bearer \r\n".length + token.length,
  };
}

/** The server's own heads are all alike; one of them is measured. */
async function measureResponse(heads: Heads): Promise<void> {
  const response = await fetch("v1/info").catch(() => null);
  if (!response) return;
  let bytes = "HTTP/1.1 200 OK\r\n\r\n".length;
  response.headers.forEach((value, name) => (bytes += name.length + value.length + ": \r\n".length));
  heads.response = bytes;
}
