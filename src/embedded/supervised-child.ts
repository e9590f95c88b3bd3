import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { describeEnd, launchProcess, type ChildSpec, type LaunchedProcess, type ProcessEnd } from './launched-process.ts';
import { forgetRun, recordRun } from './run-files.ts';
import { StartupError } from './startup-error.ts';

const FIRST_BACKOFF_MS = 300;
const LONGEST_BACKOFF_MS = 5_000;
const HEALTHY_AFTER_MS = 10_000;
const STOP_GRACE_MS = 10_000;
const LOG_TAIL_CHARACTERS = 2_000;

/** What a supervised child reports to. */
export interface SupervisedChildContext {
  readonly runDirectory: string;
  readonly print: (line: string) => void;
  /** Called when a child that is not restarted ended by itself. */
  readonly onGone: (name: string, end: ProcessEnd) => void;
}

/** One child: started, watched, restarted with growing pauses, stopped. */
export class SupervisedChild {
  readonly #spec: ChildSpec;
  readonly #context: SupervisedChildContext;
  readonly #stopping = new AbortController();
  #running: LaunchedProcess | undefined;
  #launching: Promise<LaunchedProcess> | undefined;
  #watch: Promise<void> = Promise.resolve();

  constructor(spec: ChildSpec, context: SupervisedChildContext) {
    this.#spec = spec;
    this.#context = context;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** Starts it and waits until it is ready. Rejects when it dies before that: a child that never served is not restarted. */
  async start(): Promise<void> {
    const first = await this.#launch();
    const died = new AbortController();
    const diedEarly = first.exited.then(async (end): Promise<never> => {
      died.abort();
      if (this.#stopping.signal.aborted) throw new StartupError(`${this.name} was stopped before it was ready.`);
      throw new StartupError(`${this.name} ended while starting (${describeEnd(end)}).${await this.#logTail()}`);
    });
    try {
      await Promise.race([this.#spec.ready?.(died.signal) ?? Promise.resolve(), diedEarly]);
    } catch (error) {
      // When readiness fails because the process died, the death is the better explanation.
      const cause = died.signal.aborted ? await diedEarly.catch((reason: unknown) => reason) : error;
      await this.stop();
      throw cause;
    }
    this.#watch = this.#keepRunning(first);
  }

  /** SIGTERM, and SIGKILL after 10 s; resolves when it is gone and will not come back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const force = setTimeout(() => this.kill(), STOP_GRACE_MS);
    // One that is being launched at this moment must not slip through; a failed launch left nothing to stop.
    await this.#launching?.catch(() => undefined);
    const running = this.#running;
    running?.signal('SIGTERM');
    await running?.exited;
    await this.#watch;
    clearTimeout(force);
    await forgetRun(this.#context.runDirectory, this.name);
  }

  /** SIGKILL to it and all it started; it will not come back. */
  kill(): void {
    this.#stopping.abort();
    this.#running?.signal('SIGKILL');
  }

  #launch(): Promise<LaunchedProcess> {
    this.#launching = this.#launchAndRecord();
    return this.#launching;
  }

  async #launchAndRecord(): Promise<LaunchedProcess> {
    const { name, command, args } = this.#spec;
    const launched = await launchProcess(this.#spec, (line) => this.#context.print(`${name} | ${line}`));
    this.#running = launched;
    await recordRun(this.#context.runDirectory, name, launched.pid, [command, ...args]);
    return launched;
  }

  async #keepRunning(first: LaunchedProcess): Promise<void> {
    let running: LaunchedProcess | undefined = first;
    let backoffMs = FIRST_BACKOFF_MS;
    for (;;) {
      const launchedAt = performance.now();
      if (running !== undefined) {
        const end = await running.exited;
        this.#running = undefined;
        if (this.#stopping.signal.aborted) return;
        if (!this.#spec.restart) return this.#context.onGone(this.name, end);
        if (performance.now() - launchedAt >= HEALTHY_AFTER_MS) backoffMs = FIRST_BACKOFF_MS;
        this.#context.print(`${this.name} ended (${describeEnd(end)}); starting it again in ${backoffMs / 1000} s`);
      }
      if (!(await this.#pause(backoffMs))) return;
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      running = await this.#relaunch();
    }
  }

  async #relaunch(): Promise<LaunchedProcess | undefined> {
    try {
      return await this.#launch();
    } catch (error) {
      this.#context.print(`${this.name} cannot be started: ${String(error)}`);
      return undefined;
    }
  }

  /** False when the stack stops meanwhile. */
  async #pause(durationMs: number): Promise<boolean> {
    await delay(durationMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    return !this.#stopping.signal.aborted;
  }

  async #logTail(): Promise<string> {
    const { logFile } = this.#spec;
    if (logFile === undefined) return '';
    return ` The end of ${logFile}:\n${(await readFile(logFile, 'utf8')).slice(-LOG_TAIL_CHARACTERS).trim()}`;
  }
}
