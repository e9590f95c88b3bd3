import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { isErrorCode } from './system-error.ts';

const run = promisify(execFile);

/** Field 22 of /proc/<pid>/stat, counted after the parenthesised command name, which may itself hold spaces. */
const START_TIME_FIELD_AFTER_NAME = 19;
const STATE_FIELD_AFTER_NAME = 0;

/** What tells one process from every other that ever had, or will have, the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the kernel started it, in the kernel's own notation; constant over `exec`, compared for equality only. */
  readonly startMark: string;
}

/** Identity of a live process, or undefined when there is none at that pid; a zombie counts as gone. */
export async function processIdentity(pid: number): Promise<ProcessIdentity | undefined> {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  const startMark = process.platform === 'linux' ? await linuxStartMark(pid) : await posixStartMark(pid);
  return startMark === undefined ? undefined : { pid, startMark };
}

/** Whether the very process that was recorded, and not a later one with its pid, still lives. */
export async function isAlive(recorded: ProcessIdentity): Promise<boolean> {
  const present = await processIdentity(recorded.pid);
  return present?.startMark === recorded.startMark;
}

/**
 * Ends a process that is not our child: SIGTERM, then SIGKILL after `graceMs`; resolves when it is gone.
 * Never signals a process that merely inherited the pid.
 */
export async function endProcess(recorded: ProcessIdentity, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  let signal: NodeJS.Signals = 'SIGTERM';
  if (await isAlive(recorded)) signalIfAlive(recorded.pid, signal);
  while (await isAlive(recorded)) {
    if (signal === 'SIGTERM' && performance.now() > deadline) {
      signal = 'SIGKILL';
      signalIfAlive(recorded.pid, signal);
    }
    await delay(25);
  }
}

/** Sends a signal to a process or, with a negative pid, to its group; a process already gone is not an error. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isErrorCode(error, 'ESRCH')) throw error;
  }
}

async function linuxStartMark(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[STATE_FIELD_AFTER_NAME] === 'Z') return undefined;
    // Start times count from boot: without the boot's id, a process of the next boot could look the same.
    const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${bootId.trim()}/${fields[START_TIME_FIELD_AFTER_NAME]}`;
  } catch (error) {
    if (isErrorCode(error, 'ENOENT') || isErrorCode(error, 'ESRCH')) return undefined;
    throw error;
  }
}

async function posixStartMark(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=', '-o', 'stat=', '-p', String(pid)]);
    const [, startedAt, state] = /^(.*\S)\s+(\S+)$/.exec(stdout.trim()) ?? [];
    return state === undefined || state.startsWith('Z') ? undefined : startedAt;
  } catch (error) {
    // `ps -p` of an unknown pid prints nothing and exits with 1.
    if (error instanceof Error && 'code' in error && error.code === 1) return undefined;
    throw error;
  }
}
