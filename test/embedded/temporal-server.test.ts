import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findFreePort } from '../../src/embedded/port-check.ts';
import { startTemporalServer } from '../../src/embedded/temporal-server.ts';
import { temporalCliPath } from '../support/temporal-programs.ts';
import { devServer, timeSkippingEnvironment } from '../support/temporal-servers.ts';

const THIRTY_DAYS_MS = 30 * 24 * 3_600_000;
const searchAttributes = { ReintegroStatus: 'Keyword' };
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reintegro-server-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

describe('startTemporalServer', () => {
  it('should keep an acknowledged Workflow over kill -9 and a restart on the same file (D1)', async () => {
    const dbFile = join(directory, 'temporal.db');
    const first = await devServer({ dbFile, searchAttributes });
    await withClient(first.address, (client) =>
      client.workflow.start('waitForEver', {
        workflowId: 'kept',
        taskQueue: 'nobody-listens',
        typedSearchAttributes: new TypedSearchAttributes([
          { key: defineSearchAttributeKey('ReintegroStatus', SearchAttributeType.KEYWORD), value: 'pending' },
        ]),
      }),
    );
    await first.kill9();
    const second = await devServer({ dbFile, port: first.port, searchAttributes });
    try {
      const found = await withClient(second.address, (client) => client.workflow.getHandle('kept').describe());
      expect(found.status.name).toBe('RUNNING');
      expect(found.typedSearchAttributes.getAll()).toHaveLength(1);
    } finally {
      await second.stop();
    }
  });

  it('should reject with the reason of a panic, however many calls are listed after it', async () => {
    const cliPath = join(directory, 'temporal');
    await writeFile(cliPath, '#!/bin/sh\necho "panic: no such port"\nseq 1 5000\nexit 2\n', { mode: 0o755 });
    const logFile = join(directory, 'temporal.log');
    await writeFile(logFile, 'of an earlier start\n');
    const starting = startTemporalServer({ cliPath, dbFile: join(directory, 'temporal.db'), port: await findFreePort(), uiPort: 0, headless: true, logFile });
    await expect(starting).rejects.toThrow(/ended while starting[^\n]*\npanic: no such port\n[\s\S]*…[\s\S]*\n5000$/);
  });

  it('should reject with the log when the server cannot start', async () => {
    const starting = startTemporalServer({
      cliPath: temporalCliPath(),
      dbFile: join(directory, 'missing', 'temporal.db'),
      port: await findFreePort(),
      uiPort: 0,
      headless: true,
      logFile: join(directory, 'temporal.log'),
    });
    await expect(starting).rejects.toThrow(/ended while starting[\s\S]*missing/);
  });

  it('should serve the Web UI on its port until it is stopped (A6)', async () => {
    const uiPort = await findFreePort();
    const server = await startTemporalServer({
      cliPath: temporalCliPath(),
      dbFile: join(directory, 'temporal.db'),
      port: await findFreePort(),
      uiPort,
      logFile: join(directory, 'temporal.log'),
    });
    const page = `http://127.0.0.1:${uiPort}/`;
    try {
      await expect.poll(async () => (await fetch(page)).status, { timeout: 20_000 }).toBe(200);
    } finally {
      await server.stop();
    }
    await expect(fetch(page)).rejects.toThrow();
  });
});

describe('timeSkippingEnvironment', () => {
  it('should pass thirty days at once', async () => {
    const environment = await timeSkippingEnvironment();
    try {
      const before = await environment.currentTimeMs();
      await environment.sleep(THIRTY_DAYS_MS);
      expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(THIRTY_DAYS_MS);
    } finally {
      await environment.teardown();
    }
  });
});
