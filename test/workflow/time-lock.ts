import { performance } from 'node:perf_hooks';

import type { TestWorkflowEnvironment } from '@temporalio/testing';

/** So much of the server's time is slept; what is skipped of it tells whether time is locked, however slow the machine. */
const SLEEP_MS = 2000;

/** More locks than one test can leave behind. */
const MOST_LOCKS = 20;

/**
 * Lets a server skip over time again. It locks its time for every task that it hands out, and keeps the lock for ever when
 * the Workflow is terminated before the task is answered: from then on skipping takes real time. Only for a server on which
 * nothing goes on; returns how many locks it found.
 */
export async function freeTime(env: TestWorkflowEnvironment): Promise<number> {
  const { testService } = env.connection;
  if (testService === undefined) throw new TypeError('This server does not skip over time');
  for (let locks = 0; locks < MOST_LOCKS; locks += 1) {
    if (await skipsTime(env)) return locks;
    await testService.unlockTimeSkipping({});
  }
  throw new Error(`Time does not skip after ${MOST_LOCKS} locks were taken away`);
}

async function skipsTime(env: TestWorkflowEnvironment): Promise<boolean> {
  const [serverMs, realMs] = [await env.currentTimeMs(), performance.now()];
  await env.sleep(SLEEP_MS);
  const [sleptMs, passedMs] = [(await env.currentTimeMs()) - serverMs, performance.now() - realMs];
  // Between jumps the server's clock runs with ours: what it is ahead was skipped.
  return sleptMs - passedMs > SLEEP_MS / 2;
}
