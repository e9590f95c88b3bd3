import { derivePayoutOrderId, deriveRefundId } from '../../src/client/identifiers.ts';
import { payoutOrderFingerprint, refundFingerprint } from '../../src/client/reintegro-client.ts';
import type { NewPayoutOrder, NewRefund, PayoutOrderAnswer, RefundAnswer } from '../../src/client/reintegro-client.ts';
import type { Database } from '../../src/store/database.ts';
import { readOrder, saveOrder } from '../../src/store/orders.ts';
import type { OrderSnapshot } from '../../src/store/orders.ts';
import { registerPayoutOrder } from '../../src/store/payout-orders/register.ts';
import { movePayoutOrder, recordIssueRefusal } from '../../src/store/payout-orders/settle.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { reserveRefund } from '../../src/store/refunds/reserve.ts';
import { beginSend } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import type { PayoutOrderEvent } from '../../src/domain/payout-order.ts';
import type { RefundRefusal } from '../../src/domain/rejections.ts';
import { isRefundRefusal } from '../../src/domain/rejections.ts';

type Json = Record<string, unknown>;
const ACTING = { actor: 'key_test', workflowId: 'workflow', runId: 'run' };
let refundCount = 0;

/** Reads an order in the dialect as the adapter would. */
export function snapshotOf(order: Json): OrderSnapshot {
  const { charges, ...raw } = order as Json & { id: string; currency: string; charges: { data: (Json & { id: string; amount: number; status: string; refunds: { data: { id: string; amount: number }[] } | null })[] } };
  return {
    orderId: raw.id, currency: raw.currency, raw,
    charges: charges.data.map((charge) => ({
      chargeId: charge.id, amountMinor: charge.amount, currency: raw.currency, providerStatus: charge.status, paid: charge.status !== 'pending_payment', disputedMinor: 0,
      refunds: (charge.refunds?.data ?? []).map((refund) => ({ providerRefundId: refund.id, amountMinor: -refund.amount })), raw: charge,
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
export type LegFate = 'succeeded' | 'refused' | 'sending';

/** Does to the records what the refund Workflow and its Activities do, and answers as the Workflow would. */
export async function playRefund(db: Database, refund: NewRefund, fates: readonly LegFate[] = ['succeeded', 'succeeded']): Promise<RefundAnswer> {
  const { merchantId, orderId } = refund;
  const refundId = deriveRefundId(merchantId, orderId, refund.idempotencyKey);
  const reservation = await reserveRefund(db, ACTING, { ...refund, refundId, fingerprint: refundFingerprint(refund), gated: true, recordRefusal: true });
  for (const [index, leg] of (reservation.kind === 'reserved' ? reservation.legs : []).entries()) {
    const key = { merchantId, refundId, legId: leg.legId };
    await beginSend(db, ACTING, key, 1, []);
    if (fates[index] === 'refused') await settleLeg(db, ACTING, key, { kind: 'refused', refusal: 'conekta.errors.processing.refund.declined' });
    if (fates[index] === 'succeeded') await settleLeg(db, ACTING, key, { kind: 'succeeded', ...(await orderAfter(db, merchantId, orderId, leg)), seenAt: new Date() });
  }
  const record = await readRefund(db, merchantId, refundId);
  if (record === null) throw new Error('the refund is not on record');
  const refusal: RefundRefusal | null = isRefundRefusal(record.statusDetail) ? record.statusDetail : null;
  return { kind: 'answered', refundId, view: { ...record, refusal, fingerprint: refundFingerprint(refund), needsAttention: false } };
}

async function orderAfter(db: Database, merchantId: string, orderId: string, leg: { chargeId: string; amountMinor: number }) {
  const record = await readOrder(db, merchantId, orderId);
  if (record === null) throw new Error('the order is not on record');
  refundCount += 1;
  const providerRefundId = `refund_${refundCount}`;
  const made = { object: 'refund', amount: -leg.amountMinor, id: providerRefundId, created_at: 1_681_358_168, auth_code: '1776' };
  const charges = record.charges.map(({ chargeId, raw }) => {
    const before = (raw['refunds'] as { data: unknown[] } | null)?.data ?? [];
    const data = chargeId === leg.chargeId ? [...before, made] : before;
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
