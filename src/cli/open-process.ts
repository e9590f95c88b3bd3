import type { Config } from '../config.ts';
import { migrate, openDatabase } from '../store/database.ts';
import type { Database } from '../store/database.ts';
import type { TemporalTarget } from '../temporal/connection.ts';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sql } from 'kysely';

/** Something that runs until it is asked to stop. */
export interface Running {
  isReady(): Promise<boolean>;
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Opens the database the settings name and brings its schema up to date. */
export async function openRecords(config: Config): Promise<Database> {
  const dataDir = resolve(config.DATA_DIR);
  // The embedded database makes its own folder, but none above it.
  if (config.DATABASE_URL === undefined) mkdirSync(dataDir, { recursive: true });
  const db = openDatabase(config.DATABASE_URL === undefined
    ? { kind: 'embedded', dataDir: join(dataDir, 'database') }
    : { kind: 'postgres', url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE });
  await migrate(db);
  return db;
}

/** Whether the database answers now. */
export async function isDatabaseServing(db: Database): Promise<boolean> {
  try {
    await sql`select 1`.execute(db);
    return true;
  } catch {
    // Not serving is the answer, whatever the reason.
    return false;
  }
}

/** Where the settings say that the Temporal server is. */
export function temporalTarget(config: Config): TemporalTarget {
  return { address: config.TEMPORAL_ADDRESS ?? `127.0.0.1:${config.TEMPORAL_PORT}`, namespace: config.TEMPORAL_NAMESPACE, apiKey: config.TEMPORAL_API_KEY };
}

/** Several processes cannot share the embedded database. @throws when DATABASE_URL is missing */
export function requireDatabaseUrl(config: Config): void {
  if (config.DATABASE_URL === undefined) throw new Error('DATABASE_URL is required here: the embedded database serves one process only (npm start).');
}
