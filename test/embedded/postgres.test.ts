import pg from 'pg';
import { describe, expect, it } from 'vitest';

import { createDatabase, startPostgres } from '../support/postgres.ts';

async function query(connectionString: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString });
  // A killed server ends the connection under us; the query that matters has its own error.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('startPostgres', () => {
  it('should keep what was committed over kill -9 and a restart', async ({ skip }) => {
    const server = await startPostgres();
    if (server === null) return skip('PostgreSQL is not installed');
    try {
      const url = await createDatabase(server, 'kept');
      await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await server.kill9();
      await expect(query(url, 'SELECT 1')).rejects.toThrow();
      await server.restart();
      expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    } finally {
      await server.stop();
    }
  });
});
