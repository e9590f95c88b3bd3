import { countsAgainstCharge } from '../src/domain/send-protocol.ts';
import type { ListedRefund } from '../src/domain/send-protocol.ts';
import type { ProviderOrder } from '../src/providers/provider.ts';
import { ProviderError } from '../src/providers/provider-error.ts';
import { configuredEntry, MissingProviderError, quietTime } from '../src/providers/registry.ts';
import { hasOpenCase, openCase } from '../src/store/cases.ts';
import { recordLateFailure, succeededLegs } from '../src/store/refunds/late-failure.ts';
import { resolveLeg as resolve } from '../src/store/refunds/resolve.ts';
import { acceptedAs, isQuiet, readLeg } from '../src/store/refunds/send.ts';
import type { LegRecord } from '../src/store/refunds/send.ts';
import { settleLeg, standingLeg } from '../src/store/refunds/settle.ts';
import type { LegResolution } from '../src/domain/case.ts';
import type { Act, FollowOutcome, LegRef, RefundRef, ResolveOutcome } from './contracts.ts';
import { chargeOf, recognisedRefund, resultOf } from './refund-recognition.ts';
import type { Looking, RefundActivityDeps } from './refund-recognition.ts';
import { settledFacts } from './refund-sending.ts';

/** After so long no call can still take effect, whatever its provider's numbers were. */
const LONG_QUIET = { afterPermitMs: 600_000, afterCallMs: 600_000 };

/** Who settles what the provider says. */
const SYSTEM = 'reintegro';

function readOrder({ providers }: RefundActivityDeps, merchantId: string, provider: string, orderId: string, sought?: string): Promise<ProviderOrder> {
  return providers.entry(provider).adapter.getOrder({ credential: providers.credential(merchantId, provider) }, orderId, sought);
}

function listed(order: ProviderOrder, chargeId: string, providerRefundId: string): ListedRefund | undefined {
  return chargeOf(order, chargeId).refunds.find((refund) => refund.providerRefundId === providerRefundId);
}

/**
 * Asks the provider how a refund stands that it accepted (R6), and settles what it says. Only reads before it settles, so it may be
 * repeated at will; dies anywhere: the repeated call finds what stands.
 */
export async function followRefund(deps: RefundActivityDeps, input: LegRef): Promise<FollowOutcome> {
  const { workflowId, runId, merchantId } = input;
  const acting = { workflowId, runId, actor: SYSTEM };
  const accepted = await acceptedAs(deps.db, input);
  if (accepted === null) return { kind: 'known', ...settledFacts(await standingLeg(deps.db, acting, input)) };
  const order = await readOrder(deps, merchantId, accepted.provider, accepted.orderId, input.legId);
  const refund = listed(order, accepted.chargeId, accepted.providerRefundId);
  if (refund === undefined) return { kind: 'not_shown' };
  return { kind: 'known', ...settledFacts(await settleLeg(deps.db, acting, input, resultOf(refund, accepted.amountMinor, order))) };
}

/**
 * Compares the provider's refunds with the legs that succeeded, and books those that failed since (R9). Repeated, it books nothing twice, and
 * answers the same while the case is open. A refund that the provider no longer shows is put before a human (O1): it is neither done nor failed.
 */
export async function reviewRefund(deps: RefundActivityDeps, { workflowId, runId, merchantId, refundId, orderId }: RefundRef & { readonly orderId: string }): Promise<{ readonly failedLate: boolean }> {
  const legs = await succeededLegs(deps.db, merchantId, refundId);
  const [first] = legs;
  if (first !== undefined) {
    const order = await readOrder(deps, merchantId, first.provider, orderId, legs.length === 1 ? first.legId : undefined);
    const seenAt = new Date();
    for (const { legId, chargeId, providerRefundId } of legs) {
      const refund = listed(order, chargeId, providerRefundId);
      if (refund === undefined) await openCase(deps.db, { merchantId, refundId, legId, kind: 'contradiction' });
      else if (refund.state === 'failed') await recordLateFailure(deps.db, { workflowId, runId, actor: SYSTEM }, { merchantId, refundId, legId }, { order, seenAt });
    }
  }
  return { failedLate: await hasOpenCase(deps.db, merchantId, refundId, 'late_failure') };
}

/**
 * Settles a leg by the word of a human (O2). The provider is looked at first, if it answers: what it shows is not for anybody to say
 * otherwise, and a refund that it does not show has not succeeded. Its silence is no reason to doubt the word: that is why a human
 * was asked. Nobody can know that a call failed which may still take effect.
 */
export async function resolveLeg(deps: RefundActivityDeps, input: LegRef & Act & { readonly resolution: LegResolution }): Promise<ResolveOutcome> {
  const { workflowId, runId, actor, reason, resolution } = input;
  const leg = await readLeg(deps.db, input);
  // Where it is not configured, only the human knows.
  const entry = configuredEntry(deps.providers, leg.provider);
  const quiet = entry === null ? LONG_QUIET : quietTime(entry);
  // Asked before the provider is: what its list does not show then was not executed.
  if (resolution.outcome === 'failed' && !(await isQuiet(deps.db, input, quiet))) return { kind: 'refused', why: 'too_early' };
  const seen = await seeOrder(deps, input, leg);
  const shown = seen === null || entry === null ? null : await shownRefund({ deps, input, leg, entry }, seen.order, resolution);
  if (seen !== null && shown === null && resolution.outcome === 'succeeded') return { kind: 'refused', why: 'not_shown_by_provider' };
  if (shown !== null && shown.reference !== null && shown.reference !== input.legId) return { kind: 'refused', why: 'provider_refund_taken' };
  if (shown !== null && shown.amountMinor !== leg.amountMinor) return { kind: 'refused', why: 'other_amount' };
  if (shown !== null && (shown.state === 'failed') !== (resolution.outcome === 'failed')) return { kind: 'refused', why: 'provider_says_otherwise' };
  const accepted = shown === null || shown.state === 'failed' ? 'succeeded' : shown.state;
  const resolved = await resolve(deps.db, { workflowId, runId, actor, reason }, input, { resolution, accepted, seen, quiet });
  return resolved.kind === 'refused' ? resolved : { kind: 'settled', ...settledFacts(resolved.settled) };
}

/** The refund that a word is about, as the provider shows it: the one named, the one it was accepted as, or one that looks like ours. */
async function shownRefund(looking: Looking, order: ProviderOrder, resolution: LegResolution): Promise<ListedRefund | null> {
  const { deps, input, leg } = looking;
  if (resolution.outcome === 'succeeded') return listed(order, leg.chargeId, resolution.providerRefundId) ?? null;
  const accepted = await acceptedAs(deps.db, input);
  if (accepted !== null) return listed(order, leg.chargeId, accepted.providerRefundId) ?? null;
  const ours = await recognisedRefund(looking, order, leg.refundsBefore);
  return ours !== null && countsAgainstCharge(ours) ? ours : null;
}

/** The order as it is now; `null` when the provider does not answer, or does not show the charge. */
async function seeOrder(deps: RefundActivityDeps, { merchantId, legId }: LegRef, { provider, orderId, chargeId }: LegRecord): Promise<{ readonly order: ProviderOrder; readonly seenAt: Date } | null> {
  try {
    const order = await readOrder(deps, merchantId, provider, orderId, legId);
    return order.charges.some((charge) => charge.chargeId === chargeId) ? { order, seenAt: new Date() } : null;
  } catch (error) {
    if (error instanceof ProviderError || error instanceof MissingProviderError) return null;
    throw error;
  }
}
