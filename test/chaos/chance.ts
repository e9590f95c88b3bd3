import { createHash } from 'node:crypto';

/** A row of numbers that a seed and a name determine, on every machine. */
export interface Chance {
  /** From 0 to below 1. */
  unit(): number;
  /** A whole number, both ends included. */
  int(least: number, most: number): number;
  /** Whether something of this probability happens. */
  happens(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** Makes the row of a seed and a name: what is drawn from one does not move another. */
export function chance(seed: number, name: string): Chance {
  let state = createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE(0);
  // Mulberry32: small, and even enough for plans.
  const unit = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (least: number, most: number): number => least + Math.floor(unit() * (most - least + 1));
  return {
    unit, int,
    happens: (probability) => unit() < probability,
    pick: (from) => {
      const picked = from[int(0, from.length - 1)];
      if (picked === undefined) throw new Error('there is nothing to pick from');
      return picked;
    },
  };
}

/** Deals cards in an order of its own, all of them before any comes again, so that each comes about equally often. */
export function deck<T>(drawn: Chance, cards: readonly T[]): () => T {
  let rest: T[] = [];
  return () => {
    if (rest.length === 0) rest = shuffled(drawn, cards);
    const card = rest.pop();
    if (card === undefined) throw new Error('there is no card');
    return card;
  };
}

function shuffled<T>(drawn: Chance, cards: readonly T[]): T[] {
  const order = [...cards];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = drawn.int(0, last);
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}

/** How many of `total` fall to the place of this index, among so many: evenly spread, and `total` altogether. */
export function share(total: number, places: number, index: number): number {
  return Math.floor(((index + 1) * total) / places) - Math.floor((index * total) / places);
}
