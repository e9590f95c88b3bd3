import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { z } from 'zod';
import type { BenchStack } from './bench-stack.ts';

/** Bytes by table, indexes included. */
export type TableBytes = Readonly<Record<string, number>>;

/** What the two stores hold, bytes. */
export interface StoreSizes {
  readonly postgresBytes: number;
  readonly postgresTables: TableBytes;
  /** Pages in use; free ones, which the file keeps, not counted. */
  readonly temporalBytes: number;
  /** The file with its write-ahead log, after a checkpoint. */
  readonly temporalFileBytes: number;
  readonly temporalTables: TableBytes;
}

const sizeSchema = z.object({ name: z.string(), bytes: z.coerce.number() });
const totalSchema = z.object({ bytes: z.coerce.number() });

/**
 * Reads the sizes once nothing is under way. `compact` rewrites our tables first, so that what is added afterwards cannot hide in pages
 * that were freed before.
 */
export async function readStoreSizes(stack: BenchStack, { compact }: { readonly compact: boolean }): Promise<StoreSizes> {
  await stack.untilQuiet();
  return { ...(await readPostgres(stack.databaseUrl, compact)), ...readTemporal(stack.temporalFile) };
}

/** What was added between two readings, per thing added. */
export function addedPer(count: number, before: StoreSizes, after: StoreSizes): StoreSizes {
  const each = (start: number, end: number): number => (end - start) / count;
  const tables = (start: TableBytes, end: TableBytes): TableBytes => Object.fromEntries(Object.entries(end).map(([name, bytes]) => [name, each(start[name] ?? 0, bytes)]));
  return {
    postgresBytes: each(before.postgresBytes, after.postgresBytes), postgresTables: tables(before.postgresTables, after.postgresTables),
    temporalBytes: each(before.temporalBytes, after.temporalBytes), temporalFileBytes: each(before.temporalFileBytes, after.temporalFileBytes),
    temporalTables: tables(before.temporalTables, after.temporalTables),
  };
}

async function readPostgres(url: string, compact: boolean): Promise<Pick<StoreSizes, 'postgresBytes' | 'postgresTables'>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(compact ? 'VACUUM FULL' : 'VACUUM');
    await client.query('CHECKPOINT');
    const total = await client.query<object>('SELECT pg_database_size(current_database()) AS bytes');
    const tables = await client.query<object>('SELECT relname AS name, pg_total_relation_size(relid) AS bytes FROM pg_stat_user_tables');
    return { postgresBytes: totalSchema.parse(total.rows[0]).bytes, postgresTables: byName(tables.rows) };
  } finally {
    await client.end();
  }
}

function readTemporal(file: string): Pick<StoreSizes, 'temporalBytes' | 'temporalFileBytes' | 'temporalTables'> {
  const db = new DatabaseSync(file, { timeout: 10_000 });
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const used = db.prepare('SELECT (pages.page_count - free.freelist_count) * size.page_size AS bytes FROM pragma_page_count() pages, pragma_freelist_count() free, pragma_page_size() size').get();
    const tables = db.prepare('SELECT entry.tbl_name AS name, sum(used.pgsize) AS bytes FROM dbstat used JOIN sqlite_schema entry ON entry.name = used.name WHERE used.aggregate = TRUE GROUP BY 1').all();
    const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    return { temporalBytes: totalSchema.parse(used).bytes, temporalFileBytes: statSync(file).size + log, temporalTables: byName(tables) };
  } finally {
    db.close();
  }
}

function byName(rows: readonly unknown[]): TableBytes {
  return Object.fromEntries(rows.map((row) => sizeSchema.parse(row)).map(({ name, bytes }) => [name, bytes]));
}
