// A person at a client who notes what happens: what came, how late, by which transports. The function goes into
// a page as text, so it refers to nothing outside itself.
export function witness(Wigeon, { url, token, room }) {
  const began = Date.now();
  const notes = { texts: [], delays: [], asked: [], path: [], statuses: [], refused: [], first_ms: null };
  const chat = new Wigeon({ url, token });
  const add = (list, value) => list.at(-1) !== value && list.push(value);
  chat.on("message", (message) => {
    if (message.room !== room) return;
    notes.first_ms ??= Date.now() - began;
    notes.texts.push(message.body.text);
    notes.delays.push(Date.now() - message.at);
  });
  chat.on("raw", ({ transport, direction, text }) => {
    if (direction === "up" && text.includes("/v1/events?")) add(notes.asked, transport);
  });
  chat.on("state", ({ status, transport, error }) => {
    add(notes.statuses, status);
    if (transport) add(notes.path, transport);
    if (status === "closed") notes.refused.push(String(error));
  });
  chat.connect();
  return {
    /** Sends one after the other, without waiting between them; true when the server has them all. */
    send: (texts) => Promise.all(texts.map((text) => chat.send({ room, body: { text } }))).then(() => true),
    notes: () => ({ ...notes, state: chat.state }),
    close: () => chat.close(),
  };
}
