import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotCancellableError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import type { RefundPolicy } from '../../src/domain/checkpoint.ts';
import { saveRefundPolicy } from '../../src/store/merchants.ts';
import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import type { UnsentEnd } from '../../src/store/refunds/cancel.ts';
import { failPlayedLate, playRefund, recordOrder } from './played-workflows.ts';
import type { LegFate } from './played-workflows.ts';
import { expectContract, expectRefused, seed, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

const PAID = seed('error.split_payment_charge_id_required.es.json')['data'] as Record<string, unknown>;
const ACTING = { actor: 'a', workflowId: 'w', runId: 'r' };
const NO_POLICY: Partial<RefundPolicy> = { reviewThresholdMinor: null, requirePayerConfirmation: false, cancellationWindowMs: 0 };
let api: TestApi;
let orderId = '';
let orders = 0;
beforeAll(async () => { api = await startApi(); });
afterAll(() => api.close());
beforeEach(async () => {
  orders += 1;
  orderId = `ord_2tgvDBAmxTMqS${orders}`;
  await recordOrder(api.db, 'm_one', PAID, orderId);
  await saveRefundPolicy(api.db, 'm_one', NO_POLICY);
});

/** How a total refund of the order comes to rest: what the merchant demands, and what becomes of the legs. */
type Rest = readonly [policy: Partial<RefundPolicy>, ...fates: LegFate[]];
const CHECKPOINTS: readonly (readonly [string, Rest])[] = [
  ['validate', [{ requirePayerConfirmation: true }]], ['review', [{ reviewThresholdMinor: 50_000 }]], ['deferred', [{ cancellationWindowMs: 1000 }]],
  ['validate', [{ requirePayerConfirmation: true, reviewThresholdMinor: 1, cancellationWindowMs: 1000 }]],
];
const SENT: readonly (readonly [string, Rest])[] = [
  ['in_process', [{}, 'sending', 'sending']], ['authorized', [{}, 'authorized', 'authorized']], ['approved', [{}, 'approved', 'approved']], ['authorized', [{}, 'succeeded', 'authorized']], ['approved', [{}, 'refused', 'approved']],
];

const key = { 'idempotency-key': 'the-key' };
const post = (body: unknown = {}, headers: Record<string, string> = key): Promise<Answer> => api.call('POST', `/orders/${orderId}/refunds`, body, headers);
const remove = (id: string): Promise<Answer> => api.call('DELETE', `/orders/${orderId}/refunds/${id}`);
const refundIdOf = (answer: Answer): string => String(answer.headers['reintegro-refund-id']);
const recorded = (refundId: string) => api.db.selectFrom('refunds').select('status').where('merchant_id', '=', 'm_one').where('refund_id', '=', refundId).executeTakeFirstOrThrow();
const asked = () => api.client.calls.map((call) => call.method);

/** Brings a total refund to rest, as the Workflow would while its first caller waits. */
async function bring([policy, ...fates]: Rest): Promise<Answer> {
  await saveRefundPolicy(api.db, 'm_one', policy);
  api.client.reset({ requestRefund: (refund) => playRefund(api.db, refund, fates) });
  return post();
}

describe('POST of a refund that is not over within the wait (R10)', () => {
  it.each([...CHECKPOINTS, ...SENT])('should answer 202 with the order and where to find it, while it is in %s: %j', async (status, rest) => {
    const answer = await bring(rest);
    expect(answer).toMatchObject({ status: 202, headers: { location: `/orders/${orderId}`, 'idempotency-key': 'the-key' }, body: { id: orderId, object: 'order' } });
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    expectContract('order_after_refund', answer.body);
    expect(await recorded(refundIdOf(answer))).toEqual({ status });
  });

  it.each(CHECKPOINTS)('should hold the whole amount, and show nothing as refunded, in %s (M2): %j', async (_, rest) => {
    expect(await bring(rest)).toMatchObject({ body: { amount_refunded: 0, payment_status: 'paid', is_refundable: false } });
    const more = await post({}, { 'idempotency-key': 'another-key' });
    expect(more).toMatchObject({ status: 428, body: { type: 'precondition_required_error', details: [{ code: 'conekta.errors.precondition_required.combo.order.is_not_returnable' }] } });
  });

  it.each(['authorized', 'approved'] as const)('should show a refund that is %s as its provider does, with its state (CONTRACT §5)', async (status) => {
    const answer = await bring([{}, status, status]);
    expect(answer.body).toMatchObject({ amount_refunded: 50_000, is_refundable: false });
    for (const charge of answer.body.charges.data) expect(charge.refunds).toMatchObject({ total: 1, data: [{ status }] });
  });

  it.each([...CHECKPOINTS, ...SENT])('should join the same refund for the same key in %s, and tell another request apart (R8): %j', async (status, rest) => {
    const first = await bring(rest);
    const again = await post();
    expect(again).toMatchObject({ status: 202, headers: { location: `/orders/${orderId}`, 'idempotent-replayed': 'true', 'reintegro-refund-id': refundIdOf(first) }, body: first.body });
    expect(asked()).toEqual(['requestRefund', 'requestRefund']);
    expect(await recorded(refundIdOf(first))).toEqual({ status });
    api.client.reset();
    expectRefused(api, await post({ amount: 5 }), 422, 'parameter_validation_error');
    // Without Temporal the records tell what was taken in.
    api.client.reset({ requestRefund: async () => { throw new TemporalUnavailableError('down'); } });
    expect(await post()).toMatchObject({ status: 202, headers: { 'idempotent-replayed': 'true' }, body: first.body });
  });
});

describe('DELETE of a refund before it was sent (R4)', () => {
  it.each(CHECKPOINTS)('should call it off in %s, and free the amount (M4): %j', async (_, rest) => {
    const id = refundIdOf(await bring(rest));
    api.client.reset({ cancelRefund: async (merchantId, refundId) => {
      await cancelRefund(api.db, ACTING, merchantId, refundId);
      return { refundId, orderId, status: 'cancelled', statusDetail: 'by_request', refusal: null, amountMinor: 50_000, currency: 'MXN', fingerprint: '', needsAttention: false };
    } });
    expect(await remove(id)).toMatchObject({ status: 200, body: { id: orderId, amount_refunded: 0, is_refundable: true } });
    expect(await remove(id)).toMatchObject({ status: 200 });
    expect(api.client.calls).toEqual([{ method: 'cancelRefund', args: ['m_one', id, 'm_one_prefix', { waitMs: 50 }] }]);
  });

  it.each(CHECKPOINTS)('should answer 202 in %s while the verdict is out, and 428 when the send was first: %j', async (_, rest) => {
    const id = refundIdOf(await bring(rest));
    api.client.reset({ cancelRefund: async () => null });
    expect(await remove(id)).toMatchObject({ status: 202, body: { id: orderId, is_refundable: false } });
    const view = { refundId: id, orderId, status: 'in_process', statusDetail: 'sent', refusal: null, amountMinor: 1, currency: 'MXN', fingerprint: '', needsAttention: false } as const;
    api.client.reset({ cancelRefund: async () => { throw new NotCancellableError('sent', view); } });
    expect(await remove(id)).toMatchObject({ status: 428, body: { type: 'precondition_required_error', details: [{ code: 'conekta.errors.precondition_required.refund.is_in_process' }] } });
  });

  it.each(SENT)('should be refused with 428 once it is %s, whoever asks for it by whatever id, without asking the Workflow: %j', async (status, rest) => {
    const answer = await bring(rest);
    const providerIds = (answer.body.charges.data as { refunds: { data: { id: string }[] } | null }[]).flatMap(({ refunds }) => refunds?.data ?? []).map(({ id }) => id);
    for (const id of [refundIdOf(answer), ...providerIds]) {
      api.client.reset();
      const refused = await remove(id);
      expectRefused(api, refused, 428, 'precondition_required_error');
      expect(refused.body.details[0].code).toBe(`conekta.errors.precondition_required.refund.is_${status}`);
    }
  });
});

describe('a refund that ended without moving money', () => {
  const ends: readonly (readonly [string, Rest, UnsentEnd, string, number])[] = [
    ['contested by the payer', [{ requirePayerConfirmation: true }], { status: 'dismissed', statusDetail: 'contested_by_payer' }, 'dismissed', 428],
    ['not confirmed in time', [{ requirePayerConfirmation: true }], { status: 'cancelled', statusDetail: 'expired' }, 'cancelled', 200],
    ['not approved in time', [{ reviewThresholdMinor: 1 }], { status: 'cancelled', statusDetail: 'expired' }, 'cancelled', 200],
    ['refused by the second person', [{ reviewThresholdMinor: 1 }], { status: 'rejected', statusDetail: 'refused_in_review' }, 'declined', 428],
    ['called off while it was deferred', [{ cancellationWindowMs: 1 }], { status: 'cancelled', statusDetail: 'by_request' }, 'cancelled', 200],
  ];

  it.each(ends)('should answer its key with 402 and the order as it is, and need no Workflow for it: %s', async (_, rest, end, word, onDelete) => {
    const id = refundIdOf(await bring(rest));
    await cancelRefund(api.db, ACTING, 'm_one', id, end);
    api.client.reset();
    const answer = await post();
    expect(answer).toMatchObject({ status: 402, headers: { 'idempotent-replayed': 'true', 'reintegro-refund-id': id }, body: { type: 'processing_error', details: [{ code: `conekta.errors.processing.charge_operations.refund.${word}` }] } });
    expect(answer.body.data).toMatchObject({ id: orderId, amount_refunded: 0, payment_status: 'paid', is_refundable: true });
    expectContract('error', answer.body);
    expectContract('order_after_refund', answer.body.data);
    const removed = await remove(id);
    expect(removed.status).toBe(onDelete);
    if (onDelete === 428) expect(removed.body.details[0].code).toBe(`conekta.errors.precondition_required.refund.is_${end.status}`);
    expect(asked()).toEqual([]);
  });

  it('should be answered with 402 to a caller who waited for it', async () => {
    await saveRefundPolicy(api.db, 'm_one', { requirePayerConfirmation: true });
    api.client.reset({ requestRefund: async (refund) => {
      const answer = await playRefund(api.db, refund);
      await cancelRefund(api.db, ACTING, 'm_one', answer.refundId, { status: 'dismissed', statusDetail: 'contested_by_payer' });
      return answer;
    } });
    const answer = await post();
    expect(answer).toMatchObject({ status: 402, body: { details: [{ code: 'conekta.errors.processing.charge_operations.refund.dismissed' }], data: { amount_refunded: 0 } } });
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
  });
});

describe('a refund that failed after it had succeeded (R9)', () => {
  const legsOf = (refundId: string) => api.db.selectFrom('legs').select('leg_id').where('refund_id', '=', refundId).orderBy('leg_id').execute();

  it('should answer its key with the truth of today, show nothing as refunded, and be refundable again', async () => {
    const first = await bring([{}, 'succeeded', 'succeeded']);
    expect(first.status).toBe(200);
    const refundId = refundIdOf(first);
    for (const { leg_id: legId } of await legsOf(refundId)) await failPlayedLate(api.db, { merchantId: 'm_one', refundId, legId });
    api.client.reset();
    const answer = await post();
    expect(answer).toMatchObject({ status: 402, headers: { 'idempotent-replayed': 'true' }, body: { details: [{ code: 'conekta.errors.processing.charge_operations.refund.declined', debug_message: 'The refund was declined (failed_late).' }] } });
    expect(answer.body.data).toMatchObject({ amount_refunded: 0, payment_status: 'paid', is_refundable: true });
    expectContract('order_after_refund', answer.body.data);
    for (const id of [refundId, String(first.body.charges.data[0].refunds.data[0].id)]) expect(await remove(id)).toMatchObject({ status: 428, body: { details: [{ code: 'conekta.errors.precondition_required.refund.is_rejected' }] } });
    expect(asked()).toEqual([]);
    api.client.reset({ requestRefund: (refund) => playRefund(api.db, refund) });
    expect(await post({}, { 'idempotency-key': 'once-more' })).toMatchObject({ status: 200, body: { amount_refunded: 50_000, payment_status: 'refunded' } });
  });

  it('should say so when one charge of a split order was taken back (R2)', async () => {
    const refundId = refundIdOf(await bring([{}, 'succeeded', 'succeeded']));
    const [leg] = await legsOf(refundId);
    await failPlayedLate(api.db, { merchantId: 'm_one', refundId, legId: leg?.leg_id ?? '' });
    api.client.reset();
    const answer = await post();
    expect(answer).toMatchObject({ status: 402, body: { details: [{ code: 'conekta.errors.processing.charge_operations.refund.partially_declined' }], data: { payment_status: 'partially_refunded', is_refundable: true } } });
    expect(await remove(refundId)).toMatchObject({ status: 428, body: { details: [{ code: 'conekta.errors.precondition_required.refund.is_refunded' }] } });
  });
});
