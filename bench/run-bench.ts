import { DEFAULT_CACHE } from './bench-options.ts';
import type { BenchOptions } from './bench-options.ts';
import type { BenchStack } from './bench-stack.ts';
import { compareNewWork, createWaiting, measureLoad } from './new-work.ts';
import type { Load, PairedFigures, Say } from './new-work.ts';
import { residentBytes } from './process-figures.ts';
import { measureCache } from './sticky-cache.ts';
import type { CacheFigures } from './sticky-cache.ts';
import { addedPer, readStoreSizes } from './store-sizes.ts';
import type { StoreSizes } from './store-sizes.ts';
import { measureIdle, measureRestart, readHistories } from './waiting-costs.ts';
import type { HistoryFigures, IdleFigures, RestartFigures } from './waiting-costs.ts';

/** Two stacks that get the same new work; payout orders wait in the first one only. */
export interface Stacks {
  readonly waiting: BenchStack;
  readonly control: BenchStack;
}

/** A figure of the stack with waiting payout orders, and of the one without. */
export interface Both<T> {
  readonly waiting: T;
  readonly control: T;
}

/** New work beside so many waiting payout orders. */
export interface StageFigures {
  readonly waiting: number;
  /** How fast the last of them were created, per second; `null` for none. */
  readonly createdPerSecond: number | null;
  /** What each of those took in the stores, bytes; `null` for none. */
  readonly added: StoreSizes | null;
  readonly newWork: readonly PairedFigures[];
}

/** Everything that was measured. */
export interface BenchFigures {
  readonly options: BenchOptions;
  readonly stages: readonly StageFigures[];
  readonly history: HistoryFigures;
  readonly idle: Both<IdleFigures>;
  /** Memory of the workers that have served since the beginning, bytes. */
  readonly residentBytes: Both<number>;
  readonly restart: Both<RestartFigures>;
  readonly caches: readonly CacheFigures[];
  /** Provider calls of one refund and of one payout order created and cancelled: the counter does count. */
  readonly providerCallsPerOperation: number;
  /** Requests that had to be repeated, because their answer said that the outcome takes longer. */
  readonly repeatedRequests: Both<number>;
}

const FIRST_STAGE = 1000;
const WARM_UP_OPERATIONS = 50;

/** Measures everything, in the order in which the report asks for it. */
export async function runBench(stacks: Stacks, options: BenchOptions, say: Say): Promise<BenchFigures> {
  const { waiting, control } = stacks;
  const loads: readonly Load[] = [{ kind: 'refund', operations: options.refunds, clients: options.clients }, { kind: 'payout order', operations: options.refunds, clients: options.clients }];
  const burst: Load = { kind: 'burst of refunds', operations: Math.max(options.refunds, options.burst), clients: options.burst };
  const providerCallsPerOperation = await warmUp(stacks, loads, say);
  const ids: string[] = [];
  const stages: StageFigures[] = [];
  let held: Pick<BenchFigures, 'history' | 'idle' | 'residentBytes'> | null = null;
  for (const count of new Set([0, Math.min(FIRST_STAGE, options.payouts), options.payouts])) {
    const grown = await growTo(waiting, ids, count, options, say);
    if (count === options.payouts) held = await measureHeld(stacks, ids, options, say);
    say(`new work with ${count} payout orders waiting`);
    stages.push({ waiting: count, ...grown, newWork: await compareNewWork(waiting, control, loads, options.rounds, say) });
  }
  if (held === null) throw new Error('the last stage was left out');
  say(`worker restart with ${ids.length} payout orders waiting`);
  const restart = { waiting: await measureRestart(waiting, DEFAULT_CACHE), control: await measureRestart(control, DEFAULT_CACHE) };
  const caches: CacheFigures[] = [];
  for (const cache of options.caches) {
    say(`sticky cache of ${cache}`);
    const untouched = ids.splice(0, options.wakes);
    caches.push(await measureCache(stacks, cache, untouched, [...loads, burst], options, say));
  }
  const repeatedRequests = { waiting: waiting.merchant.repeated(), control: control.merchant.repeated() };
  return { options, stages, ...held, restart, caches, providerCallsPerOperation, repeatedRequests };
}

/** The first operations of a process are slow: they are left out. Answers the worker's provider calls per operation. */
async function warmUp({ waiting, control }: Stacks, loads: readonly Load[], say: Say): Promise<number> {
  say('warming up');
  const before = waiting.providerCalls();
  for (const load of loads) {
    await measureLoad(waiting, { ...load, operations: WARM_UP_OPERATIONS });
    await measureLoad(control, { ...load, operations: WARM_UP_OPERATIONS });
  }
  const calls = (waiting.providerCalls() - before) / (loads.length * WARM_UP_OPERATIONS);
  if (calls < 1) throw new Error('the relay does not count the calls to the provider');
  return calls;
}

/** Has payout orders created until so many wait, and reads what they took in the stores. */
async function growTo(stack: BenchStack, ids: string[], count: number, options: BenchOptions, say: Say): Promise<Pick<StageFigures, 'createdPerSecond' | 'added'>> {
  const missing = count - ids.length;
  if (missing === 0) return { createdPerSecond: null, added: null };
  say(`creating ${missing} payout orders that wait`);
  const before = await readStoreSizes(stack, { compact: true });
  const created = await createWaiting(stack, missing, options.clients, say);
  ids.push(...created.ids);
  const added = addedPer(missing, before, await readStoreSizes(stack, { compact: false }));
  return { createdPerSecond: created.perSecond, added };
}

/** What waiting itself costs: history, nothing to do, memory. */
async function measureHeld({ waiting, control }: Stacks, ids: readonly string[], options: BenchOptions, say: Say): Promise<Pick<BenchFigures, 'history' | 'idle' | 'residentBytes'>> {
  const history = await readHistories(waiting, ids);
  say(`nothing for ${options.idleSeconds} s`);
  const [idle, idleControl] = await measureIdle([waiting, control], options.idleSeconds);
  if (idle === undefined || idleControl === undefined) throw new Error('both stacks must be measured');
  return {
    history, idle: { waiting: idle, control: idleControl },
    residentBytes: { waiting: residentBytes(waiting.pids().worker), control: residentBytes(control.pids().worker) },
  };
}
