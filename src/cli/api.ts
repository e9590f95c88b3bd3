import type { Config } from '../config.ts';
import { createLogger } from './logger.ts';
import { openRecords, runApi } from './open-process.ts';
import { runUntilStopped } from './run-until-stopped.ts';

/** `reintegro api`: the HTTP API on HOST:PORT. Start as many as you like. */
export async function apiCommand(config: Config): Promise<void> {
  requireDatabaseUrl(config);
  const logger = createLogger(config);
  const db = await openRecords(config);
  const api = await runApi(config, db, logger);
  logger.info({ host: config.HOST, port: config.PORT }, 'api is serving');
  await runUntilStopped([api], () => db.destroy());
}

/** Several processes cannot share the embedded database. @throws when DATABASE_URL is missing */
export function requireDatabaseUrl(config: Config): void {
  if (config.DATABASE_URL === undefined) throw new Error('DATABASE_URL is required here: the embedded database serves one process only (npm start).');
}
