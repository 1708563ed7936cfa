// The three list operations we need that IE 8 does not have. (`for … of` over arrays becomes a plain loop there.)

export function some<T>(list: readonly T[], test: (item: T) => any): boolean {
  for (const item of list) if (test(item)) return true;
  return false;
}

export const has = <T>(list: readonly T[], item: T): boolean => some(list, other => other === item);

export function pick<T>(list: readonly T[], test: (item: T) => any): T[] {
  const out: T[] = [];
  for (const item of list) if (test(item)) out.push(item);
  return out;
}
