import type { PayoutOrderTerms } from '../../domain/payout-order-terms.ts';
import type { Database } from '../database.ts';
import { claimKey, findKey } from '../idempotency.ts';
import { toJsonb } from '../jsonb.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';

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

/** What is on record of a payout order: of which request, and the last send that was permitted or given up. */
export interface RegisteredPayoutOrder {
  readonly fingerprint: string;
  readonly lastSend: number;
}

/** The operation an idempotency key of a payout order belongs to (R8). */
export const PAYOUT_ORDER_OPERATION = 'payout_order';

/** Writes a payout order `open` with transition, event and idempotency row, in one transaction (P1). Repeated, it changes nothing. Answers what is on record. */
export async function registerPayoutOrder(db: Database, acting: Acting, order: NewPayoutOrder): Promise<RegisteredPayoutOrder> {
  return db.transaction().execute(async (tx) => {
    const inserted = await tx.insertInto('payout_orders').values({
      merchant_id: order.merchantId, payout_order_id: order.payoutOrderId, provider: order.provider, payout_id: order.payoutId, amount_minor: order.amountMinor,
      currency: order.currency, allowed_payout_methods: [...order.allowedPayoutMethods], payout_method_type: order.payoutMethodType, customer_id: order.customerId,
      reason: order.reason, expires_at: order.expiresAt, metadata: toJsonb(order.metadata), status: 'open', status_detail: 'registered',
      requested_by: acting.actor, workflow_id: acting.workflowId,
    }).onConflict((conflict) => conflict.columns(['merchant_id', 'payout_order_id']).doNothing()).executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 0n) return standing(tx, order);
    await claimKey(tx, { merchantId: order.merchantId, operation: PAYOUT_ORDER_OPERATION, key: order.idempotencyKey, fingerprint: order.fingerprint, resourceId: order.payoutOrderId });
    await recordTransition(tx, acting, { merchantId: order.merchantId, subject: 'payout_order', subjectId: order.payoutOrderId, from: null, to: 'open', statusDetail: 'registered', reason: order.reason });
    return { fingerprint: order.fingerprint, lastSend: 0 };
  });
}

async function standing(tx: Tx, { merchantId, payoutOrderId, idempotencyKey }: NewPayoutOrder): Promise<RegisteredPayoutOrder> {
  const key = await findKey(tx, merchantId, PAYOUT_ORDER_OPERATION, idempotencyKey);
  const row = await tx.selectFrom('payout_orders').select(['send_number', 'fenced_send']).where('merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).executeTakeFirstOrThrow();
  // The look at an order that was given up fences off every number: what was permitted is what counts then.
  const fenced = row.fenced_send === Number.MAX_SAFE_INTEGER ? 0 : row.fenced_send;
  return { fingerprint: key?.fingerprint ?? '', lastSend: Math.max(row.send_number, fenced) };
}
