import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/http/errors.ts';
import { recordPayment } from './gateway-scene.ts';
import { addKey, expectContract, KEY, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await recordPayment(api.db, 'm_one', 'pay-1');
  await addKey(api.db, 'm_one', 'key_reader', ['read']);
});
afterAll(() => api.close());
beforeEach(() => api.client.reset());

interface Asked {
  readonly status: number;
  readonly body: { readonly type: string; readonly log_id: string; readonly details: readonly { readonly code: string; readonly message: string; readonly debug_message: string; readonly param: string | null }[] };
  readonly raw: string;
}

async function ask(body: string | Buffer, headers: Record<string, string> = {}, url = '/api/v2/pagos/devolucion/pay-1', method: 'POST' | 'GET' | 'PUT' = 'POST'): Promise<Asked> {
  const response = await api.app.inject({ method, url, headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers }, ...(body === '' ? {} : { payload: body }) });
  return { status: response.statusCode, body: JSON.parse(response.body) as Asked['body'], raw: response.body };
}

/** The contract knows the shape under Conekta's prefix; this dialect has its own. */
function expectDialectError({ body, raw }: Asked): void {
  expect(raw).not.toContain('conekta');
  expectContract('error', JSON.parse(raw.replaceAll('"gateway.errors.', '"conekta.errors.')));
  expect(body.log_id).toMatch(/^[0-9a-f]{24}$/);
}

describe('a request that the gateway face refuses', () => {
  it.each([
    ['three places', '{"amount":1.005}', 'amount'], ['an exponent', '{"amount":1e2}', 'amount'], ['a negative amount', '{"amount":-1.00}', 'amount'], ['nothing', '{"amount":0.00}', 'amount'],
    ['a text', '{"amount":"100.00"}', 'amount'], ['null', '{"amount":null}', 'amount'], ['an object', '{"amount":{"value":1}}', 'amount'], ['more than a safe integer of centavos', '{"amount":90071992547409.92}', 'amount'],
    ['an endless number', '{"amount":1e999}', 'amount'], ['an unknown type', '{"type":"cash"}', 'type'], ['an empty reason', '{"reason":""}', 'reason'], ['a long reason', `{"reason":"${'x'.repeat(251)}"}`, 'reason'],
    ['a long reference', `{"external_reference":"${'x'.repeat(251)}"}`, 'external_reference'], ['a list for metadata', '{"metadata":[]}', 'metadata'],
    ['too many metadata', JSON.stringify({ metadata: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, index])) }), 'metadata'],
    ['a source without id', '{"source":{"type":"customer"}}', 'source.id'], ['an id with spaces', '{"source":{"type":"customer","id":"Juan Pérez"}}', 'source.id'],
    ['an unknown field', '{"charge_id":"x"}', 'charge_id'], ['an amount given twice', '{"amount":1.00,"amount":2.00}', 'amount'],
  ])('should be told so for %s, and nothing moves (M1)', async (_, body, param) => {
    const answer = await ask(body);
    expect(answer).toMatchObject({ status: 422, body: { type: 'parameter_validation_error' } });
    expect(answer.body.details.map((detail) => detail.param)).toContain(param);
    expectDialectError(answer);
    expect(api.client.calls).toEqual([]);
  });

  it.each([
    ['no JSON', '{"amount":', 400, 'malformed_request.json'], ['a list', '[]', 422, 'parameter_validation.body.invalid'], ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, 'malformed_request.json'],
    ['a card number', '{"reason":"4111 1111 1111 1111"}', 422, 'parameter_validation.card_number'], ['too much', `{"reason":"${'x'.repeat(70_000)}"}`, 413, 'malformed_request.too_large'],
  ] as const)('should be told so for %s', async (_, body, status, code) => {
    const answer = await ask(body);
    expect(answer).toMatchObject({ status, body: { details: [{ code: `gateway.errors.${code}` }] } });
    expectDialectError(answer);
    expect(answer.raw).not.toContain('4111');
    expect(api.client.calls).toEqual([]);
  });

  it.each([
    ['no key', { authorization: '' }, 401, 'authentication.missing_key'], ['a key that may only read', { authorization: 'Bearer key_reader' }, 403, 'authentication.scope_missing'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'malformed_request.media_type'], ['an empty idempotency key', { 'idempotency-key': '""' }, 422, 'parameter_validation.idempotency_key.invalid'], ['a key that no header brings back as it went', { 'idempotency-key': 'ñ1' }, 422, 'parameter_validation.idempotency_key.invalid'],
  ] as const)('should be told so for %s, in Spanish unless it asks for English', async (_, headers, status, code) => {
    for (const [language, message] of [[undefined, 'es'], ['en', 'en'], ['en-US,en;q=0.9', 'en'], ['fr', 'es']] as const) {
      const answer = await ask('{"amount":1.00}', { ...headers, ...(language === undefined ? {} : { 'accept-language': language }) });
      const known = Object.values(ERRORS).find((error) => error.code === code);
      expect(answer).toMatchObject({ status, body: { details: [{ code: `gateway.errors.${code}`, message: known?.[message] }] } });
      expectDialectError(answer);
    }
  });

  it.each([
    ['an id that is none', 'POST', '/api/v2/pagos/devolucion/a%20b'], ['a card number for an id', 'POST', '/pagos/devolucion/4111111111111111'], ['no id', 'POST', '/pagos/devolucion/'],
    ['another method', 'PUT', '/pagos/devolucion/pay-1'], ['a payment, which is not ours', 'GET', '/api/v2/pagos/pay-1'], ['the face itself', 'GET', '/pagos'], ['another address of the dialect', 'GET', '/api/v2/nothing'], ['a refund id that is none', 'GET', '/pagos/devolucion/pay-1?refund_id=%27or%201'],
  ] as const)('should be answered 404 in the dialect: %s', async (_, method, url) => {
    const answer = await ask('', {}, url, method);
    expect(answer).toMatchObject({ status: 404, body: { type: 'resource_not_found_error' } });
    expectDialectError(answer);
    expect(answer.raw).not.toContain('4111');
  });

  it('should be told that there is no such provider here, before anything begins', async () => {
    const without = await startApi({ gateway: { isConfigured: false, webhookPublicKeyPem: undefined } });
    try {
      const response = await without.app.inject({ method: 'POST', url: '/pagos/devolucion/pay-9', headers: { authorization: `Bearer ${KEY}`, 'accept-language': 'en' } });
      expect(response).toMatchObject({ statusCode: 503 });
      expect(JSON.parse(response.body)).toMatchObject({ type: 'api_error', details: [{ code: 'gateway.errors.api.gateway.not_configured', message: 'The payment provider is not set up.' }] });
      expect(without.client.calls).toEqual([]);
    } finally {
      await without.close();
    }
  });
});
