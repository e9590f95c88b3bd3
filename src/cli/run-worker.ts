import type { Config } from '../config.ts';
import type { Database } from '../store/database.ts';
import { connectWorker } from '../temporal/worker-connection.ts';
import { loadOrBuildWorkflowBundle } from '../temporal/workflow-bundle.ts';
import { createReintegroWorker } from '../worker/create-worker.ts';
import { configureProviders } from '../worker/provider-settings.ts';
import { temporalTarget } from './open-process.ts';
import type { Running } from './open-process.ts';

/** Starts a Worker: polls when this resolves. */
export async function runWorker(config: Config, db: Database): Promise<Running> {
  const connection = await connectWorker(temporalTarget(config));
  const providers = configureProviders(config);
  const worker = await createReintegroWorker({
    connection, namespace: config.TEMPORAL_NAMESPACE, db, providers: providers.registry,
    workflowBundle: await loadOrBuildWorkflowBundle(), maxCachedWorkflows: config.MAX_CACHED_WORKFLOWS,
    version: config.WORKER_BUILD_ID === undefined ? undefined : { deploymentName: config.WORKER_DEPLOYMENT_NAME, buildId: config.WORKER_BUILD_ID },
  });
  const ended = worker.run();
  return {
    isReady: async () => worker.getState() === 'RUNNING',
    failed: ended.then(() => new Promise<never>(() => undefined)),
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
      await providers.close();
      await connection.close();
    },
  };
}
