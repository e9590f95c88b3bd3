import type { RefundStatus } from '../../domain/refund-status.ts';

/** The statuses of a message (seed 003), with what the seed says of them. */
export const MESSAGE_STATUSES = [
  'pending', 'approved', 'authorized', 'in_process', 'rejected', 'cancelled', 'refunded', 'deferred', 'dismissed', 'review', 'validate',
] as const;

/** A status of a message. */
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/**
 * What a message says of a refund, by the refund's status (PRODUCT §5: they are the seed's own eleven). Each is the word of one status only,
 * so that {@link refundStatusOf} reads it back.
 */
const MESSAGE_STATUS = {
  pending: 'pending', validate: 'validate', review: 'review', deferred: 'deferred', in_process: 'in_process', authorized: 'authorized', approved: 'approved',
  refunded: 'refunded', rejected: 'rejected', cancelled: 'cancelled', dismissed: 'dismissed',
} as const satisfies Record<RefundStatus, MessageStatus>;

const REFUND_STATUS = new Map<MessageStatus, RefundStatus>(Object.entries(MESSAGE_STATUS).map(([refund, message]) => [message, refund as RefundStatus]));

/** The word of a message for a refund's status. */
export function messageStatusOf(status: RefundStatus): MessageStatus {
  return MESSAGE_STATUS[status];
}

/** The refund's status that a message's word stands for. @throws Error when the table has no such word: a defect, which a test looks for */
export function refundStatusOf(status: MessageStatus): RefundStatus {
  const found = REFUND_STATUS.get(status);
  if (found === undefined) throw new Error(`no refund status reads ${status}`);
  return found;
}
