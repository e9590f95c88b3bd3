/**
 * Workflow ids (R11, P7). They hold no personal data and are the same for every retry of a request, so that a repeated
 * start finds the same Workflow.
 */

/** The task queue of all Workflows and Activities. */
export const TASK_QUEUE = 'reintegro';

/** The name under which a start keeps the fingerprint of its request with the server, readable without a Worker (R8). */
export const FINGERPRINT_MEMO = 'fingerprint';

/** The longest id of ours that may become part of a Workflow id. */
const MAX_PART_LENGTH = 100;

const PART = /^[A-Za-z0-9._-]+$/;

function checkedPart(part: string): string {
  if (part.length > MAX_PART_LENGTH || !PART.test(part)) throw new RangeError('not an identifier that may become part of a Workflow id');
  return part;
}

/** `refund:<merchant>:<refund id>`. @throws RangeError for a part that is no identifier. */
export function refundWorkflowId(merchantId: string, refundId: string): string {
  return `refund:${checkedPart(merchantId)}:${checkedPart(refundId)}`;
}

/** `refund-aftermath:<merchant>:<refund id>`: what happens to a refund after its end (R9). @throws RangeError for a part that is no identifier. */
export function refundAftermathWorkflowId(merchantId: string, refundId: string): string {
  return `refund-aftermath:${checkedPart(merchantId)}:${checkedPart(refundId)}`;
}

/** `payout:<merchant>:<payout order id>`. @throws RangeError for a part that is no identifier. */
export function payoutOrderWorkflowId(merchantId: string, payoutOrderId: string): string {
  return `payout:${checkedPart(merchantId)}:${checkedPart(payoutOrderId)}`;
}
