// Forever frames: a document that never ends, one script element for each frame, which calls us; to another origin it
// posts messages instead. A broken connection fires no event at all here: only the watchdog notices.
import type { Link, Transport } from "../transport.ts";
import { random } from "../env.ts";
import { json } from "../text.ts";

/** A function that frames call. Through text: objects of a removed frame cannot be used in old IE. */
export const callback = (link: Link) => (value: any): void => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  link.tap("down", text);
  link.frame(json(text));
};

/** A hidden iframe; `load` comes when its document has ended, well or badly. */
export function hidden(link: Link, doc: any, url: string): any {
  const frame = doc.createElement("iframe");
  frame.style.display = "none";
  frame.src = url;
  link.site.env.listen(frame, "load", () => link.end(null));
  link.tap("up", "GET " + url, 1);
  return frame;
}

export const iframe: Transport = {
  name: "iframe",
  family: "stream",
  ticket: "always",
  usable: site => !!site.env.root.document && (!site.cross || !!site.env.root.postMessage),
  auto: site => !site.env.root.fetch && !site.env.root.EventSource,
  open(link) {
    const { env, base, cross } = link.site, { root } = env;
    const name = "wigeon_" + random(env, 12), take = callback(link);
    const frame = hidden(link, root.document, link.url("iframe", cross ? { target: root.location.protocol + "//" + root.location.host } : { callback: "parent." + name }));
    // Both checks: any window may post to us, and a frame may be navigated elsewhere.
    const unlisten = cross && env.listen(root, "message", event => {
      if (event.source === frame.contentWindow && event.origin === base) take(event.data);
    });
    root[name] = take;
    root.document.body.appendChild(frame);
    return {
      close() {
        if (unlisten) unlisten();
        // A script of the frame may still be on its way; IE 8 cannot delete from window.
        root[name] = () => {};
        frame.parentNode.removeChild(frame);
      },
    };
  },
};
