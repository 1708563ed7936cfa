// How many times slower than by itself this machine is just now. A sentence that names a time means a machine that
// has nothing else to do; a test machine often has.
const WORK_US = 200_000;

export function slowness() {
  const began = performance.now();
  const before = process.cpuUsage();
  let worked = 0;
  while (worked < WORK_US) {
    const { user, system } = process.cpuUsage(before);
    worked = user + system;
  }
  return Math.max(1, ((performance.now() - began) * 1000) / worked);
}
