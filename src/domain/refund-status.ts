/** The eleven statuses of a refund (seed 003, PRODUCT §5), in the order a refund may meet them. */
export const REFUND_STATUSES = [
  'pending', 'validate', 'review', 'deferred', 'in_process', 'authorized', 'approved', 'refunded', 'rejected', 'cancelled', 'dismissed',
] as const;

/** A refund's status as callers see it. */
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** Which status may follow which (PRODUCT §5). `refunded → rejected` is the late failure of rule R9 and nothing else. */
export const REFUND_TRANSITIONS = {
  /** Accepted and reserved, not sent; or waiting for the charge's turn. Not final. */
  pending: ['validate', 'review', 'deferred', 'in_process', 'cancelled', 'rejected'],
  /** Waiting for the payer to confirm. Not final. */
  validate: ['review', 'deferred', 'in_process', 'dismissed', 'cancelled'],
  /** Waiting for a second person of the merchant. Not final. */
  review: ['deferred', 'in_process', 'rejected', 'cancelled'],
  /** Waiting for its execution time or its cancellation window. Not final. */
  deferred: ['in_process', 'cancelled'],
  /** Sent, or being verified after a lost answer. Not final. */
  in_process: ['authorized', 'approved', 'refunded', 'rejected', 'dismissed'],
  /** The provider accepted and has not executed yet. Not final. */
  authorized: ['approved', 'refunded', 'rejected', 'cancelled'],
  /** The provider executed; the credit is on its way. Not final. */
  approved: ['refunded', 'rejected'],
  /** Final: the money is with the payer. Only a late failure (R9) adds to it. */
  refunded: ['rejected'],
  /** Final: refused. */
  rejected: [],
  /** Final: called off, or out of time. */
  cancelled: [],
  /** Final: contested by the payer. */
  dismissed: [],
} as const satisfies Record<RefundStatus, readonly RefundStatus[]>;

/** Statuses in which a refund rests for good (R9 adds a fact, it does not reopen). */
const FINAL: ReadonlySet<RefundStatus> = new Set(['refunded', 'rejected', 'cancelled', 'dismissed']);

/** Statuses in which a cancellation wins (R4). */
const CANCELLABLE: ReadonlySet<RefundStatus> = new Set(['pending', 'validate', 'review', 'deferred']);

/** Whether nothing more is expected to happen to a refund in this status. */
export function isFinalRefundStatus(status: RefundStatus): boolean {
  return FINAL.has(status);
}

/** Whether a caller may still call the refund off (R4: nothing was sent yet). */
export function isCancellableRefundStatus(status: RefundStatus): boolean {
  return CANCELLABLE.has(status);
}

/** Whether the machine has an edge between two statuses. */
export function canRefundMove(from: RefundStatus, to: RefundStatus): boolean {
  return (REFUND_TRANSITIONS[from] as readonly RefundStatus[]).includes(to);
}
