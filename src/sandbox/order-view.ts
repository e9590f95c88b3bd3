import { sumMinor } from '../domain/money.ts';
import type { ChargeWithRefunds, OrderAggregate, RefundRecord } from './order-records.ts';
import { chargeStatusOf, paymentStatusOf, remainingOf } from './order-status.ts';

/** Renders an order as the answer to a read or a refund (seed 002). */
export function renderOrder({ order, charges }: OrderAggregate): Record<string, unknown> {
  return renderBody({ order, charges }, { split_payment: charges.length > 1 }, renderCharge);
}

/** Renders the untouched order inside an error's `data`: without `split_payment`, charges with `fee` (seed 002; CONTRACT §8 no. 15). */
export function renderOrderInError(aggregate: OrderAggregate): Record<string, unknown> {
  return renderBody(aggregate, {}, renderChargeInError);
}

/** The provider's fee for a charge, minor units: 2.9 % and 2 pesos, both plus 16 % tax; gives the seed's 1241 and 905. */
export function feeOf(amountMinor: number): number {
  return Number((BigInt(amountMinor) * 3364n + 23_250_000n) / 100_000n);
}

/** A nested list: all of its rows, with `total` and no page addresses (CONTRACT, Lists). */
function nestedList(data: readonly unknown[]): Record<string, unknown> {
  return { object: 'list', has_more: false, total: data.length, data };
}

type ChargeRenderer = (charge: ChargeWithRefunds, currency: string) => Record<string, unknown>;

function renderBody({ order, charges }: OrderAggregate, extra: object, chargeRenderer: ChargeRenderer): Record<string, unknown> {
  return {
    livemode: false,
    amount: order.amount,
    currency: order.currency,
    payment_status: paymentStatusOf(charges),
    amount_refunded: sumMinor(charges.map((charge) => charge.refunded_amount)),
    ...extra,
    customer_info: JSON.parse(order.customer_info) as unknown,
    shipping_contact: null,
    channel: null,
    fiscal_entity: null,
    object: 'order',
    id: order.id,
    metadata: JSON.parse(order.metadata) as unknown,
    is_refundable: charges.some((charge) => remainingOf(charge) > 0),
    created_at: order.created_at,
    updated_at: order.updated_at,
    line_items: nestedList(JSON.parse(order.line_items) as unknown[]),
    shipping_lines: null,
    tax_lines: null,
    discount_lines: null,
    charges: nestedList(charges.map((charge) => chargeRenderer(charge, order.currency))),
  };
}

function chargeHead(charge: ChargeWithRefunds, currency: string): Record<string, unknown> {
  return {
    id: charge.id,
    livemode: false,
    created_at: charge.created_at,
    currency,
    failure_code: null,
    failure_message: null,
    monthly_installments: null,
    device_fingerprint: null,
    channel: null,
    payment_method: JSON.parse(charge.payment_method) as unknown,
    object: 'charge',
    description: 'Payment from order',
  };
}

function chargeTail(charge: ChargeWithRefunds): Record<string, unknown> {
  return {
    customer_id: '',
    order_id: charge.order_id,
    refunds: charge.refunds.length === 0 ? null : nestedList(charge.refunds.map(renderRefund)),
  };
}

function renderCharge(charge: ChargeWithRefunds, currency: string): Record<string, unknown> {
  return {
    ...chargeHead(charge, currency),
    is_refundable: remainingOf(charge) > 0,
    reference_id: charge.reference_id,
    status: chargeStatusOf(charge),
    amount: charge.amount,
    paid_at: charge.paid_at,
    fee: feeOf(charge.amount),
    ...chargeTail(charge),
  };
}

function renderChargeInError(charge: ChargeWithRefunds, currency: string): Record<string, unknown> {
  const head = chargeHead(charge, currency);
  return {
    ...head,
    payment_method: { ...(head['payment_method'] as object), antifraud_flag: '' },
    reference_id: charge.reference_id,
    status: chargeStatusOf(charge),
    amount: charge.amount,
    paid_at: charge.paid_at,
    fee: feeOf(charge.amount),
    ...chargeTail(charge),
  };
}

function renderRefund(refund: RefundRecord): Record<string, unknown> {
  return {
    object: 'refund',
    // Negative as in the seed (PRODUCT M6).
    amount: -refund.amount,
    id: refund.id,
    created_at: refund.created_at,
    auth_code: refund.auth_code,
    // A refund that is simply done carries no status, as in the seed.
    ...(refund.state === 'succeeded' ? {} : { status: refund.state }),
  };
}
