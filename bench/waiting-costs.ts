import { setTimeout as pause } from 'node:timers/promises';
import { payoutOrderWorkflowId } from '../workflows/ids.ts';
import type { BenchStack } from './bench-stack.ts';
import { cpuMs, perRole, workerBytes } from './process-figures.ts';
import type { PerRole } from './process-figures.ts';
import { spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';
import { MERCHANT } from './unit-operations.ts';

const SAMPLES = 20;

/** How long nothing is done while the cost of waiting is measured. */
export const IDLE_SECONDS = 20;

/** The history of payout orders that wait. */
export interface HistoryFigures {
  readonly events: Spread;
  /** As the Temporal server counts them. */
  readonly bytes: Spread;
}

/** What a stack does while nobody asks for anything. */
export interface IdleFigures {
  /** CPU per second, milliseconds. */
  readonly cpuMsPerSecond: PerRole;
  readonly providerCalls: number;
  /** Transactions that our database committed. */
  readonly commits: number;
}

/** A worker that was just started. */
export interface RestartFigures {
  readonly readySeconds: number;
  /** CPU of its whole start, milliseconds. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly providerCalls: number;
}

/** Asks the Temporal server about some of the payout orders, spread over all of them. */
export async function readHistories(stack: BenchStack, ids: readonly string[]): Promise<HistoryFigures> {
  const step = Math.max(1, Math.floor(ids.length / SAMPLES));
  const sampled = ids.filter((_, index) => index % step === 0).slice(0, SAMPLES);
  const told = await Promise.all(sampled.map((id) => stack.temporal.client.workflow.getHandle(payoutOrderWorkflowId(MERCHANT, id)).describe()));
  const stuck = told.find(({ status }) => status.name !== 'RUNNING');
  if (stuck !== undefined) throw new Error(`${stuck.workflowId} does not wait: ${stuck.status.name}`);
  return { events: spreadOf(told.map(({ historyLength }) => historyLength)), bytes: spreadOf(told.map(({ historySize }) => historySize ?? 0)) };
}

/** Leaves the stacks alone for a while, at the same time, and reads what they did. */
export async function measureIdle(stacks: readonly BenchStack[]): Promise<readonly IdleFigures[]> {
  await Promise.all(stacks.map((stack) => stack.untilQuiet()));
  const begun = performance.now();
  const before = await Promise.all(stacks.map(readActivity));
  await pause(IDLE_SECONDS * 1000);
  const after = await Promise.all(stacks.map(readActivity));
  const passed = (performance.now() - begun) / 1000;
  return after.map((end, index) => {
    const start = before[index] ?? end;
    return {
      cpuMsPerSecond: perRole((role) => (end.cpuMs[role] - start.cpuMs[role]) / passed),
      // The readings themselves are no work of the stack.
      providerCalls: end.providerCalls - start.providerCalls, commits: Math.max(0, end.commits - start.commits - 1),
    };
  });
}

/** Restarts the worker and waits until it has nothing to do. */
export async function measureRestart(stack: BenchStack, cache: number): Promise<RestartFigures> {
  const callsBefore = stack.providerCalls();
  const readySeconds = await stack.restartWorker({ cache, countsCalls: true });
  await stack.untilQuiet();
  return { readySeconds, cpuMs: cpuMs(stack.pids()).worker, residentBytes: workerBytes(stack.pids()), providerCalls: stack.providerCalls() - callsBefore };
}

async function readActivity(stack: BenchStack): Promise<{ readonly cpuMs: PerRole; readonly providerCalls: number; readonly commits: number }> {
  return { cpuMs: cpuMs(stack.pids()), providerCalls: stack.providerCalls(), commits: await stack.database.commits() };
}
