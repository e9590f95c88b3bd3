import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Called, RefundActivities } from '../activities/contracts.ts';
import type { PayoutActivities } from '../activities/payout-contracts.ts';

type AllActivities = Called<RefundActivities & PayoutActivities>;

/**
 * How Activities are run. Database steps are local Activities: short, idempotent transactions that share a Workflow Task
 * with what follows. A provider call is a normal Activity: one attempt when it sends (S4), many when it only reads.
 */

/** Database steps: retried until the database answers; between long pauses the server keeps the time, not the worker. */
const records = proxyLocalActivities<AllActivities>({
  // Longer than the longest read of an order that a refund's reservation may need.
  startToCloseTimeout: '40 seconds',
  localRetryThreshold: '5 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** Calls that may move money: never retried by Temporal, because an attempt that died may have been executed (S4). */
const sends = proxyActivities<AllActivities>({
  startToCloseTimeout: '45 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

/**
 * Calls that only read the provider and then write what they saw: retried for a while; then the Workflow decides, since
 * other things may be more urgent than an answer that does not come.
 */
const looks = proxyActivities<AllActivities>({
  startToCloseTimeout: '45 seconds',
  scheduleToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '15 seconds' },
});

/**
 * What acts upon a caller's request: database steps, and yet no local Activities. A Workflow Task that is lost (for example because a
 * signal came as it closed the Workflow) loses the request with it: the records would say `cancelled` and the Workflow would go on to
 * send. A scheduled Activity is in history together with the request.
 */
const acts = proxyActivities<AllActivities>({
  startToCloseTimeout: '40 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

export const { reserveRefund, enterCheckpoint, takeTurn, loseTurn, registerPayoutOrder, openCase } = records;
export const { submitRefund, issueReference, voidReference } = sends;
export const { findRefund, followRefund, reviewRefund, findReference, followPayoutOrder } = looks;
export const { cancelRefund, passCheckpoint, resolveLeg, recordAct, closeCase, recordPayoutAct } = acts;
