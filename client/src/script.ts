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
    script.onload = script.onerror = script.onreadystatechange = null;
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
  // Through text: the value must not keep the script's world alive, and is checked like any other input.
  root[name] = (value: any) => finish(JSON.parse(JSON.stringify(value)), true);
  script.async = true;
  script.charset = "utf-8";
  // `load` comes after the callback: no call by then is a failure.
  script.onload = script.onerror = () => finish(undefined, true);
  script.onreadystatechange = () => {
    if (/loaded|complete/.test(script.readyState)) env.after(0, () => finish(undefined, true));
  };
  script.src = url(name);
  (doc.head || doc.getElementsByTagName("head")[0] || doc.body).appendChild(script);
  return () => { if (open) close(false); };
}
