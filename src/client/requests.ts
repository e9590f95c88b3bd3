import type { PayoutOrderTerms } from '../domain/payout-order-terms.ts';
import type { Money } from '../domain/money.ts';
import type { OnBehalfOf, Requester } from '../domain/refund-details.ts';
import type { RefundType } from '../domain/refund-receipt.ts';

/** A refund to ask for. Amounts in minor units; omitted means what remains (M5). */
export interface NewRefund {
  readonly merchantId: string;
  /** Where the order was paid, for example `gateway`; the merchant's own provider when omitted. */
  readonly provider?: string | undefined;
  readonly orderId: string;
  readonly chargeId?: string | undefined;
  readonly amountMinor?: number | undefined;
  readonly reason?: string | undefined;
  /** The kind of refund asked of the provider, where it knows kinds (seed 003). */
  readonly refundType?: RefundType | undefined;
  /** Your own reference, ≤ 250 characters: kept and shown. */
  readonly externalReference?: string | undefined;
  /** Your own JSON object, ≤ 100 keys: kept and shown. */
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
  /** On whose behalf it is asked for, by an id of your own, never personal data; the merchant's when omitted. */
  readonly onBehalfOf?: OnBehalfOf | undefined;
  /** A second person must approve it, whatever the merchant's threshold (R3). */
  readonly requireReview?: boolean | undefined;
  /** The payer must confirm it, whatever the merchant's rule. */
  readonly requirePayerConfirmation?: boolean | undefined;
  /** Not sent before, at most a year ahead (R5); it may be called off until then. */
  readonly executeAt?: Date | undefined;
  /** How long it may still be called off before it is sent, 1 second to 30 days; the merchant's own window is the least (R5). */
  readonly cancellationWindowSeconds?: number | undefined;
  /** ≤ 255 characters. The same key and request is the same refund, for 13 months (R8). */
  readonly idempotencyKey: string;
  /** An identifier of the key or service that asks, never of a person. */
  readonly requestedBy: string;
  /** What kind of key or service that is; the merchant's when omitted. */
  readonly requestedAs?: Requester | undefined;
}

/** A payout order to create. Amount in minor units, `expiresAt` in the future. */
export interface NewPayoutOrder extends PayoutOrderTerms {
  readonly merchantId: string;
  readonly expiresAt: Date;
  readonly metadata?: { readonly [key: string]: unknown };
  readonly idempotencyKey: string;
  readonly requestedBy: string;
}

/** A payout order as it was asked for, with its id: what its Workflow is started with. */
export interface RecordedPayoutOrder extends PayoutOrderTerms {
  readonly merchantId: string;
  readonly payoutOrderId: string;
  /** ISO-8601 UTC. */
  readonly expiresAt: string;
  readonly metadata: { readonly [key: string]: unknown };
  readonly idempotencyKey: string;
  /** SHA-256 of the request (R8). */
  readonly fingerprint: string;
  readonly requestedBy: string;
}

/** How a request is made. */
export interface RequestOptions {
  /** How long to wait for an answer, milliseconds; default 10 s (R10). Nothing is lost when it runs out. */
  readonly waitMs?: number;
  /** The money to show in the Temporal Web UI, when the caller knows it. */
  readonly shownMoney?: Money | undefined;
  /** The provider to show there, when the request names none and the caller knows the merchant's own. */
  readonly shownProvider?: string | undefined;
  /**
   * For callers that read the present state elsewhere: a repeated request may be answered with what its first answer said, which
   * saves asking the Workflow how it stands now.
   */
  readonly firstAnswerSuffices?: boolean;
}
