import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { PayoutActivities, RefundActivities } from '../activities/contracts.ts';

/**
 * How Activities are run. Database steps are local Activities: short, idempotent transactions that share a Workflow Task
 * with what follows. A provider call is a normal Activity: one attempt when it sends (S4), many when it only reads.
 */

/** Database steps: retried until the database answers; between long pauses the server keeps the time, not the worker. */
const records = proxyLocalActivities<RefundActivities & PayoutActivities>({
  startToCloseTimeout: '20 seconds',
  localRetryThreshold: '5 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** Calls that may move money: never retried by Temporal, because an attempt that died may have been executed (S4). */
const sends = proxyActivities<RefundActivities & PayoutActivities>({
  startToCloseTimeout: '45 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

/** Calls that only read the provider and then write what they saw: retried until the provider answers. */
const looks = proxyActivities<RefundActivities & PayoutActivities>({
  startToCloseTimeout: '45 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
});

export const { reserveRefund, takeTurn, cancelRefund, registerPayoutOrder, openCase } = records;
export const { submitRefund, issueReference, voidReference } = sends;
export const { findRefund, findReference, followPayoutOrder } = looks;
