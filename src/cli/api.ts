import type { Config } from '../config.ts';
import { createLogger } from './logger.ts';
import { openRecords, requireDatabaseUrl } from './open-process.ts';
import { runApi } from './run-api.ts';
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
