import type { BenchStack } from './bench-stack.ts';
import { createWaiting } from './new-work.ts';
import type { PairedFigures } from './new-work.ts';
import { cpuMs, perRole, workerBytes } from './process-figures.ts';
import type { PerRole } from './process-figures.ts';
import type { Say } from './progress.ts';
import { quantile } from './statistics.ts';
import { measureRestart } from './waiting-costs.ts';
import type { RestartFigures } from './waiting-costs.ts';

/** Where the Workflow of a payout order is when it is cancelled. */
export const PLACES = ['in the cache', 'pushed out of it', 'not touched since the restart'] as const;

/** One of them. */
export type Place = (typeof PLACES)[number];

/** What it takes to cancel a payout order that waits. */
export interface WakeFigures {
  readonly cancels: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** CPU per cancel, milliseconds. */
  readonly cpuMs: PerRole;
}

/** What one size of the sticky cache comes to. */
export interface CacheFigures {
  readonly cache: number;
  readonly restart: RestartFigures;
  /** Memory of the worker when the cache is full of payout orders that wait. */
  readonly fullResidentBytes: number;
  readonly wakes: Readonly<Record<Place, WakeFigures>>;
  readonly newWork: readonly PairedFigures[];
  /** Memory of the worker after the new work, the burst included. */
  readonly afterwardsResidentBytes: number;
}

/** How many of the newest are surely still in the cache: a cancel of one that is not takes the place of the oldest. */
const SURELY_CACHED = 0.8;
const BATCHES = 4;
/** Cancels of each kind. */
const WAKES = 40;

/**
 * Restarts the worker with a cache of such a size, fills it with payout orders that wait, wakes some of them, then has new work asked for. Of
 * those that have waited since before the restart it takes some away, to cancel them.
 */
export async function measureCache(stack: BenchStack, cache: number, untouched: string[], creators: number, newWork: () => Promise<readonly PairedFigures[]>, say: Say): Promise<CacheFigures> {
  const wakes = Math.min(WAKES, Math.floor(cache * SURELY_CACHED), untouched.length);
  const restart = await measureRestart(stack, cache);
  say(`  the worker has a cache of ${cache} and fills it`);
  const filled = await createWaiting(stack, wakes + cache, creators, say);
  await stack.untilQuiet();
  const fullResidentBytes = workerBytes(stack.pids());
  const figures = await wakeThem(stack, {
    'in the cache': filled.ids.slice(-wakes).toReversed(), 'pushed out of it': filled.ids.slice(0, wakes), 'not touched since the restart': untouched.splice(0, wakes),
  });
  say(`  ${PLACES.map((place) => `${place}: ${figures[place].p50Ms.toFixed(0)} ms`).join(', ')}`);
  return { cache, restart, fullResidentBytes, wakes: figures, newWork: await newWork(), afterwardsResidentBytes: workerBytes(stack.pids()) };
}

/** Cancels them one at a time, in small batches of each kind by turns. */
async function wakeThem(stack: BenchStack, ids: Readonly<Record<Place, readonly string[]>>): Promise<Record<Place, WakeFigures>> {
  const latencies: Record<Place, number[]> = { 'in the cache': [], 'pushed out of it': [], 'not touched since the restart': [] };
  const used: Record<Place, PerRole> = { 'in the cache': perRole(() => 0), 'pushed out of it': perRole(() => 0), 'not touched since the restart': perRole(() => 0) };
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (const place of PLACES) {
      const size = Math.ceil(ids[place].length / BATCHES);
      await stack.untilQuiet();
      const before = cpuMs(stack.pids());
      for (const id of ids[place].slice(batch * size, (batch + 1) * size)) {
        const asked = performance.now();
        await stack.merchant.cancelPayoutOrder(id);
        latencies[place].push(performance.now() - asked);
      }
      await stack.untilQuiet();
      const after = cpuMs(stack.pids());
      const sofar = used[place];
      used[place] = perRole((role) => sofar[role] + after[role] - before[role]);
    }
  }
  const figuresOf = (place: Place): WakeFigures => {
    const taken = latencies[place];
    return { cancels: taken.length, p50Ms: quantile(taken, 0.5), p95Ms: quantile(taken, 0.95), cpuMs: perRole((role) => used[place][role] / Math.max(1, taken.length)) };
  };
  return { 'in the cache': figuresOf('in the cache'), 'pushed out of it': figuresOf('pushed out of it'), 'not touched since the restart': figuresOf('not touched since the restart') };
}
