// A small twin of the server, in memory: enough of the wire (guests, tickets, commands, poll, long poll, ndjson) to hold the
// built library to its promises in Node without building the real thing. Faults are injected by `faults`, one entry
// for each request to fail: "drop" (no answer, nothing done), "lose" (done, but the answer is lost), "hang" (done, but never answered), or an HTTP status.
import { createServer } from "node:http";

export async function twin() {
  const log = [], keys = new Map(), users = new Map(), waiting = new Set();
  let epoch = "aaaaaaaa", guests = 0;
  const cursor = position => {
    const n = position.toString(32);
    return "1" + epoch + String.fromCharCode(97 + n.length) + n;
  };
  const position = text => text && text.slice(1, 9) === epoch ? parseInt(text.slice(10), 32) : null;

  const server = {
    faults: [], requests: [], log, tickets: 0, retention: 0,
    /** Everything is as after a restore from a backup: another epoch. */
    newEpoch() { epoch = "bbbbbbbb"; server.wake(); },
    revoke() { users.clear(); },
    wake() { for (const go of [...waiting]) go(); },
    /** `hidden`: an event of somebody else, of which we see only that positions go on. */
    push(event) {
      const seq = log.filter(e => e.type === "message").length + 1;
      const frame = { type: "message", room: "lobby", seq, from: "ann", at: Date.now(), body: { text: "" }, ...event };
      log.push(frame);
      frame.cursor = cursor(log.length);
      server.wake();
      return frame;
    },
    cut() { http.closeAllConnections(); },
    async close() {
      http.closeAllConnections();
      await new Promise(done => http.close(done));
    },
  };

  function run(user, c) {
    if (c.type === "ping" || c.type === "ack" || c.type === "typing" || c.type === "focus") return { ok: {} };
    if (c.type === "snapshot") return { ok: { user, name: user, cursor: cursor(log.length), rooms: [{ id: "lobby", kind: "channel", seq: log.length, read: 0, unread: 0, mentions: 0, last: null }] } };
    if (c.type === "history") return { ok: { messages: log.slice(0, c.limit || 100), min_seq: 1, max_seq: log.length, more: false } };
    if (c.type !== "send") return { ok: {} };
    if (c.body.text === "refuse me") return { error: { code: "forbidden", message: "no" } };
    const key = user + " " + c.id;
    if (!keys.has(key)) {
      const f = server.push({ from: user, id: c.id, body: { text: c.body.text } });
      keys.set(key, { ok: { room: "lobby", seq: f.seq, cursor: f.cursor, at: f.at } });
    }
    return keys.get(key);
  }

  const http = createServer(async (req, res) => {
    const url = new URL(req.url, "http://twin"), q = url.searchParams;
    let body = "";
    for await (const chunk of req) body += chunk;
    server.requests.push(`${req.method} ${url.pathname} ${q.get("transport") || ""}`.trim());
    const answer = (status, value, headers = {}) => {
      res.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers });
      res.end(JSON.stringify(value));
    };
    const fault = url.pathname === "/v1/commands" && !body.includes('"snapshot"') ? server.faults.shift() : undefined;
    if (fault === "drop") return req.socket.destroy();
    if (typeof fault === "number") return answer(fault, { code: fault === 401 ? "token_expired" : "busy", detail: "fault" }, { "Retry-After": "0" });
    if (url.pathname === "/v1/guests") {
      const user = "g:" + ++guests, token = "t" + guests;
      users.set(token, user);
      return answer(201, { user, name: JSON.parse(body).name, token, expires_at: Date.now() + 1e6 });
    }
    const shown = (req.headers.authorization || "").slice(7) || (q.get("ticket") || "").replace(/^ticket-/, "");
    const user = users.get(shown) || (/^user-/.test(shown) ? shown : null);
    if (!user) return answer(401, { code: "unauthenticated", detail: "who are you" });
    if (url.pathname === "/v1/tickets") {
      server.tickets++;
      return answer(201, { ticket: "ticket-" + shown, expires_in: 600 });
    }
    if (url.pathname === "/v1/commands") {
      const commands = [].concat(JSON.parse(body));
      const replies = commands.map(c => ({ re: c.id, ...run(user, c) }));
      if (fault === "lose") return req.socket.destroy();
      if (fault === "hang") return;
      return answer(200, { replies });
    }
    events(user, q, req, res, answer);
  });

  function events(user, q, req, res, answer) {
    const after = q.get("after"), how = q.get("transport");
    let at = after ? position(after) : log.length;
    const reset = at === null || at < server.retention ? { type: "reset", reason: "epoch", cursor: cursor(log.length) } : null;
    if (reset) at = log.length;
    if (how === "ndjson") {
      const write = f => res.write(JSON.stringify(f) + "\n");
      res.writeHead(200, { "Content-Type": "application/x-ndjson" });
      write({ type: "ready", cursor: cursor(at), nonce: q.get("nonce") });
      if (reset) write(reset);
      const flush = () => { for (; at < log.length; at++) if (!log[at].hidden) write(log[at]); };
      flush();
      waiting.add(flush);
      const beat = setTimeout(() => write({ type: "heartbeat", cursor: cursor(at) }), 160);
      req.socket.on("close", () => { waiting.delete(flush); clearTimeout(beat); });
      return;
    }
    const frames = () => reset ? [reset] : log.slice(at).filter(event => !event.hidden);
    const done = () => {
      waiting.delete(go);
      clearTimeout(timer);
      answer(200, { frames: frames(), cursor: cursor(log.length), more: false });
    };
    const go = () => { if (frames().length) done(); };
    const timer = how === "longpoll" && !frames().length ? setTimeout(done, 1000 * (q.get("wait") || 25)) : null;
    if (!timer) return done();
    waiting.add(go);
    req.socket.on("close", () => { waiting.delete(go); clearTimeout(timer); });
  }

  await new Promise(ready => http.listen(0, "127.0.0.1", ready));
  server.url = "http://127.0.0.1:" + http.address().port;
  return server;
}
