import { DEFAULT_CACHE } from './bench-options.ts';
import type { BenchOptions, Part } from './bench-options.ts';
import { startBenchStack } from './bench-stack.ts';
import type { BenchStack } from './bench-stack.ts';
import { measureManyRefunds } from './many-refunds.ts';
import type { StretchFigures } from './many-refunds.ts';
import { measurePayouts } from './payouts.ts';
import type { PayoutFigures } from './payouts.ts';
import type { Say } from './progress.ts';
import { Undo } from './undo.ts';
import { measureUnits } from './units.ts';
import type { UnitFigures } from './units.ts';
import { measureWorkerStart } from './worker-start.ts';
import type { WorkerStartFigures } from './worker-start.ts';

/** Everything that was measured; `null` for the parts that were not asked for. */
export interface BenchFigures {
  readonly options: BenchOptions;
  readonly start: WorkerStartFigures | null;
  readonly units: UnitFigures | null;
  readonly orders: readonly StretchFigures[] | null;
  readonly payouts: PayoutFigures | null;
}

/** More than this share of failed operations makes the figures worthless. */
const MAX_FAILED = 0.01;

/** Measures the parts that are asked for, one after the other, each on stacks of its own; hands on what there is after each of them. */
export async function runBench(options: BenchOptions, temporalCli: string, undo: Undo, say: Say, keep: (figures: BenchFigures) => Promise<void>): Promise<BenchFigures> {
  let figures: BenchFigures = { options, start: null, units: null, orders: null, payouts: null };
  const start = (name: string, own: Undo, countsCalls = false): Promise<BenchStack> => {
    say('starting a stack');
    return startBenchStack({ name, temporalCli, cache: DEFAULT_CACHE, countsCalls }, own);
  };
  const part = async (name: Part, measure: (own: Undo) => Promise<Partial<BenchFigures>>): Promise<void> => {
    if (!options.parts.includes(name)) return;
    const own = new Undo();
    await undo.push(() => own.stop());
    figures = { ...figures, ...(await measure(own)) };
    await own.stop();
    await keep(figures);
  };
  await part('start', async (own) => ({ start: await measureWorkerStart(await start('start', own), say) }));
  await part('units', async (own) => ({ units: await measureUnits(await start('units', own), options, own, say) }));
  await part('orders', async (own) => ({ orders: await measureManyRefunds(await start('orders', own), options, say) }));
  await part('payouts', async (own) => {
    const stacks = { waiting: await start('waiting', own, true), control: await start('control', own, true) };
    return { payouts: await measurePayouts(stacks, options, say) };
  });
  return figures;
}

/** Whether too many operations failed for the figures to mean anything. */
export function hasFailed({ units, orders, payouts }: BenchFigures): boolean {
  const paired = [...(payouts?.stages ?? []), ...(payouts?.caches ?? [])].flatMap(({ newWork }) => newWork.flatMap(({ waiting, control }) => [waiting, control]));
  const done = [...(units?.windows ?? []), ...paired, ...(orders ?? []).map(({ refunds, failures }) => ({ completed: refunds, failures }))];
  const failed = done.reduce((sum, { failures }) => sum + failures, 0);
  return failed > MAX_FAILED * done.reduce((sum, { completed }) => sum + completed, failed);
}
