// JSONP's one primitive: a script tag that calls back once, or not at all.
import { type Env, random } from "./env.ts";

/** `url` is made for the callback's name. `done` gets the value, or undefined when no call came. Returns how to give up. */
export function callScript(env: Env, url: (callback: string) => string, timeout_ms: number, done: (value: any) => void): () => void {
  const { root } = env, doc = root.document;
  // Names are never used twice: a removed script is not aborted, it still calls later.
  const name = "wigeon_" + random(env, 12);
  const script = doc.createElement("script");
  let open = true;
  const close = (called: boolean) => {
    open = false;
    env.cancel(timer);
    if (script.parentNode) script.parentNode.removeChild(script);
    // IE 8 cannot delete from window.
    root[name] = called ? undefined : () => {};
  };
  const finish = (value: any, called: boolean) => {
    if (!open) return;
    close(called);
    done(value);
  };
  const timer = env.after(timeout_ms, () => finish(undefined, false));
  root[name] = (value: any) => finish(value, true);
  script.async = true;
  script.charset = "utf-8";
  // `load` comes after the callback: no call by then is a failure.
  env.listen(script, "load", () => finish(undefined, true));
  env.listen(script, "error", () => finish(undefined, true));
  script.src = url(name);
  doc.documentElement.firstChild.appendChild(script);
  return () => { if (open) close(false); };
}
