import type { PayoutOrderTerms } from '../../domain/payout-order-terms.ts';
import type { PayoutOrderStatus } from '../../domain/payout-order.ts';
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

/** What is on record of a payout order: of which request, the last send that was permitted or given up, and where it stands once its reference was issued. */
export interface RegisteredPayoutOrder {
  readonly fingerprint: string;
  readonly lastSend: number;
  readonly standing: StandingPayoutOrder | null;
}

/** A payout order whose reference was issued. */
export interface StandingPayoutOrder {
  readonly status: PayoutOrderStatus;
  readonly needsAttention: boolean;
  /** When our records learned that the withdrawal began. */
  readonly withdrawalBegunAt: Date | null;
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
    const claim = claimKey(tx, { merchantId: order.merchantId, operation: PAYOUT_ORDER_OPERATION, key: order.idempotencyKey, fingerprint: order.fingerprint, resourceId: order.payoutOrderId });
    await recordTransition(tx, acting, { merchantId: order.merchantId, subject: 'payout_order', subjectId: order.payoutOrderId, from: null, to: 'open', statusDetail: 'registered', reason: order.reason }, claim);
    return { fingerprint: order.fingerprint, lastSend: 0, standing: null };
  });
}

async function standing(tx: Tx, { merchantId, payoutOrderId, idempotencyKey }: NewPayoutOrder): Promise<RegisteredPayoutOrder> {
  const key = await findKey(tx, merchantId, PAYOUT_ORDER_OPERATION, idempotencyKey);
  const row = await tx.selectFrom('payout_orders').select(['send_number', 'fenced_send', 'status', 'needs_attention'])
    .where('merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).executeTakeFirstOrThrow();
  // The look at an order that was given up once fenced off every number: what was permitted is what counts then.
  const fenced = row.fenced_send === Number.MAX_SAFE_INTEGER ? 0 : row.fenced_send;
  return {
    fingerprint: key?.fingerprint ?? '', lastSend: Math.max(row.send_number, fenced),
    standing: row.status === 'open' ? null : { status: row.status, needsAttention: row.needs_attention, withdrawalBegunAt: await withdrawalBegunAt(tx, merchantId, payoutOrderId) },
  };
}

async function withdrawalBegunAt(tx: Tx, merchantId: string, payoutOrderId: string): Promise<Date | null> {
  const row = await tx.selectFrom('transitions').select('at').where('merchant_id', '=', merchantId).where('subject', '=', 'payout_order').where('subject_id', '=', payoutOrderId)
    .where('to_status', '=', 'pending_confirmation').orderBy('transition_id').executeTakeFirst();
  return row?.at ?? null;
}

/** A payout order as it was asked for, as the records have it. Amount in minor units. */
export interface RecordedRequest extends PayoutOrderTerms {
  readonly merchantId: string;
  readonly payoutOrderId: string;
  readonly expiresAt: Date;
  readonly metadata: { readonly [key: string]: unknown };
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  readonly requestedBy: string;
}

/** Reads what the Workflow of a payout order that is not final was started with, so that it can be begun again; or `null`. */
export async function readRecordedRequest(db: Database, merchantId: string, payoutOrderId: string): Promise<RecordedRequest | null> {
  const row = await db.selectFrom('payout_orders')
    .innerJoin('idempotency_keys', (join) => join.onRef('idempotency_keys.merchant_id', '=', 'payout_orders.merchant_id').onRef('idempotency_keys.resource_id', '=', 'payout_orders.payout_order_id')
      .on('idempotency_keys.operation', '=', PAYOUT_ORDER_OPERATION))
    .selectAll('payout_orders').select(['idempotency_key', 'fingerprint'])
    .where('payout_orders.merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).where('status', 'in', ['open', 'pending', 'pending_confirmation']).executeTakeFirst();
  return row === undefined ? null : {
    merchantId, payoutOrderId, amountMinor: row.amount_minor, currency: row.currency, allowedPayoutMethods: row.allowed_payout_methods, payoutMethodType: row.payout_method_type,
    customerId: row.customer_id, reason: row.reason, expiresAt: row.expires_at, metadata: row.metadata, idempotencyKey: row.idempotency_key, fingerprint: row.fingerprint, requestedBy: row.requested_by,
  };
}
