import { recogniseRefund } from '../src/domain/send-protocol.ts';
import type { ListedRefund } from '../src/domain/send-protocol.ts';
import type { RefundReceipt } from '../src/domain/refund-receipt.ts';
import type { ProviderCharge, ProviderOrder } from '../src/providers/provider.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import type { ProviderEntry, ProviderRegistry } from '../src/providers/registry.ts';
import type { Database } from '../src/store/database.ts';
import { knownProviderRefunds } from '../src/store/orders.ts';
import type { LegRecord } from '../src/store/refunds/send.ts';
import type { LegResult } from '../src/store/refunds/settle.ts';
import type { LegRef } from './contracts.ts';

/** What refund Activities need. */
export interface RefundActivityDeps {
  readonly db: Database;
  readonly providers: ProviderRegistry;
}

/** The refusal of a refund that the provider took, and then failed. */
const FAILED_AT_PROVIDER = 'failed_at_provider';

/** A leg that is looked for, and its provider. */
export interface Looking {
  readonly deps: RefundActivityDeps;
  readonly input: LegRef;
  readonly leg: LegRecord;
  readonly entry: ProviderEntry;
}

/** The refund among those an order lists that is the leg's, as its provider's capability lets us tell (S1, S5); `null` when there is none. */
export async function recognisedRefund({ deps, input, leg, entry }: Looking, order: ProviderOrder, before: readonly string[]): Promise<ListedRefund | null> {
  const others = await knownProviderRefunds(deps.db, input.merchantId, leg.chargeId);
  return recogniseRefund(entry.adapter.idempotency, chargeOf(order, leg.chargeId).refunds, { reference: input.legId, amountMinor: leg.amountMinor, before, others });
}

/** What a refund that is ours says about its leg. @throws ProviderError `unknown` when it is of another amount: neither a success nor nothing (S7) */
export function resultOf({ state, providerRefundId, amountMinor, receipt }: ListedRefund, expectedMinor: number, order: ProviderOrder | null): LegResult {
  if (amountMinor !== expectedMinor) throw new ProviderError('unknown', 'the refund has another amount than was asked for');
  const seen = order === null ? null : { order, seenAt: new Date() };
  return state === 'failed' ? { kind: 'refused', refusal: failureOf(receipt), seen, receipt } : { kind: state, providerRefundId, seen, receipt };
}

/** What a refund that failed at its provider is called: contested or called off there, where the provider says so. */
function failureOf(receipt: RefundReceipt | undefined): string {
  return receipt?.providerStatus === 'dismissed' || receipt?.providerStatus === 'cancelled' ? `${receipt.providerStatus}_at_provider` : FAILED_AT_PROVIDER;
}

/** A charge of an order. @throws ProviderError `unknown` when the order no longer shows the charge. */
export function chargeOf(order: ProviderOrder, chargeId: string): ProviderCharge {
  const charge = order.charges.find((candidate) => candidate.chargeId === chargeId);
  if (charge === undefined) throw new ProviderError('unknown', 'the order does not show the charge');
  return charge;
}
