// What a message's first link leads to, under its text: a card that is the link once more, and media behind a button.
// It is asked for when the message comes near the screen, and may appear above what somebody reads: then the view goes
// with it, in the same moment, so that what is read stays where it is.
import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Preview } from "../app/previews.ts";
import { mediaOf, showable, siteOf } from "../model/links.ts";
import { useApp } from "./context.ts";
import { Media } from "./media.tsx";

/** Whether the last message in the view is the newest, so that who stands there stays at the end. */
export const EndContext = createContext<() => boolean>(() => true);

/** Nearer to the end than this, the reader is at the end. */
const END_PX = 100;

/** So far from the screen a link is asked for, so that most cards are there before they come into view. */
const NEAR_PX = 400;

export function LinkPreview({ href, tab }: { href: string; tab: number }) {
  const app = useApp();
  const hasEnd = useContext(EndContext);
  const slot = useRef<HTMLDivElement>(null);
  const [, redraw] = useState(0);
  const media = mediaOf(href);
  const preview = media ? null : app.previews.look(href);

  useEffect(() => {
    const element = slot.current;
    if (!element || media || preview !== undefined) return;
    let unwant: (() => void) | undefined;
    const near = new IntersectionObserver(
      (seen) => {
        unwant?.();
        unwant = seen.at(-1)?.isIntersecting ? app.previews.want(href, () => redraw((n) => n + 1)) : undefined;
      },
      { root: element.closest(".timeline"), rootMargin: `${NEAR_PX}px 0px` },
    );
    near.observe(element);
    return () => {
      near.disconnect();
      unwant?.();
    };
  }, [href, preview === undefined]);

  // By what the height is now, and not by what was remembered at the last scroll event: between the two the reader
  // may have scrolled on.
  const height = useRef<number | null>(null);
  const hold = () => {
    const element = slot.current;
    const view = element?.closest<HTMLElement>(".timeline");
    if (!element || !view) return;
    const now = element.getBoundingClientRect();
    const grown = now.height - (height.current ?? now.height);
    height.current = now.height;
    if (grown === 0) return;
    if (hasEnd() && view.scrollHeight - grown - view.clientHeight - view.scrollTop < END_PX) view.scrollTop = view.scrollHeight;
    else if (now.bottom - grown <= view.getBoundingClientRect().top) view.scrollTop += grown;
  };
  // What is drawn is measured at once, before a scroll event can come between; what grows later, as images do, before
  // it is painted.
  useLayoutEffect(hold);
  useLayoutEffect(() => {
    if (!slot.current) return;
    const resized = new ResizeObserver(hold);
    resized.observe(slot.current);
    return () => resized.disconnect();
  }, []);

  const image = preview?.image;
  const shown = media ? { media, url: href, alt: "" } : image ? { media: "image" as const, url: image, alt: preview.title ?? "" } : undefined;
  return (
    <div class="preview-slot" ref={slot}>
      {preview && (preview.title || preview.description) && <Card href={href} preview={preview} tab={tab} />}
      {shown && showable(shown.url, location.protocol) && <Media key={shown.url} {...shown} tab={tab} />}
    </div>
  );
}

function Card({ href, preview, tab }: { href: string; preview: Preview; tab: number }) {
  const site = siteOf(preview.url);
  return (
    <a class="preview" data-testid="preview" tabIndex={tab} href={href} target="_blank" rel="noopener noreferrer nofollow">
      <span class="preview-site" dir="auto">
        {/* A site may call itself what it likes; its address it cannot choose. */}
        {preview.site_name && preview.site_name.toLowerCase() !== site ? `${preview.site_name} · ${site}` : site}
      </span>
      {preview.title && (
        <span class="preview-title" dir="auto">
          {preview.title}
        </span>
      )}
      {preview.description && (
        <span class="preview-text" dir="auto">
          {preview.description}
        </span>
      )}
    </a>
  );
}
