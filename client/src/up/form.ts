// A form posted into a hidden iframe: no preflight, any length, any engine, and no readable outcome: `load` fires for
// success and failure alike. The command's own event says that it arrived.
import { type Env, random } from "../env.ts";

/** `done` when something was answered, or time is over. Returns how to give up. */
export function postForm(env: Env, url: string, text: string, timeout_ms: number, done: () => void): () => void {
  const doc = env.root.document;
  const name = "wigeon_" + random(env, 12);
  let frame: any;
  try {
    // IE ≤ 7 sets an iframe's name only so.
    frame = doc.createElement('<iframe name="' + name + '">');
  } catch (_) {
    frame = doc.createElement("iframe");
    frame.name = name;
  }
  const form = doc.createElement("form"), field = doc.createElement("textarea");
  form.style.display = frame.style.display = "none";
  form.method = "POST";
  form.action = url;
  form.target = name;
  form.acceptCharset = "UTF-8";
  field.name = "d";
  field.value = text;
  form.appendChild(field);
  doc.body.appendChild(frame);
  doc.body.appendChild(form);
  const close = () => {
    env.cancel(timer);
    unlisten();
    if (form.parentNode) form.parentNode.removeChild(form);
    if (frame.parentNode) frame.parentNode.removeChild(frame);
  };
  const finish = () => {
    close();
    done();
  };
  const timer = env.after(timeout_ms, finish);
  let unlisten = () => {};
  // Adding the empty frame may itself fire `load`, in some engines a moment later.
  let submitted = false;
  unlisten = env.listen(frame, "load", () => { if (submitted) finish(); });
  form.submit();
  submitted = true;
  return close;
}
