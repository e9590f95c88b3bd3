import type { IdempotencyCapability } from '../../src/domain/send-protocol.ts';
import type { ProviderAdapter } from '../../src/providers/provider.ts';

/** What somebody paid at the imitation, by the ids the port calls it. Amount in minor units. */
export interface Paid {
  readonly orderId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** A fault to arm (PRODUCT X4), for the next call it fits. */
export interface ArmedFault {
  readonly operation: 'refund' | 'refund.find' | 'order.get';
  readonly mode: string;
  readonly delay_ms?: number;
}

/** A running imitation of the provider: its sandbox, or a scripted server. It ends with the test. */
export interface Imitation {
  readonly url: string;
  /** Has a payer pay. The credential is the merchant's that may give it back. */
  pay(amountMinor: number, credential: string): Promise<Paid>;
  arm(fault: ArmedFault): Promise<void>;
  /** How many armed faults no call has met yet. */
  armedFaults(): Promise<number>;
  /** What it really did with the money of a charge, oldest first. Amounts in minor units. */
  journal(chargeId: string): Promise<readonly (readonly [kind: 'refund' | 'refund_failed', amountMinor: number])[]>;
}

/** A change of an answer on its way, as text: numbers must keep their digits. */
export interface Rewrite {
  readonly title: string;
  readonly rewrite: (body: string) => string;
}

/** Everything the contract test pack must know of a provider. */
export interface ProviderUnderTest {
  readonly name: string;
  readonly idempotency: IdempotencyCapability;
  /** Whether it issues cash references. */
  readonly hasPayoutOrders: boolean;
  /** Two merchants' secrets that the imitation takes, and one that it does not. */
  readonly credentials: { readonly merchant: string; readonly other: string; readonly wrong: string };
  start(): Promise<Imitation>;
  connect(baseUrl: string, timeoutMs: number): ProviderAdapter & { close(): Promise<void> };
  /** Put a word that nobody knows into an order that shows one refund (S7). */
  readonly strangers: readonly Rewrite[];
  /** Make the answer to a send of 7.00 (700 minor units) speak of something else than was sent (S7). */
  readonly impostors: readonly Rewrite[];
  /** Lets an order show none of its refunds, as a list that is behind does; needed where refunds are found by their reference (S1). */
  readonly staleList?: (body: string) => string;
}
