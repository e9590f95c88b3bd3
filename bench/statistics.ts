/** A figure measured several times. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which this share (0 to 1) of the values lies; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Median and extremes. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** Of several measurements: the median of their medians, and the extremes of all. */
export function joined(spreads: readonly Spread[]): Spread {
  return { median: spreadOf(spreads.map(({ median }) => median)).median, min: Math.min(...spreads.map(({ min }) => min)), max: Math.max(...spreads.map(({ max }) => max)) };
}

/** The list from one of its places on, and then what stood before it. */
export function rotated<T>(values: readonly T[], by: number): readonly T[] {
  return [...values.slice(by), ...values.slice(0, by)];
}
