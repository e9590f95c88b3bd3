import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { createApiApp } from '../../src/http/app.ts';
import { playPayoutOrder } from './played-workflows.ts';
import { expectRefused, payoutBody, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
let api: TestApi;
let payoutOrderId = '';
let events = 0;

beforeAll(async () => {
  api = await startApi({ webhookPublicKeyPem: publicPem });
  api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order) });
  payoutOrderId = String((await api.call('POST', '/payout_orders', payoutBody())).body.id);
});
beforeEach(() => {
  events += 1;
  api.client.reset({ signalPayoutFact: async () => undefined });
});
afterAll(() => api.close());

function event(type = 'payout_order.withdrawn', object: object = { id: `provider_${payoutOrderId}` }): Record<string, unknown> {
  return { id: `event_${events}`, object: 'event', type, data: { object, previous_attributes: {} } };
}

function deliver(body: unknown, { key = privateKey, headers = {} }: { key?: KeyObject; headers?: Record<string, string> } = {}): Promise<Answer> {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return api.call('POST', '/webhooks/conekta', bytes, { authorization: '', digest: sign('RSA-SHA256', bytes, key).toString('base64'), ...headers });
}

describe('POST /webhooks/conekta (A8)', () => {
  it.each([
    ['payout_order.pending_confirmation', 'withdrawal'], ['payout_order.withdrawn', 'confirmation'], ['payout_order.reversed', 'reversal'], ['payout_order.cancelled', 'changed'], ['payout_order.expired', 'changed'], ['payout_order.something_new', 'changed'],
  ])('should tell the payout order of %s as %s (P6)', async (type, fact) => {
    expect(await deliver(event(type))).toMatchObject({ status: 200 });
    expect(api.client.calls).toEqual([{ method: 'signalPayoutFact', args: ['m_one', payoutOrderId, { type: fact, eventId: `event_${events}` }] }]);
  });

  it('should find the payout order by our own id when the provider\'s is not on record yet', async () => {
    expect((await deliver(event('payout_order.pending', { id: 'not_yet_known', metadata: { reintegro_id: payoutOrderId } }))).status).toBe(200);
    expect(api.client.calls).toHaveLength(1);
  });

  it('should take an event in once, also when it comes twice at once or under another shape', async () => {
    const body = event();
    await deliver(body);
    await deliver(body);
    await deliver({ ...body, type: 'payout_order.reversed' });
    expect(api.client.calls).toHaveLength(1);
  });

  it('should answer 503 and not remember the event while the signal is not durable, so that the next delivery counts', async () => {
    const body = event();
    api.client.reset({ signalPayoutFact: async () => { throw new TemporalUnavailableError('gone'); } });
    expect(await deliver(body)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    api.client.reset({ signalPayoutFact: async () => undefined });
    expect((await deliver(body)).status).toBe(200);
    expect(api.client.calls).toHaveLength(1);
  });

  it('should answer 200 for a payout order whose story is over', async () => {
    api.client.reset({ signalPayoutFact: async () => { throw new NotRunningError('ended'); } });
    const body = event();
    expect((await deliver(body)).status).toBe(200);
    expect((await deliver(body)).status).toBe(200);
    expect(api.client.calls).toHaveLength(1);
  });

  it.each([['another type', event('charge.paid', { id: 'x' })], ['a ping without object', { id: 'ping_1', type: 'webhook_ping' }], ['an unknown payout order', event('payout_order.withdrawn', { id: 'nobody' })]])('should take in %s and do nothing', async (_, body) => {
    expect((await deliver({ ...body, id: `quiet_${events}` })).status).toBe(200);
    expect(api.client.calls).toEqual([]);
  });

  it.each<[string, { key?: KeyObject; headers?: Record<string, string> }]>([
    ['another key\'s', { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }], ['an empty', { headers: { digest: '' } }], ['no base64', { headers: { digest: '!!!' } }], ['another body\'s', { headers: { digest: sign('RSA-SHA256', Buffer.from('{}'), privateKey).toString('base64') } }],
    ['a SHA-1', { headers: { digest: sign('RSA-SHA1', Buffer.from('x'), privateKey).toString('base64') } }],
  ])('should refuse %s signature with 401 and touch nothing', async (_, options) => {
    expectRefused(api, await deliver(event(), options), 401, 'authentication_error');
  });

  it('should refuse a missing signature, a body changed by one byte, and everything without a key', async () => {
    const body = JSON.stringify(event());
    expectRefused(api, await api.call('POST', '/webhooks/conekta', body, { authorization: '' }), 401, 'authentication_error');
    const digest = sign('RSA-SHA256', Buffer.from(body), privateKey).toString('base64');
    expectRefused(api, await api.call('POST', '/webhooks/conekta', `${body} `, { digest }), 401, 'authentication_error');
    const unconfigured = await startApi();
    expectRefused(unconfigured, await unconfigured.call('POST', '/webhooks/conekta', body, { digest }), 401, 'authentication_error');
    await unconfigured.close();
  });

  it.each([['no JSON', '{'], ['a list', []], ['no id', { type: 'payout_order.withdrawn', data: { object: { id: 'x' } } }], ['no type', { id: 'e' }], ['no object', { id: 'e', type: 'payout_order.withdrawn' }], ['an id that is no text', { id: 7, type: 'x' }], ['a NUL in its id', { id: 'a\u0000', type: 'x' }]])('should refuse %s with 400', async (_, body) => {
    expectRefused(api, await deliver(body), 400, 'malformed_request_error');
  });
});

describe('createApiApp', () => {
  it.each([['no key', 'nonsense'], ['another kind of key', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()]])('should not start with %s for webhooks', async (_, webhookPublicKeyPem) => {
    await expect(createApiApp({
      db: api.db, client: api.client, orders: { baseUrl: 'http://127.0.0.1:9', credentialOf: () => undefined, timeoutMs: 1 }, webhookPublicKeyPem, syncWaitMs: 1, isReady: async () => true, logger: false,
    })).rejects.toThrow();
  });
});
