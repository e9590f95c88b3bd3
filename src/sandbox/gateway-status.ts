import type { RefundState } from './order-records.ts';

/** The provider's words for a refund that is taken and not executed. */
export const TAKEN_STATUSES = ['pending', 'in_process', 'review', 'validate', 'deferred', 'authorized'] as const;

/** The provider's words for a refund that came to nothing, or came back. */
export const FAILED_STATUSES = ['rejected', 'cancelled', 'dismissed'] as const;

/** The eleven words of seed 003, for payments and for their refunds. */
export const GATEWAY_STATUSES = [...TAKEN_STATUSES, 'approved', 'refunded', ...FAILED_STATUSES] as const;

/** One of the eleven words. */
export type GatewayStatus = (typeof GATEWAY_STATUSES)[number];

/** What each word means for the money (docs/gateway-dialect.md). */
export const STATE_OF: Readonly<Record<GatewayStatus, RefundState>> = {
  pending: 'authorized', in_process: 'authorized', review: 'authorized', validate: 'authorized', deferred: 'authorized', authorized: 'authorized',
  approved: 'approved', refunded: 'succeeded', rejected: 'failed', cancelled: 'failed', dismissed: 'failed',
};

/** The word for a refund that reached a state without being told another. */
export const USUAL_STATUS: Readonly<Record<RefundState, GatewayStatus>> = {
  authorized: 'authorized', approved: 'approved', succeeded: 'refunded', failed: 'rejected',
};

/** From which states a refund may be given a word by hand; to the word it has never. */
const MOVES: Readonly<Record<RefundState, readonly RefundState[]>> = {
  authorized: ['authorized'],
  approved: ['authorized'],
  succeeded: ['authorized', 'approved'],
  failed: ['authorized', 'approved', 'succeeded'],
};

/** Whether a refund may go over from one word to another. */
export function isStatusMoveAllowed(from: GatewayStatus, to: GatewayStatus): boolean {
  return from !== to && MOVES[STATE_OF[to]].includes(STATE_OF[from]);
}

/** Whether a payment with this word was credited, so that it can be given back: contested ones cannot. */
export function isRefundable(status: GatewayStatus): boolean {
  return status === 'approved' || status === 'refunded';
}
