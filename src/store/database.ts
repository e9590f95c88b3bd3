import type { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { initialMigration } from './migrations/0001-initial.ts';
import { refundsCompleteMigration } from './migrations/0002-refunds-complete.ts';
import { payoutOrdersCompleteMigration } from './migrations/0003-payout-orders-complete.ts';
import { severalProvidersMigration } from './migrations/0004-several-providers.ts';
import type { Tables } from './tables.ts';

/** The database handle that every repository takes. */
export type Database = Kysely<Tables>;

/** Where the records live: a PostgreSQL URL, or a folder of the embedded database (`null`: in memory, for tests). */
export type DatabaseLocation =
  | { readonly kind: 'postgres'; readonly url: string; readonly poolSize: number }
  | { readonly kind: 'embedded'; readonly dataDir: string | null };

/** Reads a bigint column as a number. @throws RangeError above 2^53−1: amounts are checked on the way in, so that is a defect. */
function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('a bigint column holds more than a safe integer');
  return value;
}

/** Opens the database. The embedded one serves this process only. */
export function openDatabase(location: DatabaseLocation): Database {
  if (location.kind === 'postgres') {
    const types = { getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === pg.types.builtins.INT8 && format !== 'binary' ? parseBigint : pg.types.getTypeParser(oid, format)) };
    const pool = new pg.Pool({
      connectionString: location.url, max: location.poolSize, types, application_name: 'reintegro',
      connectionTimeoutMillis: 5000, statement_timeout: 10_000, idle_in_transaction_session_timeout: 15_000, keepAlive: true,
    });
    // An idle connection that breaks is replaced by the pool; the query that needs one reports the failure.
    pool.on('error', () => undefined);
    // So does the query or transaction of one that breaks while it is in use; unheard, its event would end the process.
    pool.on('connect', (client) => client.on('error', () => undefined));
    return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  }
  return new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: () => openEmbedded(location.dataDir) }) });
}

/** Loaded only where it is used: beside PostgreSQL nobody needs it. */
async function openEmbedded(dataDir: string | null): Promise<PGlite> {
  const { PGlite: embedded, types } = await import('@electric-sql/pglite');
  const options = { parsers: { [types.INT8]: parseBigint } };
  return dataDir === null ? embedded.create(options) : embedded.create(dataDir, options);
}

/** Brings the schema up to date; safe to run from several processes at once. @throws the first migration's error. */
export async function migrate(db: Database): Promise<readonly string[]> {
  const migrations = {
    '0001-initial': initialMigration, '0002-refunds-complete': refundsCompleteMigration, '0003-payout-orders-complete': payoutOrdersCompleteMigration,
    '0004-several-providers': severalProvidersMigration,
  };
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map((result) => result.migrationName);
}
