import { sql } from 'kysely';
import type { RefundDetails } from '../../domain/refund-details.ts';
import type { RefundReceipt } from '../../domain/refund-receipt.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import type { Database } from '../database.ts';

/** A refund as far as it concerns one charge. Amount in minor units; `null` while none is held. */
export interface RefundOfCharge {
  readonly refundId: string;
  readonly provider: string;
  readonly chargeId: string;
  readonly merchantId: string;
  readonly merchantName: string;
  readonly status: RefundStatus;
  readonly statusDetail: string;
  readonly amountMinor: number | null;
  /** `null` while nothing is held. */
  readonly currency: string | null;
  readonly reason: string | null;
  readonly requestedBy: string;
  readonly details: RefundDetails;
  readonly receipt: RefundReceipt | null;
}

/** Which refund of a charge is sought; the last one when nothing is said. */
interface Sought {
  /** Ours, or its provider's. */
  readonly refundId?: string | undefined;
  /** The caller's own: the last one with it. */
  readonly externalReference?: string | undefined;
}

/**
 * The last refund of a charge, or the one sought; `null` when there is none. One that was refused before
 * anything was held never came to be, and is told only by its name.
 */
export async function refundOfCharge(db: Database, merchantId: string, chargeId: string, { refundId, externalReference }: Sought = {}): Promise<RefundOfCharge | null> {
  const named = refundId === undefined ? sql`true` : sql`(refunds.refund_id = ${refundId} or legs.provider_refund_id = ${refundId})`;
  const referred = externalReference === undefined ? sql`true` : sql`refunds.details ->> 'externalReference' = ${externalReference}`;
  const { rows } = await sql<Row>`
    select refunds.*, merchants.name, legs.receipt, coalesce(legs.amount_minor, refunds.amount_minor) as amount
    from refunds join merchants using (merchant_id)
      left join legs on legs.merchant_id = refunds.merchant_id and legs.refund_id = refunds.refund_id and legs.charge_id = ${chargeId}
    where refunds.merchant_id = ${merchantId} and ${named} and ${referred}
      and refunds.refund_id in (
        select refund_id from legs where merchant_id = ${merchantId} and charge_id = ${chargeId}
        union all select refund_id from refunds where merchant_id = ${merchantId} and charge_id = ${chargeId} and (${refundId !== undefined}::boolean or status <> 'rejected'))
    order by refunds.created_at desc, refunds.refund_id desc limit 1`.execute(db);
  const [row] = rows;
  return row === undefined ? null : {
    refundId: row.refund_id, provider: row.provider, chargeId, merchantId, merchantName: row.name, status: row.status, statusDetail: row.status_detail,
    amountMinor: row.amount, currency: row.currency, reason: row.reason, requestedBy: row.requested_by, details: row.details, receipt: row.receipt,
  };
}

interface Row {
  readonly refund_id: string;
  readonly provider: string;
  readonly name: string;
  readonly status: RefundStatus;
  readonly status_detail: string;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly reason: string | null;
  readonly requested_by: string;
  readonly details: RefundDetails;
  readonly receipt: RefundReceipt | null;
}
