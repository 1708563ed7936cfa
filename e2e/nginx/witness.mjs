// A person at a client who notes what happens: what came, how late, by which transports. The function goes into
// a page as text, so it refers to nothing outside itself.
export function witness(Wigeon, { url, token, room, cursor }) {
  const began = Date.now();
  const notes = {
    texts: [], delays: [], first_ms: null,
    /** Transports that were asked, and of them those that were in use, in order. */
    asked: [], path: [],
    statuses: [],
  };
  const note = (list, value) => list.at(-1) === value || list.push(value);
  const chat = new Wigeon({ url, token, cursor });
  chat.on("message", (message) => {
    if (message.room !== room) return;
    notes.first_ms ??= Date.now() - began;
    notes.texts.push(message.body.text);
    // The server's clock is ours.
    notes.delays.push(Date.now() - message.at);
  });
  chat.on("raw", ({ transport, direction, text }) => {
    if (direction === "up" && text.includes("/v1/events?")) note(notes.asked, transport);
  });
  chat.on("state", ({ status, transport }) => {
    note(notes.statuses, status);
    if (transport) note(notes.path, transport);
  });
  chat.connect();
  return {
    /** True when the server has them all. */
    send: (texts) => Promise.all(texts.map((text) => chat.send({ room, body: { text } }))).then(() => true),
    notes: () => ({ ...notes, transport: chat.state.transport }),
  };
}
