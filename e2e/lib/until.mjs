// Waiting for a condition instead of for a time: asked again until it holds, with what was seen last in
// the error when it never does.
import { setTimeout as pause } from "node:timers/promises";

/** Only what is broken waits so long; a browser on a machine that does much else needs a good part of it now and then. */
export const DEADLINE_MS = 60_000;

export async function until(what, condition, { ms = DEADLINE_MS } = {}) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await condition();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what} (last: ${describe(last)})`, { cause: last });
    await pause(20);
  }
}

const describe = (value) => (value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value)));
