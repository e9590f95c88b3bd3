import type { Database } from './database.ts';

/** One movement of money as the books have it. Positive minor units. */
export interface MovementRecord {
  readonly movementId: number;
  readonly kind: 'refund' | 'refund_failed' | 'withdrawal';
  readonly chargeId: string | null;
  readonly payoutOrderId: string | null;
  readonly amountMinor: number;
  readonly currency: string;
  readonly providerId: string | null;
  readonly at: Date;
}

/** The most movements one answer holds. */
const MAX_MOVEMENTS = 1000;

/** Lists a merchant's movements of one charge or one payout order, oldest first (M7). */
export async function listMovements(db: Database, merchantId: string, of: { readonly chargeId: string } | { readonly payoutOrderId: string }): Promise<readonly MovementRecord[]> {
  const rows = await db.selectFrom('money_movements').selectAll().where('merchant_id', '=', merchantId)
    .where('chargeId' in of ? 'charge_id' : 'payout_order_id', '=', 'chargeId' in of ? of.chargeId : of.payoutOrderId)
    .orderBy('movement_id').limit(MAX_MOVEMENTS).execute();
  return rows.map((row) => ({
    movementId: row.movement_id, kind: row.kind, chargeId: row.charge_id, payoutOrderId: row.payout_order_id, amountMinor: row.amount_minor,
    currency: row.currency, providerId: row.provider_id, at: row.at,
  }));
}
