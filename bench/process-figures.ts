import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** The processes whose cost is measured; `client` puts the load on, `provider` is what the Activities call. */
export const ROLES = ['client', 'api', 'worker', 'bare worker', 'temporal', 'postgres', 'provider'] as const;

/** One of them. */
export type Role = (typeof ROLES)[number];

/** A figure of each process. */
export type PerRole = Readonly<Record<Role, number>>;

/** The processes that play each role now. */
export type Pids = Readonly<Record<Role, readonly number[]>>;

/** What the machine has done since it was started, milliseconds of CPU. */
export interface MachineFigures {
  readonly busyMs: number;
  /** Taken by the host for others. */
  readonly stealMs: number;
}

/** Clock ticks per second in /proc: 100 on every Linux that Node runs on. */
const TICK_MS = 10;
const QUIET_POLL_MS = 250;
/** A share of one core below which nothing is under way any more. */
const QUIET_SHARE = 0.16;
const QUIET_DEADLINE_MS = 10_000;

/** Makes a figure of each process. */
export function perRole(figure: (role: Role) => number): PerRole {
  return {
    'client': figure('client'), 'api': figure('api'), 'worker': figure('worker'), 'bare worker': figure('bare worker'),
    'temporal': figure('temporal'), 'postgres': figure('postgres'), 'provider': figure('provider'),
  };
}

/** CPU that the processes have used since they began, milliseconds; PostgreSQL's with all its children, past and present. */
export function cpuMs(pids: Pids): PerRole {
  return perRole((role) => pids[role].reduce((sum, pid) => sum + (role === 'postgres' ? treeTicks(pid) : ticks(pid).self), 0) * TICK_MS);
}

/** The programs that do the work: who asks, who answers, who acts. */
export const PROGRAMS = ['client', 'api', 'worker', 'bare worker'] as const;

/** The servers that keep it. */
export const STORES = ['temporal', 'postgres'] as const;

/** The sum over some processes. */
export function sumOf(figures: PerRole, roles: readonly Role[]): number {
  return roles.reduce((sum, role) => sum + figures[role], 0);
}

/** Reads what all processes of the machine have done. */
export function machineFigures(): MachineFigures {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync('/proc/stat', 'utf8').slice('cpu '.length, 400).trim().split(/\s+/).map(Number);
  return { busyMs: (user + nice + system + irq + softirq) * TICK_MS, stealMs: steal * TICK_MS };
}

/** Memory of the worker that is resident now, bytes. */
export function workerBytes({ worker }: Pids): number {
  return worker.reduce((sum, pid) => sum + residentBytes(pid), 0);
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} says nothing of its memory`);
  return Number(kib) * 1024;
}

/** Waits until the processes have nothing to do any more, at most 10 s, so that what an operation leaves behind is over. */
export async function untilQuiet(pids: Pids): Promise<void> {
  const served = (): number => sumOf(cpuMs({ ...pids, client: [] }), ROLES);
  const deadline = performance.now() + QUIET_DEADLINE_MS;
  for (let before = served(); performance.now() < deadline;) {
    const since = performance.now();
    await pause(QUIET_POLL_MS);
    const now = served();
    if (now - before < (performance.now() - since) * QUIET_SHARE) return;
    before = now;
  }
}

/** Of a process and its children: one that ends hands its ticks to its parent. */
function treeTicks(pid: number): number {
  const own = ticks(pid);
  return childrenOf(pid).reduce((sum, child) => sum + (ticksOrNull(child)?.self ?? 0), own.self + own.reaped);
}

function ticks(pid: number): { readonly self: number; readonly reaped: number } {
  const found = ticksOrNull(pid);
  if (found === null) throw new Error(`process ${pid} has ended`);
  return found;
}

function ticksOrNull(pid: number): { readonly self: number; readonly reaped: number } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It has ended.
    return null;
  }
  // The name in parentheses may hold spaces; utime, stime, cutime and cstime are the fields 14 to 17.
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = text.slice(text.lastIndexOf(')') + 2).split(' ').slice(11, 15).map(Number);
  return { self: utime + stime, reaped: cutime + cstime };
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((child) => child !== '').map(Number);
}
