import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { startNodeProgram } from '../test/support/processes.ts';
import type { Program } from '../test/support/processes.ts';

const POLL_MS = 10;
const DEADLINE_MS = 60_000;

/** One process to start. */
export interface ProgramSpec {
  /** The file that Node runs. */
  readonly file: string;
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once it serves. */
  readonly readyUrl: string;
}

/** A process that serves. */
export interface StartedProgram {
  readonly program: Program;
  /** From the start of its process until it served, seconds. */
  readonly readySeconds: number;
}

/** Starts a process and waits until it serves. @throws Error with its last lines when it ends before, or after a minute */
export async function startServing({ file, args, env, readyUrl }: ProgramSpec): Promise<StartedProgram> {
  const begun = performance.now();
  const program = await startNodeProgram(file, args, { env });
  let isGone = false;
  void program.exited.then(() => {
    isGone = true;
  });
  while (!(await isServing(readyUrl))) {
    if (isGone || performance.now() - begun > DEADLINE_MS) {
      await program.stop();
      throw new Error(`${args.join(' ')} does not serve:\n${program.lines().slice(-20).join('\n')}`);
    }
    await pause(POLL_MS);
  }
  return { program, readySeconds: (performance.now() - begun) / 1000 };
}

async function isServing(url: string): Promise<boolean> {
  // Asking by HTTP where nobody listens would take CPU from the process that is waited for.
  if (!(await isListening(Number(new URL(url).port)))) return false;
  try {
    const { statusCode, body } = await request(url, { headersTimeout: 5000 });
    await body.dump();
    return statusCode === 200;
  } catch {
    // Not serving is the answer, whatever the reason.
    return false;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false)).once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
