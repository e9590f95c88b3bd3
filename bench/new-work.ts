import { setTimeout as pause } from 'node:timers/promises';
import type { BenchStack } from './bench-stack.ts';
import { inParallel } from './in-parallel.ts';
import type { Say } from './progress.ts';
import type { WindowFigures } from './window.ts';
import type { WindowBench } from './window-bench.ts';

/** What is asked for while payout orders wait: synchronous refunds, payout orders created and cancelled, many refunds at once. */
export type WorkKind = 'refund' | 'payout order' | 'burst of refunds';

/** The units of work behind them. */
export type WorkUnit = 'refund-http' | 'payout-http';

const UNIT_OF: Readonly<Record<WorkKind, WorkUnit>> = { 'refund': 'refund-http', 'payout order': 'payout-http', 'burst of refunds': 'refund-http' };

/** How much is asked for. */
export interface Load {
  readonly kind: WorkKind;
  /** Operations under way at once. */
  readonly clients: number;
  readonly seconds: number;
}

/** The same load on both stacks, one right after the other. */
export interface PairedFigures {
  readonly kind: WorkKind;
  readonly waiting: WindowFigures;
  readonly control: WindowFigures;
}

const PROGRESS_MS = 10_000;

/**
 * Puts each load on the stack with waiting payout orders and on the one without, in rounds, now one first, now the other: what disturbs the
 * machine meanwhile disturbs both.
 */
export async function compareNewWork(waiting: WindowBench<WorkUnit>, control: WindowBench<WorkUnit>, loads: readonly Load[], rounds: number, say: Say): Promise<readonly PairedFigures[]> {
  const pairs: PairedFigures[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const load of loads) {
      const unit = UNIT_OF[load.kind];
      const first = await (round % 2 === 1 ? waiting : control).measure(unit, load);
      const second = await (round % 2 === 1 ? control : waiting).measure(unit, load);
      const pair = { kind: load.kind, ...(round % 2 === 1 ? { waiting: first, control: second } : { waiting: second, control: first }) };
      pairs.push(pair);
      say(`  round ${round}/${rounds}, ${load.kind}: ${pair.waiting.perSecond.toFixed(1)}/s, control ${pair.control.perSecond.toFixed(1)}/s${failureOf(pair)}`);
    }
  }
  return pairs;
}

function failureOf({ waiting, control }: PairedFigures): string {
  const failure = waiting.firstFailure ?? control.firstFailure;
  return failure === null ? '' : `, ${waiting.failures + control.failures} failed: ${failure}`;
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
    await inParallel(count, clients, async () => void ids.push(await stack.merchant.createPayoutOrder()));
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
