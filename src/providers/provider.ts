import type { PayoutOrderTerms } from '../domain/payout-order-terms.ts';
import type { RefundType } from '../domain/refund-receipt.ts';
import type { IdempotencyCapability, ListedRefund } from '../domain/send-protocol.ts';
import type { PayoutOrderStatus } from '../domain/payout-order.ts';

/** A value that came as JSON and goes back as JSON. */
export type JsonObject = { readonly [key: string]: unknown };

/** On whose behalf a provider is called. */
export interface ProviderCall {
  /** The merchant's secret at the provider. Never logged, never stored in a Workflow. */
  readonly credential: string;
}

/** A charge as the provider tells it. */
export interface ProviderCharge {
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** The provider's own word, kept beside our reading of it. */
  readonly providerStatus: string;
  /** Whether money was captured and can be given back. */
  readonly paid: boolean;
  /** Open or lost chargebacks, minor units. */
  readonly disputedMinor: number;
  /** All of them, in whatever state, with our reference where the provider keeps it. */
  readonly refunds: readonly ListedRefund[];
  /** The charge as the provider sent it. */
  readonly raw: JsonObject;
}

/** An order as the provider tells it. */
export interface ProviderOrder {
  readonly orderId: string;
  readonly currency: string;
  readonly charges: readonly ProviderCharge[];
  /** The order as the provider sent it, without its charges. */
  readonly raw: JsonObject;
}

/** What is asked of the provider for one leg. */
export interface ProviderRefundRequest {
  readonly orderId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reason?: string | undefined;
  /** The kind of refund the caller asked for, where the provider knows kinds. */
  readonly refundType?: RefundType | undefined;
  /** Our key for the leg (S2): sent where the provider can keep it. */
  readonly reference: string;
}

/** What a provider answers to a send: the whole order as it then is, or the refund it made, alone. */
export type SubmittedRefund =
  | { readonly kind: 'order'; readonly order: ProviderOrder }
  | { readonly kind: 'refund'; readonly refund: ListedRefund };

/** A payout order as the provider tells it. */
export interface ProviderPayoutOrder {
  readonly providerPayoutOrderId: string;
  /** Our own id, which we passed along in the metadata. */
  readonly reference: string | null;
  /** The id of its payout (`payout_…`), when the provider gives one. */
  readonly payoutId: string | null;
  readonly status: PayoutOrderStatus;
}

/** What is asked of the provider to issue a cash reference. */
export interface ProviderPayoutOrderRequest extends PayoutOrderTerms {
  /** Our own id: travels in the metadata, so that a lost answer can be found again. */
  readonly reference: string;
  /** Unix seconds. */
  readonly expiresAt: number;
  readonly metadata: JsonObject;
}

/**
 * The port every adapter fills. All methods reject with `ProviderError` and with nothing else; an answer outside the
 * known schema is `unknown` (S7). Deadlines and size caps are the adapter's.
 */
export interface ProviderAdapter {
  readonly name: string;
  /** What the provider offers against paying twice (S1). */
  readonly idempotency: IdempotencyCapability;
  /**
   * Reads an order with all its charges and their refunds. Where the provider can be asked for a reference (S1), the refund that carries
   * the `sought` one is among them, or surely was not made: a list may be behind.
   */
  getOrder(call: ProviderCall, orderId: string, sought?: string): Promise<ProviderOrder>;
  /** Asks for one refund, once. Never retried inside. */
  submitRefund(call: ProviderCall, request: ProviderRefundRequest): Promise<SubmittedRefund>;
  /** Asks for a cash reference, once. Never retried inside. */
  createPayoutOrder(call: ProviderCall, request: ProviderPayoutOrderRequest): Promise<ProviderPayoutOrder>;
  /** Reads a payout order by the provider's id. */
  getPayoutOrder(call: ProviderCall, providerPayoutOrderId: string): Promise<ProviderPayoutOrder>;
  /**
   * Finds a payout order by our own id, or `null` only when the provider surely has none: it may then be asked for again.
   * `createdAfter` is an instant before the first send: what the provider created earlier, by more than clocks differ, is not ours.
   */
  findPayoutOrder(call: ProviderCall, reference: string, createdAfter: Date): Promise<ProviderPayoutOrder | null>;
  /** Asks to make a reference unusable, once: the payout order as it then is. */
  cancelPayoutOrder(call: ProviderCall, providerPayoutOrderId: string): Promise<ProviderPayoutOrder>;
}
