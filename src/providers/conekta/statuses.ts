import type { ProviderRefundState } from '../../domain/send-protocol.ts';

/** Charge statuses under which the money was captured. */
const CAPTURED_CHARGE_STATUSES = ['paid', 'partially_refunded', 'refunded'] as const;
/** Charge statuses under which the money was captured and is contested. */
const DISPUTED_CHARGE_STATUSES = ['chargeback', 'charged_back', 'in_dispute'] as const;
/** Charge statuses under which there is no money to give back. */
const UNCAPTURED_CHARGE_STATUSES = [
  'pending_payment', 'pre_authorized', 'declined', 'expired', 'canceled', 'cancelled', 'failed', 'voided', 'reversed',
] as const;

/** Every charge status we can read; another word makes the answer `unknown` (S7). */
export const CHARGE_STATUSES = [...CAPTURED_CHARGE_STATUSES, ...DISPUTED_CHARGE_STATUSES, ...UNCAPTURED_CHARGE_STATUSES] as const;

/** Every refund status we can read; usually Conekta sends none. Another word makes the answer `unknown` (S7). */
export const REFUND_STATUSES = [
  'pending', 'in_process', 'processing', 'authorized', 'approved', 'succeeded', 'success', 'completed', 'paid', 'refunded',
  'failed', 'canceled', 'cancelled',
] as const;

/** A refund status that we can read. */
type ConektaRefundStatus = (typeof REFUND_STATUSES)[number];

/** What each refund status means. Conekta documents none of these words; only one that plainly says so is a failure (M4). */
const REFUND_STATES = {
  pending: 'authorized', in_process: 'authorized', processing: 'authorized', authorized: 'authorized',
  approved: 'approved',
  succeeded: 'succeeded', success: 'succeeded', completed: 'succeeded', paid: 'succeeded', refunded: 'succeeded',
  failed: 'failed', canceled: 'failed', cancelled: 'failed',
} as const satisfies Record<ConektaRefundStatus, ProviderRefundState>;

/** Chargeback statuses of Conekta's OpenAPI 2.3.0. `won` leaves the money with the merchant; all others are open or lost. */
export const CHARGEBACK_STATUSES = [
  'won', 'lost', 'action_required', 'pending_review', 'under_review', 'covered', 'rt', 'rt_sent', 'represented',
] as const;

const UNCAPTURED: ReadonlySet<string> = new Set(UNCAPTURED_CHARGE_STATUSES);
const DISPUTED: ReadonlySet<string> = new Set(DISPUTED_CHARGE_STATUSES);

/** Whether a charge in this status was captured. */
export function isCaptured(status: (typeof CHARGE_STATUSES)[number]): boolean {
  return !UNCAPTURED.has(status);
}

/** Whether a charge's status or its chargeback says that the money is contested or lost (M2). */
export function isDisputed(status: (typeof CHARGE_STATUSES)[number], chargeback: (typeof CHARGEBACK_STATUSES)[number] | undefined): boolean {
  return DISPUTED.has(status) || (chargeback !== undefined && chargeback !== 'won');
}

/** Where a listed refund stands; one without a status is done (seed 002 lists no other). */
export function refundStateOf(status: ConektaRefundStatus | null | undefined): ProviderRefundState {
  return status === undefined || status === null ? 'succeeded' : REFUND_STATES[status];
}

/** Whether a listed refund counts against its charge: all but the definitively failed (M2). */
export function isCounting(refund: { readonly status?: ConektaRefundStatus | null | undefined }): boolean {
  return refundStateOf(refund.status) !== 'failed';
}
