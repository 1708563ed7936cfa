// The page's own shortcuts, and how they are called on this kind of keyboard.

export const apple = /Mac|iPhone|iPad/.test(navigator.platform);

export const jumpKey = apple ? "⌘K" : "Ctrl K";
export const searchKey = apple ? "⌘F" : "Ctrl F";

const isKey = (event: KeyboardEvent, key: string) => (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === key;

export const jumps = (event: KeyboardEvent): boolean => isKey(event, "k");
/** Pressed again in our own field, the browser's search is what is wanted. */
export const searches = (event: KeyboardEvent): boolean => isKey(event, "f") && !(event.target as Element).closest?.('[role="search"]');
