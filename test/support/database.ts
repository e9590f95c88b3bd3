import { afterAll, beforeAll, beforeEach, describe } from 'vitest';

import { migrate, openDatabase, type Database, type DatabaseLocation } from '../../src/store/database.ts';
import { createDatabase, startPostgres, type TestPostgres } from './postgres.ts';

/** Connections that a PostgreSQL test may use at once. */
export const POOL_SIZE = 20;

/** The databases the records run on (D3). */
export const DATABASE_KINDS = ['PGlite', 'PostgreSQL'] as const;

/** One of them. */
export type DatabaseKind = (typeof DATABASE_KINDS)[number];

/** An empty database of a test, without schema. */
export interface TestDatabase {
  readonly db: Database;
  /** Opens it once more, as another process would; on PGlite, which serves one process, it is the same handle. */
  openAgain(): Database;
  stop(): Promise<void>;
}

/** Starts an empty database; null for PostgreSQL where it is not installed (on CI that is an error). */
export async function startDatabase(kind: DatabaseKind): Promise<TestDatabase | null> {
  if (kind === 'PGlite') {
    const db = openDatabase({ kind: 'embedded', dataDir: null });
    return { db, openAgain: () => db, stop: () => db.destroy() };
  }
  const server = await startPostgres();
  return server === null ? null : onServer(server);
}

async function onServer(server: TestPostgres): Promise<TestDatabase> {
  const location: DatabaseLocation = { kind: 'postgres', url: await createDatabase(server, 'reintegro'), poolSize: POOL_SIZE };
  const opened: Database[] = [];
  const open = (): Database => {
    const db = openDatabase(location);
    opened.push(db);
    return db;
  };
  return {
    db: open(),
    openAgain: open,
    async stop() {
      await Promise.all(opened.map((db) => db.destroy()));
      await server.stop();
    },
  };
}

/**
 * Runs the same tests on PGlite and on PostgreSQL (D3), each on a migrated database of its own. `database()` may be called
 * inside tests and hooks. Without PostgreSQL its tests are skipped, on CI they fail.
 */
export function describeOnEachDatabase(name: string, define: (database: () => Database, kind: DatabaseKind) => void): void {
  describe.each(DATABASE_KINDS)(`${name} on %s`, (kind) => {
    let started: TestDatabase | null = null;
    beforeAll(async () => {
      started = await startDatabase(kind);
      if (started !== null) await migrate(started.db);
    });
    afterAll(async () => {
      await started?.stop();
    });
    beforeEach(({ skip }) => {
      if (started === null) skip('PostgreSQL is not installed');
    });
    define(() => {
      if (started === null) throw new Error('the database was not started');
      return started.db;
    }, kind);
  });
}

/** A migrated database in memory for tests that are not about SQL. */
export async function memoryDatabase(): Promise<Database> {
  const db = openDatabase({ kind: 'embedded', dataDir: null });
  await migrate(db);
  return db;
}
