// Waiting for a condition instead of for a time: asked again until it holds, with what was seen last in
// the error when it never does.
import { setTimeout as pause } from "node:timers/promises";

export async function until(what, condition, { ms = 15_000 } = {}) {
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
