// One connection for all tabs of one person. Tabs of the same identity meet on a BroadcastChannel; a Web Lock
// says which of them leads. The leader's client is the only one that talks to the server. When its tab goes, the
// lock falls to another, which goes on from the cursor that it has itself: nothing is lost and nothing comes twice.
// What was asked and not answered is asked again of the new leader under the same id.
//
//                    the lock is ours
//      following ───────────────────────▶ leading
//          ▲      it was taken from us       │
//          └─────────────────────────────────┘
//
// A lock may be held by a tab that the browser has put to sleep (phones do) or slowed down (hidden for minutes).
// So a tab that is looked at asks the leader for a sign of life, and takes the lock where none comes.
import type { Client, Events, Frame, Snapshot, TransportName } from "wigeon-client";
import { type Chat, commandId, type OutboxEntry, type SendFields, type Sending, type State } from "./chat.ts";
import { plain, plainOutbox, plainState, type Verb, type Word } from "./words.ts";

const PING_MS = 2_000;
/** So many without a sign of life: the leader sleeps. Counted and not timed: who has slept has heard nobody either. */
const PINGS_UNHEARD_MAX = 3;
/** Browsers slow a hidden page's timers down to one a minute after five minutes. */
const HIDDEN_MS_MAX = 60_000;
/** Frames held back while a snapshot is on its way; beyond, a newer snapshot is cheaper. */
const HELD_MAX = 2_000;
/** Between two leaders there is nobody to tell; what a person can press in that time. */
const UNTOLD_MAX = 20;

interface Call {
  id: string;
  type: string;
  fields: Record<string, unknown>;
  at: number;
  resolve: (ok: unknown) => void;
  reject: (error: unknown) => void;
}

export interface Sharing {
  /** Names the person; tabs with the same name share. */
  name: string;
  /** Makes the real connection, which goes on after `cursor`. */
  open: (cursor: string | null) => Client;
  /** What the engine has, as the library says. */
  transports: readonly TransportName[];
  /** A connection that is already there (a guest who has just come in). */
  first?: { client: Client; cursor: string };
}

export const canShare = (): boolean => typeof BroadcastChannel !== "undefined" && navigator.locks !== undefined;

export class SharedChat implements Chat {
  state: State = { status: "idle", transport: null, forced: null, up: "post", rtt_ms: null, retry_at: null };
  /** What is on its way: all the connection has in hand, and what a follower has asked for besides. */
  outbox: readonly OutboxEntry[] = [];
  transports: readonly TransportName[];
  private readonly tab = commandId();
  private readonly bus: BroadcastChannel;
  private readonly lockName: string;
  private listeners = new Map<string, Set<(value: never) => void>>();
  /** Of the last frame or snapshot: where this tab goes on if it comes to lead. */
  private cursor: string | null = null;
  private calls = new Map<string, Call>();
  private untold: [Verb, unknown[]][] = [];
  private client: Client | null = null;
  /** The connection's own outbox, as it was last told. */
  private inHand: readonly OutboxEntry[] = [];
  private release: (() => void) | null = null;
  private queued: AbortController | null = null;
  /** Whom we follow. */
  private leader: string | null = null;
  /** The last one we said. */
  private greeting = "";
  private held: Frame[] | null = null;
  /** Pings since the leader's last word. */
  private unheard = 0;
  private pinging: ReturnType<typeof setInterval> | undefined;
  private hiddenAt = 0;
  /** The greetings of tabs that wait for a snapshot. */
  private owed = new Map<string, string>();
  private closed = false;

  constructor(private readonly sharing: Sharing) {
    this.lockName = `wigeon ${sharing.name}`;
    this.bus = new BroadcastChannel(this.lockName);
    this.bus.onmessage = ({ data }) => this.hear(data as Word);
    this.transports = sharing.transports;
    if (!sharing.first) return;
    this.cursor = sharing.first.cursor;
    this.lead(sharing.first.client);
  }

