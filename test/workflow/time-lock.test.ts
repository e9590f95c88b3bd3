import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import { freeTime } from './time-lock.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** Leaves a lock behind: nobody answers the task in the middle of which it ends. */
async function terminateInTask(workflowId: string): Promise<void> {
  const handle = await server.env.client.workflow.start('nobodyRunsIt', { workflowId, taskQueue: 'nobody' });
  await handle.terminate();
}

describe('freeTime', () => {
  it('should have time skipped again after Workflows were terminated in the middle of a task, and take no lock that is due', async () => {
    const { env } = server;
    for (const workflowId of ['left-1', 'left-2']) await terminateInTask(workflowId);
    expect(await freeTime(env)).toBe(2);
    expect(await freeTime(env)).toBe(0);
    // A lock too many taken away would make the server refuse this.
    const before = await env.currentTimeMs();
    await env.sleep(3_600_000);
    expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(3_600_000);
  });
});

describe('onStage', () => {
  it('should leave no lock to the test after it', async () => {
    await onStage(server.env, scriptActivities(), () => terminateInTask('left-by-a-test'));
    expect(await freeTime(server.env)).toBe(0);
  });
});
