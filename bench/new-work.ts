import { setTimeout as pause } from 'node:timers/promises';
import type { BenchStack } from './bench-stack.ts';
import { cpuMs, perRole } from './process-figures.ts';
import type { PerRole } from './process-figures.ts';
import { quantile } from './statistics.ts';

/** What is asked for while payout orders wait: synchronous refunds, payout orders created and cancelled, many refunds at once. */
export type WorkKind = 'refund' | 'payout order' | 'burst of refunds';

/** How much is asked for. */
export interface Load {
  readonly kind: WorkKind;
  readonly operations: number;
  /** Operations under way at once. */
  readonly clients: number;
}

/** What one load took. */
export interface LoadFigures {
  readonly kind: WorkKind;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** CPU per operation, with what it leaves behind, milliseconds. */
  readonly cpuMs: PerRole;
}

/** The same load on both stacks, one right after the other. */
export interface PairedFigures {
  readonly waiting: LoadFigures;
  readonly control: LoadFigures;
}

/** Receives a line of progress. */
export type Say = (line: string) => void;

const PROGRESS_MS = 10_000;

/**
 * Puts each load on the stack with waiting payout orders and on the one without, in rounds, now one first, now the other: what disturbs the
 * machine meanwhile disturbs both.
 */
export async function compareNewWork(waiting: BenchStack, control: BenchStack, loads: readonly Load[], rounds: number, say: Say): Promise<readonly PairedFigures[]> {
  const pairs: PairedFigures[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const load of loads) {
      const first = await measureLoad(round % 2 === 1 ? waiting : control, load);
      const second = await measureLoad(round % 2 === 1 ? control : waiting, load);
      const pair = round % 2 === 1 ? { waiting: first, control: second } : { waiting: second, control: first };
      pairs.push(pair);
      say(`  round ${round}/${rounds}, ${load.kind}: ${pair.waiting.perSecond.toFixed(1)}/s, control ${pair.control.perSecond.toFixed(1)}/s`);
    }
  }
  return pairs;
}

/** Puts one load on a stack. What it needs beforehand (paid orders) is made outside the measurement. */
export async function measureLoad(stack: BenchStack, { kind, operations, clients }: Load): Promise<LoadFigures> {
  const { merchant } = stack;
  const orders = kind === 'payout order' ? null : await made(operations, clients, () => merchant.createOrder());
  const operation = orders === null
    ? async () => merchant.cancelPayoutOrder(await merchant.createPayoutOrder())
    : (index: number) => merchant.refund(orders[index] ?? '');
  await stack.untilQuiet();
  const before = cpuMs(stack.pids());
  const begun = performance.now();
  const latencies = await made(operations, clients, async (index) => {
    const asked = performance.now();
    await operation(index);
    return performance.now() - asked;
  });
  const seconds = (performance.now() - begun) / 1000;
  await stack.untilQuiet();
  const after = cpuMs(stack.pids());
  return {
    kind, perSecond: operations / seconds, p50Ms: quantile(latencies, 0.5), p95Ms: quantile(latencies, 0.95),
    cpuMs: perRole((role) => (after[role] - before[role]) / operations),
  };
}

/** Payout orders that wait, and how fast they came to be. */
export interface Created {
  /** In the order of their creation, but for those under way at once. */
  readonly ids: readonly string[];
  readonly perSecond: number;
}

/** Creates payout orders that wait for 30 days, and tells how far it is. */
export async function createWaiting(stack: BenchStack, count: number, clients: number, say: Say): Promise<Created> {
  const begun = performance.now();
  const done = new AbortController();
  const ids: string[] = [];
  const telling = tellProgress(() => `  ${ids.length} of ${count} created`, say, done.signal);
  try {
    await made(count, clients, async () => void ids.push(await stack.merchant.createPayoutOrder()));
  } finally {
    done.abort();
    await telling;
  }
  return { ids, perSecond: (count * 1000) / (performance.now() - begun) };
}

async function tellProgress(line: () => string, say: Say, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    // Aborting is how it ends.
    await pause(PROGRESS_MS, undefined, { signal: until }).then(() => say(line()), () => undefined);
  }
}

/** Runs as many operations, so many at a time, and gives their results in order of their index. */
async function made<T>(count: number, clients: number, operation: (index: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(clients, count) }, async () => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await operation(index);
    }
  }));
  return results;
}
