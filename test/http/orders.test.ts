import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rewritePageUrls } from '../../src/http/conekta/page-urls.ts';
import { TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { findCharge } from '../../src/store/known-charges.ts';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { expectRefused, KEY, OTHER_KEY, seed, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

interface Seen { readonly method: string | undefined; readonly url: string | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }

let seen: Seen[] = [];
let respond: (response: ServerResponse) => void;
let api: TestApi;
const provider = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
    respond(response);
  });
});

function answerWith(status: number, body: string, headers: Record<string, string> = { 'content-type': 'application/json' }): void {
  respond = (response) => response.writeHead(status, headers).end(body);
}

beforeAll(async () => {
  await new Promise<void>((resolve) => { provider.listen(0, '127.0.0.1', resolve); });
  const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v9/`;
  api = await startApi({ orders: { baseUrl, credentialOf: (merchantId, name) => (merchantId === 'm_one' && name === 'conekta' ? 'key_orders_only' : undefined), timeoutMs: 300 } });
});
beforeEach(() => {
  seen = [];
  api.client.reset();
  answerWith(200, '{}');
});
afterAll(async () => {
  await api.close();
  provider.closeAllConnections();
  await new Promise((resolve) => { provider.close(resolve); });
});

describe('orders, passed through (A1)', () => {
  it('should forward method, query, body bytes and the dialect\'s headers with the merchant\'s own key, and nothing else', async () => {
    const body = '{ "currency":"MXN",  "amount": 1.0, "charges":[{"payment_method":{"number":"4242424242424242"}}] }';
    await api.call('POST', '//orders?a=1&b=%20x', body, { accept: 'application/vnd.conekta-v2.1.0+json', 'accept-language': 'en', 'x-child-company-id': 'child1', cookie: 'c=1', 'x-forwarded-for': '1.2.3.4' });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v9/orders?a=1&b=%20x', body, headers: {
      authorization: 'Bearer key_orders_only', accept: 'application/vnd.conekta-v2.1.0+json', 'accept-language': 'en', 'x-child-company-id': 'child1', 'content-type': 'application/json',
    } });
    expect(seen[0]?.headers).not.toHaveProperty('cookie');
    expect(seen[0]?.headers).not.toHaveProperty('x-forwarded-for');
    expect(JSON.stringify(seen)).not.toContain(KEY);
    expect(api.log()).not.toContain('4242424242424242');
  });

  it('should remember where the charges of an order belong, so that the gateway face can be asked for one by its id alone (CONTRACT §7)', async () => {
    const order = seed('error.split_payment_charge_id_required.es.json')['data'] as { id: string; charges: { data: { id: string }[] } };
    const [first, second] = order.charges.data.map(({ id }) => id);
    answerWith(200, JSON.stringify(order));
    for (const [method, url] of [['POST', '/orders'], ['GET', `/orders/${order.id}`]] as const) expect((await api.call(method, url)).status).toBe(200);
    expect(await findCharge(api.db, 'm_one', first ?? '')).toEqual({ provider: 'conekta', orderId: order.id, currency: 'MXN' });
    expect(await findCharge(api.db, 'm_two', first ?? '')).toBeNull();
    api.client.reset({ requestRefund: async () => { throw new TemporalUnavailableError('down'); } });
    expect((await api.call('POST', `/pagos/devolucion/${second ?? ''}`)).status).toBe(503);
    expect(api.client.calls[0]?.args[0]).toMatchObject({ provider: undefined, orderId: order.id, chargeId: second });
  });

  it('should not look into lists, however they look', async () => {
    answerWith(200, '{"object":"order","id":"ord_listed","currency":"MXN","charges":{"data":[{"id":"ch_listed"}]}}');
    expect((await api.call('GET', '/orders?limit=1')).status).toBe(200);
    expect(await findCharge(api.db, 'm_one', 'ch_listed')).toBeNull();
  });

  it.each(['{"object":"order","id":7,"charges":{"data":[{"id":"c"}]}}', '{"object":"order","id":"ord_1"}', 'no json', '{"object":"order","id":"ord_1","charges":{"data":[]}}'])('should pass %s on all the same, remembering nothing', async (body) => {
    answerWith(200, body);
    const response = await api.app.inject({ method: 'GET', url: '/orders/ord_1', headers: { authorization: `Bearer ${KEY}` } });
    expect([response.statusCode, response.body]).toEqual([200, body]);
  });

  it.each([[200, '{"id":"ord_1","amount":1.0,"big":9007199254740993}'], [404, '{"object":"error"}'], [402, '{"object":"error","x":1}'], [500, '{"object":"error"}'], [429, '{}']])('should answer status %i and its bytes as they come', async (status, body) => {
    answerWith(status, body, { 'content-type': 'application/vnd.conekta-v2.3.0+json; charset=utf-8', 'retry-after': '7', 'set-cookie': 'x=1' });
    const response = await api.app.inject({ method: 'GET', url: '/orders/ord_1', headers: { authorization: `Bearer ${KEY}` } });
    expect(response.statusCode).toBe(status);
    expect(response.body).toBe(body);
    expect(response.headers).toMatchObject({ 'content-type': 'application/vnd.conekta-v2.3.0+json; charset=utf-8', 'retry-after': '7' });
    expect(response.headers).not.toHaveProperty('set-cookie');
    expect(seen[0]?.url).toBe('/v9/orders/ord_1');
  });

  it('should lead the pages to us (CONTRACT, Lists)', async () => {
    answerWith(200, '{"object":"list","next_page_url":"https://api.conekta.io/v9/orders?limit=19&next=ord_2","previous_page_url":null,"data":[{"amount":1.0}]}');
    const response = await api.app.inject({ method: 'GET', url: '/orders?limit=19', headers: { authorization: `Bearer ${KEY}`, host: 'pay.example.mx' } });
    expect(response.body).toBe('{"object":"list","next_page_url":"http://pay.example.mx/orders?limit=19&next=ord_2","previous_page_url":null,"data":[{"amount":1.0}]}');
  });

  it.each([['our key was not accepted', 401, 'application/json'], ['our key may not', 403, 'application/json'], ['it sends us elsewhere', 302, 'text/html'], ['it answers in HTML', 502, 'text/html']])('should answer 503 in the dialect when %s', async (_, status, type) => {
    answerWith(status, '<secret>', { 'content-type': type, location: 'http://elsewhere.example' });
    const answer = await api.call('GET', '/orders');
    expectRefused(api, answer, 503, 'api_error');
    expect(JSON.stringify(answer)).not.toMatch(/secret|elsewhere/);
  });

  it('should answer 503 when the provider is slow, and not invite to create an order twice', async () => {
    respond = () => undefined;
    const read = await api.call('GET', '/orders');
    expectRefused(api, read, 503, 'api_error');
    expect(read.headers['retry-after']).toBe('1');
    const made = await api.call('POST', '/orders', {});
    expectRefused(api, made, 503, 'api_error');
    expect(made.headers['retry-after']).toBeUndefined();
    expect(made.body.details[0].code).toBe('conekta.errors.api.provider.outcome_unknown');
    expect(seen).toHaveLength(2);
  });

  it('should answer 503 with Retry-After when the provider is down', async () => {
    const other = await startApi();
    for (const method of ['GET', 'POST'] as const) {
      const answer = await other.call(method, '/orders', method === 'POST' ? {} : undefined);
      expectRefused(other, answer, 503, 'api_error');
      expect(answer.headers['retry-after']).toBe('1');
    }
    await other.close();
  });

  it('should answer 503 to a merchant without a key for orders, and ask nobody', async () => {
    expectRefused(api, await api.call('GET', '/orders', undefined, { authorization: `Bearer ${OTHER_KEY}` }), 503, 'api_error');
    expect(seen).toEqual([]);
  });

  it('should show the provider\'s order while a refund taken in has none on record (R10)', async () => {
    const order = { ...seed('order.refund.response.json'), id: 'ord_live' };
    answerWith(200, JSON.stringify(order));
    api.client.reset({ requestRefund: async ({ merchantId, orderId, idempotencyKey }) => ({ kind: 'accepted', refundId: deriveRefundId(merchantId, orderId, idempotencyKey) }) });
    expect(await api.call('POST', '/orders/ord_live/refunds', {})).toMatchObject({ status: 202, body: order });
    answerWith(200, 'not json');
    expect(await api.call('POST', '/orders/ord_live/refunds', {})).toMatchObject({ status: 202, body: { object: 'order', id: 'ord_live' } });
  });
});

describe('rewritePageUrls', () => {
  it.each([
    ['{"next_page_url" : "https:\\/\\/api.conekta.io\\/orders?next=a"}', '{"next_page_url" : "http://us/orders?next=a"}'],
    ['{"data":[{"charges":{"previous_page_url":"https://api.conekta.io/charges?x=1"}}]}', '{"data":[{"charges":{"previous_page_url":"http://us/charges?x=1"}}]}'],
    ['{"metadata":{"note":"\\"next_page_url\\":\\"https://api.conekta.io/a\\""}}', '{"metadata":{"note":"\\"next_page_url\\":\\"https://api.conekta.io/a\\""}}'],
    ['{"next_page_url":null,"previous_page_url":""}', '{"next_page_url":null,"previous_page_url":""}'],
    ['{"next_page_url":"\\x"', '{"next_page_url":"\\x"'],
  ])('should turn %s into %s', (given, expected) => {
    expect(rewritePageUrls(given, 'https://api.conekta.io', 'http://us')).toBe(expected);
  });
});
