// A clock that tests move: timers run in order when `advance` passes them, and nothing ever sleeps. Chance is always the
// middle (0.5), so that jitter is known.

export function fakeEnv(root = {}) {
  let now = 1_700_000_000_000, id = 0, timers = [], seed = 0;
  const env = {
    root,
    now: () => now,
    after(ms, then) {
      timers.push({ id: ++id, at: now + Math.max(0, ms || 0), then });
      return id;
    },
    cancel(timer) { timers = timers.filter(t => t.id !== timer); },
    chance: () => 0.5,
    bytes: count => Array.from({ length: count }, () => (seed = (seed * 31 + 7) % 251)),
    listen: () => () => {},
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = timers.filter(t => t.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
        if (!due) break;
        timers = timers.filter(t => t !== due);
        now = Math.max(now, due.at);
        due.then();
      }
      now = end;
    },
    pending: () => timers.length,
  };
  return env;
}
