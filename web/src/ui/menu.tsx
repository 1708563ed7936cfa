// A menu that opens at a button or a point: arrows move, a letter-less list of few items, Escape or a
// press outside closes, the focus goes back. One is open at a time, since it takes the focus.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";

export interface Place {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Props {
  label: string;
  at: Place;
  /** Which edge of the button the menu lines up with. */
  align?: "start" | "end";
  onClose: () => void;
  children: ComponentChildren;
}

const EDGE = 8;

export function Menu({ label, at, align = "start", onClose, children }: Props) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return;
    const { width, height } = element.getBoundingClientRect();
    const left = align === "end" ? at.right - width : at.left;
    const below = at.bottom + 4 + height <= innerHeight - EDGE;
    element.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`;
    element.style.top = `${Math.max(EDGE, below ? at.bottom + 4 : at.top - 4 - height)}px`;
  });

  // A layout effect, because its end must come before whatever opens instead of the menu (a dialog).
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const items = () => [...(menu.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    (items().find((item) => item.getAttribute("aria-checked") === "true") ?? items()[0])?.focus();
    const outside = (event: Event) => {
      if (!menu.current?.contains(event.target as Node)) onClose();
    };
    const key = (event: KeyboardEvent) => {
      const all = items();
      const now = all.indexOf(document.activeElement as HTMLElement);
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape" || event.key === "Tab") onClose();
      else if (step) all[(now + step + all.length) % all.length]?.focus();
      else if (event.key === "Home") all[0]?.focus();
      else if (event.key === "End") all.at(-1)?.focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    const element = menu.current;
    element?.addEventListener("keydown", key);
    document.addEventListener("pointerdown", outside, true);
    document.addEventListener("focusin", outside);
    addEventListener("resize", onClose);
    return () => {
      element?.removeEventListener("keydown", key);
      document.removeEventListener("pointerdown", outside, true);
      document.removeEventListener("focusin", outside);
      removeEventListener("resize", onClose);
      // Unless the chosen item moved the focus somewhere itself.
      if (!document.activeElement || document.activeElement === document.body || element?.contains(document.activeElement)) before?.focus();
    };
  }, []);

  return (
    <div ref={menu} class="menu" role="menu" aria-label={label}>
      {children}
    </div>
  );
}

interface ItemProps {
  icon?: IconName;
  /** Given: one of several, of which one is chosen. */
  checked?: boolean;
  danger?: boolean;
  hint?: string;
  onClick: () => void;
  children: ComponentChildren;
}

export function MenuItem({ icon, checked, danger, hint, onClick, children }: ItemProps) {
  return (
    <button
      type="button"
      role={checked === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={checked}
      tabIndex={-1}
      class={danger ? "menu-item menu-danger" : "menu-item"}
      onClick={onClick}
    >
      {icon ? <Icon name={icon} /> : checked !== undefined ? <span class="menu-mark">{checked && <Icon name="check" />}</span> : null}
      <span>
        {children}
        {hint && <small>{hint}</small>}
      </span>
    </button>
  );
}

export function MenuGroup({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div role="group" aria-label={label} class="menu-group">
      <div class="menu-label" aria-hidden="true">
        {label}
      </div>
      {children}
    </div>
  );
}

export const placeOf = (element: Element): Place => element.getBoundingClientRect();
