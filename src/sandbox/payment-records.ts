import { notFound } from './conekta-refusals.ts';
import { paymentExists } from './gateway-refusals.ts';
import type { DevolucionRequest, FeeDetail, PaymentRequest } from './gateway-requests.ts';
import { isRefundable, type GatewayStatus } from './gateway-status.ts';
import { newAuthCode, newPaymentId } from './identifiers.ts';
import { findAggregate, insertOrder, type ChargeWithRefunds, type OrderAggregate, type OrderRecord } from './order-records.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** The currency of payments that name none. */
const DEFAULT_CURRENCY = 'ARS';

/** What of a payment only the gateway's dialect shows. */
interface PaymentRecord {
  /** As it was made; `refunded` may also follow from its refunds. */
  readonly status: GatewayStatus;
  readonly type: string;
  readonly currency_id: string | null;
  readonly external_reference: string | null;
  /** {@link FeeDetail}s as JSON. */
  readonly refund_fees: string;
}

/** A refund as its message tells it. Amount in minor units, metadata as JSON. */
export interface MessageRecord {
  readonly id: string;
  readonly amount: number;
  readonly status: GatewayStatus;
  readonly status_detail: string | null;
  readonly type: string;
  readonly reason: string | null;
  readonly external_reference: string | null;
  readonly metadata: string;
  readonly transaction_id: string | null;
  readonly authorization_code: string | null;
  readonly ticket_number: string | null;
}

/** A payment with its one charge and all its refunds, oldest first, as of now. */
export interface Payment {
  readonly order: OrderRecord;
  readonly charge: ChargeWithRefunds;
  readonly record: PaymentRecord;
  readonly fees: readonly FeeDetail[];
  readonly messages: readonly MessageRecord[];
}

/**
 * Stores what a payer paid: an order with one charge, all under the payment's id. Only what was credited, and is not contested, can be refunded.
 * @throws ConektaError 409 when there is an object with the id the request names; nothing is stored then.
 */
export function createPayment(db: SandboxDatabase, keyHash: string, request: PaymentRequest, nowMs: number): Payment {
  const id = request.id ?? newPaymentId();
  const nowSeconds = Math.floor(nowMs / 1000);
  return db.transaction(() => {
    if (db.get('SELECT 1 FROM orders WHERE id = ?1 UNION ALL SELECT 1 FROM charges WHERE id = ?1', id) !== undefined) throw paymentExists();
    insertOrder(db, {
      id, key_hash: keyHash, amount: request.amount, currency: request.currency_id ?? DEFAULT_CURRENCY, customer_info: '{}', line_items: '[]',
      metadata: request.metadata, created_at: nowSeconds, updated_at: nowSeconds,
    }, [{
      id, order_id: id, amount: request.amount, payment_method: JSON.stringify({ auth_code: newAuthCode() }), reference_id: null,
      created_at: nowSeconds, paid_at: isRefundable(request.status) ? nowSeconds : null,
    }]);
    db.run(
      'INSERT INTO payments (id, status, type, currency_id, external_reference, refund_fees) VALUES (?, ?, ?, ?, ?, ?)',
      id, request.status, request.type, request.currency_id ?? null, request.external_reference, JSON.stringify(request.refund_fees),
    );
    return requirePayment(db, id);
  });
}

/**
 * Reads a payment that must be there; with a key hash, only when it belongs to that key.
 * @throws ConektaError 404 when it is not, or belongs to another key; an order is no payment.
 */
export function requirePayment(db: SandboxDatabase, id: string, keyHash?: string): Payment {
  const aggregate = findAggregate(db, id, keyHash);
  if (aggregate === undefined || aggregate.order.is_payment === 0) throw notFound('Payment', id);
  return readPayment(db, aggregate);
}

/** Reads what the gateway's dialect shows of an aggregate that is a payment. */
export function readPayment(db: SandboxDatabase, { order, charges }: OrderAggregate): Payment {
  const record = db.get<PaymentRecord>('SELECT * FROM payments WHERE id = ?', order.id);
  const [charge] = charges;
  if (record === undefined || charge === undefined) throw new Error(`${order.id} is no payment`);
  const messages = db.all<MessageRecord>(
    `SELECT refund_messages.*, refunds.id, refunds.amount FROM refund_messages JOIN refunds ON refunds.id = refund_messages.refund_id
     WHERE refunds.charge_id = ? ORDER BY refunds.seq`, charge.id,
  );
  return { order, charge, record, fees: JSON.parse(record.refund_fees) as FeeDetail[], messages };
}

/** Stores the message of a refund that was just made. */
export function insertMessage(db: SandboxDatabase, refundId: string, payment: Payment, request: DevolucionRequest, status: GatewayStatus): void {
  db.run(
    'INSERT INTO refund_messages (refund_id, status, type, reason, external_reference, metadata) VALUES (?, ?, ?, ?, ?, ?)',
    refundId, status, request.type ?? payment.record.type, request.reason, request.external_reference, request.metadata,
  );
}
