import { createHash } from 'node:crypto';
import { parseExactJson, toJsonDecimal } from '../domain/decimal.ts';
import { writeExactJson } from './exact-json.ts';
import type { GatewayStatus } from './gateway-status.ts';
import { newHexId } from './identifiers.ts';
import type { MessageRecord, Payment } from './payment-records.ts';

/** Renders a payment with all its refunds (docs/gateway-dialect.md). To be written by {@link writeExactJson}. */
export function renderPayment(payment: Payment): Record<string, unknown> {
  const { order, record, messages } = payment;
  return {
    id: order.id,
    object: 'payment',
    status: statusOf(payment),
    status_detail: null,
    type: record.type,
    amount: toJsonDecimal(order.amount),
    ...(record.currency_id === null ? {} : { currency_id: record.currency_id }),
    external_reference: record.external_reference,
    metadata: parseExactJson(order.metadata),
    refunds: messages.map((message) => renderMessage(payment, message)),
  };
}

/** Renders one refund of a payment (seed 003). To be written by {@link writeExactJson}. */
export function renderMessage({ order, fees }: Payment, message: MessageRecord): Record<string, unknown> {
  return {
    id: message.id,
    status: message.status,
    status_detail: message.status_detail,
    type: message.type,
    reference: order.id,
    external_reference: message.external_reference,
    amount: toJsonDecimal(message.amount),
    reason: message.reason,
    transaction_id: message.transaction_id,
    authorization_code: message.authorization_code,
    ticket_number: message.ticket_number,
    fee_details: fees.map((fee) => ({ ...fee, amount: toJsonDecimal(fee.amount) })),
    // Whoever asks through the API is the merchant.
    source: { id: collectorIdOf(order.key_hash), name: null, type: 'collector' },
    metadata: parseExactJson(message.metadata),
  };
}

/** Renders the event of a refund's new word: the payment is its object. */
export function renderPaymentEvent(payment: Payment, refundId: string, nowMs: number): string {
  const message = payment.messages.find(({ id }) => id === refundId);
  if (message === undefined) throw new Error(`${refundId} is no refund of ${payment.order.id}`);
  return writeExactJson({
    id: `evt_${newHexId(nowMs)}`,
    type: `devolucion.${message.status}`,
    created_at: Math.floor(nowMs / 1000),
    data: { object: renderPayment(payment) },
  });
}

/** A payment is given back, whole or in part, as soon and as long as the payer has some of it back. */
function statusOf({ charge, record }: Payment): GatewayStatus {
  return record.status === 'approved' && charge.refunds.some((refund) => refund.state === 'succeeded') ? 'refunded' : record.status;
}

/** Stands for a merchant without telling anything of the key. */
function collectorIdOf(keyHash: string): string {
  return createHash('sha256').update(`collector:${keyHash}`).digest('hex').slice(0, 12);
}