  connect(): void {
    if (this.pinging !== undefined || this.closed) return;
    document.addEventListener("visibilitychange", this.seen);
    this.pinging = setInterval(this.ping, PING_MS);
    this.queue();
    if (this.client) return;
    this.change({ ...this.state, status: "connecting" });
    this.greet();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.pinging);
    document.removeEventListener("visibilitychange", this.seen);
    this.queued?.abort();
    this.client?.close();
    this.release?.();
    this.bus.close();
    this.listeners.clear();
  }

  on<T extends keyof Events & string>(type: T, listener: (value: Events[T]) => void): () => void {
    const all = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, all.add(listener));
    return () => all.delete(listener);
  }

  // ---- what the page asks

  command(type: string, fields: Record<string, unknown> = {}): Promise<any> & { readonly id: string } {
    const id = typeof fields.id === "string" ? fields.id : commandId();
    const answer = new Promise((resolve, reject) => {
      const call = { id, type, fields: { ...fields, id }, at: Date.now(), resolve, reject };
      this.calls.set(id, call);
      this.perform(call);
    });
    // Nobody need listen: the outbox tells the same.
    answer.catch(() => {});
    return Object.assign(answer, { id });
  }

  send = (message: SendFields): Sending => this.command("send", message);
  history = (query: Parameters<Client["history"]>[0]): ReturnType<Client["history"]> => this.command("history", query);
  read = (room: string, seq: number) => this.command("read", { room, seq });
  typing = (room: string) => this.tell("typing", [room]);
  retry = (id: string) => this.tell("retry", [id]);
  discard = (id: string) => this.tell("discard", [id]);
  force = (transport: TransportName | null) => this.tell("force", [transport]);
  dropNetwork = (ms: number) => this.tell("dropNetwork", [ms]);
  retryNow = () => this.tell("retryNow", []);

  private perform(call: Call): void {
    if (this.client) {
      const settle = (then: () => void) => {
        if (this.calls.delete(call.id)) then();
      };
      this.client.command(call.type, call.fields).then(
        (ok) => settle(() => call.resolve(ok)),
        (error) => settle(() => call.reject(error)),
      );
    } else {
      if (call.type === "send") this.outbox = this.withAsked(this.inHand);
      if (this.leader) this.say({ kind: "ask", leader: this.leader, tab: this.tab, id: call.id, type: call.type, fields: call.fields });
    }
  }

  private tell(verb: Verb, args: unknown[]): void {
    if (this.client) (this.client[verb] as (...args: unknown[]) => void)(...args);
    else if (this.leader) this.say({ kind: "tell", leader: this.leader, verb, args });
    // Who typed a while ago is no news.
    else if (verb !== "typing" && this.untold.length < UNTOLD_MAX) this.untold.push([verb, args]);
  }

  /** There is somebody who does what was asked: all that waited for it. */
  private catchUp(): void {
    const { untold } = this;
    this.untold = [];
    for (const call of this.calls.values()) this.perform(call);
    for (const [verb, args] of untold) this.tell(verb, args);
  }

  /** A follower shows at once what it has asked to be sent, before the leader's outbox says so. */
  private withAsked(inHand: readonly OutboxEntry[]): readonly OutboxEntry[] {
    const known = new Set(inHand.map((entry) => entry.id));
    const asked = [...this.calls.values()].filter((call) => call.type === "send" && !known.has(call.id));
    return [...inHand, ...asked.map(({ id, fields, at }) => ({ id, command: { ...fields, id, type: "send" }, at, tries: 0 }))];
  }

  // ---- leading

  private queue(): void {
    const queued = (this.queued = new AbortController());
    this.hold(queued, { signal: queued.signal });
  }

  /** The leader is asleep: its lock is taken from it. */
  private take(): void {
    if (this.client || this.closed) return;
    this.queued?.abort();
    this.hold((this.queued = new AbortController()), { steal: true });
  }

  private hold(by: AbortController, options: LockOptions): void {
    const held = () =>
      new Promise<void>((release) => {
        this.release = release;
        if (this.closed) release();
        else if (!this.client) this.lead(this.sharing.open(this.cursor));
      });
    navigator.locks.request(this.lockName, options, held).catch(() => this.deposed(by));
  }

  private deposed(by: AbortController): void {
    // Left the queue by ourselves, for a better place in it.
    if (this.closed || by !== this.queued) return;
    const { client } = this;
    this.client = null;
    // Its end is not ours: nobody hears of it.
    client?.close();
    this.release = null;
    this.unheard = 0;
    this.queue();
    this.lookForLeader();
  }

  private lead(client: Client): void {
    this.client = client;
    this.leader = null;
    this.held = null;
    const current = () => this.client === client;
    client.on("*", (frame) => current() && this.frame(frame, client.cursor));
    client.on("snapshot", (snapshot) => current() && this.snapshot(snapshot));
    client.on("state", (state) => current() && this.change(state));
    client.on("outbox", (outbox) => current() && this.changeOutbox(outbox));
    this.state = client.state;
    this.changeOutbox(client.outbox);
    client.connect();
    this.say({ kind: "lead", leader: this.tab });
    this.catchUp();
  }

  private hearAsLeader(word: Word, client: Client): void {
    switch (word.kind) {
      case "hello": {
        const same = word.cursor !== null && word.cursor === this.cursor;
        this.say({ kind: "welcome", leader: this.tab, greeting: word.greeting, same, state: plainState(this.state), outbox: plainOutbox(this.outbox) });
        if (same) return;
        this.owed.set(word.tab, word.greeting);
        return this.pay();
      }
      case "ping":
        return this.say({ kind: "pong", leader: this.tab, hidden_ms: this.hiddenAt ? Date.now() - this.hiddenAt : 0 });
      case "tell":
        if (word.leader === this.tab) (client[word.verb] as (...args: unknown[]) => void)(...word.args);
        return;
      case "ask": {
        if (word.leader !== this.tab) return;
        const answer = { kind: "answer", leader: this.tab, to: word.tab, id: word.id } as const;
        client.command(word.type, word.fields).then(
          (ok) => this.say({ ...answer, ok }),
          (error) => this.say({ ...answer, error: plain(error) }),
        );
        return;
      }
    }
  }

  /** Snapshots for those who came without a cursor, or with another one. */
  private pay(): void {
    const { client, owed } = this;
    if (!client || owed.size === 0 || client.state.status !== "online") return;
    this.owed = new Map();
    client.snapshot().then(
      (snapshot) => {
        for (const greeting of owed.values()) this.say({ kind: "snapshot", leader: this.tab, greeting, snapshot });
      },
      () => {
        this.owed = new Map([...owed, ...this.owed]);
      },
    );
  }

  // ---- following

  /** Until it answers there is no connection: what a new one has to be told is told again (app/presence.ts). */
  private lookForLeader(): void {
    this.leader = null;
    this.change({ ...this.state, status: "connecting", transport: null });
    this.greet();
  }

  private greet(): void {
    this.greeting = commandId();
    this.say({ kind: "hello", tab: this.tab, greeting: this.greeting, cursor: this.cursor });
  }

  private hearAsFollower(word: Word): void {
    if (!("leader" in word) || word.kind === "ask" || word.kind === "tell") return;
    if (word.kind === "lead") return this.lookForLeader();
    if (word.kind === "welcome" && word.greeting === this.greeting) {
      this.leader = word.leader;
      this.held = word.same ? null : [];
      this.changeOutbox(word.outbox);
      this.change(word.state);
      this.catchUp();
    }
    if (word.leader !== this.leader) return;
    this.unheard = 0;
    switch (word.kind) {
      case "pong":
        if (word.hidden_ms > HIDDEN_MS_MAX && !document.hidden) this.take();
        return;
      case "state":
        return this.change(word.state);
      case "outbox":
        return this.changeOutbox(word.outbox);
      case "frame":
        if (!this.held) return this.frame(word.frame, word.cursor);
        // What was before it is in no snapshot's way any more.
        if (word.frame.type === "reset") return void (this.held = []);
        if (this.held.push(word.frame) <= HELD_MAX) return;
        this.held = [];
        return this.greet();
      case "snapshot":
        // One that was asked for us, and that another has overtaken, is old.
        if (word.greeting === null || (word.greeting === this.greeting && this.held)) this.caughtUp(word.snapshot);
        return;
      case "answer": {
        const call = word.to === this.tab ? this.calls.get(word.id) : undefined;
        if (!call) return;
        this.calls.delete(word.id);
        this.changeOutbox(this.inHand);
        if (word.error) call.reject(word.error);
        else call.resolve(word.ok);
      }
    }
  }

  /** What the snapshot may already hold comes again after it: every frame may be applied twice. */
  private caughtUp(snapshot: Snapshot): void {
    const held = this.held ?? [];
    if (this.held && this.cursor !== null) this.emit("*", { type: "reset", reason: "behind" });
    this.held = null;
    this.snapshot(snapshot);
    for (const frame of held) this.frame(frame, frame.cursor ?? this.cursor);
  }

  private ping = (): void => {
    if (this.client) return this.pay();
    if (document.hidden) {
      // Not looked at: nobody waits, and our own timers are slow.
      this.unheard = 0;
      return;
    }
    if (this.unheard >= PINGS_UNHEARD_MAX) return this.take();
    this.unheard++;
    if (this.leader) this.say({ kind: "ping", tab: this.tab });
    else this.greet();
  };

  private seen = (): void => {
    this.hiddenAt = document.hidden ? Date.now() : 0;
    if (document.hidden) return;
    // One ping, and its whole time to be answered.
    this.unheard = Math.max(this.unheard, PINGS_UNHEARD_MAX - 1);
    clearInterval(this.pinging);
    this.pinging = setInterval(this.ping, PING_MS);
    this.ping();
  };

  // ---- both

  private hear(word: Word): void {
    if (this.closed) return;
    if (this.client) this.hearAsLeader(word, this.client);
    else this.hearAsFollower(word);
  }

  private say(word: Word): void {
    if (!this.closed) this.bus.postMessage(word);
  }

  private frame(frame: Frame, cursor: string | null): void {
    this.cursor = cursor;
    this.emit("*", frame);
    if (this.client) this.say({ kind: "frame", leader: this.tab, frame, cursor });
  }

  private snapshot(snapshot: Snapshot): void {
    this.cursor = snapshot.cursor;
    this.emit("snapshot", snapshot);
    if (this.client) this.say({ kind: "snapshot", leader: this.tab, greeting: null, snapshot });
  }

  private change(state: State): void {
    this.state = state;
    this.emit("state", state);
    if (!this.client) return;
    this.say({ kind: "state", leader: this.tab, state: plainState(state) });
    this.pay();
  }

  private changeOutbox(inHand: readonly OutboxEntry[]): void {
    this.inHand = inHand;
    this.outbox = this.client ? inHand : this.withAsked(inHand);
    this.emit("outbox", this.outbox);
    if (this.client) this.say({ kind: "outbox", leader: this.tab, outbox: plainOutbox(inHand) });
  }

  private emit(type: string, value: unknown): void {
    for (const listener of [...(this.listeners.get(type) ?? [])]) listener(value as never);
  }
}
