import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';

const postgres = await startPostgres();
afterAll(() => postgres?.stop());

describe.skipIf(postgres === null)('a connection that is lost under an open transaction', () => {
  it('should fail that transaction, end no process, and be replaced (I3)', async () => {
    if (postgres === null) return;
    const url = await createDatabase(postgres, 'lost_connection');
    const [db, killer] = [openDatabase({ kind: 'postgres', url, poolSize: 2 }), openDatabase({ kind: 'postgres', url, poolSize: 1 })];
    try {
      const lost = db.transaction().execute(async (tx) => {
        const { rows: [own] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        // Either may be over first. Vitest reports an event that nobody hears as the end of the process it would be.
        await Promise.all([sql`select pg_sleep(20)`.execute(tx), sql`select pg_terminate_backend(${own?.pid})`.execute(killer)]);
      });
      await expect(lost).rejects.toThrow();
      expect((await sql<{ one: number }>`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
    } finally {
      await db.destroy();
      await killer.destroy();
    }
  });
});
