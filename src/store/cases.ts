import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { Tx } from './transitions.ts';

/** A matter for a human (O1). */
export interface NewCase {
  readonly merchantId: string;
  readonly kind: string;
  readonly refundId?: string | undefined;
  readonly payoutOrderId?: string | undefined;
  readonly legId?: string | undefined;
}

/** Opens a case, once per subject and kind while it is open, and marks the subject's record; one transaction. */
export async function openCase(db: Database, matter: NewCase): Promise<void> {
  await db.transaction().execute((tx) => writeCase(tx, matter));
}

/** The same inside the caller's transaction. A subject that is not on record (yet) has its case all the same, without an amount. */
export async function writeCase(tx: Tx, matter: NewCase): Promise<void> {
  const { merchantId, refundId, payoutOrderId } = matter;
  await sql`
    insert into cases (merchant_id, kind, refund_id, payout_order_id, leg_id, amount_minor, currency)
    select ${merchantId}, ${matter.kind}, ${refundId ?? null}, ${payoutOrderId ?? null}, ${matter.legId ?? null}, subject.amount_minor, subject.currency
    from (select 1) as always left join (
      select amount_minor, currency from legs where merchant_id = ${merchantId} and leg_id = ${matter.legId ?? null}
      union all
      select amount_minor, currency from refunds where merchant_id = ${merchantId} and refund_id = ${refundId ?? null} and ${matter.legId === undefined}::boolean
      union all
      select amount_minor, currency from payout_orders where merchant_id = ${merchantId} and payout_order_id = ${payoutOrderId ?? null}
    ) as subject on true
    on conflict do nothing`.execute(tx);
  if (refundId !== undefined) {
    await tx.updateTable('refunds').set({ needs_attention: true, status_detail: 'needs_attention', updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).where('status', '=', 'in_process').execute();
  }
  if (payoutOrderId !== undefined) {
    await tx.updateTable('payout_orders').set({ needs_attention: true, updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).execute();
  }
}
