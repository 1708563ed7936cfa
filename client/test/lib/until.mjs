// Waits for a condition, never for a time; says which one did not come true. A busy machine may need long.

export async function until(what, test, ms = 60_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (Date.now() > end) throw new Error("never: " + what);
    await new Promise(next => setTimeout(next, 5));
  }
}
