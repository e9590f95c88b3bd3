import { availableParallelism } from 'node:os';
import type { BenchStack } from './bench-stack.ts';
import { closedLoop } from './closed-loop.ts';
import type { LoopOptions, Operation } from './closed-loop.ts';
import type { DatabaseCounters } from './database-counters.ts';
import { cpuMs, machineFigures, perRole, ROLES, untilQuiet } from './process-figures.ts';
import type { MachineFigures, PerRole, Pids } from './process-figures.ts';
import { quantile, spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';

/** One operation, done by so many clients for a while. */
export interface WindowFigures {
  readonly clients: number;
  readonly seconds: number;
  readonly completed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** CPU per operation, milliseconds. */
  readonly cpuMs: PerRole;
  /** Write-ahead log of our PostgreSQL per operation, bytes. */
  readonly walBytes: number;
  /** Transactions of ours that wrote something, per operation. */
  readonly writes: number;
  /** History of some of its Workflows. */
  readonly historyEvents: Spread;
  readonly historyBytes: Spread;
  /** Cores that the measured processes did not use and that were busy all the same. */
  readonly otherCores: number;
  /** Cores that the host took for others. */
  readonly stealCores: number;
  readonly failures: number;
  readonly firstFailure: string | null;
}

/** Where the operation is done. */
export interface Place {
  readonly stack: BenchStack;
  /** The processes that run now. */
  pids(): Pids;
}

interface Reading {
  readonly database: DatabaseCounters;
  readonly machine: MachineFigures;
  readonly cpuMs: PerRole;
}

/** Measures one operation, once the processes have nothing to do. */
export async function measureWindow(place: Place, operation: Operation, options: LoopOptions): Promise<WindowFigures> {
  const { stack } = place;
  const pids = place.pids();
  await untilQuiet(pids);
  const loop = await closedLoop(operation, options, async (): Promise<Reading> => (
    // What is read first is read at the very moment; the database answers a little later, at both ends.
    { cpuMs: cpuMs(pids), machine: machineFigures(), database: await stack.database.counters() }
  ));
  const [start, end] = loop.readings;
  const completed = loop.latencies.length;
  const each = (before: number, after: number): number => (completed === 0 ? 0 : (after - before) / completed);
  const cores = (milliseconds: number): number => (completed === 0 ? 0 : milliseconds / 1000 / loop.seconds);
  const ours = ROLES.reduce((sum, role) => sum + end.cpuMs[role] - start.cpuMs[role], 0);
  const histories = await Promise.all(loop.workflowIds.map((id) => stack.temporal.client.workflow.getHandle(id).describe()));
  return {
    clients: options.clients, seconds: loop.seconds, completed, perSecond: completed === 0 ? 0 : completed / loop.seconds,
    p50Ms: quantile(loop.latencies, 0.5), p95Ms: quantile(loop.latencies, 0.95), p99Ms: quantile(loop.latencies, 0.99),
    cpuMs: perRole((role) => each(start.cpuMs[role], end.cpuMs[role])),
    walBytes: each(start.database.walBytes, end.database.walBytes), writes: each(start.database.writes, end.database.writes),
    historyEvents: spreadOf(histories.map(({ historyLength }) => historyLength)), historyBytes: spreadOf(histories.map(({ historySize }) => historySize ?? 0)),
    otherCores: Math.max(0, Math.min(availableParallelism(), cores(end.machine.busyMs - start.machine.busyMs - ours))),
    stealCores: cores(end.machine.stealMs - start.machine.stealMs),
    failures: loop.failures, firstFailure: loop.firstFailure,
  };
}
