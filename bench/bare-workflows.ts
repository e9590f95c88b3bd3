import { allHandlersFinished, condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import type { BareActivities, BareOutcome, BareRequest } from './bare-activities.ts';

/** What Temporal itself costs: the Workflows that refunds are compared with. Each export is a Workflow Type. */

const { doNothing, callProvider } = proxyActivities<BareActivities>({ startToCloseTimeout: '30 seconds' });
const outcomeUpdate = defineUpdate<BareOutcome, []>('outcome');

/** One Activity. */
export async function bareWorkflow(work: BareRequest): Promise<BareOutcome> {
  return doNothing(work);
}

/** The same, told by an update, as the product tells how a refund ends. */
export async function bareUpdateWorkflow(work: BareRequest): Promise<BareOutcome> {
  let outcome: BareOutcome | null = null;
  setHandler(outcomeUpdate, async () => {
    await condition(() => outcome !== null);
    return outcome ?? { id: work.id, status: 'unknown' };
  });
  outcome = await doNothing(work);
  await condition(allHandlersFinished);
  return outcome;
}

/** One Activity that calls a provider. */
export async function bareProviderWorkflow(work: BareRequest): Promise<BareOutcome> {
  return callProvider(work);
}
