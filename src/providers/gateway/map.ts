import { JsonNumber, parseDecimal, toJsonDecimal } from '../../domain/decimal.ts';
import { currencyExponent } from '../../domain/money.ts';
import type { RefundReceipt } from '../../domain/refund-receipt.ts';
import type { ListedRefund } from '../../domain/send-protocol.ts';
import type { JsonObject, ProviderCharge, ProviderOrder, ProviderRefundRequest } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import { LABEL } from './answers.ts';
import type { GatewayMessageDto, GatewayPaymentDto } from './schemas.ts';
import { PAYMENT_MONEY, REFUND_STATES } from './statuses.ts';

/** The currency of a payment that names none. */
const DEFAULT_CURRENCY = 'ARS';

/** A small whole number as it is kept; every other one is kept as its text, since a number would round it. */
const SMALL_INTEGER = /^-?\d{1,15}$/;

/** A decimal that the schema has let pass, in minor units. @throws ProviderError `unknown` when it is none all the same */
export function minorOf({ source }: JsonNumber): number {
  const amountMinor = parseDecimal(source);
  if (amountMinor === null) throw new ProviderError('unknown', `${LABEL}: not an amount`);
  return amountMinor;
}

/** An answer as plain JSON. */
function toPlain(value: unknown): unknown {
  if (value instanceof JsonNumber) return SMALL_INTEGER.test(value.source) ? Number(value.source) : value.source;
  if (Array.isArray(value)) return value.map(toPlain);
  return typeof value === 'object' && value !== null ? toPlainObject(value) : value;
}

function toPlainObject(value: object): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlain(inner)]));
}

function toReceipt(message: GatewayMessageDto): RefundReceipt {
  return {
    providerStatus: message.status,
    type: message.type ?? null,
    transactionId: message.transaction_id ?? null,
    authorizationCode: message.authorization_code ?? null,
    ticketNumber: message.ticket_number ?? null,
    fees: (message.fee_details ?? []).map((fee) => ({
      type: fee.type, payer: fee.fee_payer, description: fee.description ?? null, amountMinor: minorOf(fee.amount),
    })),
  };
}

/** Reads a checked refund: `external_reference` is where our reference travels (S1). */
export function toListedRefund(message: GatewayMessageDto): ListedRefund {
  return {
    providerRefundId: message.id, amountMinor: minorOf(message.amount), state: REFUND_STATES[message.status],
    reference: message.external_reference ?? null, receipt: toReceipt(message),
  };
}

/** Reads a checked payment as an order with one charge: both are called by the payment's id. */
export function toProviderOrder(payment: GatewayPaymentDto, messages: readonly GatewayMessageDto[]): ProviderOrder {
  const currency = payment.currency_id ?? DEFAULT_CURRENCY;
  const amountMinor = minorOf(payment.amount);
  const money = PAYMENT_MONEY[payment.status];
  const { refunds: _refunds, ...order } = payment;
  const charge: ProviderCharge = {
    chargeId: payment.id, amountMinor, currency, providerStatus: payment.status,
    // Two places cannot tell minor units that are no hundredths: nothing of such a payment can be given back here.
    paid: money !== 'uncaptured' && currencyExponent(currency) === 2, disputedMinor: money === 'contested' ? amountMinor : 0,
    refunds: messages.map(toListedRefund), raw: toPlainObject(payment),
  };
  return { orderId: payment.id, currency, charges: [charge], raw: toPlainObject(order) };
}

/** The body of `POST /pagos/devolucion/{payment id}`: always an amount, always our reference. */
export function toRefundBody(request: ProviderRefundRequest): JsonObject {
  return {
    amount: toJsonDecimal(request.amountMinor),
    ...(request.refundType === undefined ? {} : { type: request.refundType }),
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    external_reference: request.reference,
  };
}
