// The engine as IE 8 to 11 give it: other names for events and for chance.
import { type Env, engine } from "./env.ts";

const root = engine.root;

export const legacyEngine: Env = {
  root,
  now: engine.now,
  after: engine.after,
  cancel: engine.cancel,
  chance: engine.chance,
  bytes(count) {
    const crypto = root.crypto || root.msCrypto, out: number[] = [];
    if (crypto && root.Uint8Array) return crypto.getRandomValues(new root.Uint8Array(count));
    while (out.length < count) out.push(Math.floor(Math.random() * 256));
    return out;
  },
  listen(target, type, then) {
    if (!target || target.addEventListener) return engine.listen(target, type, then);
    // IE 8 tells the end of a script only by its readyState, and before it has run.
    const by_state = type === "load" && target.tagName === "SCRIPT";
    const heard = by_state ? () => { if (/loaded|complete/.test(target.readyState)) engine.after(0, then as () => void); } : then;
    const name = by_state ? "onreadystatechange" : "on" + type;
    if (target.attachEvent) target.attachEvent(name, heard);
    return () => { if (target.detachEvent) target.detachEvent(name, heard); };
  },
};
