// The browser's history knows which conversation is open, so that Back works (on a phone it leads from
// the conversation to the list) and a reload stays where one was. The address itself does not change.

interface Place {
  wigeon: string | null;
}

/** Which conversation this history entry shows: a key, null for the list, undefined when we never set it. */
export function currentPlace(): string | null | undefined {
  return (history.state as Place | null)?.wigeon;
}

export function goTo(key: string): void {
  if (currentPlace() === undefined) history.replaceState({ wigeon: null }, "");
  if (currentPlace() === key) return;
  if (currentPlace() === null) history.pushState({ wigeon: key }, "");
  else history.replaceState({ wigeon: key }, "");
}

/** Back to the list. */
export function goBack(): void {
  if (currentPlace()) history.back();
}

export function onPlaceChange(listener: (key: string | null) => void): () => void {
  const handle = () => listener(currentPlace() ?? null);
  addEventListener("popstate", handle);
  return () => removeEventListener("popstate", handle);
}
