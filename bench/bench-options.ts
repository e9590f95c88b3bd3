import { parseArgs } from 'node:util';
import { UNITS } from './unit-operations.ts';
import type { Unit } from './unit-operations.ts';

/** What can be measured: units of work, many refunds on one order, many payout orders that wait, the start of a worker. */
export const PARTS = ['units', 'orders', 'payouts', 'start'] as const;

/** One of them. */
export type Part = (typeof PARTS)[number];

/** What the bench is asked to do. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  /** Rounds of each measurement; medians and extremes are taken over them. */
  readonly rounds: number;
  /** How long one window is, seconds. */
  readonly seconds: number;
  /** Requests under way at once: every unit is measured at each of these, new work beside waiting payout orders at the last one. */
  readonly clients: readonly number[];
  /** The units of work to measure. */
  readonly units: readonly Unit[];
  /** Payout orders that wait in the end. */
  readonly payouts: number;
  /** Sticky caches to compare, in Workflows; none: the study is left out. */
  readonly caches: readonly number[];
  /** File for the raw figures. */
  readonly json: string | null;
}

/** The product's own `MAX_CACHED_WORKFLOWS`. */
export const DEFAULT_CACHE = 200;

/** What `--help` says, and what a wrong option is answered with. */
export const USAGE = `Usage: npm run bench [-- options]
  --parts ${PARTS.join(',')}   what to measure (all; over an hour)
  --units ${UNITS.join(',')}   units of work (all)
  --rounds 5            rounds of each measurement
  --seconds 5           length of a window
  --clients 1,8,32      requests under way at once
  --payouts 10000       payout orders that wait in the end
  --cache 50,200,1000   sticky caches to compare (none)
  --json FILE           all figures, also after each part
Measures on loopback, with the build in dist/; ends with 1 when more than 1 % of the operations failed, with 2 for a wrong option.`;

/** Reads the command line. @throws Error that names the wrong option */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args], strict: true,
    options: {
      parts: { type: 'string', default: PARTS.join(',') }, rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' },
      clients: { type: 'string', default: '1,8,32' }, units: { type: 'string', default: UNITS.join(',') }, payouts: { type: 'string', default: '10000' },
      cache: { type: 'string', default: '' }, json: { type: 'string' },
    },
  });
  return {
    parts: words('parts', values.parts, PARTS), rounds: whole('rounds', values.rounds), seconds: whole('seconds', values.seconds),
    clients: numbers('clients', values.clients), units: words('units', values.units, UNITS), payouts: whole('payouts', values.payouts),
    caches: values.cache === '' ? [] : numbers('cache', values.cache), json: values.json ?? null,
  };
}

function numbers(option: string, given: string): readonly number[] {
  return given.split(',').map((value) => whole(option, value));
}

function words<T extends string>(option: string, given: string, known: readonly T[]): readonly T[] {
  const asked = given.split(',');
  const unknown = asked.find((word) => !known.some((name) => name === word));
  if (unknown !== undefined) throw new Error(`--${option}: "${unknown}" is none of ${known.join(', ')}`);
  return known.filter((name) => asked.includes(name));
}

function whole(option: string, given: string): number {
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${option}: expected a whole number of at least 1`);
  return value;
}
