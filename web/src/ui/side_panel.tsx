// The frame of what stands beside the conversation: a title, the way out, and what it holds. Escape closes it, and
// the focus goes back to where it came from.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { useApp } from "./context.ts";
import { Icon } from "./icons.tsx";

const touch = matchMedia("(hover: none) and (pointer: coarse)");

interface Props {
  title: string;
  /** Beneath the title. */
  note?: ComponentChildren;
  children: ComponentChildren;
}

export function SidePanel({ title, note, children }: Props) {
  const app = useApp();
  const panel = useRef<HTMLElement>(null);
  const heading = useId();
  // Before anything in here takes it.
  const focused = useRef(document.activeElement as HTMLElement | null);
  useLayoutEffect(
    () => () => {
      // Unless the reader has gone elsewhere meanwhile: to a message, another conversation.
      const now = document.activeElement;
      if (now && now !== document.body && !panel.current?.contains(now)) return;
      const before = focused.current;
      const to = before?.isConnected ? before : document.getElementById("composer");
      // On a touch screen the focus in a field opens the keyboard.
      if (!touch.matches || !to?.matches("textarea")) to?.focus();
    },
    [],
  );
  // Where it covers the conversation it is the main part of the page, with the heading.
  const role = app.side.covers ? "main" : "complementary";
  const Heading = app.side.covers ? "h1" : "h2";
  return (
    <section
      ref={panel}
      role={role}
      class="side"
      aria-labelledby={heading}
      data-testid="side"
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
        event.preventDefault();
        app.side.close();
      }}
    >
      <header class="side-head">
        <button type="button" class="button-icon side-back" aria-label={t.closeSide} title={t.closeSide} onClick={() => app.side.close()}>
          <Icon name="back" />
        </button>
        <div class="side-title">
          <Heading id={heading}>{title}</Heading>
          {note && <p>{note}</p>}
        </div>
        <button type="button" class="button-icon side-close" aria-label={t.closeSide} title={t.closeSide} onClick={() => app.side.close()}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </section>
  );
}
