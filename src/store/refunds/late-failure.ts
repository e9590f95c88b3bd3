import { sql } from 'kysely';
import { writeCase } from '../cases.ts';
import type { Database } from '../database.ts';
import type { OrderSnapshot } from '../orders.ts';
import { together } from '../together.ts';
import type { Acting } from '../transitions.ts';
import { writeAct } from './checkpoints.ts';
import { lockLeg } from './send.ts';
import type { LegKey } from './send.ts';
import { movement, releasedHold, settleRefund } from './settle.ts';

/** Why a refund that had succeeded is over: `status_detail` of the refund, `refusal` of the leg. */
const FAILED_LATE = 'failed_late';

/**
 * Books a late failure in one transaction (R9): the opposite movement, the amount refundable again, the refund's status as its legs
 * now tell it, a case, an event. Nothing of before is changed. Repeated, it changes nothing; `false` when there was nothing to book.
 */
export async function recordLateFailure(db: Database, acting: Acting, key: LegKey, seen: { readonly order: OrderSnapshot; readonly seenAt: Date }): Promise<boolean> {
  const { merchantId, refundId, legId } = key;
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    if (leg.status !== 'succeeded') return false;
    const failed = tx.updateTable('legs').set({ status: 'failed_late', refusal: FAILED_LATE, updated_at: sql<Date>`now()` }).where('merchant_id', '=', merchantId).where('leg_id', '=', legId);
    await together(tx, failed, movement(tx, key, leg, 'refund_failed', leg.provider_refund_id), releasedHold(tx, merchantId, leg.charge_id, leg.amount_minor));
    const { refundStatus, statusDetail } = await settleRefund(tx, acting, key, leg, { seen });
    if (refundStatus === 'refunded') {
      // Other legs stand: the refund stays what it is, and is complete no more (R2).
      await tx.updateTable('refunds').set({ status_detail: 'partial', updated_at: sql<Date>`now()` }).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).execute();
    }
    // Where the refund's status does not change, because other legs stand or are under way, the event tells of it all the same.
    if (refundStatus !== 'rejected') await writeAct(tx, acting, key, FAILED_LATE, { status: refundStatus, status_detail: refundStatus === 'refunded' ? 'partial' : statusDetail });
    await writeCase(tx, { merchantId, refundId, legId, kind: 'late_failure' });
    return true;
  });
}

/** The legs of a refund that moved money, to be compared with the provider's list (R9). */
export async function succeededLegs(db: Database, merchantId: string, refundId: string): Promise<readonly { readonly provider: string; readonly legId: string; readonly chargeId: string; readonly providerRefundId: string }[]> {
  const rows = await db.selectFrom('legs').innerJoin('refunds', (join) => join.onRef('refunds.merchant_id', '=', 'legs.merchant_id').onRef('refunds.refund_id', '=', 'legs.refund_id'))
    .select(['refunds.provider', 'leg_id', 'legs.charge_id', 'provider_refund_id'])
    .where('legs.merchant_id', '=', merchantId).where('legs.refund_id', '=', refundId).where('legs.status', '=', 'succeeded').orderBy('leg_id').execute();
  return rows.flatMap((row) => (row.provider_refund_id === null ? [] : [{ provider: row.provider, legId: row.leg_id, chargeId: row.charge_id, providerRefundId: row.provider_refund_id }]));
}
