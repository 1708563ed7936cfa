// The page's icons, drawn here on a 24-grid with one stroke width. Decorative: the button around an icon
// carries the label.
const PATHS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  pencil: "M4 20h4L19 9a2.8 2.8 0 0 0-4-4L4 16zM13.5 6.5l4 4",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  send: "M5 12l-1-7 17 7-17 7zM5 12h8",
  check: "M5 12.5l4.5 4.5L19 7.5",
  reply: "M10 6L4 12l6 6M4 12h9a7 7 0 0 1 7 7",
  smile: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 14a4.2 4.2 0 0 0 7 0M9 9.5v.5M15 9.5v.5",
  more: "M3.9 12a1.1 1.1 0 1 0 2.2 0 1.1 1.1 0 1 0-2.2 0M10.9 12a1.1 1.1 0 1 0 2.2 0 1.1 1.1 0 1 0-2.2 0M17.9 12a1.1 1.1 0 1 0 2.2 0 1.1 1.1 0 1 0-2.2 0",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.3-3.6 3-6 6.5-6s6.2 2.4 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5c2 .8 3.3 2.8 3.5 5.5",
  info: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 11v5.5M12 7.6v.4",
  down: "M12 5v14M6 13l6 6 6-6",
  window: "M4 5h16v14H4zM4 9.5h16M12 12.5v4M10 14.5h4",
  hash: "M9.5 4L7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4.2 4.2 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4.2 4.2 0 0 0 6 6l1-1",
  retry: "M19 12a7 7 0 1 1-2.3-5.2M19.5 4v4.5H15",
  plug: "M9 3v5M15 3v5M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v4",
  sliders: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  thread: "M4 5h16v10.5H10L5.5 19v-3.5H4zM8 9h8M8 12h5",
  forward: "M14 6l6 6-6 6M20 12h-9a7 7 0 0 0-7 7",
  pin: "M9 4h6l-.8 6 3.3 3H6.5l3.3-3zM12 13v7",
  dot: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  mute: "M6 16.5V11a6 6 0 0 1 9.5-4.9M18 10.5v6H9M10.5 19.5h3M4 4l16 16",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5zM10.5 19.5h3",
  eyeOff: "M4 4l16 16M9.5 5.9A9.6 9.6 0 0 1 12 5.5c5 0 8.5 4.5 9.5 6.5a14 14 0 0 1-2.7 3.6M6.3 7.8A14.5 14.5 0 0 0 2.5 12c1 2 4.5 6.5 9.5 6.5a9.4 9.4 0 0 0 4-.9",
  shield: "M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6z",
  dice: "M5 5h14v14H5zM9 9h.01M15 9h.01M12 12h.01M9 15h.01M15 15h.01",
  leave: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
} as const;

export type IconName = keyof typeof PATHS;

/** `label` where the icon alone says something. */
export function Icon({ name, label }: { name: IconName; label?: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : "true"} focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export type TickState = "sending" | "sent" | "delivered" | "read";

/** A clock: on its way. One tick: the server has it. Two: a device of somebody has it; in colour: they have read it. */
export function Ticks({ state }: { state: TickState }) {
  return (
    <svg class={`ticks ticks-${state}`} viewBox="0 0 20 12" aria-hidden="true" focusable="false">
      {state === "sending" ? (
        <path d="M10 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10 3.8V6.2l1.7 1" />
      ) : state === "sent" ? (
        <path d="M5 6.5l3.2 3.2L15 2.5" />
      ) : (
        <path d="M1.5 6.5l3.2 3.2 6.8-7.2M8.5 8.6l1.2 1.1 6.8-7.2" />
      )}
    </svg>
  );
}
