// Forever frames: a document that never ends, one script element for each frame, which calls us. The same in a hidden
// iframe (our origin), by postMessage (another origin), and inside ActiveXObject("htmlfile"), which does not spin the
// throbber nor click in IE. A broken connection fires no event at all here: only the watchdog notices.
import type { Channel, Link, Transport } from "../transport.ts";
import { listen, random } from "../env.ts";
import { fault } from "../fault.ts";
import { json } from "../text.ts";

/** What both ends of a frame's life need: reports once, and forgets the page's global when over. */
function receiver(link: Link): { take(text: string): void; end(): void; close(): void } {
  let open = true, any = false;
  return {
    take(text) {
      const frame = json(text);
      if (!open || !frame || !frame.type) return;
      any = true;
      link.raw("down", text);
      link.frame(frame);
    },
    end() {
      if (!open) return;
      open = false;
      link.end(any ? null : fault("network", "the frame ended before it began"));
    },
    close() { open = false; },
  };
}

function hidden(doc: any, url: string): any {
  const frame = doc.createElement("iframe");
  frame.style.display = "none";
  frame.src = url;
  return frame;
}

function remove(node: any): void {
  if (node && node.parentNode) node.parentNode.removeChild(node);
}

export const iframe: Transport = {
  name: "iframe",
  kind: "stream",
  ticket: "always",
  usable: site => !!site.env.root.document && (!site.cross || !!site.env.root.postMessage),
  auto: site => !site.env.root.fetch && !site.env.root.EventSource,
  open(link) {
    const { env, base, cross } = link.site, root = env.root;
    const name = "wigeon_" + random(env, 12), sink = receiver(link);
    const url = link.url("iframe", cross ? { target: root.location.protocol + "//" + root.location.host } : { callback: "parent." + name });
    const frame = hidden(root.document, url);
    let unlisten = () => {};
    if (cross) unlisten = listen(root, "message", event => {
      // Both checks: any window may post to us, and a frame may be navigated elsewhere.
      if (event.source === frame.contentWindow && event.origin === base) sink.take(typeof event.data === "string" ? event.data : JSON.stringify(event.data));
    });
    // Through text: objects of a removed frame cannot be used in old IE.
    else root[name] = (value: any) => sink.take(JSON.stringify(value));
    const unload = listen(frame, "load", sink.end);
    link.raw("up", "GET " + url, 1);
    root.document.body.appendChild(frame);
    return closing(() => {
      sink.close();
      unload();
      unlisten();
      if (!cross) root[name] = () => {};
      remove(frame);
    });
  },
};

/** IE collects an htmlfile that nothing refers to, and its connection with it. */
const held: any = {};

export const htmlfile: Transport = {
  name: "htmlfile",
  kind: "stream",
  ticket: "always",
  usable(site) {
    // The frame calls its parent: our origin only.
    if (site.cross) return false;
    try { return !!new site.env.root.ActiveXObject("htmlfile"); } catch (_) { return false; }
  },
  auto: site => !site.env.root.EventSource,
  open(link) {
    const { env } = link.site, root = env.root;
    const name = "wigeon_" + random(env, 12), sink = receiver(link);
    const url = link.url("htmlfile", { callback: "parent." + name });
    const doc = held[name] = new root.ActiveXObject("htmlfile");
    doc.open();
    doc.write("<html><body></body></html>");
    doc.close();
    doc.parentWindow[name] = (value: any) => sink.take(JSON.stringify(value));
    const box = doc.createElement("div");
    doc.body.appendChild(box);
    link.raw("up", "GET " + url, 1);
    const frame = hidden(doc, url);
    listen(frame, "load", sink.end);
    box.appendChild(frame);
    return closing(() => {
      sink.close();
      box.innerHTML = "";
      delete held[name];
      if (root.CollectGarbage) root.CollectGarbage();
    });
  },
};

function closing(close: () => void): Channel {
  let open = true;
  return { close() { if (open) { open = false; close(); } } };
}
