import type { Broken } from './broken.ts';
import type { ChaosOptions } from './chaos-options.ts';
import type { ChaosOrderEvidence, PayoutEvidence } from './evidence.ts';
import type { KillReport } from './killer.ts';
import type { ArmedFault } from './play-refunds.ts';
import type { RaceTally } from './races.ts';

/** How many faults of one kind were armed, and how many of them hit a call. */
export interface FaultCount {
  readonly armed: number;
  readonly hit: number;
}

/** What one run came to. */
export interface RunFigures {
  readonly seed: number;
  readonly protocol: ChaosOptions['protocol'];
  /** By the phases of the run. */
  readonly seconds: Readonly<Record<'start' | 'play' | 'quiet' | 'verdict', number>>;
  readonly operations: { readonly refunds: number; readonly payouts: number; readonly postedTwice: number; readonly repeated: number };
  /** By operation and mode: `refund timeout`. */
  readonly faults: Readonly<Record<string, FaultCount>>;
  readonly kills: KillReport['kills'];
  readonly endedByThemselves: readonly string[];
  /** Operations that a fault hit, and those of them that came to their end by themselves. */
  readonly recovered: { readonly hit: number; readonly ended: number };
  readonly endings: Readonly<Record<string, number>>;
  /** Open ones in the end, by kind. */
  readonly cases: Readonly<Record<string, number>>;
  readonly races: RaceTally;
  /** Histories that were replayed. */
  readonly replayed: number | null;
  readonly violations: readonly Broken[];
}

/** Counts each of some words. */
export function countWords(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Counts faults by operation and mode; `left` says how often each armed fault has still to hit, by its id. */
export function countFaults(armed: readonly ArmedFault[], left: ReadonlyMap<number, number>): Readonly<Record<string, FaultCount>> {
  const counts: Record<string, { armed: number; hit: number }> = {};
  for (const { id, fault } of armed.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)))) {
    const count = (counts[nameOf({ fault })] ??= { armed: 0, hit: 0 });
    count.armed += fault.times;
    count.hit += fault.times - (left.get(id) ?? 0);
  }
  return counts;
}

function nameOf({ fault }: Pick<ArmedFault, 'fault'>): string {
  return `${fault.operation} ${fault.mode}`;
}

/** All faults of a mode, or all of them. */
export function sumFaults(faults: RunFigures['faults'], mode?: string): FaultCount {
  const counted = Object.entries(faults).filter(([name]) => mode === undefined || name.endsWith(` ${mode}`)).map(([, count]) => count);
  return { armed: counted.reduce((sum, { armed }) => sum + armed, 0), hit: counted.reduce((sum, { hit }) => sum + hit, 0) };
}

/** How operations ended that a fault hit. */
export function countRecovered(orders: readonly (readonly [ChaosOrderEvidence, readonly ArmedFault[]])[], payouts: readonly (readonly [PayoutEvidence, readonly ArmedFault[]])[], left: ReadonlyMap<number, number>): RunFigures['recovered'] {
  const isHit = (armed: readonly ArmedFault[]): boolean => armed.some(({ id, fault }) => (left.get(id) ?? 0) < fault.times);
  const hit = [
    ...orders.filter(([, armed]) => isHit(armed)).map(([{ refunds }]) => refunds.every(({ waits }) => !waits)),
    ...payouts.filter(([, armed]) => isHit(armed)).map(([{ cases }]) => cases.length === 0),
  ];
  return { hit: hit.length, ended: hit.filter(Boolean).length };
}

/** Sums what several runs came to, for figures that are asserted over all of them. */
export function addFaults(runs: readonly RunFigures['faults'][]): RunFigures['faults'] {
  const sum: Record<string, FaultCount> = {};
  for (const [name, { armed, hit }] of runs.flatMap((faults) => Object.entries(faults))) sum[name] = { armed: (sum[name]?.armed ?? 0) + armed, hit: (sum[name]?.hit ?? 0) + hit };
  return sum;
}
