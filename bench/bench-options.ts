import { parseArgs } from 'node:util';

/** What the bench is asked to do. */
export interface BenchOptions {
  /** Payout orders that wait in the end. */
  readonly payouts: number;
  /** Sticky caches to compare, in Workflows; the first restart of the worker takes `DEFAULT_CACHE`. */
  readonly caches: readonly number[];
  /** Operations of each kind in one round. */
  readonly refunds: number;
  /** Requests under way at once. */
  readonly clients: number;
  /** Refunds under way at once in the burst that may overflow a small cache. */
  readonly burst: number;
  /** Rounds of each measurement; medians and extremes are taken over them. */
  readonly rounds: number;
  /** Cancels of each kind when the cost of waking is measured. */
  readonly wakes: number;
  /** How long nothing is done while the idle cost is measured, seconds. */
  readonly idleSeconds: number;
  /** File for the raw figures. */
  readonly json: string | null;
}

/** The product's own `MAX_CACHED_WORKFLOWS`. */
export const DEFAULT_CACHE = 200;

/** Reads the command line. @throws Error that names the wrong option */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args], strict: true,
    options: {
      payouts: { type: 'string', default: '10000' }, cache: { type: 'string', default: '50,200,1000' }, refunds: { type: 'string', default: '200' },
      clients: { type: 'string', default: '8' }, burst: { type: 'string', default: '100' }, rounds: { type: 'string', default: '3' },
      wakes: { type: 'string', default: '40' }, idle: { type: 'string', default: '30' }, json: { type: 'string' },
    },
  });
  return {
    payouts: whole('payouts', values.payouts), caches: values.cache.split(',').map((cache) => whole('cache', cache)), refunds: whole('refunds', values.refunds),
    clients: whole('clients', values.clients), burst: whole('burst', values.burst), rounds: whole('rounds', values.rounds),
    wakes: whole('wakes', values.wakes), idleSeconds: whole('idle', values.idle), json: values.json ?? null,
  };
}

function whole(option: string, given: string): number {
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${option}: expected a whole number of at least 1`);
  return value;
}
