import { startBareSide } from './bare-side.ts';
import type { BenchOptions } from './bench-options.ts';
import { DEFAULT_CACHE } from './bench-options.ts';
import type { BenchStack } from './bench-stack.ts';
import { countWork } from './counted-work.ts';
import type { CountedWork } from './counted-work.ts';
import { OrderSupply } from './order-supply.ts';
import type { Say } from './progress.ts';
import { rotated } from './statistics.ts';
import type { Undo } from './undo.ts';
import { createOperations, UNIT_NAMES } from './unit-operations.ts';
import type { Unit } from './unit-operations.ts';
import type { WindowFigures } from './window.ts';
import { isDisturbed, WindowBench } from './window-bench.ts';

/** One window of one unit. */
export interface UnitWindow extends WindowFigures {
  readonly unit: Unit;
  readonly round: number;
}

/** What the units of work cost. */
export interface UnitFigures {
  readonly windows: readonly UnitWindow[];
  readonly counted: readonly CountedWork[];
  /** Requests that had to be repeated, because their answer said that the outcome takes longer. */
  readonly repeatedRequests: number;
}

/** Measures every unit at every number of clients, one window after the other, and all of them again in each round. */
export async function measureUnits(stack: BenchStack, options: BenchOptions, undo: Undo, say: Say): Promise<UnitFigures> {
  const bare = await startBareSide(stack, DEFAULT_CACHE, undo);
  const orders = new OrderSupply(stack.merchant);
  const operations = createOperations(stack, bare, orders);
  const served = stack.pids();
  const bench = new WindowBench({ stack, pids: () => ({ ...served, 'bare worker': [bare.workerPid], 'provider': [...served.provider, bare.providerPid] }) }, operations, orders);
  say(`units: warming up ${options.units.length} of them`);
  for (const unit of options.units) await bench.warmUp(unit);
  const windows: UnitWindow[] = [];
  const all = options.clients.flatMap((clients) => options.units.map((unit) => ({ unit, clients })));
  for (let round = 1; round <= options.rounds; round += 1) {
    // What comes first in a round, and after what, differs from round to round.
    for (const { unit, clients } of rotated(all, Math.floor((all.length * (round - 1)) / options.rounds))) {
      const figures = await bench.measure(unit, { clients, seconds: options.seconds });
      windows.push({ unit, round, ...figures });
      say(`  round ${round}/${options.rounds}, ${String(clients).padStart(2)} clients, ${UNIT_NAMES[unit]}: ${figures.perSecond.toFixed(1)}/s, p50 ${figures.p50Ms.toFixed(0)} ms${isDisturbed(figures) ? ', disturbed' : ''}${figures.failures > 0 ? `, ${figures.failures} failed: ${figures.firstFailure ?? ''}` : ''}`);
    }
  }
  return { windows, counted: await countWork(stack, operations, orders, options.units, say), repeatedRequests: stack.merchant.repeated() };
}
