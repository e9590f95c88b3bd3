/** Program: a Worker as `reintegro worker` is one, with the same settings, whose refunds are sent by plain Activity retries. */
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../../src/temporal/workflow-bundle.ts';
import { TASK_QUEUE } from '../../../workflows/ids.ts';
import { runWorkerProgram } from '../../support/worker-program.ts';
import { createNaiveActivities } from './activities.ts';

await runWorkerProgram(async ({ config, connection, db, providers }) => Worker.create({
  connection, namespace: config.TEMPORAL_NAMESPACE, taskQueue: TASK_QUEUE,
  workflowBundle: await bundleWorkflows(fileURLToPath(new URL('refund.ts', import.meta.url))), activities: createNaiveActivities({ db, providers }),
}));
