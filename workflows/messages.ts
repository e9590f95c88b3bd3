import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { LegResolution } from '../src/domain/case.ts';
import type { PayoutClaim, PayoutOrderStatus } from '../src/domain/payout-order.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import type { RefundStatus } from '../src/domain/refund-status.ts';

/** A refund as it ended. */
export interface RefundEnd {
  readonly refundId: string;
  readonly orderId: string;
  readonly status: RefundStatus;
  readonly statusDetail: string;
  /** Set when the request was refused before anything moved. */
  readonly refusal: RefundRefusal | null;
  /** Minor units; `null` until reserved. */
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly needsAttention: boolean;
}

/** A refund as its Workflow knows it. */
export interface RefundView extends RefundEnd {
  /** Fingerprint of the request that started this Workflow: another body under the same key does not match (R8). */
  readonly fingerprint: string;
}

/** A refund as histories keep it: what says nothing, or what whoever asks knows, is left out. Histories from before keep the whole view. */
export type ToldRefund<View extends RefundEnd> = Partial<View> & Pick<View, 'status' | 'statusDetail' | Exclude<keyof View, keyof RefundEnd>>;

/** What a history need not keep of a refund. */
export function toldRefund<View extends RefundEnd>({ refundId: _known, refusal, amountMinor, currency, needsAttention, ...told }: View): ToldRefund<View> {
  return {
    ...told, ...(refusal === null ? {} : { refusal }), ...(amountMinor === null ? {} : { amountMinor }), ...(currency === null ? {} : { currency }), ...(needsAttention ? { needsAttention } : {}),
  } as ToldRefund<View>;
}

/** The whole view again. */
export function wholeRefund<View extends RefundEnd>(told: ToldRefund<View>, known: { readonly refundId: string; readonly orderId?: string }): View {
  return { refusal: null, amountMinor: null, currency: null, needsAttention: false, ...known, ...told } as unknown as View;
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

/** Who acts and why (O2, O3): both are recorded for good. An identifier, never personal data. */
export interface OperatorAct {
  readonly actor: string;
  readonly reason: string;
}

/** An act about one leg; the charge may be left out when only one leg waits. */
export interface LegAct extends OperatorAct {
  readonly chargeId?: string;
}

/** What became of a leg, by the word of a human (O2). */
export type ResolveAct = LegAct & LegResolution;

/** Why an act was refused; nothing was changed by it. */
export type ActRefusal =
  /** The refund does not wait for this. */
  | 'not_awaited'
  /** Who asked for the refund cannot approve it (R3). */
  | 'same_person'
  /** Actor, reason or provider's id is missing or too long. */
  | 'malformed'
  /** More than one leg waits: name the charge. */
  | 'charge_id_required'
  /** No case is open that this would settle. */
  | 'no_open_case'
  /** The provider's id belongs to another refund, or was there before the send. */
  | 'provider_refund_taken'
  /** A leg that was never sent cannot have succeeded. */
  | 'never_sent'
  /** The provider shows a refund of that id with another amount. */
  | 'other_amount'
  /** The provider itself shows what became of the refund, and it is something else. */
  | 'provider_says_otherwise'
  /** The provider answers, and does not show the refund named. */
  | 'not_shown_by_provider'
  /** The call may still take effect: nobody can know yet that it failed. */
  | 'too_early'
  /** Something else came first. */
  | 'overtaken';

/** The name of the failure a refused act carries; its details hold the current view and the reason. */
export const ACT_REFUSED = 'ActRefused';

/** A fact told by the provider's side (P6). It only makes the Workflow ask the provider. */
export interface PayoutFact {
  readonly type: PayoutFactType;
  readonly eventId: string;
}

/** What a fact says happened; `changed` claims nothing. */
export type PayoutFactType = PayoutClaim | 'changed';

/** The name of the failure a refused cancellation carries; its details hold the current view. */
export const NOT_CANCELLABLE = 'NotCancellable';

/** Completes as soon as the refund is final or parked; answers with the state it then has (R10). */
export const refundOutcomeUpdate = defineUpdate<ToldRefund<RefundView>, []>('refundOutcome');
/** Calls a refund off; refused with `NotCancellable` once something was sent (R4). */
export const cancelRefundUpdate = defineUpdate<RefundView, [CancelRequest]>('cancelRefund');
/** The same for callers that do not wait. */
export const cancelRefundSignal = defineSignal<[CancelRequest]>('cancelRefundRequested');
/** A charge's gate has become free for this leg (S5). */
export const turnSignal = defineSignal<[{ readonly legId: string }]>('turnCame');
/** Another leg waits for the gate that this refund holds: the signal finds out whether anybody is there. */
export const turnAwaitedSignal = defineSignal('turnAwaited');
/** Something happened to a refund at its provider: ask it (R6, R9). */
export const refundFactSignal = defineSignal<[{ readonly eventId: string }]>('refundFact');
/** A second person approves (R3); refused with `ActRefused` unless the refund is in review. */
export const approveRefundUpdate = defineUpdate<RefundView, [OperatorAct]>('approveRefund');
/** A second person refuses (R3). */
export const rejectRefundUpdate = defineUpdate<RefundView, [OperatorAct]>('rejectRefund');
/** The payer confirms; refused with `ActRefused` unless the refund waits for that. */
export const confirmRefundUpdate = defineUpdate<RefundView, [OperatorAct]>('confirmRefund');
/** The payer contests. */
export const contestRefundUpdate = defineUpdate<RefundView, [OperatorAct]>('contestRefund');
/** A human says what became of a leg (O2); refused with `ActRefused` unless a case about it is open. */
export const resolveRefundUpdate = defineUpdate<RefundView, [ResolveAct]>('resolveRefund');
/** Tries again now what a leg waits for (O2); the settle delay is never cut short. */
export const retryRefundUpdate = defineUpdate<RefundView, [LegAct]>('retryRefund');
/** Takes note of a late failure (R9), and lets its Workflow end. */
export const acknowledgeLateFailureUpdate = defineUpdate<void, [OperatorAct]>('acknowledgeLateFailure');
export const refundStateQuery = defineQuery<RefundView>('refundState');

/** Completes as soon as the reference is issued, refused for good, or being verified. */
export const payoutOrderOutcomeUpdate = defineUpdate<PayoutOrderView, []>('payoutOrderOutcome');
/** Calls a payout order off; the provider has the last word (P4). */
export const cancelPayoutOrderUpdate = defineUpdate<PayoutOrderView, [CancelRequest]>('cancelPayoutOrder');
/** The same for callers that do not wait. */
export const cancelPayoutOrderSignal = defineSignal<[CancelRequest]>('cancelPayoutOrderRequested');
/** Something happened at the provider: ask it (P2, P6). */
export const payoutFactSignal = defineSignal<[PayoutFact]>('payoutFact');
/** The same for a rail that waits: completes when the provider was asked, or does not answer at present; answers with the state as it then is. */
export const reportPayoutFactUpdate = defineUpdate<PayoutOrderView, [PayoutFact]>('reportPayoutFact');
/** Has the provider asked again now (O2); the settle delay is never cut short. Refused with `ActRefused` while that runs. */
export const retryPayoutOrderUpdate = defineUpdate<PayoutOrderView, [OperatorAct]>('retryPayoutOrder');
export const payoutOrderStateQuery = defineQuery<PayoutOrderView>('payoutOrderState');
