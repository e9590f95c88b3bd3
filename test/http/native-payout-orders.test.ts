import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotCancellableError, NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { openCase } from '../../src/store/cases.ts';
import { follow, recordedPayoutOrder } from './native-scene.ts';
import type { Course } from './native-scene.ts';
import { OTHER_KEY, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

const OTHERS = { authorization: `Bearer ${OTHER_KEY}` };
const BEGUN = ['reference_issued', 'withdrawal_begun'] as const;
const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

let api: TestApi;
beforeAll(async () => { api = await startApi(); });
beforeEach(() => api.client.reset());
afterAll(() => api.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return api.call('GET', path, undefined, headers);
}

describe('GET /v1/payout_orders/{id} (A3)', () => {
  it('should show the whole payout order, amounts in minor units and times in ISO-8601 (M1)', async () => {
    const expires_at = Math.floor(Date.now() / 1000) + 7200;
    const id = await recordedPayoutOrder(api, ['reference_issued'], { allowed_payout_methods: ['cash', 'cashout'], expires_at });
    const answer = await get(`/v1/payout_orders/${id}`);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({
      id, status: 'pending', status_detail: 'pending', needs_attention: false, amount: 3000, currency: 'MXN', allowed_payout_methods: ['cash', 'cashout'], payout_method_type: 'cash',
      customer_id: 'cus_23874283647', reason: 'Referencia de devolución', expires_at: new Date(expires_at * 1000).toISOString(), created_at: MOMENT, updated_at: MOMENT,
      metadata: { custom_client_id: '12345' }, provider: 'conekta', provider_payout_order_id: `provider_${id}`, cases: [],
    });
  });

  it('should say why one stays open, and that the provider has none (P1)', async () => {
    const id = await recordedPayoutOrder(api, 'refused');
    expect((await get(`/v1/payout_orders/${id}`)).body).toMatchObject({ status: 'open', status_detail: 'conekta.errors.processing.payout.declined', provider_payout_order_id: null });
  });

  it('should show the open cases with what may be done, and no others (O1)', async () => {
    const id = await recordedPayoutOrder(api);
    await openCase(api.db, { merchantId: 'm_one', payoutOrderId: id, kind: 'contradiction' });
    await openCase(api.db, { merchantId: 'm_one', payoutOrderId: id, kind: 'outcome_unknown' });
    await openCase(api.db, { merchantId: 'm_one', payoutOrderId: id, kind: 'late_reversal' });
    await api.db.updateTable('cases').set({ status: 'resolved' }).where('payout_order_id', '=', id).where('kind', '=', 'contradiction').execute();
    expect((await get(`/v1/payout_orders/${id}`)).body).toMatchObject({ needs_attention: true, cases: [
      { kind: 'outcome_unknown', opened_at: MOMENT, actions: ['retry'] }, { kind: 'late_reversal', opened_at: MOMENT },
    ] });
  });

  it('should be 404 for an unknown one and for another merchant\'s, without a word about which', async () => {
    const id = await recordedPayoutOrder(api);
    const [theirs, unknown] = [await get(`/v1/payout_orders/${id}`, OTHERS), await get('/v1/payout_orders/unknown')];
    for (const answer of [theirs, unknown]) expect(answer).toMatchObject({ status: 404, body: { code: 'object_not_found' } });
    expect(theirs.body.detail.replace(id, 'unknown')).toBe(unknown.body.detail);
  });
});

describe('GET /v1/payout_orders (A3)', () => {
  it('should page newest first to the end by its cursor, without cases, while new ones arrive', async () => {
    const changes = { customer_info: { customer_id: 'cus_pages' } };
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.unshift(await recordedPayoutOrder(api, ['reference_issued'], changes));
    const page = async (query: string): Promise<{ data: Record<string, unknown>[]; next_cursor: string | null }> => (await get(`/v1/payout_orders?search=cus_pages${query}`)).body;
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { data, next_cursor } = await page(`&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(data.every((order) => !('cases' in order) && 'status' in order)).toBe(true);
      seen.push(...data.map(({ id }) => id));
      cursor = next_cursor;
      await recordedPayoutOrder(api, ['reference_issued'], changes);
    }
    expect(seen).toEqual(ids);
    expect(await page('&limit=250')).toMatchObject({ next_cursor: null, data: { length: 8 } });
    expect((await get('/v1/payout_orders', OTHERS)).body).toEqual({ data: [], next_cursor: null });
  });

  it('should show those of one status or of several, with search', async () => {
    const made: Record<string, string> = {};
    for (const [name, course] of [['refused', 'refused'], ['pending', ['reference_issued']], ['begun', BEGUN], ['withdrawn', [...BEGUN, 'confirmed']], ['cancelled', ['reference_issued', 'cancelled']]] as const satisfies readonly (readonly [string, Course])[]) {
      made[name] = await recordedPayoutOrder(api, course, { reason: name === 'begun' ? '100% begun' : 'reason' });
    }
    const names = new Map(Object.entries(made).map(([name, id]) => [id, name]));
    const find = async (query: string): Promise<unknown[]> => (await get(`/v1/payout_orders?limit=250&${query}`)).body.data.flatMap(({ id }: { id: string }) => names.get(id) ?? []);
    expect(await find('status=open')).toEqual(['refused']);
    expect(await find('status=withdrawn,pending')).toEqual(['withdrawn', 'pending']);
    expect(await find('status=pending,pending')).toEqual(['pending']);
    expect(await find('status=expired')).toEqual([]);
    expect(await find('status=open,pending,pending_confirmation,withdrawn,cancelled,expired,reversed')).toHaveLength(5);
    expect(await find('status=pending_confirmation,pending&search=100%25')).toEqual(['begun']);
    expect(await find(`search=provider_${made['pending']}`)).toEqual(['pending']);
    expect(await find(`status=withdrawn,pending&cursor=${made['withdrawn']}`)).toEqual(['pending']);
    expect(await find(`status=pending&cursor=${made['pending']}`)).toEqual([]);
  });

  it.each([
    ['limit=0', 'limit'], ['limit=251', 'limit'], ['limit=1.5', 'limit'], ['limit=', 'limit'], ['limit=1&limit=2', 'limit'], ['cursor=', 'cursor'], ['cursor=unknown', 'cursor'], ['cursor=%27', 'cursor'], ['search=%00', 'search'],
    ['status=', 'status'], ['status=paid', 'status'], ['status=pending,', 'status'], ['status=pending,%20open', 'status'], ['status=PENDING', 'status'], ['next=x', 'next'], ['previous=x', 'previous'],
  ])('should refuse ?%s with 422 naming %s', async (query, param) => {
    expect(await get(`/v1/payout_orders?${query}`)).toMatchObject({ status: 422, body: { errors: [{ param }] } });
  });

  it('should not take another merchant\'s payout order for a cursor (A1)', async () => {
    const id = await recordedPayoutOrder(api);
    expect(await get(`/v1/payout_orders?cursor=${id}`, OTHERS)).toMatchObject({ status: 422, body: { errors: [{ param: 'cursor' }] } });
  });
});

describe('POST /v1/payout_orders/{id}/cancel (P4)', () => {
  const cancel = (id: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => api.call('POST', `/v1/payout_orders/${id}/cancel`, body, headers);

  it('should answer 200 with the cancelled payout order, and again the same', async () => {
    const id = await recordedPayoutOrder(api);
    api.client.reset({ cancelPayoutOrder: () => follow(api, id, 'cancelled') });
    const first = await cancel(id);
    expect(first).toMatchObject({ status: 200, body: { id, status: 'cancelled', amount: 3000 } });
    expect(await cancel(id, {})).toMatchObject({ status: 200, body: first.body });
    expect(api.client.calls).toEqual([{ method: 'cancelPayoutOrder', args: ['m_one', id, 'm_one_prefix', { waitMs: 50 }] }]);
  });

  it('should answer 202 with the place to look while the verdict is out', async () => {
    const id = await recordedPayoutOrder(api, BEGUN);
    api.client.reset({ cancelPayoutOrder: async () => null });
    expect(await cancel(id)).toMatchObject({ status: 202, body: { id, status: 'pending_confirmation' }, headers: { location: `/v1/payout_orders/${id}` } });
  });

  it.each<[string, Course]>([['open', 'refused'], ['withdrawn', [...BEGUN, 'confirmed']], ['expired', ['reference_issued', 'expired']], ['reversed', [...BEGUN, 'reversed']]])('should refuse one that is %s with 409, unchanged', async (status, course) => {
    const id = await recordedPayoutOrder(api, course);
    expect(await cancel(id)).toMatchObject({ status: 409, body: { status: 409, code: 'payout_order_not_cancellable', detail: `The payout order is ${status} and can not be cancelled.` } });
    expect((await get(`/v1/payout_orders/${id}`)).body.status).toBe(status);
    expect(api.client.calls).toEqual([]);
  });

  it.each([
    ['the provider refuses', async () => { throw new NotCancellableError('cash is out', null); }, 409, 'payout_order_not_cancellable'], ['its Workflow is gone', async () => { throw new NotRunningError('gone'); }, 503, 'unavailable'], ['Temporal is gone', async () => { throw new TemporalUnavailableError('gone'); }, 503, 'unavailable'],
  ])('should tell the truth when %s', async (_, cancelPayoutOrder, status, code) => {
    const id = await recordedPayoutOrder(api, BEGUN);
    api.client.reset({ cancelPayoutOrder });
    const answer = await cancel(id);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
  });

  it('should be 404 to another merchant, and 422 with anything in its body', async () => {
    const id = await recordedPayoutOrder(api);
    expect((await cancel(id, undefined, OTHERS)).status).toBe(404);
    expect(await cancel(id, { reason: 'x' })).toMatchObject({ status: 422, body: { errors: [{ param: 'reason', code: 'param_not_allowed' }] } });
    expect(api.client.calls).toEqual([]);
  });
});
