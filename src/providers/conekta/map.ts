import type { RefundReceipt } from '../../domain/refund-receipt.ts';
import type { ListedRefund } from '../../domain/send-protocol.ts';
import type { ProviderCharge, ProviderOrder, ProviderPayoutOrder, ProviderRefundRequest, ProviderPayoutOrderRequest } from '../provider.ts';
import type { ConektaChargeDto, ConektaOrderDto, ConektaPayoutOrderDto, ConektaRefundDto } from './schemas.ts';
import { isCaptured, isDisputed, refundStateOf } from './statuses.ts';

/** The metadata field that carries our own id of a payout order (X5, S4). */
export const REFERENCE_FIELD = 'reintegro_id';

/** What Conekta tells of a refund beside its state: a word, seldom, and the authorisation code of seed 002. Neither decides anything. */
function toReceipt(refund: ConektaRefundDto): RefundReceipt {
  const authorizationCode = typeof refund['auth_code'] === 'string' ? refund['auth_code'] : null;
  return { providerStatus: refund.status ?? null, type: null, transactionId: null, authorizationCode, ticketNumber: null, fees: [] };
}

/** Conekta keeps no reference of ours on a refund. */
function toListedRefund(refund: ConektaRefundDto): ListedRefund {
  return { providerRefundId: refund.id, amountMinor: -refund.amount, state: refundStateOf(refund.status), reference: null, receipt: toReceipt(refund) };
}

function toProviderCharge(charge: ConektaChargeDto): ProviderCharge {
  const disputed = isDisputed(charge.status, charge.chargeback?.status);
  return {
    chargeId: charge.id,
    amountMinor: charge.amount,
    currency: charge.currency,
    providerStatus: charge.status,
    paid: isCaptured(charge.status),
    disputedMinor: disputed ? charge.amount : 0,
    refunds: (charge.refunds?.data ?? []).map(toListedRefund),
    raw: charge,
  };
}

/** Reads a checked order: refund amounts turn positive (M6), and refunds in every state are told. */
export function toProviderOrder(order: ConektaOrderDto): ProviderOrder {
  const { charges, ...raw } = order;
  return { orderId: order.id, currency: order.currency, charges: (charges?.data ?? []).map(toProviderCharge), raw };
}

/** Reads a checked payout order; the first payout is the one a reference stands for (seed 000). */
export function toProviderPayoutOrder(payoutOrder: ConektaPayoutOrderDto): ProviderPayoutOrder {
  return {
    providerPayoutOrderId: payoutOrder.id,
    reference: payoutOrder.metadata?.[REFERENCE_FIELD] ?? null,
    payoutId: payoutOrder.payouts?.[0]?.id ?? null,
    status: payoutOrder.status,
  };
}

/** The body of `POST /orders/{id}/refunds` (seed 002): always one charge, always an amount. */
export function toRefundBody(request: ProviderRefundRequest): Readonly<Record<string, unknown>> {
  return { charge_id: request.chargeId, amount: request.amountMinor, ...(request.reason === undefined ? {} : { reason: request.reason }) };
}

/** The body of `POST /payout_orders` (CONTRACT §3), with our own id in the metadata. */
export function toPayoutOrderBody(request: ProviderPayoutOrderRequest): Readonly<Record<string, unknown>> {
  return {
    allowed_payout_methods: request.allowedPayoutMethods,
    amount: request.amountMinor,
    currency: request.currency,
    customer_info: { customer_id: request.customerId },
    payout: { payout_method: { type: request.payoutMethodType } },
    reason: request.reason,
    expires_at: request.expiresAt,
    metadata: { ...request.metadata, [REFERENCE_FIELD]: request.reference },
  };
}
