import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';

import { migrate } from '../../src/store/database.ts';
import { DATABASE_KINDS, startDatabase, type TestDatabase } from '../support/database.ts';

describe.each(DATABASE_KINDS)('migrate on %s', (kind) => {
  let database: TestDatabase | null = null;
  afterEach(() => database?.stop());

  it('should bring an empty database up to date once, however many processes try at once (D3)', async ({ skip }) => {
    database = await startDatabase(kind);
    if (database === null) return skip('PostgreSQL is not installed');
    const handles = [database.db, database.openAgain(), database.openAgain(), database.openAgain()];
    const applied = await Promise.all(handles.map((db) => migrate(db)));
    expect(applied.flat()).toEqual(['0001-initial']);
    await expect(migrate(database.db)).resolves.toEqual([]);
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from information_schema.tables where table_name = 'money_movements'`.execute(database.db);
    expect(rows).toEqual([{ count: 1 }]);
  });
});
