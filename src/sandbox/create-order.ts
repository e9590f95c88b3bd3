import { invalidParameter, stateConflict } from './conekta-refusals.ts';
import { newAuthCode, newHexId, newPrefixedId } from './identifiers.ts';
import { insertOrder, requireOrder, touchOrder, type ChargeRecord, type OrderAggregate } from './order-records.ts';
import type { OrderRequest } from './order-requests.ts';
import { acceptPaymentMethod } from './payment-method.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/**
 * Creates an order: card charges are paid at once, cash charges wait for {@link payOrder} (CONTRACT §4).
 * @throws ConektaError 422 when the charges do not add up to the lines, 402 when the bank refuses a card; nothing is stored then.
 */
export function createOrder(db: SandboxDatabase, keyHash: string, request: OrderRequest, nowMs: number): OrderAggregate {
  const amount = amountOf(request);
  const nowSeconds = Math.floor(nowMs / 1000);
  const id = newPrefixedId('ord');
  const charges = chargesOf(request, amount, id, nowMs);
  db.transaction(() => insertOrder(db, {
    id,
    key_hash: keyHash,
    amount,
    currency: request.currency,
    customer_info: JSON.stringify(customerInfoOf(request.customer_info)),
    line_items: JSON.stringify(request.line_items.map((item) => lineItemOf(item, id))),
    metadata: JSON.stringify(request.metadata ?? {}),
    created_at: nowSeconds,
    updated_at: nowSeconds,
  }, charges));
  return requireOrder(db, id);
}

/**
 * Marks the unpaid cash charges of an order as paid, as if the payer had been at the shop.
 * @throws ConektaError 404 for an unknown order, 409 when nothing is waiting to be paid.
 */
export function payOrder(db: SandboxDatabase, orderId: string, nowMs: number): OrderAggregate {
  return db.transaction(() => {
    const unpaid = requireOrder(db, orderId).charges.filter((charge) => charge.paid_at === null);
    if (unpaid.length === 0) throw stateConflict('La orden no tiene cargos pendientes de pago.', 'The order has no charge pending payment.');
    const nowSeconds = Math.floor(nowMs / 1000);
    for (const charge of unpaid) {
      const method = { ...(JSON.parse(charge.payment_method) as object), auth_code: newAuthCode() };
      db.run('UPDATE charges SET paid_at = ?, payment_method = ? WHERE id = ?', nowSeconds, JSON.stringify(method), charge.id);
    }
    touchOrder(db, orderId, nowSeconds);
    return requireOrder(db, orderId);
  });
}

function amountOf(request: OrderRequest): number {
  const total = request.line_items.reduce((sum, item) => sum + BigInt(item.unit_price) * BigInt(item.quantity), 0n);
  if (total > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidParameter('line_items', 'El monto de la orden es demasiado grande.', 'The order amount is too large.');
  return Number(total);
}

function chargesOf(request: OrderRequest, orderAmount: number, orderId: string, nowMs: number): Omit<ChargeRecord, 'refunded_amount'>[] {
  const requested = request.charges ?? [];
  const amounts = requested.map((charge) => charge.amount ?? (requested.length === 1 ? orderAmount : 0));
  const total = amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
  if (requested.length > 0 && (total !== BigInt(orderAmount) || amounts.includes(0))) {
    throw invalidParameter('charges', 'Los cargos no suman el monto de la orden.', 'The charges do not add up to the order amount.');
  }
  const nowSeconds = Math.floor(nowMs / 1000);
  return requested.map((charge, index) => ({
    id: newHexId(nowMs),
    order_id: orderId,
    amount: amounts[index] ?? 0,
    payment_method: JSON.stringify(acceptPaymentMethod(charge.payment_method, nowSeconds)),
    reference_id: charge.reference_id ?? null,
    created_at: nowSeconds,
    paid_at: charge.payment_method.type === 'card' ? nowSeconds : null,
  }));
}

function customerInfoOf(customer: OrderRequest['customer_info']): Record<string, unknown> {
  return {
    email: customer.email ?? null,
    phone: customer.phone ?? null,
    name: customer.name ?? null,
    corporate: customer.corporate ?? false,
    customer_id: customer.customer_id ?? null,
    object: 'customer_info',
  };
}

function lineItemOf(item: OrderRequest['line_items'][number], orderId: string): Record<string, unknown> {
  return {
    name: item.name,
    description: item.description ?? null,
    unit_price: item.unit_price,
    quantity: item.quantity,
    sku: item.sku ?? null,
    tags: item.tags ?? null,
    brand: item.brand ?? null,
    type: item.type ?? null,
    object: 'line_item',
    id: newPrefixedId('line_item'),
    parent_id: orderId,
    metadata: item.metadata ?? {},
    antifraud_info: item.antifraud_info ?? {},
  };
}
