import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { freeTime } from './time-lock.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('freeTime', () => {
  it('should have time skipped again after Workflows were terminated in the middle of a task, and take no lock that is due', async () => {
    const { env } = server;
    for (const workflowId of ['left-1', 'left-2']) {
      const handle = await env.client.workflow.start('nobodyRunsIt', { workflowId, taskQueue: 'nobody' });
      await handle.terminate();
    }
    expect(await freeTime(env)).toBe(2);
    expect(await freeTime(env)).toBe(0);
    // A lock too many taken away would make the server refuse this.
    const before = await env.currentTimeMs();
    await env.sleep(3_600_000);
    expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(3_600_000);
  });
});
