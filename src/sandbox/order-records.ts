import { notFound } from './conekta-refusals.ts';
import { paymentStatusOf } from './order-status.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** A stored order. Amount in minor units, times in unix seconds, JSON columns as text. */
export interface OrderRecord {
  readonly seq: number;
  readonly id: string;
  readonly key_hash: string;
  readonly amount: number;
  readonly currency: string;
  readonly customer_info: string;
  readonly line_items: string;
  readonly metadata: string;
  readonly created_at: number;
  readonly updated_at: number;
  /** 1 for a payment of the gateway: an order with one charge, all three with the same id. */
  readonly is_payment: 0 | 1;
}

/**
 * `authorized`: taken, not executed. `approved`: executed, the credit is on its way. `succeeded`: the money is with the payer, and only
 * from here on in the journal. `failed`: it came to nothing, or came back; all others count as refunded on their charge.
 */
export type RefundState = 'authorized' | 'approved' | 'succeeded' | 'failed';

/** A stored refund: positive minor units, time in unix seconds. */
export interface RefundRecord {
  readonly id: string;
  readonly charge_id: string;
  readonly amount: number;
  readonly state: RefundState;
  readonly auth_code: string | null;
  readonly created_at: number;
}

/** A refund with the order or payment it belongs to. */
export type RefundInOrder = RefundRecord & { readonly order_id: string; readonly currency: string };

/** A stored charge. `refunded_amount` counts all its refunds but the failed, minor units. */
export interface ChargeRecord {
  readonly id: string;
  readonly order_id: string;
  readonly amount: number;
  readonly refunded_amount: number;
  readonly payment_method: string;
  readonly reference_id: string | null;
  readonly created_at: number;
  readonly paid_at: number | null;
}

/** A charge with its refunds, newest first, failed ones among them. */
export interface ChargeWithRefunds extends ChargeRecord {
  readonly refunds: readonly RefundRecord[];
}

/** An order with its charges and their refunds, as of now. */
export interface OrderAggregate {
  readonly order: OrderRecord;
  readonly charges: readonly ChargeWithRefunds[];
}

/** Stores a new order with its charges. */
export function insertOrder(db: SandboxDatabase, order: Omit<OrderRecord, 'seq' | 'is_payment'>, charges: readonly Omit<ChargeRecord, 'refunded_amount'>[]): void {
  db.run(
    `INSERT INTO orders (id, key_hash, amount, currency, customer_info, line_items, metadata, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    order.id, order.key_hash, order.amount, order.currency, order.customer_info, order.line_items, order.metadata, order.created_at, order.updated_at,
  );
  for (const charge of charges) {
    db.run(
      'INSERT INTO charges (id, order_id, amount, payment_method, reference_id, created_at, paid_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      charge.id, charge.order_id, charge.amount, charge.payment_method, charge.reference_id, charge.created_at, charge.paid_at,
    );
  }
  touchOrder(db, order.id, order.updated_at);
}

/** Reads an order or a payment by id; with a key hash, only when it belongs to that key. */
export function findAggregate(db: SandboxDatabase, id: string, keyHash?: string): OrderAggregate | undefined {
  const order = db.get<OrderRecord>('SELECT orders.*, EXISTS (SELECT 1 FROM payments WHERE payments.id = orders.id) AS is_payment FROM orders WHERE id = ?', id);
  if (order === undefined || (keyHash !== undefined && order.key_hash !== keyHash)) return undefined;
  const charges = db.all<ChargeRecord>('SELECT * FROM charges WHERE order_id = ? ORDER BY seq', id).map((charge) => ({
    ...charge,
    refunds: db.all<RefundRecord>('SELECT * FROM refunds WHERE charge_id = ? ORDER BY seq DESC', charge.id),
  }));
  return { order, charges };
}

/**
 * Reads an order that must be there.
 * @throws ConektaError 404 when it is not, or belongs to another key; a payment is no order.
 */
export function requireOrder(db: SandboxDatabase, id: string, keyHash?: string): OrderAggregate {
  const found = findAggregate(db, id, keyHash);
  if (found === undefined || found.order.is_payment === 1) throw notFound('Order', id);
  return found;
}

/**
 * Reads the order or payment of a refund, which must be there.
 * @throws ConektaError 404 when it is not.
 */
export function requireAggregate(db: SandboxDatabase, id: string): OrderAggregate {
  const found = findAggregate(db, id);
  if (found === undefined) throw notFound('Order', id);
  return found;
}

/**
 * Reads a refund with what its order says about it.
 * @throws ConektaError 404 when it is not there.
 */
export function requireRefund(db: SandboxDatabase, id: string): RefundInOrder {
  const refund = db.get<RefundInOrder>(
    `SELECT refunds.*, orders.id AS order_id, orders.currency FROM refunds
     JOIN charges ON charges.id = refunds.charge_id JOIN orders ON orders.id = charges.order_id WHERE refunds.id = ?`, id,
  );
  if (refund === undefined) throw notFound('Refund', id);
  return refund;
}

/** Brings `updated_at` and the stored payment status in line with the charges, after a change. Time in unix seconds. */
export function touchOrder(db: SandboxDatabase, orderId: string, updatedAt: number): void {
  const charges = db.all<ChargeRecord>('SELECT * FROM charges WHERE order_id = ?', orderId);
  db.run('UPDATE orders SET payment_status = ?, updated_at = ? WHERE id = ?', paymentStatusOf(charges), updatedAt, orderId);
}
