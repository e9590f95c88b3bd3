import { expect } from 'vitest';

import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { ProviderError, type ProviderErrorKind } from '../../src/providers/provider-error.ts';
import { listCases } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { readPayoutOrder, type PayoutOrderRecord } from '../../src/store/payout-orders/read.ts';
import { letCallsEnd, registerPayoutOrder, type RegisteredPayoutOrder, type Scene } from './activity-scene.ts';

/** A call that fails this way. */
export function failing(kind: ProviderErrorKind, details: ConstructorParameters<typeof ProviderError>[2] = {}): () => never {
  return () => {
    throw new ProviderError(kind, kind, details);
  };
}

/** The process dies here. */
export function kill(): never {
  throw new Error('killed');
}

/** The provider refuses, and says why. */
export const REFUSAL = failing('declined', { providerCode: 'customer_blocked' });

/** The provider now tells this status of every payout order. */
export function tell({ scene }: RegisteredPayoutOrder, status: PayoutOrderStatus): void {
  for (const order of scene.provider.payoutOrders) order.status = status;
}

/** A payout order in this status on record and at the provider. */
export async function standingAt(db: Database, status: PayoutOrderStatus): Promise<RegisteredPayoutOrder> {
  const order = await registerPayoutOrder(db);
  await order.scene.payouts.issueReference(order.send);
  tell(order, status);
  await order.scene.payouts.followPayoutOrder({ ...order.key, cause: 'fact', actor: 'rail' });
  expect(await order.status()).toBe(status);
  return order;
}

/** A payout order whose first send had no answer and was not executed, as far as its look could tell. */
export async function givenUpOnce(db: Database): Promise<RegisteredPayoutOrder> {
  const order = await registerPayoutOrder(db);
  order.scene.provider.before.createPayoutOrder.push(failing('unknown'));
  expect(await order.scene.payouts.issueReference(order.send)).toEqual({ kind: 'unknown' });
  await letCallsEnd(order.scene);
  expect(await order.scene.payouts.findReference(order.send)).toEqual({ kind: 'absent' });
  return order;
}

/** The provider executes the send of before only now. */
export async function executeLate({ scene: { provider }, key }: RegisteredPayoutOrder): Promise<void> {
  await provider.adapter.createPayoutOrder({ credential: 'secret' }, {
    reference: key.payoutOrderId, amountMinor: 3_000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_1', reason: 'Referencia', expiresAt: 1_893_456_000, metadata: {},
  });
}

/** The payout order on record. */
export async function recordOf({ scene, key }: RegisteredPayoutOrder): Promise<PayoutOrderRecord> {
  const record = await readPayoutOrder(scene.db, key.merchantId, key.payoutOrderId);
  if (record === null) throw new Error('the payout order is not on record');
  return record;
}

/** Its cases by kind and status, oldest first. */
export async function casesOf({ scene, key }: RegisteredPayoutOrder): Promise<readonly string[]> {
  return (await listCases(scene.db, key.merchantId, { payoutOrderId: key.payoutOrderId })).map((one) => `${one.kind} ${one.status}`);
}

/** The last send was permitted, and its call ended, so long ago. Milliseconds. */
export async function sentAgo({ db, merchantId }: Scene, ms: number): Promise<void> {
  const at = new Date(Date.now() - ms);
  await db.updateTable('payout_orders').set({ sent_at: at, call_ended_at: at }).where('merchant_id', '=', merchantId).execute();
}
