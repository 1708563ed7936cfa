// The engine as IE 8 to 11 give it: other names for events and for chance.
import { type Env, engine } from "./env.ts";

const root = engine.root;

export const legacyEngine: Env = {
  root,
  now: engine.now,
  after: engine.after,
  cancel: engine.cancel,
  random: engine.random,
  bytes(count) {
    const crypto = root.crypto || root.msCrypto, out: number[] = [];
    if (crypto && root.Uint8Array) return crypto.getRandomValues(new root.Uint8Array(count));
    while (out.length < count) out.push(Math.floor(Math.random() * 256));
    return out;
  },
  listen(target, type, then) {
    if (!target || target.addEventListener) return engine.listen(target, type, then);
    if (target.attachEvent) target.attachEvent("on" + type, then);
    return () => { if (target.detachEvent) target.detachEvent("on" + type, then); };
  },
};
