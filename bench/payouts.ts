import { DEFAULT_CACHE } from './bench-options.ts';
import type { BenchOptions } from './bench-options.ts';
import type { BenchStack } from './bench-stack.ts';
import { compareNewWork, createWaiting } from './new-work.ts';
import type { Load, PairedFigures, WorkUnit } from './new-work.ts';
import { OrderSupply } from './order-supply.ts';
import { workerBytes } from './process-figures.ts';
import type { Say } from './progress.ts';
import { measureCache } from './sticky-cache.ts';
import type { CacheFigures } from './sticky-cache.ts';
import { addedPer, readStoreSizes } from './store-sizes.ts';
import type { StoreSizes } from './store-sizes.ts';
import { createProductOperations } from './unit-operations.ts';
import { IDLE_SECONDS, measureIdle, measureRestart, readHistories } from './waiting-costs.ts';
import type { HistoryFigures, IdleFigures, RestartFigures } from './waiting-costs.ts';
import { WindowBench } from './window-bench.ts';

/** A stack with waiting payout orders, and one without. */
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
  /** Memory of the workers after the new work, bytes. */
  readonly residentBytes: Both<number>;
}

/** What payout orders cost while they wait (P8). */
export interface PayoutFigures {
  readonly stages: readonly StageFigures[];
  readonly history: HistoryFigures;
  readonly idle: Both<IdleFigures>;
  /** Memory of the workers when all of them wait, before the new work, bytes. */
  readonly residentBytes: Both<number>;
  readonly restart: Both<RestartFigures>;
  readonly caches: readonly CacheFigures[];
  /** Requests that had to be repeated, because their answer said that the outcome takes longer. */
  readonly repeatedRequests: Both<number>;
}

const FIRST_STAGE = 1000;
const CREATORS = 8;
/** Refunds at once that may overflow a small cache. */
const BURST_CLIENTS = 100;

/** Measures everything, in the order in which the report asks for it. */
export async function measurePayouts(stacks: Both<BenchStack>, options: BenchOptions, say: Say): Promise<PayoutFigures> {
  const { waiting, control } = stacks;
  const { seconds, rounds } = options;
  const clients = options.clients.at(-1) ?? 1;
  const loads: readonly Load[] = [{ kind: 'refund', clients, seconds }, { kind: 'payout order', clients, seconds }];
  const benches: Both<WindowBench<WorkUnit>> = { waiting: await warmBench(waiting, say), control: await warmBench(control, say) };
  const compare = (more: readonly Load[] = []): Promise<readonly PairedFigures[]> => compareNewWork(benches.waiting, benches.control, [...loads, ...more], rounds, say);
  const ids: string[] = [];
  const stages: StageFigures[] = [];
  let held: Pick<PayoutFigures, 'history' | 'idle' | 'residentBytes'> | null = null;
  for (const count of new Set([0, Math.min(FIRST_STAGE, options.payouts), options.payouts])) {
    const grown = await growTo(waiting, ids, count, say);
    if (count === options.payouts) held = await measureHeld(stacks, ids, say);
    say(`payouts: new work with ${count} of them waiting`);
    stages.push({ waiting: count, ...grown, newWork: await compare(), residentBytes: memory(stacks) });
  }
  if (held === null) throw new Error('the last stage was left out');
  say(`payouts: worker restart with ${ids.length} of them waiting`);
  const restart = { waiting: await measureRestart(waiting, DEFAULT_CACHE), control: await measureRestart(control, DEFAULT_CACHE) };
  const caches: CacheFigures[] = [];
  for (const cache of options.caches) {
    say(`payouts: sticky cache of ${cache}`);
    caches.push(await measureCache(waiting, cache, ids, CREATORS, () => compare([{ kind: 'burst of refunds', clients: BURST_CLIENTS, seconds }]), say));
  }
  return { stages, ...held, restart, caches, repeatedRequests: { waiting: waiting.merchant.repeated(), control: control.merchant.repeated() } };
}

async function warmBench(stack: BenchStack, say: Say): Promise<WindowBench<WorkUnit>> {
  say('payouts: warming up');
  const orders = new OrderSupply(stack.merchant);
  const bench = new WindowBench<WorkUnit>({ stack, pids: () => stack.pids() }, createProductOperations(stack, orders), orders);
  const before = stack.providerCalls();
  await bench.warmUp('refund-http');
  await bench.warmUp('payout-http');
  if (stack.providerCalls() === before) throw new Error('the relay does not count the calls to the provider');
  return bench;
}

/** Has payout orders created until so many wait, and reads what they took in the stores. */
async function growTo(stack: BenchStack, ids: string[], count: number, say: Say): Promise<Pick<StageFigures, 'createdPerSecond' | 'added'>> {
  const missing = count - ids.length;
  if (missing === 0) return { createdPerSecond: null, added: null };
  say(`payouts: creating ${missing} that wait`);
  const before = await readStoreSizes(stack, { compact: true });
  const created = await createWaiting(stack, missing, CREATORS, say);
  ids.push(...created.ids);
  const added = addedPer(missing, before, await readStoreSizes(stack, { compact: false }));
  return { createdPerSecond: created.perSecond, added };
}

/** What waiting itself costs: history, nothing to do, memory. */
async function measureHeld(stacks: Both<BenchStack>, ids: readonly string[], say: Say): Promise<Pick<PayoutFigures, 'history' | 'idle' | 'residentBytes'>> {
  const history = await readHistories(stacks.waiting, ids);
  say(`payouts: nothing for ${IDLE_SECONDS} s`);
  const [idle, idleControl] = await measureIdle([stacks.waiting, stacks.control]);
  if (idle === undefined || idleControl === undefined) throw new Error('both stacks must be measured');
  return { history, idle: { waiting: idle, control: idleControl }, residentBytes: memory(stacks) };
}

function memory({ waiting, control }: Both<BenchStack>): Both<number> {
  return { waiting: workerBytes(waiting.pids()), control: workerBytes(control.pids()) };
}
