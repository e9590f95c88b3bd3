import type { Config } from '../config.ts';
import { startHealthServer } from '../worker/health-server.ts';
import { createLogger } from './logger.ts';
import { installRuntimeLogger } from './runtime-logger.ts';
import { isDatabaseServing, openRecords, requireDatabaseUrl } from './open-process.ts';
import { runWorker } from './run-worker.ts';
import { runUntilStopped } from './run-until-stopped.ts';

/** `reintegro worker`: runs Workflows and Activities. Start as many as you like. */
export async function workerCommand(config: Config): Promise<void> {
  requireDatabaseUrl(config);
  const logger = createLogger(config);
  installRuntimeLogger(logger);
  const db = await openRecords(config);
  const worker = await runWorker(config, db);
  const health = await startHealthServer({ host: config.HOST, port: config.WORKER_HEALTH_PORT, isReady: async () => (await worker.isReady()) && isDatabaseServing(db) });
  logger.info({ healthPort: config.WORKER_HEALTH_PORT }, 'worker is polling');
  await runUntilStopped([worker], async () => {
    await health.close();
    await db.destroy();
  });
}
