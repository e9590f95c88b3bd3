import { derivePayoutOrderId, deriveRefundId } from '../../src/client/identifiers.ts';
import { payoutOrderFingerprint, refundFingerprint } from '../../src/client/reintegro-client.ts';
import type { NewPayoutOrder, NewRefund, PayoutOrderAnswer, RefundAnswer } from '../../src/client/reintegro-client.ts';
import type { Database } from '../../src/store/database.ts';
import type { ProviderRefundState } from '../../src/domain/send-protocol.ts';
import { readOrder, saveOrder } from '../../src/store/orders.ts';
import type { OrderSnapshot } from '../../src/store/orders.ts';
import { registerPayoutOrder } from '../../src/store/payout-orders/register.ts';
import { movePayoutOrder, recordIssueRefusal } from '../../src/store/payout-orders/settle.ts';
import { readMerchant } from '../../src/store/merchants.ts';
import { enterCheckpoint } from '../../src/store/refunds/checkpoints.ts';
import { recordLateFailure } from '../../src/store/refunds/late-failure.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { reserveRefund } from '../../src/store/refunds/reserve.ts';
import { beginSend } from '../../src/store/refunds/send.ts';
import type { LegKey } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import type { PayoutOrderEvent } from '../../src/domain/payout-order.ts';
import type { RefundRefusal } from '../../src/domain/rejections.ts';
import { isRefundRefusal } from '../../src/domain/rejections.ts';

type Json = Record<string, unknown>;
const ACTING = { actor: 'key_test', workflowId: 'workflow', runId: 'run' };
let refundCount = 0;

/** Reads an order in the dialect as the adapter would. */
export function snapshotOf(order: Json): OrderSnapshot {
  const { charges, ...raw } = order as Json & { id: string; currency: string; charges: { data: (Json & { id: string; amount: number; status: string; refunds: { data: { id: string; amount: number; status?: ProviderRefundState }[] } | null })[] } };
  return {
    orderId: raw.id, currency: raw.currency, raw,
    charges: charges.data.map((charge) => ({
      chargeId: charge.id, amountMinor: charge.amount, currency: raw.currency, providerStatus: charge.status, paid: charge.status !== 'pending_payment', disputedMinor: 0,
      refunds: (charge.refunds?.data ?? []).map((refund) => ({ providerRefundId: refund.id, amountMinor: -refund.amount, state: refund.status ?? 'succeeded', reference: null })), raw: charge,
    })),
  };
}

/** Puts an order on record for a merchant, under an id of its own. */
export async function recordOrder(db: Database, merchantId: string, order: Json, orderId: string): Promise<void> {
  const text = JSON.stringify(order).replaceAll(String(order['id']), orderId);
  const own = JSON.parse(text) as Json & { charges: { data: Json[] } };
  own.charges.data = own.charges.data.map((charge, index) => ({ ...charge, id: chargeIdOf(orderId, index) }));
  await saveOrder(db, merchantId, 'conekta', snapshotOf(own), new Date());
}

/** The id of an order's charge on record. */
export function chargeIdOf(orderId: string, index: number): string {
  return `${orderId.replace('ord_', '')}c${index}`;
}

/** What becomes of each leg. */
export type LegFate = 'authorized' | 'approved' | 'succeeded' | 'refused' | 'sending';

/**
 * Does to the records what the refund Workflow and its Activities do up to where it rests, and answers as the Workflow would: at its first
 * checkpoint if the merchant demands one, else where the fates of its legs leave it.
 */
