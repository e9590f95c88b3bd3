import type { Database } from './database.ts';

/** Where a charge was paid. */
export interface ChargePlace {
  readonly provider: string;
  readonly orderId: string;
  readonly currency: string;
}

/** Remembers which order charges belong to, as a provider's answer showed them to their merchant. What is known already stays. */
export async function rememberCharges(db: Database, merchantId: string, { provider, orderId, currency }: ChargePlace, chargeIds: readonly string[]): Promise<void> {
  if (chargeIds.length === 0) return;
  await db.insertInto('known_charges').values(chargeIds.map((charge_id) => ({ merchant_id: merchantId, charge_id, provider, order_id: orderId, currency })))
    .onConflict((conflict) => conflict.doNothing()).execute();
}

/** Where a charge was paid, by its id alone: from the books, else from what passed by; `null` when neither knows it. */
export async function findCharge(db: Database, merchantId: string, chargeId: string): Promise<ChargePlace | null> {
  const booked = await db.selectFrom('charges').innerJoin('orders', (join) => join.onRef('orders.merchant_id', '=', 'charges.merchant_id').onRef('orders.order_id', '=', 'charges.order_id'))
    .select(['provider', 'orders.order_id', 'charges.currency']).where('charges.merchant_id', '=', merchantId).where('charge_id', '=', chargeId).executeTakeFirst();
  const row = booked ?? await db.selectFrom('known_charges').select(['provider', 'order_id', 'currency']).where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).executeTakeFirst();
  return row === undefined ? null : { provider: row.provider, orderId: row.order_id, currency: row.currency };
}
