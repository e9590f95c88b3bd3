import { refundWorkflowId } from '../workflows/ids.ts';
import type { BenchStack } from './bench-stack.ts';
import type { BenchOptions } from './bench-options.ts';
import { inParallel } from './in-parallel.ts';
import { AMOUNT_MINOR } from './merchant-backend.ts';
import { cpuMs, perRole } from './process-figures.ts';
import type { PerRole } from './process-figures.ts';
import type { Say } from './progress.ts';
import { quantile, rotated, spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';
import { MERCHANT } from './unit-operations.ts';

/** Some refunds of each order, one after the other; so many orders at once. */
export interface StretchFigures {
  /** How many refunds each of the orders gets in all. */
  readonly perOrder: number;
  readonly round: number;
  /** Which refunds of its order these are, counted from 1. */
  readonly from: number;
  readonly to: number;
  readonly refunds: number;
  readonly failures: number;
  readonly firstFailure: string | null;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** CPU per refund, with what it leaves behind, milliseconds. */
  readonly cpuMs: PerRole;
  readonly historyBytes: Spread;
}

/** Orders at once; each order's refunds come one after the other. */
export const ORDERS_AT_ONCE = 8;

/** How many refunds an order gets, and how many such orders make one measurement. */
const SIZES = [{ perOrder: 1, orders: 5 * ORDERS_AT_ONCE }, { perOrder: 10, orders: 2 * ORDERS_AT_ONCE }, { perOrder: 100, orders: ORDERS_AT_ONCE }] as const;
const STRETCHES = 10;
const PART_MINOR = AMOUNT_MINOR / 100;
const SAMPLES = 3;

/** Refunds orders in ever more parts, and measures each tenth of the way. */
export async function measureManyRefunds(stack: BenchStack, options: BenchOptions, say: Say): Promise<readonly StretchFigures[]> {
  say('orders: warming up');
  await refundInParts(stack, 1, 2 * STRETCHES * ORDERS_AT_ONCE);
  const figures: StretchFigures[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const { perOrder, orders } of rotated(SIZES, (round - 1) % SIZES.length)) {
      const stretches = await refundInParts(stack, perOrder, orders);
      figures.push(...stretches.map((stretch) => ({ ...stretch, round })));
      say(`  round ${round}/${options.rounds}, ${perOrder} refunds on each order: p50 ${stretches.map(({ p50Ms }) => p50Ms.toFixed(0)).join(', ')} ms`);
    }
  }
  return figures;
}

async function refundInParts(stack: BenchStack, perOrder: number, orders: number): Promise<readonly Omit<StretchFigures, 'round'>[]> {
  const orderIds = await inParallel(orders, ORDERS_AT_ONCE, () => stack.merchant.createOrder());
  const length = Math.ceil(perOrder / STRETCHES);
  const stretches: Omit<StretchFigures, 'round'>[] = [];
  for (let from = 1; from <= perOrder; from += length) stretches.push({ perOrder, from, to: from + length - 1, ...(await measureStretch(stack, orderIds, length)) });
  return stretches;
}

async function measureStretch(stack: BenchStack, orderIds: readonly string[], length: number): Promise<Omit<StretchFigures, 'round' | 'perOrder' | 'from' | 'to'>> {
  await stack.untilQuiet();
  const latencies: number[] = [];
  const failures: unknown[] = [];
  const before = cpuMs(stack.pids());
  const begun = performance.now();
  const lastRefunds = await inParallel(orderIds.length, ORDERS_AT_ONCE, async (index) => {
    let last: string | null = null;
    for (let count = 0; count < length; count += 1) {
      const asked = performance.now();
      try {
        last = await stack.merchant.refund(orderIds[index] ?? '', PART_MINOR);
        latencies.push(performance.now() - asked);
      } catch (error) {
        failures.push(error);
      }
    }
    return last;
  });
  const seconds = (performance.now() - begun) / 1000;
  await stack.untilQuiet();
  const after = cpuMs(stack.pids());
  const refunds = latencies.length;
  const histories = await Promise.all(lastRefunds.filter((id) => id !== null).slice(-SAMPLES).map((id) => stack.temporal.client.workflow.getHandle(refundWorkflowId(MERCHANT, id)).describe()));
  return {
    refunds, failures: failures.length, firstFailure: failures.length === 0 ? null : String(failures[0]), perSecond: refunds / seconds, p50Ms: quantile(latencies, 0.5), p95Ms: quantile(latencies, 0.95),
    cpuMs: perRole((role) => (after[role] - before[role]) / Math.max(1, refunds)), historyBytes: spreadOf(histories.map(({ historySize }) => historySize ?? 0)),
  };
}
