// Arrows walk from message to message; below the last one is the field to write in.

export function onArrows(event: KeyboardEvent, list: HTMLElement | null, toComposer: () => void): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = [...(list?.querySelectorAll<HTMLElement>(":scope > article") ?? [])];
  const now = all.findIndex((row) => row.contains(document.activeElement));
  const next = now < 0 ? (step < 0 ? all.at(-1) : undefined) : all[now + step];
  event.preventDefault();
  if (next) next.focus();
  else if (step > 0) toComposer();
}
