import type { ProviderRefundState } from '../../domain/send-protocol.ts';

/** The eleven words of seed 003, for a refund's status and for a payment's alike; another word makes the answer `unknown` (S7). */
export const STATUSES = [
  'pending', 'approved', 'authorized', 'in_process', 'rejected', 'cancelled', 'refunded', 'deferred', 'dismissed', 'review', 'validate',
] as const;

/** One of the eleven words. */
type GatewayStatus = (typeof STATUSES)[number];

/** Where a refund stands by its word (docs/gateway-dialect.md): only three say that nothing moved, or that it came back (M4). */
export const REFUND_STATES = {
  pending: 'authorized', in_process: 'authorized', review: 'authorized', validate: 'authorized', deferred: 'authorized', authorized: 'authorized',
  approved: 'approved',
  refunded: 'succeeded',
  rejected: 'failed', cancelled: 'failed', dismissed: 'failed',
} as const satisfies Record<GatewayStatus, ProviderRefundState>;

/** What a payment's word says of its money: never captured, captured, or captured and contested as a whole (M2). */
export const PAYMENT_MONEY = {
  approved: 'captured', refunded: 'captured',
  dismissed: 'contested',
  pending: 'uncaptured', authorized: 'uncaptured', in_process: 'uncaptured', rejected: 'uncaptured', cancelled: 'uncaptured', deferred: 'uncaptured',
  review: 'uncaptured', validate: 'uncaptured',
} as const satisfies Record<GatewayStatus, 'uncaptured' | 'captured' | 'contested'>;
