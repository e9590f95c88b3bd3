import { Context } from '@temporalio/activity';
import type { LegRef, RefundRequest, WorkflowRef } from '../../../activities/contracts.ts';
import type { RefundStatus } from '../../../src/domain/refund-status.ts';
import { ProviderError } from '../../../src/providers/provider-error.ts';
import type { ProviderOrder } from '../../../src/providers/provider.ts';
import type { ProviderRegistry } from '../../../src/providers/registry.ts';
import type { Database } from '../../../src/store/database.ts';
import { readMerchant } from '../../../src/store/merchants.ts';
import { knownProviderRefunds, saveOrder } from '../../../src/store/orders.ts';
import { reserveRefund } from '../../../src/store/refunds/reserve.ts';
import type { Reservation } from '../../../src/store/refunds/reserve.ts';
import { beginSend, readLeg } from '../../../src/store/refunds/send.ts';
import type { LegRecord } from '../../../src/store/refunds/send.ts';
import { settleLeg } from '../../../src/store/refunds/settle.ts';

/** What naive Activities need. */
interface NaiveDeps {
  readonly db: Database;
  readonly providers: ProviderRegistry;
}

/** The Activities of a refund without the send protocol. Both are retried by Temporal whenever they fail. */
export interface NaiveActivities {
  /** The legs that were reserved, by the real transaction. */
  reserve(request: RefundRequest & WorkflowRef): Promise<readonly string[]>;
  /** Asks the provider for one leg, and settles its answer by the real transaction. Gives the refund's status. */
  pay(leg: LegRef): Promise<RefundStatus>;
}

/** Makes the Activities. The records are the product's own; only what the protocol adds is left out: the gate, the fences, the settle delay, the look. */
export function createNaiveActivities(deps: NaiveDeps): NaiveActivities {
  return { reserve: (request) => reserve(deps, request), pay: (leg) => pay(deps, leg) };
}

async function reserve({ db, providers }: NaiveDeps, request: RefundRequest & WorkflowRef): Promise<readonly string[]> {
  const { policy, provider: own } = await readMerchant(db, request.merchantId);
  const provider = request.provider ?? own;
  const readAt = new Date();
  const order = await providers.entry(provider).adapter.getOrder({ credential: providers.credential(request.merchantId, provider) }, request.orderId);
  await saveOrder(db, request.merchantId, provider, order, readAt);
  const reserved: Reservation = await reserveRefund(db, { ...request, actor: request.requestedBy }, { ...request, provider, gated: false, recordRefusal: true, policy, demands: request });
  return reserved.kind === 'reserved' ? reserved.legs.map((leg) => leg.legId) : [];
}

async function pay({ db, providers }: NaiveDeps, ref: LegRef): Promise<RefundStatus> {
  const acting = { ...ref, actor: 'naive' };
  const leg = await readLeg(db, ref);
  // An attempt of its own number is never fenced off.
  await beginSend(db, acting, ref, { sendNumber: Context.current().info.attempt, refundsBefore: [], gated: false, lastSend: leg.sendNumber });
  try {
    const submitted = await providers.entry(leg.provider).adapter.submitRefund({ credential: providers.credential(ref.merchantId, leg.provider) }, {
      orderId: leg.orderId, chargeId: leg.chargeId, amountMinor: leg.amountMinor, currency: leg.currency, reason: leg.reason ?? undefined, reference: ref.legId,
    });
    const providerRefundId = submitted.kind === 'refund' ? submitted.refund.providerRefundId : await latestRefund(db, ref, leg, submitted.order);
    const seen = submitted.kind === 'refund' ? null : { order: submitted.order, seenAt: new Date() };
    return (await settleLeg(db, acting, ref, { kind: 'succeeded', providerRefundId, seen })).refundStatus;
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'declined')) throw error;
    return (await settleLeg(db, acting, ref, { kind: 'refused', refusal: 'refused_by_provider' })).refundStatus;
  }
}

/** The refund that the answer is about: the last one of this amount that is nobody else's yet. */
async function latestRefund(db: Database, { merchantId }: LegRef, { chargeId, amountMinor }: LegRecord, order: ProviderOrder): Promise<string> {
  const known = new Set(await knownProviderRefunds(db, merchantId, chargeId));
  const listed = order.charges.find((charge) => charge.chargeId === chargeId)?.refunds ?? [];
  const latest = listed.findLast((refund) => refund.amountMinor === amountMinor && !known.has(refund.providerRefundId));
  if (latest === undefined) throw new Error('the answer does not show the refund');
  return latest.providerRefundId;
}
