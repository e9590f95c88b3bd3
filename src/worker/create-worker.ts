import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import { createPayoutActivities } from '../../activities/payout-activities.ts';
import { createRefundActivities } from '../../activities/refund-activities.ts';
import { TASK_QUEUE } from '../../workflows/ids.ts';
import { PRODUCT_VERSION } from '../domain/product-version.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { Database } from '../store/database.ts';

/** What a Worker is made of. */
export interface ReintegroWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue?: string;
  readonly db: Database;
  readonly providers: ProviderRegistry;
  readonly workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
  /** Each cached Workflow holds about 0.6 MB. */
  readonly maxCachedWorkflows: number;
  /** The version of this program, where versions are rolled out one after the other; without it any Worker takes any task. */
  readonly version?: { readonly deploymentName: string; readonly buildId: string } | undefined;
}

/** What a Worker without a version of its own calls itself. */
const UNVERSIONED = { deploymentName: 'reintegro', buildId: PRODUCT_VERSION };

/** Makes the Worker: all Workflow Types from the bundle, all Activities over one database and one provider registry. */
export async function createReintegroWorker(options: ReintegroWorkerOptions): Promise<Worker> {
  const { connection, namespace, workflowBundle, maxCachedWorkflows, db, providers, version } = options;
  return Worker.create({
    connection, namespace, taskQueue: options.taskQueue ?? TASK_QUEUE, workflowBundle, maxCachedWorkflows,
    activities: { ...createRefundActivities({ db, providers }), ...createPayoutActivities({ db, providers }) },
    // Open Workflows go over to the version that is made current, and never back and forth between two. Without versions, the build id is only
    // what histories say of the program: five times each, so that the SDK's own, of 91 characters, would be a tenth of a refund's.
    workerDeploymentOptions: version === undefined ? { useWorkerVersioning: false, version: UNVERSIONED } : { useWorkerVersioning: true, version, defaultVersioningBehavior: 'AUTO_UPGRADE' },
    maxConcurrentActivityTaskExecutions: 100,
    shutdownGraceTime: '10 seconds',
    // A killed Worker's Workflows wait this long for it before another one takes them.
    stickyQueueScheduleToStartTimeout: '5 seconds',
    // Heartbeats must pass well inside the heartbeat timeout of 10 s.
    maxHeartbeatThrottleInterval: '4 seconds', defaultHeartbeatThrottleInterval: '3 seconds',
  });
}
