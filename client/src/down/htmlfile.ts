// The forever frame inside ActiveXObject("htmlfile"): off screen, so that IE neither clicks nor spins its throbber.
import type { Transport } from "../transport.ts";
import { random } from "../env.ts";
import { callback, hidden } from "./iframe.ts";

/** IE collects an htmlfile that nothing refers to, and its connection with it. */
const held: any = {};

export const htmlfile: Transport = {
  name: "htmlfile",
  family: "stream",
  ticket: "always",
  usable(site) {
    // The frame calls its parent: our origin only.
    if (site.cross) return false;
    try { return !!new site.env.root.ActiveXObject("htmlfile"); } catch (_) { return false; }
  },
  auto: site => !site.env.root.EventSource,
  open(link) {
    const { env } = link.site, { root } = env;
    const name = "wigeon_" + random(env, 12);
    const doc = held[name] = new root.ActiveXObject("htmlfile");
    doc.open();
    doc.write("<html><body></body></html>");
    doc.close();
    doc.parentWindow[name] = callback(link);
    const box = doc.createElement("div");
    doc.body.appendChild(box);
    box.appendChild(hidden(link, doc, link.url("htmlfile", { callback: "parent." + name })));
    return {
      close() {
        box.innerHTML = "";
        delete held[name];
        if (root.CollectGarbage) root.CollectGarbage();
      },
    };
  },
};
