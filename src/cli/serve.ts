import type { Config } from '../config.ts';
import { saveDemoMerchants } from './demo-merchants.ts';
import { createLogger } from './logger.ts';
import { installRuntimeLogger } from './runtime-logger.ts';
import { openRecords } from './open-process.ts';
import { runApi } from './run-api.ts';
import { runWorker } from './run-worker.ts';
import { runUntilStopped } from './run-until-stopped.ts';

/** `reintegro serve`: API and Worker in one process, sharing the embedded database. What `npm start` runs. */
export async function serveCommand(config: Config, options: { demo: boolean }): Promise<void> {
  const logger = createLogger(config);
  installRuntimeLogger(logger);
  const db = await openRecords(config);
  if (options.demo) await saveDemoMerchants(db);
  const worker = await runWorker(config, db);
  const api = await runApi(config, db, logger, () => worker.isReady());
  logger.info({ host: config.HOST, port: config.PORT }, 'api and worker are serving');
  await runUntilStopped([worker, api], () => db.destroy());
}
