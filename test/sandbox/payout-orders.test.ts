import { request as httpRequest } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { loadOrCreateWebhookKey } from '../../src/sandbox/webhook-key.ts';
import { receiveWebhooks } from './receive-webhooks.ts';
import { advanceClock, createPayout, expectShape, payoutRequest, startSandbox, temporaryFolder, type RunningSandbox } from './start-sandbox.ts';

const WINDOW_MS = 180_000;

/** Brings a fresh payout order into a status. */
async function payoutIn(sandbox: RunningSandbox, status: string): Promise<string> {
  const { id } = await createPayout(sandbox);
  const till = async (act: string): Promise<unknown> => sandbox.call('POST', `/sandbox/payout_orders/${id}/${act}`);
  if (['pending_confirmation', 'withdrawn', 'reversed'].includes(status)) await till('withdrawal');
  if (status === 'withdrawn') await till('confirmation');
  if (status === 'reversed') await till('reversal');
  if (status === 'cancelled') await sandbox.call('PUT', `/payout_orders/${id}/cancel`);
  if (status === 'expired') advanceClock(3_600_000);
  expect((await sandbox.call('GET', `/payout_orders/${id}`)).body.status).toBe(status);
  return id as string;
}

describe('POST /payout_orders', () => {
  it('should answer a pending payout order with a reference, in the shape of the contract (P7)', async () => {
    const sandbox = await startSandbox();
    const payout = await createPayout(sandbox);
    expectShape('payout_order', payout);
    expect(payout).toMatchObject({ status: 'pending', reference: expect.stringMatching(/^\d{12}$/), customer_info: { id: 'cus_23874283647' } });
    expect(payout.payouts[0]).toMatchObject({ payout_method: { object: 'payout_method', type: 'cash' }, payout_order_id: payout.id, status: 'pending' });
    expect((await sandbox.call('GET', `/payout_orders/${payout.id}`)).body).toEqual(payout);
    expect((await sandbox.call('GET', `/payout_orders/${payout.id}`, undefined, { authorization: 'Bearer key_other' })).status).toBe(404);
  });

  it.each([
    [{ allowed_payout_methods: undefined }, 'allowed_payout_methods', 'missing'], [{ amount: 0 }, 'amount', 'invalid'],
    [{ expires_at: 1_000_000_000 }, 'expires_at', 'invalid'], [{ customer_info: {} }, 'customer_info.customer_id', 'missing'],
    [{ reason: undefined }, 'reason', 'missing'],
  ])('should refuse %j with 422', async (over, param, flaw) => {
    const sandbox = await startSandbox();
    const { status, body } = await sandbox.call('POST', '/payout_orders', payoutRequest(over));
    expect([status, body.details[0].param, body.details[0].code]).toEqual([422, param, `conekta.errors.parameter_validation.${param}.${flaw}`]);
    expect((await sandbox.call('GET', '/payout_orders')).body.data).toEqual([]);
  });
});

describe('GET /payout_orders', () => {
  it('should find a payout order by id, reason and our id in the metadata (S4)', async () => {
    const sandbox = await startSandbox();
    const wanted = await createPayout(sandbox, { reason: 'Caja 7', metadata: { reintegro_id: 'our-wanted' } });
    await createPayout(sandbox);
    for (const search of [wanted.id, 'caja', 'our-wanted']) {
      const { body } = await sandbox.call('GET', `/payout_orders?search=${search}`);
      expectShape('page', body);
      expect(body.data).toEqual([wanted]);
    }
    expect((await sandbox.call('GET', '/payout_orders?search=nothing')).body.data).toEqual([]);
    const page = (await sandbox.call('GET', '/payout_orders?limit=1')).body;
    expect([page.data[0].id === wanted.id, page.has_more]).toEqual([false, true]);
  });
});

