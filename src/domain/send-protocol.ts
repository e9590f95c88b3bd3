import type { RefundReceipt } from './refund-receipt.ts';

/**
 * What a provider offers against paying twice (PRODUCT S1): `key` honours our key; `reference` stores our reference and
 * can be asked for it; `balance` can only be asked for the refunds of a charge; `none` offers nothing.
 */
export const IDEMPOTENCY_CAPABILITIES = ['key', 'reference', 'balance', 'none'] as const;

/** A provider's declared capability. */
export type IdempotencyCapability = (typeof IDEMPOTENCY_CAPABILITIES)[number];

/** The numbers of the send protocol (S4), recorded in the Workflow's history when a refund is reserved. */
export interface SendProtocol {
  readonly idempotency: IdempotencyCapability;
  /** How long the provider may take to commit a request whose answer was lost, in milliseconds. */
  readonly settleDelayMs: number;
  /** How often a leg may be sent before a human must decide. */
  readonly maxSends: number;
}

/**
 * Where a refund stands at its provider: accepted and not executed, executed with the credit on its way, done, or failed
 * for good (nothing moved, or it was taken back).
 */
export const PROVIDER_REFUND_STATES = ['authorized', 'approved', 'succeeded', 'failed'] as const;

/** A refund's state at its provider. */
export type ProviderRefundState = (typeof PROVIDER_REFUND_STATES)[number];

/** A refund of a charge as the provider lists it. Amount in positive minor units. */
export interface ListedRefund {
  readonly providerRefundId: string;
  readonly amountMinor: number;
  readonly state: ProviderRefundState;
  /** Our key for the leg (S2), where the provider keeps it; `null` where it cannot. */
  readonly reference: string | null;
  /** What else the provider tells of it, where it tells anything. */
  readonly receipt?: RefundReceipt | undefined;
}

/** Whether a listed refund counts against its charge (M2): all but the definitively failed. */
export function countsAgainstCharge({ state }: ListedRefund): boolean {
  return state !== 'failed';
}

/** What a leg is recognised by. */
export interface SoughtRefund {
  /** Our key for the leg. */
  readonly reference: string;
  readonly amountMinor: number;
  /** Ids of the refunds that the charge listed before the send. */
  readonly before: readonly string[];
  /** Ids of the refunds that belong to other legs of ours. */
  readonly others: readonly string[];
}

/**
 * Recognises our own refund among those a charge lists, or answers `null`. `balance` (S5): one of our amount that was not there before the
 * send and belongs to no other leg of ours. Every other capability: one that carries our reference. Where there are several, one that counts
 * comes before one that failed.
 */
export function recogniseRefund(capability: IdempotencyCapability, listed: readonly ListedRefund[], sought: SoughtRefund): ListedRefund | null {
  const known = new Set([...sought.before, ...sought.others]);
  const isOurs = capability === 'balance'
    ? (refund: ListedRefund): boolean => refund.amountMinor === sought.amountMinor && !known.has(refund.providerRefundId)
    : (refund: ListedRefund): boolean => refund.reference === sought.reference;
  const ours = listed.filter(isOurs);
  return ours.find(countsAgainstCharge) ?? ours[0] ?? null;
}
