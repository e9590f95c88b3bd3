import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NotCancellableError, NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { derivePayoutOrderId } from '../../src/client/identifiers.ts';
import type { PayoutOrderEvent } from '../../src/domain/payout-order.ts';
import { movePayoutOrder } from '../../src/store/payout-orders/settle.ts';
import { playPayoutOrder } from './played-workflows.ts';
import { expectContract, expectRefused, OTHER_KEY, payoutBody, seed, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => { api = await startApi(); });
afterAll(() => api.close());
beforeEach(() => play());

function play(course?: readonly PayoutOrderEvent[] | 'refused' | 'verifying'): void {
  api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order, course) });
}

async function created(course?: readonly PayoutOrderEvent[] | 'refused'): Promise<string> {
  play(course);
  const answer = await api.call('POST', '/payout_orders', payoutBody());
  api.client.reset();
  return String(answer.body.id);
}

function cancel(id: string, headers: Record<string, string> = {}): Promise<Answer> {
  return api.call('PUT', `/payout_orders/${id}/cancel`, undefined, headers);
}

describe('POST /payout_orders', () => {
  it('should answer 200 with the seed\'s fields and OpenAPI\'s (CONTRACT §3, P7)', async () => {
    const body = payoutBody();
    const answer = await api.call('POST', '/payout_orders', body);
    expect(answer.status).toBe(200);
    expectContract('payout_order', answer.body);
    const expires_at = body['expires_at'];
    const expected = seed('payout_order.cancel.response.json');
    const payouts = (expected['payouts'] as object[]).map((payout) => ({ ...payout, id: expect.stringMatching(/^payout_/) as string, expires_at, livemode: false, payout_order_id: answer.body.id as string, status: 'pending' }));
    expect(answer.body).toEqual({
      ...expected, id: answer.body.id, status: 'pending', expires_at, payouts, livemode: false, created_at: expect.any(Number) as number, updated_at: expect.any(Number) as number, customer_info: { id: 'cus_23874283647' },
    });
  });

  it('should pass on exactly what was asked', async () => {
    const body = payoutBody();
    const answer = await api.call('POST', '/payout_orders', body, { 'idempotency-key': 'p-1' });
    expect(answer.body.id).toBe(derivePayoutOrderId('m_one', 'p-1'));
    expect(api.client.calls).toEqual([{ method: 'createPayoutOrder', args: [{
      merchantId: 'm_one', amountMinor: 3000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash', customerId: 'cus_23874283647', reason: 'Referencia de devolución',
      expiresAt: new Date((body['expires_at'] as number) * 1000), metadata: { custom_client_id: '12345' }, idempotencyKey: 'p-1', requestedBy: 'm_one_prefix',
    }, { waitMs: 50, firstAnswerSuffices: true }] }]);
  });

  it('should take OpenAPI\'s method word and no metadata', async () => {
    const { metadata: _, ...body } = payoutBody({ allowed_payout_methods: ['cashout'], payout: { payout_method: { type: 'cashout' } } });
    expect(await api.call('POST', '/payout_orders', body)).toMatchObject({ status: 200, body: { allowed_payout_methods: ['cashout'], metadata: {}, payouts: [{ payout_method: { type: 'cashout' } }] } });
  });

  it('should answer 200 and open when issuing failed for good, 202 and open while it is out (P1)', async () => {
    play('refused');
    expect(await api.call('POST', '/payout_orders', payoutBody())).toMatchObject({ status: 200, body: { status: 'open' } });
    play('verifying');
    const answer = await api.call('POST', '/payout_orders', payoutBody());
    expect(answer).toMatchObject({ status: 202, body: { status: 'open' }, headers: { location: `/payout_orders/${String(answer.body.id)}` } });
    expectContract('payout_order', answer.body);
  });

  it('should answer 202 when it is taken in and not on record yet', async () => {
    api.client.reset({ createPayoutOrder: async () => ({ kind: 'accepted', payoutOrderId: '00000000-0000-8000-8000-000000000001' }) });
    expect(await api.call('POST', '/payout_orders', payoutBody())).toMatchObject({ status: 202, body: { id: '00000000-0000-8000-8000-000000000001', status: 'open', amount: 3000, payouts: [{ id: expect.stringMatching(/^payout_[0-9a-z]{19}$/) as string, status: 'open' }] } });
  });

  it('should replay the same key and value, even after the reference ran out (R8)', async () => {
    const body = payoutBody();
    const first = await api.call('POST', '/payout_orders', body, { 'idempotency-key': 'p-2' });
    api.client.reset();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 7_200_000 });
    onTestFinished(() => void vi.useRealTimers());
    const reordered = Object.fromEntries(Object.entries(body).reverse());
    expect(await api.call('POST', '/payout_orders', reordered, { 'idempotency-key': '"p-2"' })).toMatchObject({ status: 200, body: first.body, headers: { 'idempotent-replayed': 'true', 'idempotency-key': 'p-2' } });
    expectRefused(api, await api.call('POST', '/payout_orders', body, { 'idempotency-key': 'p-2-other' }), 422, 'parameter_validation_error');
  });

  it.each([['amount', { amount: 3001 }], ['metadata', { metadata: { custom_client_id: '12346' } }], ['reason', { reason: 'otra' }]])('should refuse the same key with another %s (R8)', async (_, change) => {
    const key = { 'idempotency-key': `p-3-${JSON.stringify(change).length}` };
    const body = payoutBody();
    await api.call('POST', '/payout_orders', body, key);
    api.client.reset();
    expectRefused(api, await api.call('POST', '/payout_orders', { ...body, ...change }, key), 422, 'parameter_validation_error');
  });

  it('should answer 503 with the key to repeat it when Temporal is out', async () => {
    api.client.reset({ createPayoutOrder: async () => { throw new TemporalUnavailableError('gone'); } });
    expect(await api.call('POST', '/payout_orders', payoutBody())).toMatchObject({ status: 503, headers: { 'retry-after': '1', 'idempotency-key': expect.any(String) as string } });
  });
});

