// Chance that can be had again: everything random in a test comes from one printed seed. WIGEON_SEED sets it.
export class Dice {
  constructor(seed = Number(process.env.WIGEON_SEED) || Math.floor(Math.random() * 2 ** 32)) {
    this.seed = seed >>> 0;
    this.state = this.seed;
  }

  /** mulberry32: 0 ≤ x < 1. */
  roll() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + Math.floor(this.roll() * (high - low + 1));
  }

  pick(list) {
    return list[this.between(0, list.length - 1)];
  }
}
