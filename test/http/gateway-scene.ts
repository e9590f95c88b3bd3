import { deriveRefundId } from '../../src/client/identifiers.ts';
import { refundFingerprint } from '../../src/client/reintegro-client.ts';
import type { NewRefund, RefundAnswer } from '../../src/client/reintegro-client.ts';
import type { RefundReceipt } from '../../src/domain/refund-receipt.ts';
import type { ProviderRefundState } from '../../src/domain/send-protocol.ts';
import type { Database } from '../../src/store/database.ts';
import { readMerchant } from '../../src/store/merchants.ts';
import { saveOrder } from '../../src/store/orders.ts';
import { enterCheckpoint } from '../../src/store/refunds/checkpoints.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { reserveRefund } from '../../src/store/refunds/reserve.ts';
import { beginSend } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';

const ACTING = { actor: 'key_test', workflowId: 'workflow', runId: 'run' };

/** What the provider makes of a refund, as its Activities would write it down. */
export type Fate = { readonly state: ProviderRefundState; readonly receipt?: Partial<RefundReceipt> } | 'lost' | 'declined';

/** A provider's receipt of which only some parts matter. */
export function receiptOf(parts: Partial<RefundReceipt>): RefundReceipt {
  return { providerStatus: null, type: null, transactionId: null, authorizationCode: null, ticketNumber: null, fees: [], ...parts };
}

/** Puts a payment of the gateway on record. Minor units. */
export async function recordPayment(db: Database, merchantId: string, paymentId: string, amountMinor = 100_000, over: { readonly paid?: boolean } = {}): Promise<void> {
  await saveOrder(db, merchantId, 'gateway', {
    orderId: paymentId, currency: 'ARS', raw: {},
    charges: [{ chargeId: paymentId, amountMinor, currency: 'ARS', providerStatus: 'approved', paid: over.paid ?? true, disputedMinor: 0, refunds: [], raw: {} }],
  }, new Date());
}

/** Does to the records what the Workflow and its Activities do for a refund of a payment, up to where it rests. */
export async function playDevolucion(db: Database, refund: NewRefund, fate: Fate = { state: 'succeeded' }): Promise<RefundAnswer> {
  const { merchantId } = refund;
  const refundId = deriveRefundId(merchantId, refund.orderId, refund.idempotencyKey);
  const { policy, provider: own } = await readMerchant(db, merchantId);
  const { refundType, externalReference, metadata, onBehalfOf, requestedAs } = refund;
  const reservation = await reserveRefund(db, { ...ACTING, actor: refund.requestedBy }, {
    ...refund, provider: refund.provider ?? own, details: { refundType, externalReference, metadata, onBehalfOf, requestedAs }, refundId, fingerprint: refundFingerprint(refund),
    gated: false, policy, demands: {}, recordRefusal: true,
  });
  const [leg] = reservation.kind === 'reserved' ? reservation.legs : [];
  const [checkpoint] = reservation.kind === 'reserved' ? reservation.checkpoints : [];
  if (checkpoint !== undefined) await enterCheckpoint(db, ACTING, { merchantId, refundId }, checkpoint.kind);
  else if (leg !== undefined) await sendLeg(db, { merchantId, refundId, legId: leg.legId }, fate);
  const record = await readRefund(db, merchantId, refundId);
  if (record === null) throw new Error('the refund is not on record');
  const view = {
    refundId, orderId: refund.orderId, status: record.status, statusDetail: record.statusDetail, amountMinor: record.amountMinor, currency: record.currency, needsAttention: false, refusal: null,
    fingerprint: refundFingerprint(refund),
  };
  return { kind: 'answered', refundId, view };
}

async function sendLeg(db: Database, key: { merchantId: string; refundId: string; legId: string }, fate: Fate): Promise<void> {
  if ((await beginSend(db, ACTING, key, { sendNumber: 1, lastSend: 0, refundsBefore: [], gated: false })).kind !== 'go' || fate === 'lost') return;
  if (fate === 'declined') return void (await settleLeg(db, ACTING, key, { kind: 'refused', refusal: 'gateway.errors.processing.refund.declined', sendNumber: 1 }));
  const receipt = receiptOf(fate.receipt ?? {});
  if (fate.state === 'failed') await settleLeg(db, ACTING, key, { kind: 'refused', refusal: 'failed_at_provider', receipt });
  else await settleLeg(db, ACTING, key, { kind: fate.state, providerRefundId: `tx_${key.refundId}`, seen: null, receipt });
}
