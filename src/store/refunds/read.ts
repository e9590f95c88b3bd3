import type { RefundStatus } from '../../domain/refund-status.ts';
import type { Database } from '../database.ts';

/** A refund on record. Amount in minor units. */
export interface RefundRecord {
  readonly refundId: string;
  readonly orderId: string;
  readonly status: RefundStatus;
  readonly statusDetail: string;
  readonly amountMinor: number | null;
  readonly currency: string | null;
}

/** Reads a refund of a merchant, or `null`. */
export async function readRefund(db: Database, merchantId: string, refundId: string): Promise<RefundRecord | null> {
  const row = await db.selectFrom('refunds').selectAll().where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).executeTakeFirst();
  return row === undefined ? null : {
    refundId: row.refund_id, orderId: row.order_id, status: row.status, statusDetail: row.status_detail, amountMinor: row.amount_minor, currency: row.currency,
  };
}

/** Finds a refund of an order by our id, or by the id its provider gave one of its legs, or `null`. */
export async function findRefundOfOrder(db: Database, merchantId: string, orderId: string, id: string): Promise<RefundRecord | null> {
  const leg = await db.selectFrom('legs').select('refund_id').where('merchant_id', '=', merchantId).where('order_id', '=', orderId).where('provider_refund_id', '=', id).executeTakeFirst();
  const refund = await readRefund(db, merchantId, leg?.refund_id ?? id);
  return refund?.orderId === orderId ? refund : null;
}
