import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';

import { migrate, openDatabase, type Database, type DatabaseLocation } from '../../src/store/database.ts';
import { borrowEmbedded } from './embedded-databases.ts';
import { createDatabase, SHARED_POSTGRES } from './postgres.ts';

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
    const db = await borrowEmbedded();
    return { db, openAgain: () => db, stop: () => db.destroy() };
  }
  const shared = process.env[SHARED_POSTGRES];
  return shared === undefined ? null : onServer(shared);
}

async function onServer(serverUrl: string): Promise<TestDatabase> {
  const location: DatabaseLocation = { kind: 'postgres', url: await createDatabase({ url: serverUrl }, `test_${randomUUID()}`), poolSize: POOL_SIZE };
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
    },
  };
}

/** The databases of this test file: started when first needed, stopped after its last test. */
const started = new Map<DatabaseKind, Promise<TestDatabase | null>>();

async function startMigrated(kind: DatabaseKind): Promise<TestDatabase | null> {
  const database = await startDatabase(kind);
  if (database !== null) await migrate(database.db);
  return database;
}

function databaseOfThisFile(kind: DatabaseKind): Promise<TestDatabase | null> {
  const database = started.get(kind) ?? startMigrated(kind);
  started.set(kind, database);
  return database;
}

async function stopAll(): Promise<void> {
  const databases = [...started.values()];
  started.clear();
  await Promise.all(databases.map(async (database) => (await database)?.stop()));
}

/**
 * Runs the same tests on PGlite and on PostgreSQL (D3), each a migrated database of the test file's own. `database()` may be
 * called inside tests. Call it at the top of a test file. Without PostgreSQL its tests are skipped, on CI they fail.
 */
export function describeOnEachDatabase(name: string, define: (database: () => Database, kind: DatabaseKind) => void): void {
  afterAll(stopAll);
  describe.each(DATABASE_KINDS)(`${name} on %s`, (kind) => {
    let database: TestDatabase | null = null;
    beforeAll(async () => {
      database = await databaseOfThisFile(kind);
    });
    beforeEach(({ skip }) => {
      if (database === null) skip('PostgreSQL is not installed');
    });
    define(() => {
      if (database === null) throw new Error('the database was not started');
      return database.db;
    }, kind);
  });
}

/** A migrated database in memory for tests that are not about SQL. */
export async function memoryDatabase(): Promise<Database> {
  const db = await borrowEmbedded();
  await migrate(db);
  return db;
}
