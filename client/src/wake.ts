// When to look again: the network came back, the page is seen again, the machine slept. Events are only hints (`online`
// may lie, iOS tells nothing), so each leads to a question to the server, never to a conclusion.
import type { Env } from "./env.ts";

const TICK_MS = 5000;

export interface WakeHost {
  wake(fresh: boolean): void;
  /** The page goes into the back/forward cache or away: let go of every connection. */
  suspend(): void;
  resume(): void;
}

export const isVisible = (env: Env): boolean => {
  const doc = env.root.document;
  return !doc || doc.visibilityState !== "hidden";
};

/** Returns how to stop watching. */
export function watchWaking(env: Env, host: WakeHost): () => void {
  const { root } = env, off: (() => void)[] = [];
  let timer: any, due = 0, hidden_at = 0;

  /** A timer that comes far too late: the machine slept, or the tab was frozen. In a hidden tab that is throttling. */
  function tick(): void {
    due = env.now() + TICK_MS;
    timer = env.after(TICK_MS, () => {
      if (env.now() - due > 2 * TICK_MS && isVisible(env)) host.wake(false);
      tick();
    });
  }

  const on = (target: any, type: string, then: (event: any) => void) => off.push(env.listen(target, type, then));
  on(root, "online", () => host.wake(true));
  on(root.navigator?.connection, "change", () => host.wake(true));
  on(root.document, "visibilitychange", () => {
    // A glance at another tab proves nothing; iOS cuts sockets within seconds of leaving.
    if (!isVisible(env)) hidden_at = env.now();
    else if (env.now() - hidden_at > TICK_MS) host.wake(false);
  });
  on(root, "pagehide", host.suspend);
  on(root, "pageshow", event => {
    if (event.persisted) host.resume();
  });
  tick();
  return () => {
    env.cancel(timer);
    for (const undo of off) undo();
  };
}