export async function playRefund(db: Database, refund: NewRefund, fates: readonly LegFate[] = ['succeeded', 'succeeded']): Promise<RefundAnswer> {
  const { merchantId, orderId } = refund;
  const refundId = deriveRefundId(merchantId, orderId, refund.idempotencyKey);
  const { policy } = await readMerchant(db, merchantId);
  const reservation = await reserveRefund(db, ACTING, { ...refund, provider: refund.provider ?? 'conekta', refundId, fingerprint: refundFingerprint(refund), gated: true, policy, demands: {}, recordRefusal: true });
  const [checkpoint] = reservation.kind === 'reserved' ? reservation.checkpoints : [];
  if (checkpoint !== undefined) await enterCheckpoint(db, ACTING, { merchantId, refundId }, checkpoint.kind);
  for (const [index, { legId }] of (reservation.kind === 'reserved' && checkpoint === undefined ? reservation.legs : []).entries()) {
    const key = { merchantId, refundId, legId };
    // One that waits for its turn, or was sent before, stays as it is.
    if ((await beginSend(db, ACTING, key, { sendNumber: 1, lastSend: 0, refundsBefore: [], gated: true })).kind !== 'go') continue;
    const fate = fates[index] ?? 'sending';
    if (fate === 'refused') await settleLeg(db, ACTING, key, { kind: 'refused', refusal: 'conekta.errors.processing.refund.declined' });
    else if (fate !== 'sending') await settlePlayed(db, key, fate);
  }
  const record = await readRefund(db, merchantId, refundId);
  if (record === null) throw new Error('the refund is not on record');
  const refusal: RefundRefusal | null = isRefundRefusal(record.statusDetail) ? record.statusDetail : null;
  return { kind: 'answered', refundId, view: { ...record, refusal, fingerprint: refundFingerprint(refund), needsAttention: false } };
}

/** Settles a leg as the provider's order now shows it. Answers the id of its refund there. */
export async function settlePlayed(db: Database, key: LegKey, state: Exclude<ProviderRefundState, 'failed'>): Promise<string> {
  const { providerRefundId, order } = await orderShowing(db, key, state);
  await settleLeg(db, ACTING, key, { kind: state, providerRefundId, seen: { order, seenAt: new Date() } });
  return providerRefundId;
}

/** The provider takes back what a leg had moved, and the books follow (R9). */
export async function failPlayedLate(db: Database, key: LegKey): Promise<void> {
  const { order } = await orderShowing(db, key, 'failed');
  if (!(await recordLateFailure(db, ACTING, key, { order, seenAt: new Date() }))) throw new Error('there was nothing to take back');
}

/** The order with the refund of a leg in a state: a new one, or the one it had already. */
async function orderShowing(db: Database, { merchantId, legId }: LegKey, state: ProviderRefundState) {
  const leg = await db.selectFrom('legs').select(['order_id', 'charge_id', 'amount_minor', 'provider_refund_id']).where('merchant_id', '=', merchantId).where('leg_id', '=', legId).executeTakeFirstOrThrow();
  const record = await readOrder(db, merchantId, 'conekta', leg.order_id);
  if (record === null) throw new Error('the order is not on record');
  refundCount += 1;
  const providerRefundId = leg.provider_refund_id ?? `refund_${refundCount}`;
  const shown = { object: 'refund', amount: -leg.amount_minor, id: providerRefundId, created_at: 1_681_358_168, auth_code: '1776', ...(state === 'succeeded' ? {} : { status: state }) };
  const charges = record.charges.map(({ chargeId, raw }) => {
    const before = (raw['refunds'] as { data: Json[] } | null)?.data ?? [];
    const data = chargeId === leg.charge_id ? [...before.filter(({ id }) => id !== providerRefundId), shown] : before;
    return { ...raw, refunds: data.length === 0 ? null : { object: 'list', has_more: false, total: data.length, data } };
  });
  return { providerRefundId, order: snapshotOf({ ...record.raw, charges: { data: charges } }) };
}

/** Does to the records what the payout order Workflow does up to where it rests, and answers as the Workflow would. */
export async function playPayoutOrder(db: Database, order: NewPayoutOrder, course: readonly PayoutOrderEvent[] | 'refused' | 'verifying' = ['reference_issued']): Promise<PayoutOrderAnswer> {
  const payoutOrderId = derivePayoutOrderId(order.merchantId, order.idempotencyKey);
  const key = { merchantId: order.merchantId, payoutOrderId };
  const fingerprint = payoutOrderFingerprint(order);
  await registerPayoutOrder(db, ACTING, { ...order, payoutOrderId, payoutId: `payout_${payoutOrderId.replaceAll('-', '').slice(0, 17)}`, provider: 'conekta', metadata: order.metadata ?? {}, fingerprint });
  if (course === 'refused') await recordIssueRefusal(db, key, 'conekta.errors.processing.payout.declined');
  const status = Array.isArray(course) ? await movePayoutOrder(db, ACTING, key, () => course as readonly PayoutOrderEvent[], { providerPayoutOrderId: `provider_${payoutOrderId}` }) : 'open';
  return { kind: 'answered', payoutOrderId, view: { payoutOrderId, status, statusDetail: status, fingerprint, needsAttention: false } };
}
