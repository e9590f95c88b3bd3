import { DEFAULT_CACHE } from './bench-options.ts';
import type { BenchStack } from './bench-stack.ts';
import { cpuMs } from './process-figures.ts';
import type { Say } from './progress.ts';
import { FROM_SOURCES, SHIPPED } from './shipped-build.ts';

/** One start of a worker. */
export interface WorkerStart {
  /** From the start of its process until it polls, seconds. */
  readonly readySeconds: number;
  /** CPU that it has used by then, milliseconds. */
  readonly cpuMs: number;
}

/** Starts of a worker on stores that are up. */
export interface WorkerStartFigures {
  /** Compiled, with the Workflow bundle built before. */
  readonly shipped: readonly WorkerStart[];
  /** From sources, with the bundle that an earlier start made of them. */
  readonly fromSources: readonly WorkerStart[];
}

const STARTS = 5;

/** Starts the worker again and again, by turns as it is shipped and from its sources, on stores that are up. */
export async function measureWorkerStart(stack: BenchStack, say: Say): Promise<WorkerStartFigures> {
  const shipped: WorkerStart[] = [];
  const fromSources: WorkerStart[] = [];
  const start = async (file: string): Promise<WorkerStart> => {
    await stack.untilQuiet();
    const readySeconds = await stack.restartWorker({ cache: DEFAULT_CACHE, countsCalls: false, file });
    return { readySeconds, cpuMs: cpuMs(stack.pids()).worker };
  };
  // The first start from sources may have to make the bundle.
  await start(FROM_SOURCES);
  for (let count = 1; count <= STARTS; count += 1) {
    fromSources.push(await start(FROM_SOURCES));
    shipped.push(await start(SHIPPED));
    say(`start: ${count}/${STARTS}, shipped ${(shipped.at(-1)?.readySeconds ?? 0).toFixed(2)} s, from sources ${(fromSources.at(-1)?.readySeconds ?? 0).toFixed(2)} s`);
  }
  return { shipped, fromSources };
}