describe('GET /payout_orders/{id}', () => {
  it('should answer the record, and 404 to another merchant', async () => {
    const id = await created();
    const answer = await api.call('GET', `/payout_orders/${id}`);
    expect(answer).toMatchObject({ status: 200, body: { id, status: 'pending' } });
    expectContract('payout_order', answer.body);
    expectRefused(api, await api.call('GET', `/payout_orders/${id}`, undefined, { authorization: `Bearer ${OTHER_KEY}` }), 404, 'resource_not_found_error');
  });
});

describe('PUT /payout_orders/{id}/cancel', () => {
  it('should cancel, as the SDK and as the seed\'s curl ask for it, and again with the same body (P4)', async () => {
    const id = await created();
    api.client.reset({ cancelPayoutOrder: async (merchantId, payoutOrderId) => {
      const status = await movePayoutOrder(api.db, { actor: 'a', workflowId: 'w', runId: 'r' }, { merchantId, payoutOrderId }, () => ['cancelled']);
      return { payoutOrderId, status, statusDetail: status, fingerprint: '', needsAttention: false };
    } });
    const first = await cancel(id, { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' });
    expect(first).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
    expectContract('payout_order', first.body);
    expect(api.client.calls).toEqual([{ method: 'cancelPayoutOrder', args: ['m_one', id, 'm_one_prefix', { waitMs: 50 }] }]);
    const second = await cancel(id, { 'content-type': 'application/json' });
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(api.client.calls).toHaveLength(1);
  });

  it.each<[string, readonly PayoutOrderEvent[] | 'refused']>([
    ['open', 'refused'], ['withdrawn', ['reference_issued', 'withdrawal_begun', 'confirmed']], ['expired', ['reference_issued', 'expired']], ['reversed', ['reference_issued', 'withdrawal_begun', 'reversed']],
  ])('should refuse one that is %s with 428, unchanged (P4)', async (status, course) => {
    const id = await created(course);
    const answer = await cancel(id);
    expectRefused(api, answer, 428, 'precondition_required_error');
    expect(answer.body.details[0].code).toBe(`conekta.errors.precondition_required.payout_order.is_${status}`);
    expect((await api.call('GET', `/payout_orders/${id}`)).body.status).toBe(status);
  });

  it.each([
    ['the provider refuses', async () => { throw new NotCancellableError('cash is out', null); }, 428], ['the verdict is out', async () => null, 202],
    ['its Workflow is gone', async () => { throw new NotRunningError('gone'); }, 503], ['Temporal is gone', async () => { throw new TemporalUnavailableError('gone'); }, 503],
  ])('should tell the truth when %s', async (_, script, status) => {
    const id = await created(['reference_issued', 'withdrawal_begun']);
    api.client.reset({ cancelPayoutOrder: script });
    expect((await cancel(id)).status).toBe(status);
    expect((await api.call('GET', `/payout_orders/${id}`)).body.status).toBe('pending_confirmation');
  });

  it('should follow the records when the Workflow ended meanwhile (P5)', async () => {
    for (const [event, status] of [['cancelled', 200], ['expired', 428]] as const) {
      const id = await created();
      api.client.reset({ cancelPayoutOrder: async (merchantId, payoutOrderId) => {
        await movePayoutOrder(api.db, { actor: 'a', workflowId: 'w', runId: 'r' }, { merchantId, payoutOrderId }, () => [event]);
        throw new NotRunningError('ended');
      } });
      expect((await cancel(id)).status).toBe(status);
    }
  });

  it('should keep another merchant out', async () => {
    const id = await created();
    expectRefused(api, await cancel(id, { authorization: `Bearer ${OTHER_KEY}` }), 404, 'resource_not_found_error');
  });
});

describe('GET /payout_orders', () => {
  it('should page newest first both ways with addresses of our own (CONTRACT, Lists)', async () => {
    const other = await startApi();
    other.client.reset({ createPayoutOrder: (order) => playPayoutOrder(other.db, order) });
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const answer = await other.call('POST', '/payout_orders', payoutBody({ reason: count % 2 === 0 ? 'even 100%' : 'odd' }));
      ids.unshift(String(answer.body.id));
    }
    const get = async (url: string): Promise<Answer['body']> => {
      const { body, status } = await other.call('GET', url, undefined, { host: 'api.example.mx:3000' });
      expect(status).toBe(200);
      expectContract('page', body);
      return body;
    };
    const idsOf = (page: { data: { id: string }[] }): string[] => page.data.map((order) => order.id);
    const first = await get('/payout_orders?limit=2');
    expect(first).toMatchObject({ has_more: true, previous_page_url: null, next_page_url: `http://api.example.mx:3000/payout_orders?limit=2&next=${ids[1]}` });
    const second = await get(first.next_page_url);
    const third = await get(second.next_page_url);
    expect([first, second, third].map(idsOf)).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    expect(third).toMatchObject({ has_more: false, next_page_url: null });
    expect(idsOf(await get(third.previous_page_url))).toEqual(ids.slice(2, 4));
    expect(idsOf(await get(second.previous_page_url))).toEqual(ids.slice(0, 2));
    const found = await get('/payout_orders?limit=1&search=100%25');
    expect(found).toMatchObject({ has_more: true, next_page_url: `http://api.example.mx:3000/payout_orders?limit=1&search=100%25&next=${ids[0]}` });
    expect(idsOf(await get(found.next_page_url))).toEqual([ids[2]]);
    expect((await other.call('GET', '/payout_orders', undefined, { authorization: `Bearer ${OTHER_KEY}` })).body).toMatchObject({ data: [], has_more: false, next_page_url: null });
    await other.close();
  });
});