describe('the till', () => {
  // Written out from PRODUCT §6 and X5: what each act does to each status; null is 409.
  const EXPECTED = {
    pending: { withdrawal: 'pending_confirmation', confirmation: null, reversal: null },
    pending_confirmation: { withdrawal: null, confirmation: 'withdrawn', reversal: 'reversed' },
    withdrawn: { withdrawal: null, confirmation: null, reversal: null },
    reversed: { withdrawal: null, confirmation: null, reversal: null },
    cancelled: { withdrawal: null, confirmation: null, reversal: null },
    expired: { withdrawal: null, confirmation: null, reversal: null },
  } as const;
  const cases = Object.entries(EXPECTED).flatMap(([from, acts]) => Object.entries(acts).map(([act, to]) => [from, act, to] as const));

  it.each(cases)('should take %s by %s to %s (X5)', async (from, act, to) => {
    const sandbox = await startSandbox({ confirmationWindowMs: WINDOW_MS });
    const id = await payoutIn(sandbox, from);
    const { status, body } = await sandbox.call('POST', `/sandbox/payout_orders/${id}/${act}`);
    expect([status, to === null ? body.object : body.status]).toEqual([to === null ? 409 : 200, to ?? 'error']);
    expect((await sandbox.call('GET', `/payout_orders/${id}`)).body.status).toBe(to ?? from);
    expect(await sandbox.journal(`?payout_id=${id}`)).toEqual((to ?? from) === 'withdrawn' ? [['withdrawal', 3000]] : []);
  });

  it('should know a payout order by our id and by its reference, and tell 404 otherwise (X5)', async () => {
    const sandbox = await startSandbox();
    const payout = await createPayout(sandbox);
    expect((await sandbox.call('POST', `/sandbox/payout_orders/${payout.reference}/withdrawal`)).body.id).toBe(payout.id);
    expect((await sandbox.call('POST', '/sandbox/payout_orders/our-1/confirmation')).body.id).toBe(payout.id);
    expect((await sandbox.call('POST', '/sandbox/payout_orders/unknown/withdrawal')).status).toBe(404);
    expect(await sandbox.journal('?payout_id=our-1')).toEqual([['withdrawal', 3000]]);
  });

  it('should withdraw when the window ends, once, and refuse a reversal from then on (X5)', async () => {
    const sandbox = await startSandbox({ confirmationWindowMs: WINDOW_MS });
    const id = await payoutIn(sandbox, 'pending_confirmation');
    advanceClock(WINDOW_MS - 1000);
    expect((await sandbox.call('GET', `/payout_orders/${id}`)).body.status).toBe('pending_confirmation');
    advanceClock(1000);
    expect((await sandbox.call('POST', `/sandbox/payout_orders/${id}/reversal`)).status).toBe(409);
    expect((await sandbox.call('GET', `/payout_orders/${id}`)).body.status).toBe('withdrawn');
    expect(await sandbox.journal(`?payout_id=${id}`)).toEqual([['withdrawal', 3000]]);
  });

  it('should end the window by itself when nobody asks (X5)', async () => {
    const received: string[] = [];
    const { url } = await receiveWebhooks((event) => {
      received.push(event.type);
      return 200;
    });
    const { privateKeyPem } = loadOrCreateWebhookKey(temporaryFolder());
    const sandbox = await startSandbox({ confirmationWindowMs: 50, webhook: { url, privateKeyPem } });
    const { id } = await createPayout(sandbox);
    await sandbox.call('POST', `/sandbox/payout_orders/${id}/withdrawal`);
    await vi.waitUntil(() => received.includes('payout_order.withdrawn'), { timeout: 5000 });
  });

  it('should let a withdrawal begun before the expiry finish its window (P3)', async () => {
    const sandbox = await startSandbox({ confirmationWindowMs: WINDOW_MS });
    const { id } = await createPayout(sandbox, { expires_at: Math.floor(Date.now() / 1000) + 60 });
    await sandbox.call('POST', `/sandbox/payout_orders/${id}/withdrawal`);
    advanceClock(61_000);
    expect((await sandbox.call('POST', `/sandbox/payout_orders/${id}/confirmation`)).body.status).toBe('withdrawn');
  });
});

describe('PUT /payout_orders/{id}/cancel', () => {
  it.each([['pending', 200], ['cancelled', 200], ['pending_confirmation', 428], ['withdrawn', 428], ['reversed', 428], ['expired', 428]])(
    'should answer from %s with %i and change nothing unless it cancels (P4)', async (from, expected) => {
      const sandbox = await startSandbox();
      const id = await payoutIn(sandbox, from);
      const before = (await sandbox.call('GET', `/payout_orders/${id}`)).body;
      const { status, body } = await sandbox.call('PUT', `/payout_orders/${id}/cancel`);
      expect(status).toBe(expected);
      if (expected === 428) expectShape('error', body);
      const after = (await sandbox.call('GET', `/payout_orders/${id}`)).body;
      expect(after).toEqual(expected === 200 ? body : before);
      expect(after.status).toBe(expected === 200 ? 'cancelled' : from);
    });

  it.each(['application/x-www-form-urlencoded', 'application/json'])('should accept an empty body of type %s (CONTRACT §1)', async (type) => {
    const sandbox = await startSandbox();
    const { id } = await createPayout(sandbox);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: 'Bearer key_demo', 'content-type': type, 'content-length': '0' };
      httpRequest(`${sandbox.url}/payout_orders/${id}/cancel`, { method: 'PUT', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject).end();
    });
    expect(status).toBe(200);
  });
});
