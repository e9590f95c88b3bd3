import { toJsonDecimal } from '../../domain/decimal.ts';
import type { OnBehalfOf, RefundDetails, Requester } from '../../domain/refund-details.ts';
import type { RefundFee, RefundReceipt } from '../../domain/refund-receipt.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import { messageStatusOf } from './message-status.ts';

/** A refund as its message tells it. Amount in minor units; `null` while it is not known. */
export interface ShownRefund {
  readonly refundId: string;
  readonly provider: string;
  readonly chargeId: string;
  readonly merchantId: string;
  readonly merchantName: string | null;
  readonly status: RefundStatus;
  readonly statusDetail: string;
  readonly amountMinor: number | null;
  readonly reason: string | null;
  readonly requestedBy: string;
  readonly details: RefundDetails;
  readonly receipt: RefundReceipt | null;
}

/** Where a request came from, in the seed's words (`source.type`): by who asked, or on whose behalf. */
const SOURCE_TYPES = {
  merchant: 'collector', operator: 'backoffice', timer: 'system', payer: 'customer', provider: 'carrier',
} as const satisfies Record<Requester | OnBehalfOf['type'], string>;

/** The kind of a refund while neither its caller nor its provider has said one. */
const DEFAULT_TYPE = 'online';

/** Renders the message of seed 003, with every field. Amounts are written with exactly two places (M1); one that is not known yet reads `0.00`. */
export function renderDevolucion(refund: ShownRefund): Record<string, unknown> {
  const { receipt, details } = refund;
  return {
    id: refund.refundId,
    status: messageStatusOf(refund.status),
    status_detail: statusDetailOf(refund),
    type: details.refundType ?? receipt?.type ?? DEFAULT_TYPE,
    reference: refund.chargeId,
    external_reference: details.externalReference ?? null,
    amount: toJsonDecimal(refund.amountMinor ?? 0),
    reason: refund.reason,
    transaction_id: receipt?.transactionId ?? null,
    authorization_code: receipt?.authorizationCode ?? null,
    ticket_number: receipt?.ticketNumber ?? null,
    fee_details: (receipt?.fees ?? []).map(renderFee),
    source: sourceOf(refund),
    metadata: details.metadata ?? {},
  };
}

/** Why it is there; while the provider has the refund, also the provider's own word, which is finer. */
function statusDetailOf({ status, statusDetail, receipt }: ShownRefund): string {
  const isAtProvider = status === 'authorized' || status === 'approved';
  return isAtProvider && receipt !== null && receipt.providerStatus !== null ? `${statusDetail}: ${receipt.providerStatus}` : statusDetail;
}

function renderFee({ type, payer, description, amountMinor }: RefundFee): Record<string, unknown> {
  return { type, fee_payer: payer, description, amount: toJsonDecimal(amountMinor) };
}

function sourceOf({ details, merchantId, merchantName, requestedBy, provider }: ShownRefund): Record<string, unknown> {
  if (details.onBehalfOf !== undefined) return { id: details.onBehalfOf.id, name: null, type: SOURCE_TYPES[details.onBehalfOf.type] };
  const requester = details.requestedAs ?? 'merchant';
  const type = SOURCE_TYPES[requester];
  if (requester === 'merchant') return { id: merchantId, name: merchantName, type };
  return { id: requestedBy, name: requester === 'provider' ? provider : null, type };
}
