import type { RefundPolicy } from '../../domain/checkpoint.ts';
import type { Database } from '../database.ts';
import { merchantOf, policyOf, UnknownMerchantError } from '../merchants.ts';

/** What is known before a refund is reserved. */
export interface Reservable {
  /** Where the order was paid. */
  readonly provider: string;
  readonly policy: RefundPolicy;
  /** Neither the order nor the refund is on record: there is nothing to reserve from before the order is read. */
  readonly isNewOrder: boolean;
}

/** Reads what a reservation begins with, in one round trip. @throws UnknownMerchantError */
export async function readReservable(db: Database, { merchantId, refundId, orderId, provider }: { readonly merchantId: string; readonly refundId: string; readonly orderId: string; readonly provider?: string }): Promise<Reservable> {
  const row = await merchantOf(db, merchantId).select((merchant) => [
    merchant.exists(merchant.selectFrom('orders').select('orders.order_id').whereRef('orders.merchant_id', '=', 'merchants.merchant_id').where('orders.order_id', '=', orderId)
      .where((order) => order('orders.provider', '=', provider ?? order.ref('merchants.provider')))).as('has_order'),
    merchant.exists(merchant.selectFrom('refunds').select('refunds.refund_id').whereRef('refunds.merchant_id', '=', 'merchants.merchant_id').where('refunds.refund_id', '=', refundId)).as('has_refund'),
  ]).executeTakeFirst();
  if (row === undefined) throw new UnknownMerchantError(merchantId);
  return { provider: provider ?? row.provider, policy: policyOf(row), isNewOrder: row.has_order !== true && row.has_refund !== true };
}
