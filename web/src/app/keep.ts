// Small things kept in the browser. `tab` lives as long as the tab, so that two tabs are two people;
// `browser` is shared (language, appearance). Where storage is blocked (a frame without cookies, private
// mode), both fall back to memory: the page works, and only forgets at the next load.

class Keep {
  private memory = new Map<string, string>();

  constructor(private readonly open: () => Storage) {}

  getItem(key: string): string | null {
    try {
      return this.open().getItem(key);
    } catch {
      return this.memory.get(key) ?? null;
    }
  }

  setItem(key: string, value: string): void {
    try {
      this.open().setItem(key, value);
    } catch {
      this.memory.set(key, value);
    }
  }

  removeItem(key: string): void {
    this.memory.delete(key);
    try {
      this.open().removeItem(key);
    } catch {
      // Blocked: there was only memory.
    }
  }
}

export const tab = new Keep(() => sessionStorage);
export const browser = new Keep(() => localStorage);
