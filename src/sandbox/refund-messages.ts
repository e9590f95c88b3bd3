import { notFound } from './conekta-refusals.ts';
import type { GatewayStatus } from './gateway-status.ts';
import { newAuthCode, newReceiptNumber } from './identifiers.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** Why a refund is where it is, for the words that need a reason. */
const STATUS_DETAILS: Readonly<Partial<Record<GatewayStatus, string>>> = {
  review: 'waiting_for_review',
  validate: 'waiting_for_payer',
  deferred: 'waiting_for_funds',
  rejected: 'rejected_by_carrier',
  cancelled: 'cancelled_by_carrier',
  dismissed: 'contested_by_payer',
};

/** What the provider gives a refund when it is first in a status, and leaves with it. */
const GIVES_TRANSACTION: readonly GatewayStatus[] = ['authorized', 'approved', 'refunded'];
const GIVES_TICKET: readonly GatewayStatus[] = ['approved', 'refunded'];

/**
 * Reads the word for a refund of the gateway.
 * @throws ConektaError 404 when there is no such refund, or it is one of Conekta's, which have no words.
 */
export function requireStatus(db: SandboxDatabase, refundId: string): GatewayStatus {
  const row = db.get<{ status: GatewayStatus }>('SELECT status FROM refund_messages WHERE refund_id = ?', refundId);
  if (row === undefined) throw notFound('Refund', refundId);
  return row.status;
}

/** Gives a refund its word and the numbers that come with it; a refund of Conekta has no message, and is left alone. */
export function moveMessage(db: SandboxDatabase, refundId: string, status: GatewayStatus): void {
  const hasTransaction = GIVES_TRANSACTION.includes(status);
  db.run(
    `UPDATE refund_messages SET status = ?, status_detail = ?, transaction_id = coalesce(transaction_id, ?),
       authorization_code = coalesce(authorization_code, ?), ticket_number = coalesce(ticket_number, ?) WHERE refund_id = ?`,
    status, STATUS_DETAILS[status] ?? null, hasTransaction ? newReceiptNumber() : null, hasTransaction ? newAuthCode() : null,
    GIVES_TICKET.includes(status) ? newReceiptNumber() : null, refundId,
  );
}
