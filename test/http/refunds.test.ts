import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyReusedError, NotCancellableError, NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import type { NewRefund, RefundAnswer } from '../../src/client/reintegro-client.ts';
import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { chargeIdOf, playRefund, recordOrder } from './played-workflows.ts';
import type { LegFate } from './played-workflows.ts';
import { expectContract, expectRefused, OTHER_KEY, seed, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

const PAID = seed('error.split_payment_charge_id_required.es.json')['data'] as Record<string, unknown>;
let api: TestApi;
let orderId = '';
let orders = 0;
beforeAll(async () => { api = await startApi(); });
afterAll(() => api.close());
beforeEach(async () => {
  orders += 1;
  orderId = `ord_2tgvDBAmxTMq${orders}`;
  await recordOrder(api.db, 'm_one', PAID, orderId);
  scriptRefund();
});

function scriptRefund(...fates: LegFate[]): void {
  api.client.reset({ requestRefund: (refund) => playRefund(api.db, refund, fates.length === 0 ? undefined : fates) });
}

function refund(body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return api.call('POST', `/orders/${orderId}/refunds`, body, headers);
}

describe('POST /orders/{id}/refunds', () => {
  it('should answer a total refund with the whole order of the seed (seed 002)', async () => {
    const answer = await refund({ reason: 'requested_by_client' });
    expect(answer.status).toBe(200);
    expectContract('order_after_refund', answer.body);
    const expected = seed('order.refund.response.json') as { charges: { data: Record<string, unknown>[] } };
    const { charges, ...order } = expected;
    expect(answer.body).toMatchObject({ ...order, id: orderId, line_items: expect.anything() as unknown });
    for (const [index, charge] of charges.data.entries()) {
      const given = answer.body.charges.data[index];
      expect({ ...given, fee: undefined }).toMatchObject({ ...charge, id: chargeIdOf(orderId, index), order_id: orderId, refunds: expect.objectContaining({ object: 'list', has_more: false, total: 1 }) as unknown });
      expect(given.refunds.data[0]).toMatchObject({ object: 'refund', amount: -(charge['amount'] as number) });
    }
  });

  it('should tell the client who asks for what, once, and always answer the key used (R8, R11)', async () => {
    const answer = await refund({ charge_id: chargeIdOf(orderId, 0), amount: 100, reason: 'other', expires_at: 1_700_000_000 }, { 'idempotency-key': '"k-1"' });
    expect(answer).toMatchObject({ status: 200, headers: { 'idempotency-key': 'k-1', 'reintegro-refund-id': deriveRefundId('m_one', orderId, 'k-1') } });
    expect(api.client.calls).toEqual([{ method: 'requestRefund', args: [
      { merchantId: 'm_one', orderId, chargeId: chargeIdOf(orderId, 0), amountMinor: 100, reason: 'other', idempotencyKey: 'k-1', requestedBy: 'm_one_prefix' },
      { waitMs: 50, firstAnswerSuffices: true, shownMoney: { amountMinor: 100, currency: 'MXN' }, shownProvider: 'conekta' },
    ] }]);
    expect(answer.body).toMatchObject({ amount_refunded: 100, payment_status: 'partially_refunded', is_refundable: true });
    expect(answer.body.charges.data.map((charge: { status: string }) => charge.status)).toEqual(['partially_refunded', 'paid']);
  });

  it.each([
    ['an empty JSON body', { 'content-type': 'application/json' }], ['the SDK\'s empty form', { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' }], ['nothing at all', {}],
  ])('should take %s as a total refund (CONTRACT §1)', async (_, headers) => {
    const answer = await api.call('POST', `/orders/${orderId}/refunds`, undefined, headers as Record<string, string>);
    expect(answer).toMatchObject({ status: 200, body: { payment_status: 'refunded' } });
    expect(answer.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('should refuse with the seed\'s body when a charge is not returnable (R1)', async () => {
    await refund({ charge_id: chargeIdOf(orderId, 0) });
    const answer = await refund();
    expect(answer).toMatchObject({ status: 428, body: { ...seed('error.order_not_returnable.es.json'), log_id: expect.any(String) as string } });
    expectContract('error', answer.body);
  });

  it('should refuse a part of a split order without a charge, with the untouched order (seed 002)', async () => {
    const answer = await refund({ amount: 100 });
    const expected = seed('error.split_payment_charge_id_required.es.json');
    expect(answer.status).toBe(402);
    expect({ ...answer.body, data: null, log_id: null }).toEqual({ ...expected, data: null, log_id: null });
    const untouched = JSON.parse(JSON.stringify(PAID).replaceAll('ord_2tgvDBAmxTMqSftQE', orderId)) as { charges: { data: object[] } };
    untouched.charges.data = untouched.charges.data.map((charge, index) => ({ ...charge, id: chargeIdOf(orderId, index) }));
    expect(answer.body.data).toEqual(untouched);
  });

  it('should name the amount that exceeds what remains (R1)', async () => {
    const answer = await refund({ charge_id: chargeIdOf(orderId, 1), amount: 20_001 });
    expect(answer).toMatchObject({ status: 422, body: { type: 'parameter_validation_error', details: [{ param: 'amount' }] } });
  });

  it('should answer 404 for an unknown charge and an unknown order, naming them', async () => {
    const charge = await refund({ charge_id: 'ch_unknown' });
    expect(charge).toMatchObject({ status: 404, body: { details: [{ debug_message: 'The object Charge "ch_unknown" could not be found.' }] } });
    const order = await api.call('POST', '/orders/ord_x/refunds', {});
    expect(order).toMatchObject({ status: 404, body: { details: [{ debug_message: 'The object Order "ord_x" could not be found.' }] } });
  });

  it('should keep another merchant out of an order', async () => {
    expect(await refund({}, { authorization: `Bearer ${OTHER_KEY}` })).toMatchObject({ status: 404 });
  });

  it('should answer a declined refund with 402 and the order as it is', async () => {
    scriptRefund('refused', 'refused');
    const answer = await refund();
    expect(answer).toMatchObject({ status: 402, body: { type: 'processing_error', data: { amount_refunded: 0, payment_status: 'paid', is_refundable: true } } });
    expectContract('order_after_refund', answer.body.data);
  });

  it('should answer 402 with what the books say when one leg was refused after another succeeded (R2)', async () => {
    scriptRefund('succeeded', 'refused');
    expect(await refund()).toMatchObject({ status: 402, body: { details: [{ code: expect.stringContaining('partially_declined') as string }], data: { amount_refunded: 30_000, payment_status: 'partially_refunded' } } });
  });

  it('should answer 202 with the order while the outcome is out (R10)', async () => {
    scriptRefund('sending', 'sending');
    const answer = await refund();
    expect(answer).toMatchObject({ status: 202, headers: { location: `/orders/${orderId}` }, body: { id: orderId, amount_refunded: 0, is_refundable: false } });
    expectContract('order_after_refund', answer.body);
  });

  it('should answer 202 with no more than the order\'s name when nothing is known yet, never a 5xx', async () => {
    api.client.reset({ requestRefund: async ({ merchantId, orderId: order, idempotencyKey }) => ({ kind: 'accepted', refundId: deriveRefundId(merchantId, order, idempotencyKey) }) });
    expect(await api.call('POST', '/orders/ord_new/refunds', {})).toMatchObject({ status: 202, body: { object: 'order', id: 'ord_new' } });
  });

  it('should answer 202 when the database is lost after the refund was taken in', async () => {
    const other = await startApi();
    other.client.reset({ requestRefund: async (asked) => {
      await other.db.destroy();
      return { kind: 'answered', refundId: 'rfd_1', view: { refundId: 'rfd_1', orderId: asked.orderId, status: 'refunded', statusDetail: 'complete', refusal: null, amountMinor: 1, currency: 'MXN', fingerprint: '', needsAttention: false } };
    } });
    expect(await other.call('POST', '/orders/ord_1/refunds', {})).toMatchObject({ status: 202, body: { object: 'order', id: 'ord_1' } });
    await other.app.close();
  });

  it('should answer 503 with Retry-After and the key when it is not known whether it was taken in', async () => {
    api.client.reset({ requestRefund: async () => { throw new TemporalUnavailableError('10.0.0.1 refused'); } });
    const answer = await refund();
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1', 'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/) as string }, body: { type: 'api_error' } });
    expect(JSON.stringify(answer.body)).not.toContain('10.0.0.1');
  });

  it('should keep the key on the answer and the defect to itself when something unforeseen is thrown', async () => {
    api.client.reset({ requestRefund: async () => { throw new Error('secret detail'); } });
    const answer = await refund({}, { 'idempotency-key': 'k' });
    expect(answer).toMatchObject({ status: 500, headers: { 'idempotency-key': 'k' }, body: { type: 'api_error', details: [{ code: 'conekta.errors.api.system.general_failure' }] } });
    expect(JSON.stringify(answer.body) + api.log()).not.toContain('secret detail');
  });
});

describe('Idempotency-Key of a refund (R8)', () => {
  const key = { 'idempotency-key': 'order-7' };

  it('should answer a repeated request from the records, whatever the order of its fields, without asking again', async () => {
    const first = await refund({ charge_id: chargeIdOf(orderId, 0), amount: 100 }, key);
    api.client.reset();
    const second = await refund(`{ "amount" : 100,\n "charge_id":"${chargeIdOf(orderId, 0)}" }`, { 'idempotency-key': '"order-7"' });
    expect(second).toMatchObject({ status: 200, headers: { 'idempotent-replayed': 'true', 'idempotency-key': 'order-7' }, body: first.body });
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(api.client.calls).toEqual([]);
  });

  it('should repeat a refusal as it was', async () => {
    const first = await refund({ amount: 100 }, key);
    api.client.reset();
    const second = await refund({ amount: 100 }, key);
    expect({ ...second.body, log_id: null }).toEqual({ ...first.body, log_id: null });
    expect(second).toMatchObject({ status: 402, headers: { 'idempotent-replayed': 'true' } });
  });

  it('should refuse another body under the same key and leave the refund alone', async () => {
    await refund({ charge_id: chargeIdOf(orderId, 0), amount: 100 }, key);
    api.client.reset();
    expectRefused(api, await refund({ charge_id: chargeIdOf(orderId, 0), amount: 101 }, key), 422, 'parameter_validation_error');
  });

  it('should refuse another body while the first is still under way, answered or not', async () => {
    api.client.reset({ requestRefund: async () => { throw new KeyReusedError('other'); } });
    expect(await refund({ amount: 5 }, key)).toMatchObject({ status: 422, body: { details: [{ code: 'conekta.errors.parameter_validation.idempotency_key.reused' }] } });
    api.client.reset({ requestRefund: async (asked) => {
      const other: NewRefund = { ...asked, amountMinor: undefined };
      const { refundId } = await playRefund(api.db, other, ['sending', 'sending']);
      return { kind: 'accepted', refundId };
    } });
    expect(await refund({ amount: 5 }, { 'idempotency-key': 'order-8' })).toMatchObject({ status: 422 });
  });

  it('should keep merchants and orders apart', async () => {
    await refund({ charge_id: chargeIdOf(orderId, 0), amount: 100 }, key);
    const firstOrder = orderId;
    orderId = `${orderId}b`;
    await recordOrder(api.db, 'm_one', PAID, orderId);
    expect(await refund({ charge_id: chargeIdOf(orderId, 0), amount: 7 }, key)).toMatchObject({ status: 200, body: { amount_refunded: 7 } });
    orderId = firstOrder;
    await api.db.deleteFrom('orders').where('merchant_id', '=', 'm_two').execute();
    expect(await refund({ amount: 9 }, { ...key, authorization: `Bearer ${OTHER_KEY}` })).toMatchObject({ status: 404 });
  });

  it('should show the present state of a refund that was under way, and join it', async () => {
    scriptRefund('sending', 'sending');
    expect((await refund({}, key)).status).toBe(202);
    const joined: RefundAnswer['kind'][] = [];
    api.client.reset({ requestRefund: async (asked) => {
      const answer = await playRefund(api.db, asked, []);
      joined.push(answer.kind);
      return answer;
    } });
    expect(await refund({}, key)).toMatchObject({ status: 202, headers: { 'idempotent-replayed': 'true' } });
    expect(joined).toEqual(['answered']);
    api.client.reset({ requestRefund: async () => { throw new TemporalUnavailableError('gone'); } });
    expect(await refund({}, key)).toMatchObject({ status: 202, headers: { 'idempotent-replayed': 'true' } });
  });

  it('should render from the records a refund that Temporal has closed, and say so when there are none', async () => {
    api.client.reset({ requestRefund: async (asked) => {
      const { refundId } = await playRefund(api.db, asked);
      return { kind: 'closed', refundId };
    } });
    expect(await refund({}, key)).toMatchObject({ status: 200, body: { payment_status: 'refunded' } });
    api.client.reset({ requestRefund: async () => ({ kind: 'closed', refundId: 'rfd_none' }) });
    expect(await refund({}, { 'idempotency-key': 'stopped' })).toMatchObject({ status: 409, body: { type: 'conflict_error' } });
  });
});

describe('DELETE /orders/{id}/refunds/{refund_id}', () => {
  const acting = { actor: 'a', workflowId: 'w', runId: 'r' };
  const refundIdOf = (answer: Answer): string => String(answer.headers['reintegro-refund-id']);

  async function reserved(): Promise<string> {
    const first = `first${orders}`;
    scriptRefund('sending', 'sending');
    await refund({ charge_id: chargeIdOf(orderId, 0), amount: 1 }, { 'idempotency-key': first });
    const waiting = await refund({ charge_id: chargeIdOf(orderId, 0), amount: 2 }, { 'idempotency-key': `${first}-waiting` });
    return refundIdOf(waiting);
  }

  it('should call off a refund that was not sent, and answer the order (R4)', async () => {
    const id = await reserved();
    api.client.reset({ cancelRefund: async (merchantId, refundId) => {
      await cancelRefund(api.db, acting, merchantId, refundId);
      return { refundId, orderId, status: 'cancelled', statusDetail: 'by_request', refusal: null, amountMinor: 2, currency: 'MXN', fingerprint: '', needsAttention: false };
    } });
    const answer = await api.call('DELETE', `/orders/${orderId}/refunds/${id}`);
    expect(answer).toMatchObject({ status: 200, body: { id: orderId, object: 'order' } });
    expect(api.client.calls).toEqual([{ method: 'cancelRefund', args: ['m_one', id, 'm_one_prefix', { waitMs: 50 }] }]);
    api.client.reset();
    expect(await api.call('DELETE', `/orders/${orderId}/refunds/${id}`)).toMatchObject({ status: 200 });
    expect(api.client.calls).toEqual([]);
  });

  it('should refuse a settled refund with 428, by our id and by the provider\'s', async () => {
    const done = await refund({ charge_id: chargeIdOf(orderId, 0) });
    const providerId = String(done.body.charges.data[0].refunds.data[0].id);
    for (const id of [refundIdOf(done), providerId]) {
      api.client.reset();
      const answer = await api.call('DELETE', `/orders/${orderId}/refunds/${id}`);
      expectRefused(api, answer, 428, 'precondition_required_error');
      expect(answer.body.details[0].code).toBe('conekta.errors.precondition_required.refund.is_refunded');
    }
  });

  it('should answer 404 for another order\'s and another merchant\'s refund', async () => {
    const id = await reserved();
    api.client.reset();
    expectRefused(api, await api.call('DELETE', `/orders/ord_other/refunds/${id}`), 404, 'resource_not_found_error');
    expectRefused(api, await api.call('DELETE', `/orders/${orderId}/refunds/${id}`, undefined, { authorization: `Bearer ${OTHER_KEY}` }), 404, 'resource_not_found_error');
  });

  it.each([
    ['the Workflow refuses', async () => { throw new NotCancellableError('sent', { refundId: '', orderId: '', status: 'in_process', statusDetail: '', refusal: null, amountMinor: 1, currency: 'MXN', fingerprint: '', needsAttention: false }); }, 428],
    ['the verdict is out', async () => null, 202], ['its Workflow is gone', async () => { throw new NotRunningError('gone'); }, 503], ['Temporal is gone', async () => { throw new TemporalUnavailableError('gone'); }, 503],
  ])('should tell the truth when %s', async (_, script, status) => {
    const id = await reserved();
    api.client.reset({ cancelRefund: script });
    const answer = await api.call('DELETE', `/orders/${orderId}/refunds/${id}`);
    expect(answer.status).toBe(status);
    if (status === 428) expect(answer.body.details[0].code).toBe('conekta.errors.precondition_required.refund.is_in_process');
  });
});
