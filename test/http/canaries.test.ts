import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, payoutBody, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

const CARD = '4000056655665556';
const EMAIL = 'nicolas.canario@example.mx';
const PHONE = '5522997233';
const SEARCH = 'canary-search';
const SECRETS = [CARD, EMAIL, PHONE, SEARCH, KEY, Buffer.from(`${KEY}:`).toString('base64'), 'key_provider', 'canary-key'];

let api: TestApi;
beforeAll(async () => { api = await startApi(); });
afterAll(() => api.close());

describe('logs and error bodies (I7)', () => {
  it('should never hold a card number, an e-mail address, a phone number, a query or a key, whatever goes wrong', async () => {
    api.client.reset({
      requestRefund: async () => { throw new Error(`provider said ${CARD} ${EMAIL}`, { cause: new Error(PHONE) }); },
      createPayoutOrder: async () => { throw new TypeError(`${EMAIL}\n    ${CARD}`); },
    });
    const personal = { name: EMAIL, email: EMAIL, phone: PHONE, number: CARD };
    const answers = [
      await api.call('POST', '/payout_orders', payoutBody({ reason: `card ${CARD}` })),
      await api.call('POST', '/payout_orders', payoutBody({ customer_info: personal })),
      await api.call('POST', '/payout_orders', payoutBody({ [EMAIL]: 1, [PHONE]: 2, [CARD]: 3 })),
      await api.call('POST', '/payout_orders', payoutBody({ [EMAIL]: 1, [PHONE]: 2 })),
      await api.call('POST', '/payout_orders', payoutBody({ customer_info: { customer_id: 'cus_1', [EMAIL]: 1 } })),
      await api.call('POST', '/payout_orders', payoutBody({ amount: EMAIL, currency: PHONE })),
      await api.call('POST', '/payout_orders', payoutBody()),
      await api.call('POST', '/payout_orders', `{"email":"${EMAIL}" "${CARD}"`),
      await api.call('POST', '/orders/ord_1/refunds', { amount: 1 }, { 'idempotency-key': 'k' }),
      await api.call('POST', `/orders/${CARD}/refunds`, { reason: EMAIL }),
      await api.call('GET', `/payout_orders/${CARD}`),
      await api.call('GET', `/payout_orders/${encodeURIComponent(EMAIL)}?search=${SEARCH}`),
      await api.call('GET', `/payout_orders?search=${SEARCH}&limit=x`),
      await api.call('GET', `/orders?search=${SEARCH}`),
      await api.call('POST', '/orders', personal),
      await api.call('GET', `/nowhere/${EMAIL}?k=${KEY}`, undefined, { authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}` }),
      await api.call('GET', `/payout_orders/%E0%A4%A?x=${SEARCH}`),
      await api.call('GET', '/payout_orders', undefined, { authorization: 'Bearer canary-key' }),
      await api.call('GET', `/v1/payout_orders?cursor=${encodeURIComponent(EMAIL)}&search=${SEARCH}&${encodeURIComponent(EMAIL)}=1`),
      await api.call('GET', `/v1/payout_orders/${CARD}?search=${SEARCH}`),
      await api.call('POST', '/v1/payout_orders/unknown/withdrawal', { event_id: `\n${PHONE}`, [EMAIL]: 1, [PHONE]: 2 }),
      await api.call('POST', '/v1/payout_orders/unknown/withdrawal', { event_id: CARD }),
      await api.call('POST', `/v1/payout_orders/${encodeURIComponent(EMAIL)}/cancel`),
      await api.call('GET', `/v1/nowhere/${EMAIL}?k=${KEY}`),
      await api.call('POST', '/webhooks/conekta', personal, { digest: 'canary-key' }),
    ];
    expect(answers.map(({ status }) => status).filter((status) => status < 400)).toEqual([]);
    const shown = answers.map(({ body }) => JSON.stringify(body)).join('\n') + api.log();
    for (const secret of SECRETS) expect(shown).not.toContain(secret);
  });

  it('should log one line per request with nothing but the allow-list', async () => {
    const before = api.log().length;
    const answer = await api.call('GET', '/payout_orders/unknown?x=1');
    const [line, ...more] = api.log().slice(before).trim().split('\n').map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(more).toEqual([]);
    const { level: _level, time: _time, pid: _pid, hostname: _hostname, ...logged } = line ?? {};
    expect(logged).toEqual({ logId: answer.body.log_id as string, method: 'GET', route: '/payout_orders/:id', status: 404, durationMs: expect.any(Number) as number, merchantId: 'm_one', msg: 'request served' });
  });

  it('should name the kind and the place of a defect, so that it can be found by its log id', async () => {
    api.client.reset({ requestRefund: async () => { throw new TypeError('secret'); } });
    const answer = await api.call('POST', '/orders/ord_1/refunds', {});
    const line = api.log().trim().split('\n').map((text) => JSON.parse(text) as Record<string, unknown>).find((entry) => entry['logId'] === answer.body.log_id && entry['level'] === 50);
    expect(line).toMatchObject({ code: 'general_failure', errorName: 'TypeError', places: expect.arrayContaining([expect.stringContaining('canaries.test.ts') as string]) as unknown });
  });
});
