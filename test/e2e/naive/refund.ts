import { condition, proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';
import type { RefundStart } from '../../../activities/contracts.ts';
import { isFinalRefundStatus } from '../../../src/domain/refund-status.ts';
import { FINGERPRINT_MEMO } from '../../../workflows/ids.ts';
import { refundOutcomeUpdate, refundStateQuery } from '../../../workflows/messages.ts';
import type { RefundView } from '../../../workflows/messages.ts';
import type { NaiveActivities } from './activities.ts';

/** A send as many would write it: an Activity that Temporal retries until the provider answers. */
const { reserve, pay } = proxyActivities<NaiveActivities>({
  startToCloseTimeout: '4 seconds', retry: { initialInterval: '500 milliseconds', backoffCoefficient: 1 },
});

/** A refund without the send protocol, by the name and with the messages of the real one, so that the same API drives it. It pays twice. */
export async function refundWorkflow(start: RefundStart): Promise<RefundView> {
  const { workflowId, runId, memo } = workflowInfo();
  const request = { ...start, fingerprint: String(memo?.[FINGERPRINT_MEMO]) };
  const view: { -readonly [K in keyof RefundView]: RefundView[K] } = {
    refundId: request.refundId, orderId: request.orderId, status: 'pending', statusDetail: 'accepted', refusal: null,
    amountMinor: null, currency: null, fingerprint: request.fingerprint, needsAttention: false,
  };
  setHandler(refundStateQuery, () => view);
  setHandler(refundOutcomeUpdate, async () => {
    await condition(() => isFinalRefundStatus(view.status));
    return view;
  });
  const act = { workflowId, runId, merchantId: request.merchantId, refundId: request.refundId };
  const legIds = await reserve({ ...request, workflowId, runId });
  const statuses = await Promise.all(legIds.map((legId) => pay({ ...act, legId })));
  view.status = statuses.find((status) => isFinalRefundStatus(status)) ?? 'rejected';
  return view;
}
