import { remainingMinor } from '../../domain/allocation.ts';
import { sumMinor } from '../../domain/money.ts';
import type { OrderRecord } from '../../store/orders.ts';
import { isFailedRefund } from './refund-words.ts';

type Json = Record<string, unknown>;
type ChargeRecord = OrderRecord['charges'][number];

/** Words for refunded money; they are computed, since the order was read before its last refund. */
const REFUNDED_WORDS: ReadonlySet<unknown> = new Set(['refunded', 'partially_refunded']);

/** Renders an order as the answer to a refund (seed 002): what was given back and what may still be is computed, the rest is as the provider sent it. */
export function renderOrder(order: OrderRecord): Json {
  return { ...renderBody(order, renderCharge), split_payment: order.charges.length > 1 };
}

/** Renders the untouched order inside an error's `data` (seed 002; CONTRACT §8 no. 15): no `split_payment`, charges with `fee` and without `is_refundable`. */
export function renderUntouchedOrder(order: OrderRecord): Json {
  const { split_payment: _, ...body } = renderBody(order, renderChargeInError);
  return body;
}

function renderBody(order: OrderRecord, chargeRenderer: (charge: ChargeRecord) => Json): Json {
  const refundedMinor = sumMinor(order.charges.map(refundedOf));
  const capturedMinor = sumMinor(order.charges.filter((charge) => charge.paid).map((charge) => charge.capturedMinor));
  return {
    ...order.raw,
    object: 'order',
    payment_status: statusOf(order.raw['payment_status'], refundedMinor, capturedMinor),
    amount_refunded: refundedMinor,
    is_refundable: order.charges.some(isRefundable),
    updated_at: lastChange(order),
    charges: nestedList(order.charges.map(chargeRenderer)),
  };
}

function renderCharge(charge: ChargeRecord): Json {
  // The seed tells the provider's fee in an error's order only.
  const { fee: _, ...body } = chargeBody(charge);
  return { ...body, is_refundable: isRefundable(charge) };
}

function renderChargeInError(charge: ChargeRecord): Json {
  const { is_refundable: _, ...body } = chargeBody(charge);
  const method = body['payment_method'];
  const isCard = isObject(method) && method['object'] === 'card_payment';
  return { ...body, fee: charge.raw['fee'] ?? null, ...(isCard ? { payment_method: { antifraud_flag: '', ...method } } : {}) };
}

function chargeBody(charge: ChargeRecord): Json {
  const refunds = refundsOf(charge);
  return {
    ...charge.raw,
    status: statusOf(charge.raw['status'], refundedOf(charge), charge.capturedMinor),
    refunds: refunds.length === 0 ? null : nestedList(refunds),
  };
}

function isRefundable(charge: ChargeRecord): boolean {
  return charge.disputedMinor === 0 && remainingMinor(charge) > 0;
}

/** A status in Conekta's words; the provider's own unless it speaks of refunds, which the lists know better. */
function statusOf(providerStatus: unknown, refundedMinor: number, capturedMinor: number): unknown {
  if (refundedMinor > 0) return refundedMinor >= capturedMinor ? 'refunded' : 'partially_refunded';
  return REFUNDED_WORDS.has(providerStatus) ? 'paid' : providerStatus ?? null;
}

function lastChange(order: OrderRecord): unknown {
  const times = order.charges.flatMap(listedRefunds).map((refund) => refund['created_at']).concat(order.raw['updated_at']).filter((at) => typeof at === 'number');
  return times.length === 0 ? order.raw['updated_at'] : Math.max(...times);
}

/** Σ of a charge's refunds, positive minor units; the wire has them negative (M6). */
function refundedOf(charge: ChargeRecord): number {
  return sumMinor(refundsOf(charge).map((refund) => Math.abs(Number(refund['amount'] ?? 0))));
}

/** The refunds that are shown, which are those that count: `amount_refunded` is their sum (CONTRACT §5). */
function refundsOf(charge: ChargeRecord): Json[] {
  // Those that moved nothing, or were taken back, are not shown (CONTRACT §5).
  return listedRefunds(charge).filter((refund) => !isFailedRefund(refund['status']));
}

function listedRefunds(charge: ChargeRecord): Json[] {
  const list = charge.raw['refunds'];
  const data = isObject(list) ? list['data'] : null;
  return Array.isArray(data) ? data.filter(isObject) : [];
}

function nestedList(data: readonly unknown[]): Json {
  return { object: 'list', has_more: false, total: data.length, data };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
