import type { LegStatus } from '../../domain/leg.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import type { Database } from '../database.ts';

/** A refund on record. Amount in minor units. */
export interface RefundRecord {
  readonly refundId: string;
  readonly provider: string;
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
    refundId: row.refund_id, provider: row.provider, orderId: row.order_id, status: row.status, statusDetail: row.status_detail, amountMinor: row.amount_minor, currency: row.currency,
  };
}

/** Finds a refund of a provider's order by our id, or by the id its provider gave one of its legs, or `null`. */
export async function findRefundOfOrder(db: Database, merchantId: string, provider: string, orderId: string, id: string): Promise<RefundRecord | null> {
  const leg = await db.selectFrom('legs').select('refund_id').where('merchant_id', '=', merchantId).where('order_id', '=', orderId).where('provider_refund_id', '=', id).executeTakeFirst();
  const refund = await readRefund(db, merchantId, leg?.refund_id ?? id);
  return refund?.orderId === orderId && refund.provider === provider ? refund : null;
}

/** A leg that news of its order may concern. */
export interface LegOfOrder {
  readonly merchantId: string;
  readonly refundId: string;
  readonly chargeId: string;
  readonly status: LegStatus;
  readonly providerRefundId: string | null;
  /** The provider's own word for it when it was last seen. */
  readonly providerStatus: string | null;
  readonly updatedAt: Date;
}

/** The legs of an order that its provider accepted: under way there, or done. An order id is the provider's, whoever's merchant it is. */
export async function acceptedLegsOfOrder(db: Database, provider: string, orderId: string): Promise<readonly LegOfOrder[]> {
  const rows = await db.selectFrom('orders').innerJoin('legs', (join) => join.onRef('legs.merchant_id', '=', 'orders.merchant_id').onRef('legs.order_id', '=', 'orders.order_id'))
    .select(['legs.merchant_id', 'refund_id', 'charge_id', 'status', 'provider_refund_id', 'receipt', 'updated_at'])
    .where('orders.provider', '=', provider).where('orders.order_id', '=', orderId).where('status', 'in', ['authorized', 'approved', 'succeeded']).orderBy('leg_id').execute();
  return rows.map((row) => ({ merchantId: row.merchant_id, refundId: row.refund_id, chargeId: row.charge_id, status: row.status, providerRefundId: row.provider_refund_id, providerStatus: row.receipt?.providerStatus ?? null, updatedAt: row.updated_at }));
}
