import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const LINE_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 30_000;

/** How to start a program under test. */
export interface ProgramOptions {
  /** The program's whole environment; the tests' own when omitted. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** A running program under test. */
export interface Program {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Resolves when nobody holds its output open any more: it and every descendant that shares it are gone. */
  readonly outputEnded: Promise<void>;
  /** All lines of its output and errors so far, in order of arrival. */
  lines(): readonly string[];
  /** Resolves with the first line, past or to come, that matches; rejects when the program ends first or after 60 s. */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL to this process alone, as a crash would be; resolves when it is gone. */
  kill9(): Promise<void>;
  /** SIGTERM, and SIGKILL after half a minute. */
  stop(): Promise<void>;
}

/** Starts a TypeScript program with the Node that runs the tests. */
export function startNodeProgram(file: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<Program> {
  return startProgram(process.execPath, [file, ...args], options);
}

/** Starts any program; rejects when it cannot be started. */
export async function startProgram(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<Program> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const exited = new Promise<Awaited<Program['exited']>>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  // 'close' comes after the last line of output, unless a grandchild keeps the pipes.
  const outputEnded = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await once(child, 'spawn');
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input, crlfDelay: Infinity }).on('line', (line) => {
      lines.push(line);
      for (const listener of listeners) listener(line);
    });
  }
  const signal = (name: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill(name);
  };
  return {
    pid: child.pid ?? 0,
    exited,
    outputEnded,
    lines: () => lines,
    waitForLine: (pattern, timeoutMs = LINE_TIMEOUT_MS) => waitForLine({ lines, listeners, outputEnded }, pattern, timeoutMs),
    signal,
    async kill9() {
      signal('SIGKILL');
      await exited;
    },
    async stop() {
      signal('SIGTERM');
      const force = setTimeout(() => signal('SIGKILL'), STOP_GRACE_MS);
      await exited;
      clearTimeout(force);
    },
  };
}

interface Output extends Pick<Program, 'outputEnded'> {
  readonly lines: readonly string[];
  readonly listeners: Set<(line: string) => void>;
}

async function waitForLine(output: Output, pattern: RegExp, timeoutMs: number): Promise<string> {
  const past = output.lines.find((line) => pattern.test(line));
  if (past !== undefined) return past;
  return await new Promise<string>((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      output.listeners.delete(listener);
      outcome();
    };
    const fail = (why: string): void =>
      settle(() => reject(new Error(`No line matched ${String(pattern)}: ${why}. Output:\n${output.lines.slice(-40).join('\n')}`)));
    const listener = (line: string): void => {
      if (pattern.test(line)) settle(() => resolve(line));
    };
    const timer = setTimeout(() => fail(`${timeoutMs} ms have passed`), timeoutMs);
    output.listeners.add(listener);
    void output.outputEnded.then(() => fail('the program ended'));
  });
}
