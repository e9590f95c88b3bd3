import { spawn } from 'node:child_process';

import { signalIfAlive } from './process-identity.ts';

const KEPT_OUTPUT_CHARACTERS = 2_000;

/** Limits and surroundings of a program run to its end. */
export interface RunToEndOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  /** Gives a Node program an IPC channel, by which it learns that its parent died. */
  readonly withIpc?: boolean;
}

/**
 * Runs a program to its end and resolves when it succeeded.
 * Rejects with the tail of its output when it fails, cannot start, or takes too long; then its whole process group is killed.
 */
export function runToEnd(command: string, args: readonly string[], options: RunToEndOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', options.withIpc === true ? 'ipc' : 'ignore'],
      detached: options.withIpc === true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT_CHARACTERS);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) signalIfAlive(options.withIpc === true ? -child.pid : child.pid, 'SIGKILL');
    }, options.timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    // 'exit' and not 'close': a grandchild that keeps the pipes open must not hold us up.
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else if (timedOut) reject(new Error(`gave no result within ${options.timeoutMs / 1000} s`));
      else reject(new Error(lastLines(output) || `ended with ${signal ?? `code ${code}`}`));
    });
  });
}

function lastLines(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').slice(-3).join(' / ');
}
