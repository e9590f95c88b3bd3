import { join } from 'node:path';

import { describeEnd, type ChildSpec } from './launched-process.ts';
import { acquireProcessLock, type ProcessLock } from './process-lock.ts';
import { endLeftovers } from './run-files.ts';
import { StartupError } from './startup-error.ts';
import { SupervisedChild, type SupervisedChildContext } from './supervised-child.ts';

const RUN_FOLDER = 'run';
const LOCK_FILE = 'supervisor.lock';

/** Where the stack keeps its state, and where its lines go. */
export interface SupervisorOptions {
  /** Absolute path of DATA_DIR. */
  readonly dataDir: string;
  /** Receives every line for the terminal: the children's, prefixed by their names, and the supervisor's own. */
  readonly print: (line: string) => void;
}

/** Why the stack ended. */
type SupervisorEnd = { readonly kind: 'stopped' } | { readonly kind: 'child_gone'; readonly name: string; readonly how: string };

/** Runs the programs of one embedded stack. */
export interface Supervisor {
  /** Starts a program and waits until it is ready; the order of starts is, reversed, the order of stops. */
  start(spec: ChildSpec): Promise<void>;
  /** Process id of a running child. */
  pidOf(name: string): number | undefined;
  /** Stops all in reverse order, each within 10 s, then by force, and gives up the lock. Further calls wait for the first. */
  stop(): Promise<void>;
  /** SIGKILL to every child at once. */
  killAll(): void;
  /** Resolves when everything has stopped, by request or because a child that is not restarted ended. */
  readonly ended: Promise<SupervisorEnd>;
}

/**
 * Takes the data directory for this process, ends what a killed run left behind, and gives the supervisor.
 * Throws a StartupError when another live process has the directory. Check ports only after this: leftovers hold them.
 */
export async function createSupervisor({ dataDir, print }: SupervisorOptions): Promise<Supervisor> {
  const runDirectory = join(dataDir, RUN_FOLDER);
  const lock = await acquireProcessLock(join(runDirectory, LOCK_FILE));
  if (!lock.held) {
    throw new StartupError(
      `Another Reintegro (process ${lock.pid}) already runs on ${dataDir}: stop it, or set DATA_DIR to another folder.`,
    );
  }
  try {
    await endLeftovers(runDirectory, print);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return new ProcessSupervisor(runDirectory, print, lock);
}

class ProcessSupervisor implements Supervisor {
  readonly ended: Promise<SupervisorEnd>;
  readonly #children: SupervisedChild[] = [];
  readonly #context: SupervisedChildContext;
  readonly #lock: ProcessLock;
  readonly #resolveEnded: (end: SupervisorEnd) => void;
  #stopped: Promise<void> | undefined;

  constructor(runDirectory: string, print: (line: string) => void, lock: ProcessLock) {
    let resolveEnded: (end: SupervisorEnd) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      resolveEnded = resolve;
    });
    this.#resolveEnded = resolveEnded;
    this.#lock = lock;
    this.#context = {
      runDirectory,
      print,
      onGone: (name, end) => {
        const how = describeEnd(end);
        print(`${name} ended (${how}); stopping the rest`);
        void this.#stopOnce({ kind: 'child_gone', name, how });
      },
    };
  }

  async start(spec: ChildSpec): Promise<void> {
    if (this.#stopped !== undefined) throw new StartupError(`${spec.name} is not started: the stack is stopping.`);
    const child = new SupervisedChild(spec, this.#context);
    this.#children.push(child);
    await child.start();
  }

  pidOf(name: string): number | undefined {
    return this.#children.find((child) => child.name === name)?.pid;
  }

  stop(): Promise<void> {
    return this.#stopOnce({ kind: 'stopped' });
  }

  killAll(): void {
    for (const child of this.#children) child.kill();
  }

  #stopOnce(end: SupervisorEnd): Promise<void> {
    this.#stopped ??= this.#stopAll(end);
    return this.#stopped;
  }

  async #stopAll(end: SupervisorEnd): Promise<void> {
    for (const child of this.#children.toReversed()) await child.stop();
    await this.#lock.release();
    this.#resolveEnded(end);
  }
}
