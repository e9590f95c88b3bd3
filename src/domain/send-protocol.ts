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

/** A refund of a charge as the provider lists it. Amount in positive minor units. */
export interface ListedRefund {
  readonly providerRefundId: string;
  readonly amountMinor: number;
}

/**
 * Recognises our own refund among those a charge lists (S5): the first of our amount that was not there before the send
 * and belongs to no other leg of ours. `null` when there is none.
 */
export function recogniseRefund(
  listed: readonly ListedRefund[],
  amountMinor: number,
  before: readonly string[],
  others: readonly string[],
): ListedRefund | null {
  const known = new Set([...before, ...others]);
  return listed.find((refund) => refund.amountMinor === amountMinor && !known.has(refund.providerRefundId)) ?? null;
}
