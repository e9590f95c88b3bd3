import type { Worker } from '@temporalio/worker';
import { createLogger } from '../../src/cli/logger.ts';
import { installRuntimeLogger } from '../../src/cli/runtime-logger.ts';
import { isDatabaseServing, openRecords } from '../../src/cli/open-process.ts';
import { runUntilStopped } from '../../src/cli/run-until-stopped.ts';
import { parseConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import type { ProviderRegistry } from '../../src/providers/registry.ts';
import type { Database } from '../../src/store/database.ts';
import { connectWorker } from '../../src/temporal/worker-connection.ts';
import { startHealthServer } from '../../src/worker/health-server.ts';
import { configureProviders } from '../../src/worker/provider-settings.ts';

/** What a Worker of a test is made of, as the settings have it. */
export interface WorkerParts {
  readonly config: Config;
  readonly db: Database;
  readonly providers: ProviderRegistry;
  readonly connection: Awaited<ReturnType<typeof connectWorker>>;
}

/** Runs a Worker of a test's own making as `reintegro worker` runs the product's: same settings, same health page, until it is told to stop. */
export async function runWorkerProgram(make: (parts: WorkerParts) => Promise<Worker>): Promise<void> {
  const config = parseConfig(process.env);
  installRuntimeLogger(createLogger(config));
  const db = await openRecords(config);
  const connection = await connectWorker({ address: config.TEMPORAL_ADDRESS ?? '', namespace: config.TEMPORAL_NAMESPACE });
  const providers = configureProviders(config);
  const worker = await make({ config, db, providers: providers.registry, connection });
  const ended = worker.run();
  const isReady = async (): Promise<boolean> => worker.getState() === 'RUNNING' && isDatabaseServing(db);
  const health = await startHealthServer({ host: config.HOST, port: config.WORKER_HEALTH_PORT, isReady });
  await runUntilStopped([{
    isReady,
    failed: ended.then(() => new Promise<never>(() => undefined)),
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  }], async () => {
    await health.close();
    await providers.close();
    await connection.close();
    await db.destroy();
  });
}
