import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PayoutOrderStatus } from '../src/domain/payout-order.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import type { RefundStatus } from '../src/domain/refund-status.ts';

/** A refund as its Workflow knows it. */
export interface RefundView {
  readonly refundId: string;
  readonly orderId: string;
  readonly status: RefundStatus;
  readonly statusDetail: string;
  /** Set when the request was refused before anything moved. */
  readonly refusal: RefundRefusal | null;
  /** Minor units; `null` until reserved. */
  readonly amountMinor: number | null;
  readonly currency: string | null;
  /** Fingerprint of the request that started this Workflow: another body under the same key does not match (R8). */
  readonly fingerprint: string;
  readonly needsAttention: boolean;
}

/** A payout order as its Workflow knows it. */
export interface PayoutOrderView {
  readonly payoutOrderId: string;
  readonly status: PayoutOrderStatus;
  readonly statusDetail: string;
  readonly fingerprint: string;
  readonly needsAttention: boolean;
}

/** Who cancels, for the audit trail: an identifier of a key or a service. */
export interface CancelRequest {
  readonly requestedBy: string;
}

/** A fact told by the provider's side (P6). It only makes the Workflow ask the provider. */
export interface PayoutFact {
  readonly type: 'withdrawal' | 'confirmation' | 'reversal' | 'changed';
  readonly eventId: string;
}

/** The name of the failure a refused cancellation carries; its details hold the current view. */
export const NOT_CANCELLABLE = 'NotCancellable';

/** Completes as soon as the refund is final or parked; answers with the state it then has (R10). */
export const refundOutcomeUpdate = defineUpdate<RefundView, []>('refundOutcome');
/** Calls a refund off; refused with `NotCancellable` once something was sent (R4). */
export const cancelRefundUpdate = defineUpdate<RefundView, [CancelRequest]>('cancelRefund');
/** The same for callers that do not wait. */
export const cancelRefundSignal = defineSignal<[CancelRequest]>('cancelRefundRequested');
/** A charge's gate has become free for this leg (S5). */
export const turnSignal = defineSignal<[{ readonly legId: string }]>('turnCame');
export const refundStateQuery = defineQuery<RefundView>('refundState');

/** Completes as soon as the reference is issued, refused for good, or being verified. */
export const payoutOrderOutcomeUpdate = defineUpdate<PayoutOrderView, []>('payoutOrderOutcome');
/** Calls a payout order off; the provider has the last word (P4). */
export const cancelPayoutOrderUpdate = defineUpdate<PayoutOrderView, [CancelRequest]>('cancelPayoutOrder');
/** The same for callers that do not wait. */
export const cancelPayoutOrderSignal = defineSignal<[CancelRequest]>('cancelPayoutOrderRequested');
/** Something happened at the provider: ask it (P2, P6). */
export const payoutFactSignal = defineSignal<[PayoutFact]>('payoutFact');
export const payoutOrderStateQuery = defineQuery<PayoutOrderView>('payoutOrderState');
