import type { Money } from './money.ts';

/** What a payout order promises, the same from the door to the provider. Amount in minor units. */
export interface PayoutOrderTerms extends Money {
  /** `cash` or `cashout`, as asked for. */
  readonly allowedPayoutMethods: readonly string[];
  readonly payoutMethodType: string;
  /** The provider's id of the person who may collect. */
  readonly customerId: string;
  readonly reason: string;
}
