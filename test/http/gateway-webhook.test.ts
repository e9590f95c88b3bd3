import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotRunningError } from '../../src/client/client-errors.ts';
import type { ProviderRefundState } from '../../src/domain/send-protocol.ts';
import { playDevolucion, recordPayment } from './gateway-scene.ts';
import { PROVIDER_PUBLIC_PEM, signatureOf } from './signed-webhook.ts';
import { startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

let api: TestApi;
let paymentId = '';
let count = 0;
beforeAll(async () => { api = await startApi({ gateway: { isConfigured: true, webhookPublicKeyPem: PROVIDER_PUBLIC_PEM } }); });
afterAll(() => api.close());
beforeEach(async () => {
  count += 1;
  paymentId = `pay-${count}`;
  await recordPayment(api.db, 'm_one', paymentId);
  api.client.reset({ signalRefundFact: async () => undefined, reviewRefund: async () => undefined });
});

async function refunded(state: ProviderRefundState, providerStatus: string | null = null): Promise<string> {
  count += 1;
  const { refundId } = await playDevolucion(api.db, { merchantId: 'm_one', provider: 'gateway', orderId: paymentId, chargeId: paymentId, amountMinor: 100, idempotencyKey: `k${count}`, requestedBy: 'key' }, { state, receipt: { providerStatus } });
  return refundId;
}

/** An event as the provider makes it; `age` in seconds. */
function event(refunds: unknown, { age = 0, id = `evt_${count}` }: { age?: number; id?: string } = {}): Record<string, unknown> {
  return { id, type: 'devolucion.refunded', created_at: Math.floor(Date.now() / 1000) - age, data: { object: { object: 'payment', id: paymentId, status: 'approved', amount: 1000, refunds } } };
}

function deliver(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return api.call('POST', '/webhooks/gateway', bytes, { authorization: '', digest: signatureOf(bytes), ...headers });
}

describe('POST /webhooks/gateway', () => {
  it.each(['authorized', 'approved'] as const)('should tell a refund that is %s at the provider, once, whatever the event says of it (R6, A8)', async (state) => {
    for (const shown of [[], null, [{ id: 'x', status: 'refunded' }], [{ id: 'x', status: 'no word of the seed' }]]) {
      const refundId = await refunded(state);
      const body = event(shown);
      for (let delivery = 0; delivery < 2; delivery += 1) expect((await deliver(body)).status).toBe(200);
      expect(api.client.calls.filter(({ args }) => args[1] === refundId)).toEqual([{ method: 'signalRefundFact', args: ['m_one', refundId, body['id']] }]);
      await api.db.updateTable('legs').set({ status: 'refused' }).where('refund_id', '=', refundId).execute();
    }
  });

  it('should tell a refund only of another word than was last seen: the others of the payment need not ask (R6)', async () => {
    const [known, moved] = [await refunded('authorized', 'review'), await refunded('authorized', 'review')];
    await deliver(event([{ id: `tx_${known}`, status: 'review' }, { id: `tx_${moved}`, status: 'validate' }]));
    expect(api.client.calls.map(({ args }) => args[1])).toEqual([moved]);
    await deliver(event([{ id: `tx_${known}`, status: 'refunded' }], { id: 'evt_later' }));
    expect(api.client.calls.slice(1).map(({ args }) => args[1])).toEqual(expect.arrayContaining([moved, known]));
    expect(api.client.calls).toHaveLength(3);
  });

  it.each(['rejected', 'cancelled', 'dismissed'])('should have a refund that is done looked at again when it is shown as %s (R9)', async (status) => {
    const refundId = await refunded('succeeded');
    await deliver(event([{ id: `tx_${refundId}`, status }]));
    expect(api.client.calls).toEqual([{ method: 'reviewRefund', args: ['m_one', refundId, paymentId, `evt_${count}`] }]);
  });

  it('should have it looked at when a newer event no longer shows it, and leave it alone when it shows it as done (R9)', async () => {
    const refundId = await refunded('succeeded');
    await deliver(event([{ id: `tx_${refundId}`, status: 'refunded' }], { id: 'evt_done' }));
    await deliver(event(null, { age: -60, id: 'evt_nothing_shown' }));
    expect(api.client.calls).toEqual([]);
    await deliver(event([], { age: -60, id: 'evt_gone' }));
    expect(api.client.calls).toHaveLength(1);
  });

  it('should put a refund before a human whose Workflow is gone (O1)', async () => {
    const refundId = await refunded('authorized');
    api.client.reset({ signalRefundFact: async () => { throw new NotRunningError(refundId); } });
    expect((await deliver(event([]))).status).toBe(200);
    expect(await api.db.selectFrom('cases').select(['kind', 'refund_id']).where('refund_id', '=', refundId).execute()).toEqual([{ kind: 'workflow_gone', refund_id: refundId }]);
  });

  it('should take nothing in for the other provider: an order of the same id is not touched', async () => {
    const refundId = await refunded('authorized');
    await api.db.updateTable('orders').set({ provider: 'conekta' }).where('order_id', '=', paymentId).execute();
    expect((await deliver(event([]))).status).toBe(200);
    expect(api.client.calls).toEqual([]);
    expect(refundId).not.toBe('');
  });

  it('should refuse what is not signed by the provider, and what cannot be read (A8)', async () => {
    const bytes = Buffer.from(JSON.stringify(event([])));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const digest of ['', 'nonsense', signatureOf(bytes, { key: privateKey }), signatureOf(Buffer.concat([bytes, Buffer.from(' ')]))]) expect((await deliver(bytes.toString(), { digest })).status).toBe(401);
    for (const odd of ['{', '[]', '{}', { id: 'evt_x', data: { object: { object: 'order', id: 'x' } } }, { ...event([]), id: '' }, event([{ id: 7 }])]) expect((await deliver(odd)).status).toBe(400);
    expect(api.client.calls).toEqual([]);
  });
});
