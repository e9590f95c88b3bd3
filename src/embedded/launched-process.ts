import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

import { signalIfAlive } from './process-identity.ts';

/** A program the supervisor runs. */
export interface ChildSpec {
  /** Prefix of its lines and name of its run file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its whole environment; the supervisor's own when omitted. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether it is started again when it dies; otherwise its death ends the whole stack. */
  readonly restart: boolean;
  /** Where its output goes instead of the terminal. */
  readonly logFile?: string;
  /** Set for Node programs that call `exitWithParent`: gives them the channel by which they learn that the supervisor died. */
  readonly ipc?: boolean;
  /** Resolves when it serves; aborted when it dies first. Awaited at the first start only. */
  readonly ready?: (signal: AbortSignal) => Promise<void>;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that runs or has run. */
export interface LaunchedProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessEnd>;
  /** To the process itself (SIGTERM) or, with SIGKILL, to all of its group. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches the supervisor alone,
 * which then stops its children in order. Rejects when the program cannot be started.
 */
export async function launchProcess(spec: ChildSpec, onLine: (line: string) => void): Promise<LaunchedProcess> {
  const child = spawnWithOutput(spec);
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${spec.name} started without a process id.`);
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
  }
  // A message that crosses the child's death, or a channel already closed, is no fault of the supervisor's.
  child.on('error', (error) => onLine(String(error)));
  return {
    pid,
    exited,
    signal: (signal) => {
      if (child.exitCode === null && child.signalCode === null) signalIfAlive(signal === 'SIGKILL' ? -pid : pid, signal);
    },
  };
}

/** How a process ended, for a human: `code 1`, `SIGKILL`. */
export function describeEnd({ code, signal }: ProcessEnd): string {
  return signal ?? `code ${code}`;
}

function spawnWithOutput(spec: ChildSpec): ChildProcess {
  const channel = spec.ipc === true ? (['ipc'] as const) : [];
  const common = { detached: true, ...(spec.env === undefined ? {} : { env: { ...spec.env } }) };
  if (spec.logFile === undefined) return spawn(spec.command, spec.args, { ...common, stdio: ['ignore', 'pipe', 'pipe', ...channel] });
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  try {
    return spawn(spec.command, spec.args, { ...common, stdio: ['ignore', log, log, ...channel] });
  } finally {
    closeSync(log);
  }
}
