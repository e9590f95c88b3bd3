import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_CACHE } from './bench-options.ts';
import type { BenchStack } from './bench-stack.ts';
import type { Operation } from './closed-loop.ts';
import type { OrderSupply } from './order-supply.ts';
import type { Say } from './progress.ts';
import { needsOrder } from './unit-operations.ts';
import type { Unit } from './unit-operations.ts';

/** What one operation takes in calls and transactions, whatever the load. */
export interface CountedWork {
  readonly unit: Unit;
  readonly operations: number;
  /** Of the worker, per operation. */
  readonly providerCalls: number;
  /** Committed transactions of our database, reading ones included, per operation. */
  readonly commits: number;
}

const OPERATIONS = 20;
/** Longer than a connection of PostgreSQL keeps its count to itself. */
const REPORTED_MS = 10_500;

/** Counts outside the windows, since counting costs: the worker is restarted behind a relay that counts its calls, and afterwards without it. */
export async function countWork(stack: BenchStack, operations: Readonly<Record<Unit, Operation>>, orders: OrderSupply, units: readonly Unit[], say: Say): Promise<readonly CountedWork[]> {
  const counted: CountedWork[] = [];
  const ours = units.filter((name) => !name.startsWith('bare'));
  if (ours.length === 0) return [];
  say(`units: counting calls and transactions of ${ours.length} of them`);
  await stack.restartWorker({ cache: DEFAULT_CACHE, countsCalls: true });
  await orders.fill(OPERATIONS * ours.filter(needsOrder).length);
  await pause(REPORTED_MS);
  for (const unit of ours) {
    const [calls, commits] = [stack.providerCalls(), await stack.database.commits()];
    for (let index = 0; index < OPERATIONS; index += 1) await operations[unit]();
    await pause(REPORTED_MS);
    // The first reading is itself a transaction.
    const [calledSince, committedSince] = [stack.providerCalls() - calls, (await stack.database.commits()) - commits - 1];
    counted.push({ unit, operations: OPERATIONS, providerCalls: calledSince / OPERATIONS, commits: committedSince / OPERATIONS });
  }
  await stack.restartWorker({ cache: DEFAULT_CACHE, countsCalls: false });
  return counted;
}
