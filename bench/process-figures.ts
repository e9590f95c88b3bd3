import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** The processes whose cost is measured. */
export const ROLES = ['api', 'worker', 'temporal', 'postgres'] as const;

/** One of them. */
export type Role = (typeof ROLES)[number];

/** A figure of each process. */
export type PerRole = Readonly<Record<Role, number>>;

/** Clock ticks per second in /proc: 100 on every Linux that Node runs on. */
const TICK_MS = 10;
const QUIET_POLL_MS = 250;
/** A share of one core below which nothing is under way any more. */
const QUIET_SHARE = 0.16;
const QUIET_DEADLINE_MS = 10_000;

/** Makes a figure of each process. */
export function perRole(figure: (role: Role) => number): PerRole {
  return { api: figure('api'), worker: figure('worker'), temporal: figure('temporal'), postgres: figure('postgres') };
}

/** CPU that the processes have used since they began, milliseconds; PostgreSQL's with all its children, past and present. */
export function cpuMs(pids: PerRole): PerRole {
  return perRole((role) => {
    const own = ticks(pids[role]);
    if (role !== 'postgres') return own.self * TICK_MS;
    // A backend that ends hands its ticks to the postmaster.
    return (own.self + own.reaped + childrenOf(pids.postgres).reduce((sum, pid) => sum + ticks(pid).self, 0)) * TICK_MS;
  });
}

/** The sum over all processes. */
export function sumOf(figures: PerRole): number {
  return ROLES.reduce((sum, role) => sum + figures[role], 0);
}

/** Memory of a process that is resident now, bytes. */
export function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} says nothing of its memory`);
  return Number(kib) * 1024;
}

/** Waits until the processes have nothing to do any more, at most 10 s, so that what an operation leaves behind counts as its cost. */
export async function untilQuiet(pids: PerRole): Promise<void> {
  const deadline = performance.now() + QUIET_DEADLINE_MS;
  for (let before = sumOf(cpuMs(pids)); performance.now() < deadline;) {
    const since = performance.now();
    await pause(QUIET_POLL_MS);
    const now = sumOf(cpuMs(pids));
    if (now - before < (performance.now() - since) * QUIET_SHARE) return;
    before = now;
  }
}

function ticks(pid: number): { readonly self: number; readonly reaped: number } {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    throw new Error(`process ${pid} has ended`, { cause: error });
  }
  // The name in parentheses may hold spaces; utime, stime, cutime and cstime are the fields 14 to 17.
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = text.slice(text.lastIndexOf(')') + 2).split(' ').slice(11, 15).map(Number);
  return { self: utime + stime, reaped: cutime + cstime };
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((child) => child !== '').map(Number);
}
