import type { Config } from '../config.ts';
import { migrate, openDatabase } from '../store/database.ts';
import { requireDatabaseUrl } from './open-process.ts';

/** `reintegro migrate`: brings the schema of DATABASE_URL up to date. */
export async function migrateCommand(config: Config): Promise<void> {
  requireDatabaseUrl(config);
  const db = openDatabase({ kind: 'postgres', url: config.DATABASE_URL ?? '', poolSize: 1 });
  try {
    const applied = await migrate(db);
    console.log(applied.length === 0 ? 'The schema is up to date.' : `Applied: ${applied.join(', ')}`);
  } finally {
    await db.destroy();
  }
}
