import { sql } from 'kysely';
import { isCancellableRefundStatus } from '../../domain/refund-status.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import { closeCasesOfOutcome } from '../cases.ts';
import type { Database } from '../database.ts';
import { together } from '../together.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting } from '../transitions.ts';
import { passGate } from './gate.ts';
import type { NextInLine } from './gate.ts';
import { releasedHold } from './settle.ts';

/** How a refund ends that was never sent: called off, out of time, refused by a second person, contested by the payer. */
export interface UnsentEnd {
  readonly status: Extract<RefundStatus, 'cancelled' | 'rejected' | 'dismissed'>;
  readonly statusDetail: string;
}

/** The end of a refund that somebody called off. */
const BY_REQUEST: UnsentEnd = { status: 'cancelled', statusDetail: 'by_request' };

/** Ends a refund that was never sent, in one transaction (R4, M4): holds released, gates passed on. Repeated, it changes nothing; `null` when something was sent after all. */
export async function cancelRefund(db: Database, acting: Acting, merchantId: string, refundId: string, end: UnsentEnd = BY_REQUEST): Promise<readonly NextInLine[] | null> {
  return db.transaction().execute(async (tx) => {
    const chargeIds = await tx.selectFrom('legs').select('charge_id').where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).execute();
    // A refund refused at the start has no legs, and SQL knows no empty list.
    if (chargeIds.length > 0) await tx.selectFrom('charges').select('charge_id').where('merchant_id', '=', merchantId).where('charge_id', 'in', chargeIds.map((row) => row.charge_id)).orderBy('charge_id').forUpdate().execute();
    const refund = await tx.selectFrom('refunds').select(['status', 'needs_attention']).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).forUpdate().executeTakeFirstOrThrow();
    if (refund.status === end.status) return [];
    if (!isCancellableRefundStatus(refund.status)) return null;
    const next: NextInLine[] = [];
    for (const leg of await tx.selectFrom('legs').selectAll().where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).where('status', '=', 'reserved').execute()) {
      const released = tx.updateTable('legs').set({ status: 'released', updated_at: sql<Date>`now()` }).where('merchant_id', '=', merchantId).where('leg_id', '=', leg.leg_id);
      await together(tx, released, releasedHold(tx, merchantId, leg.charge_id, leg.amount_minor));
      const following = await passGate(tx, merchantId, leg.charge_id, leg.leg_id);
      if (following !== null) next.push(following);
    }
    const ended = tx.updateTable('refunds').set({ status: end.status, status_detail: end.statusDetail, updated_at: sql<Date>`now()` }).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId);
    await recordTransition(tx, acting, { merchantId, subject: 'refund', subjectId: refundId, from: refund.status, to: end.status, statusDetail: end.statusDetail }, ended);
    if (refund.needs_attention) await closeCasesOfOutcome(tx, acting.actor, { merchantId, refundId }, acting.reason);
    return next;
  });
}
