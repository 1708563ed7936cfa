// The browser's history knows which conversation is open and what stands beside it, so that Back works (on a phone
// it leads from a thread to the conversation, and from there to the list) and a reload stays where one was. The
// address itself does not change.

/** What stands beside a conversation: a search, or the thread that a message of this number began. */
export type SidePlace = "search" | number;

interface Place {
  wigeon: string | null;
  side?: SidePlace;
  /** The side covers the conversation: it is a step of its own, and Back takes it away. */
  step?: boolean;
}

const current = (): Place | null => history.state as Place | null;

// A step back comes true only later. What is entered in the meantime would be left again by it, so it waits.
let leaving = false;
let meanwhile: (() => void)[] = [];

function stepBack(): void {
  if (leaving) return;
  leaving = true;
  history.back();
}

/** Which conversation this history entry shows: a key, null for the list, undefined when we never set it. */
export const currentPlace = (): string | null | undefined => current()?.wigeon;
export const currentSide = (): SidePlace | undefined => current()?.side;

/** To a conversation; `side` stays beside it. From a side that covers everything, Back leads there again. */
export function goTo(key: string, side?: SidePlace): void {
  if (leaving) return void meanwhile.push(() => goTo(key, side));
  const place = current();
  if (place?.wigeon === undefined) history.replaceState({ wigeon: null }, "");
  else if (place.wigeon === key && !place.step) return;
  const next: Place = { wigeon: key, side };
  if (!place?.wigeon || place.step) history.pushState(next, "");
  else history.replaceState(next, "");
}

export function goToSide(side: SidePlace, covering: boolean): void {
  if (leaving) return void meanwhile.push(() => goToSide(side, covering));
  const place = current();
  const next: Place = { wigeon: place?.wigeon ?? null, side, step: covering || place?.step };
  if (covering && place?.side === undefined) history.pushState(next, "");
  else history.replaceState(next, "");
}

export function leaveSide(): void {
  const place = current();
  if (place?.side === undefined) return;
  if (place.step) stepBack();
  else history.replaceState({ wigeon: place.wigeon } satisfies Place, "");
}

/** Back to the list. */
export function goBack(): void {
  if (currentPlace()) stepBack();
}

export function onPlaceChange(listener: (key: string | null, side: SidePlace | undefined) => void): () => void {
  const handle = () => {
    const entered = meanwhile;
    leaving = false;
    meanwhile = [];
    for (const enter of entered) enter();
    if (entered.length === 0) listener(currentPlace() ?? null, currentSide());
  };
  addEventListener("popstate", handle);
  return () => removeEventListener("popstate", handle);
}
