// Where unsent messages survive a reload, a crash and a day without network: IndexedDB, under the person's id.
// What was read or written once is kept at hand, so that a message is on its way to the disk in the very turn in
// which Enter was pressed: who closes the tab at once loses nothing. One tab at a time writes (tabs/shared.ts).
import type { OutboxStorage } from "wigeon-client";
import { tab } from "./keep.ts";

const STORE = "outbox";
/** A guest's identity ends with the tab: what it left unsent, nobody will ever send. */
const LEFT_MS_MAX = 7 * 86_400_000;

interface Row {
  value: string;
  at: number;
}

export class OutboxStore implements OutboxStorage {
  private db: IDBDatabase | null = null;
  private known = new Map<string, string | null>();

  getItem(key: string): string | null | Promise<string | null> {
    const known = this.known.get(key);
    return known !== undefined ? known : this.load(key);
  }

  setItem(key: string, value: string): void {
    this.known.set(key, value);
    if (this.db) write(this.db, (rows) => rows.put({ value, at: Date.now() } satisfies Row, key));
    else tab.setItem(key, value);
  }

  removeItem(key: string): void {
    this.known.set(key, null);
    if (this.db) write(this.db, (rows) => rows.delete(key));
    else tab.removeItem(key);
  }

  private async load(key: string): Promise<string | null> {
    try {
      this.db ??= await open();
    } catch {
      // Blocked or broken: the tab's own memory stands in.
      return tab.getItem(key);
    }
    const row = await done<Row | undefined>(this.db.transaction(STORE).objectStore(STORE).get(key));
    // Meanwhile something may have been written.
    const value = this.known.get(key) ?? row?.value ?? null;
    this.known.set(key, value);
    return value;
  }
}

async function open(): Promise<IDBDatabase> {
  const opening = indexedDB.open("wigeon", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const db = await done(opening);
  const before = Date.now() - LEFT_MS_MAX;
  write(db, (rows) => {
    const walk = rows.openCursor();
    walk.onsuccess = () => {
      if (!walk.result) return;
      if ((walk.result.value as Row).at < before) walk.result.delete();
      walk.result.continue();
    };
  }, false);
  return db;
}

/** Committed at once where the engine can: a page that goes away does not wait for its transactions. */
function write(db: IDBDatabase, change: (rows: IDBObjectStore) => void, now = true): void {
  const transaction = db.transaction(STORE, "readwrite");
  change(transaction.objectStore(STORE));
  if (now) transaction.commit?.();
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
