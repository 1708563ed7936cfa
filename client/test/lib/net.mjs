// Fake transports at the transport interface: each opening is recorded, and the test says what comes of it.
import { fakeEnv } from "./clock.mjs";

const ALL = [["websocket", "websocket"], ["fetch-stream", "stream"], ["sse", "stream"], ["longpoll", "poll"], ["poll", "poll"]];

export function fakeNet(createSelector, { best = null, only = null } = {}) {
  const env = fakeEnv(), opened = [], saved = [], told = { changed: 0, waits: [], refused: [], frames: [] };
  let visible = true, off = false, cursor = "1aaaaaaaab1";
  const transports = ALL.map(([name, family]) => ({
    name, family, ticket: "never", usable: () => true, auto: () => true,
    open(link) {
      const nonce = new URL(link.url(name)).searchParams.get("nonce");
      const attempt = {
        name, link, at: env.now(), after: link.after(), open: true, poked: 0, sent: [],
        /** The first frame, with or without our nonce. */
        ready(value = nonce) { link.frame({ type: "ready", cursor, nonce: value }); },
        beat() { link.frame({ type: "heartbeat", cursor }); },
        /** All that a good transport does in its first moments. */
        flow() {
          if (family === "poll") return link.answer({ frames: [], cursor });
          attempt.ready();
          env.advance(150);
          attempt.beat();
        },
        end: (code, more) => link.end(code ? Object.assign(new Error(code), { code, ...more }) : null),
      };
      opened.push(attempt);
      return {
        close() { attempt.open = false; },
        poke() { attempt.poked++; },
        send(text) { attempt.sent.push(JSON.parse(text).type); return true; },
      };
    },
  }));
  const site = { env, base: "http://server", cross: false, http: null };
  const selector = createSelector({
    site, transports, only, session: "s", params: {}, cursor: () => cursor, rtt: () => 10, visible: () => visible,
    blocked: () => off, credentials: (t, done) => done(null, "token"), ticket: () => "", tap() {},
    memory: { best: () => best, save: name => { best = name; saved.push(name); } },
    frame: (reader, frame) => told.frames.push(frame), answer() {},
    changed: () => told.changed++, waiting: (at, error) => told.waits.push({ in: at - env.now(), error }), refused: error => told.refused.push(error.code),
  });
  return {
    env, opened, selector, told, saved,
    names: () => opened.map(a => a.name),
    live: () => opened.filter(a => a.open && !a.over).map(a => a.name),
    last: name => opened.filter(a => a.name === name).pop(),
    count: name => opened.filter(a => a.name === name).length,
    current: () => selector.current()?.transport.name ?? null,
    move: to => { cursor = to; },
    hide: () => { visible = false; },
    show: () => { visible = true; },
    off: value => { off = value; },
  };
}
