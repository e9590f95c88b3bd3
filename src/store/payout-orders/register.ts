import type { PayoutOrderTerms } from '../../domain/payout-order-terms.ts';
import type { Database } from '../database.ts';
import { claimKey, findKey } from '../idempotency.ts';
import { toJsonb } from '../jsonb.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting } from '../transitions.ts';

/** A payout order to write down. Amount in minor units. */
export interface NewPayoutOrder extends PayoutOrderTerms {
  readonly merchantId: string;
  readonly payoutOrderId: string;
  /** `payout_…`: derived, so that it is the same in every answer. */
  readonly payoutId: string;
  readonly provider: string;
  readonly expiresAt: Date;
  readonly metadata: { readonly [key: string]: unknown };
  readonly idempotencyKey: string;
  readonly fingerprint: string;
}

/** The operation an idempotency key of a payout order belongs to (R8). */
export const PAYOUT_ORDER_OPERATION = 'payout_order';

/** Writes a payout order `open` with transition, event and idempotency row, in one transaction (P1). Repeated, it changes nothing. Answers the fingerprint on record. */
export async function registerPayoutOrder(db: Database, acting: Acting, order: NewPayoutOrder): Promise<string> {
  return db.transaction().execute(async (tx) => {
    const inserted = await tx.insertInto('payout_orders').values({
      merchant_id: order.merchantId, payout_order_id: order.payoutOrderId, provider: order.provider, payout_id: order.payoutId, amount_minor: order.amountMinor,
      currency: order.currency, allowed_payout_methods: [...order.allowedPayoutMethods], payout_method_type: order.payoutMethodType, customer_id: order.customerId,
      reason: order.reason, expires_at: order.expiresAt, metadata: toJsonb(order.metadata), status: 'open', status_detail: 'registered',
      requested_by: acting.actor, workflow_id: acting.workflowId,
    }).onConflict((conflict) => conflict.columns(['merchant_id', 'payout_order_id']).doNothing()).executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 0n) return (await findKey(tx, order.merchantId, PAYOUT_ORDER_OPERATION, order.idempotencyKey))?.fingerprint ?? '';
    await claimKey(tx, { merchantId: order.merchantId, operation: PAYOUT_ORDER_OPERATION, key: order.idempotencyKey, fingerprint: order.fingerprint, resourceId: order.payoutOrderId });
    await recordTransition(tx, acting, { merchantId: order.merchantId, subject: 'payout_order', subjectId: order.payoutOrderId, from: null, to: 'open', statusDetail: 'registered', reason: order.reason });
    return order.fingerprint;
  });
}
