// Checked by `npm run check`, never run: what a TypeScript page writes has the types it expects.
import Default, { Wigeon, type Message, type OutboxEntry, type SendOk, type Snapshot, type State, type TransportName, type WigeonError } from "wigeon-client";

const chat: Wigeon = new Wigeon({ url: "https://chat.example", token: async () => "t", storage: localStorage, rooms: ["news"], transports: ["sse", "poll"] });
new Default({ guest: { name: "Ann" } });

const off: () => void = chat.on("message", (m: Message) => (m.body?.text.length ?? 0) + m.seq);
chat.on("state", (s: State) => s.retry_at ?? s.error?.code);
chat.on("snapshot", (s: Snapshot) => s.rooms.map(r => r.last?.body?.text));
chat.on("outbox", (entries: readonly OutboxEntry[]) => entries.length);
chat.on("typing", frame => frame.room);
off();
chat.connect();

const sent = chat.send({ to: "bob", body: { text: "hi" } }, { id: "x" });
const id: string = sent.id;
sent.then((ok: SendOk) => ok.seq, (e: WigeonError) => e.retry_after_ms);
chat.send({ to: "bob", forward: { room: "r", seq: 12 } });
chat.history({ room: "r", seqs: [1, 5] });
chat.history({ room: "r", before: 5 }).then(h => h.messages[0]?.reactions);
chat.force("websocket" satisfies TransportName);
chat.force(null, "text");
chat.retry(id);

// @ts-expect-error: there is no such transport
chat.force("pigeon");
// @ts-expect-error: a recalled message has no body
chat.on("message", m => m.body.text);
// @ts-expect-error: there is something to send
chat.send({ room: "r" });
// @ts-expect-error: the state is read, not written
chat.state = chat.state;
