/** Program: a Worker as `reintegro worker` is one, with the same settings, whose refunds are sent by plain Activity retries. */
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { createLogger, installRuntimeLogger } from '../../../src/cli/logger.ts';
import { isDatabaseServing, openRecords } from '../../../src/cli/open-process.ts';
import { runUntilStopped } from '../../../src/cli/run-until-stopped.ts';
import { parseConfig } from '../../../src/config.ts';
import { connectWorker } from '../../../src/temporal/connection.ts';
import { bundleWorkflows } from '../../../src/temporal/workflow-bundle.ts';
import { startHealthServer } from '../../../src/worker/health-server.ts';
import { configureProviders } from '../../../src/worker/provider-settings.ts';
import { TASK_QUEUE } from '../../../workflows/ids.ts';
import { createNaiveActivities } from './activities.ts';

const config = parseConfig(process.env);
installRuntimeLogger(createLogger(config));
const db = await openRecords(config);
const connection = await connectWorker({ address: config.TEMPORAL_ADDRESS ?? '', namespace: config.TEMPORAL_NAMESPACE });
const providers = configureProviders(config);
const worker = await Worker.create({
  connection, namespace: config.TEMPORAL_NAMESPACE, taskQueue: TASK_QUEUE,
  workflowBundle: await bundleWorkflows(fileURLToPath(new URL('refund.ts', import.meta.url))), activities: createNaiveActivities({ db, providers: providers.registry }),
});
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
