// An image, a film or a sound of another site, behind a button that says from where: that site learns of the reader
// only when they press it. What they have wished for once stays open, also when its message comes back on screen.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { type Media as Kind, siteOf } from "../model/links.ts";
import { useApp } from "./context.ts";
import { Icon } from "./icons.tsx";

interface Props {
  media: Kind;
  url: string;
  /** What is to be seen there, if anybody said so. */
  alt: string;
  tab: number;
}

export function Media({ media, url, alt, tab }: Props) {
  const { previews } = useApp();
  const [state, setState] = useState<"closed" | "open" | "failed">(previews.opened.get(url) ? "open" : "closed");
  const shown = useRef<HTMLElement | null>(null);
  const keep = (element: HTMLElement | null) => void (shown.current = element);
  const pressed = useRef(false);
  const site = siteOf(url);

  // The button that had the focus has gone.
  useEffect(() => {
    if (state === "open" && pressed.current) shown.current?.focus({ preventScroll: true });
  }, [state]);

  if (state !== "open") {
    return (
      <div class="media-closed">
        <button
          type="button"
          class="button button-small media-load"
          tabIndex={tab}
          onClick={() => {
            previews.opened.set(url, true);
            pressed.current = true;
            setState("open");
          }}
        >
          <Icon name="down" />
          {t.loadMedia[media](site)}
        </button>
        {state === "failed" && <span role="status">{t.mediaFailed}</span>}
      </div>
    );
  }
  const failed = () => setState("failed");
  if (media === "image") {
    return (
      <a class="media" ref={keep} tabIndex={tab} href={url} target="_blank" rel="noopener noreferrer nofollow">
        <img src={url} alt={alt || t.mediaFrom.image(site)} loading="lazy" decoding="async" referrerpolicy="no-referrer" onError={failed} />
      </a>
    );
  }
  const Player = media;
  return <Player class="media" ref={keep} tabIndex={tab} src={url} controls preload="metadata" aria-label={t.mediaFrom[media](site)} onError={failed} />;
}
