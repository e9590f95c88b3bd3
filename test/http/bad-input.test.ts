import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectRefused, payoutBody, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

const REFUNDS = '/orders/ord_2tgvDBAmxTMqSftQE/refunds';
let api: TestApi;
beforeAll(async () => { api = await startApi(); });
beforeEach(() => api.client.reset());
afterAll(() => api.close());

describe('POST /orders/{id}/refunds with bad input', () => {
  it('should refuse a misspelt field instead of refunding everything (CONTRACT §6)', async () => {
    const answer = await api.call('POST', REFUNDS, { ammount: 100 });
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details).toEqual([{
      debug_message: 'The "ammount" parameter is not allowed', message: 'El parametro "ammount" no está permitido', param: 'ammount', code: 'conekta.errors.parameter_validation.whitelist',
    }]);
  });

  it.each([
    ['a float', '{"amount":10.5}'], ['a float that is whole', '{"amount":100.0}'], ['an exponent', '{"amount":1e3}'], ['zero', '{"amount":0}'], ['minus zero', '{"amount":-0}'],
    ['a negative', '{"amount":-1}'], ['more than 2^53-1', '{"amount":9007199254740993}'], ['a number that would be rounded into range', '{"amount":9007199254740991.4}'],
    ['more than a double holds', '{"amount":1e999}'], ['a string', '{"amount":"100"}'], ['null', '{"amount":null}'], ['a boolean', '{"amount":true}'], ['a list', '{"amount":[100]}'], ['an object', '{"amount":{}}'],
  ])('should refuse %s as an amount (M1)', async (_, body) => {
    const answer = await api.call('POST', REFUNDS, body);
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details).toEqual([{
      debug_message: 'The "amount" is invalid.', message: 'El parametro "amount" es inválido.', param: 'amount', code: 'conekta.errors.parameter_validation.amount.invalid',
    }]);
  });

  it.each([
    ['twice', '{"amount":100,"amount":900}'], ['twice, once in disguise', '{"amount":100,"\\u0061mount":900}'], ['charge_id twice', '{"charge_id":"a","charge_id":"b"}'],
  ])('should refuse a field given %s', async (_, body) => {
    const answer = await api.call('POST', REFUNDS, body);
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details[0].code).toMatch(/duplicated$/);
  });

  it.each([
    ['reason', { reason: 'because' }], ['reason', { reason: 7 }], ['charge_id', { charge_id: '' }], ['charge_id', { charge_id: 'a/b' }], ['charge_id', { charge_id: null }], ['charge_id', { charge_id: 'x'.repeat(65) }],
    ['expires_at', { expires_at: 'soon' }],
  ])('should refuse a wrong %s', async (param, body) => {
    const answer = await api.call('POST', REFUNDS, body);
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details[0]).toMatchObject({ param, code: `conekta.errors.parameter_validation.${param}.invalid` });
  });

  it.each([['a list', '[]'], ['a string', '"x"'], ['a number', '1'], ['null', 'null'], ['a list of requests', '[{"amount":1}]']])('should refuse %s as a body', async (_, body) => {
    expectRefused(api, await api.call('POST', REFUNDS, body), 422, 'parameter_validation_error');
  });

  it.each([
    ['half a body', '{"amount":1'], ['a trailing comma', '{"amount":1,}'], ['a comment', '{}//'], ['two bodies', '{}{}'], ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])], ['a blank', ' '],
  ])('should refuse %s as malformed', async (_, body) => {
    expectRefused(api, await api.call('POST', REFUNDS, body), 400, 'malformed_request_error');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data; boundary=x', 'nonsense'])('should refuse a body of type %s', async (type) => {
    expectRefused(api, await api.call('POST', REFUNDS, '{"amount":1}', { 'content-type': type }), 415, 'malformed_request_error');
  });

  it('should refuse a body without a type, and one that is compressed', async () => {
    const untyped = await api.app.inject({ method: 'POST', url: REFUNDS, headers: { authorization: 'Bearer key_test_one' }, payload: Buffer.from('{"amount":1}') });
    expect(untyped.statusCode).toBe(415);
    expectRefused(api, await api.call('POST', REFUNDS, '{"amount":1}', { 'content-encoding': 'gzip' }), 415, 'malformed_request_error');
  });

  it('should refuse a body over 64 kB', async () => {
    expectRefused(api, await api.call('POST', REFUNDS, { reason: 'x'.repeat(64 * 1024) }), 413, 'malformed_request_error');
  });

  it.each(['__proto__', 'constructor', 'toString', 'Amount', 'amount ', 'chargeId', ''])('should refuse the unknown field "%s"', async (field) => {
    expectRefused(api, await api.call('POST', REFUNDS, `{${JSON.stringify(field)}:1}`), 422, 'parameter_validation_error');
  });

  it('should refuse what nests without end', async () => {
    expectRefused(api, await api.call('POST', REFUNDS, `{"reason":${'['.repeat(20_000)}${']'.repeat(20_000)}}`), 422, 'parameter_validation_error');
  });

  it.each([['empty', ''], ['blank', '  '], ['quoted nothing', '""'], ['over 255 characters', 'k'.repeat(256)]])('should refuse an idempotency key that is %s (R8)', async (_, key) => {
    expectRefused(api, await api.call('POST', REFUNDS, {}, { 'idempotency-key': key }), 422, 'parameter_validation_error');
  });

  it('should never move money for a mutated body that is not a valid request itself', async () => {
    const field = fc.constantFrom('amount', 'ammount', 'charge_id', 'reason', 'total', 'currency');
    const value = fc.oneof(fc.double(), fc.integer({ max: 0 }), fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.integer()), fc.object());
    const valid = new Set(['requested_by_client', 'cannot_be_fulfilled', 'duplicated_transaction', 'suspected_fraud', 'other']);
    const isValid = (name: string, given: unknown): boolean =>
      (name === 'amount' && Number.isSafeInteger(given) && (given as number) > 0) || (name === 'charge_id' && typeof given === 'string' && /^[\w-]{1,64}$/.test(given)) || (name === 'reason' && valid.has(given as string));
    await fc.assert(fc.asyncProperty(field, value, async (name, given) => {
      fc.pre(!isValid(name, given));
      api.client.reset();
      expectRefused(api, await api.call('POST', REFUNDS, { [name]: given }), 422, 'parameter_validation_error');
    }), { numRuns: 300 });
  });
});

describe('POST /payout_orders with bad input', () => {
  it('should name every missing field in the words of the contract (CONTRACT §6)', async () => {
    const answer = await api.call('POST', '/payout_orders', {});
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details.map((detail: { param: string }) => detail.param)).toEqual(['allowed_payout_methods', 'amount', 'currency', 'customer_info', 'payout', 'reason', 'expires_at']);
    expect(answer.body.details[0]).toEqual({
      debug_message: 'The "allowed_payout_methods" is missing.', message: 'El parametro "allowed_payout_methods" es requerido.', param: 'allowed_payout_methods',
      code: 'conekta.errors.parameter_validation.allowed_payout_methods.missing',
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['allowed_payout_methods', { allowed_payout_methods: [] }], ['allowed_payout_methods.0', { allowed_payout_methods: ['crypto'] }], ['allowed_payout_methods', { allowed_payout_methods: 'cash' }],
    ['amount', { amount: 0 }], ['amount', { amount: -3000 }], ['amount', { amount: 30.5 }], ['amount', { amount: '3000' }], ['amount', { amount: 1e21 }],
    ['currency', { currency: 'mxn' }], ['currency', { currency: 'MX' }], ['currency', { currency: 1 }],
    ['customer_info', { customer_info: 'cus_1' }], ['customer_info.customer_id', { customer_info: { customer_id: '' } }],
    ['payout', { payout: [] }], ['payout.payout_method', { payout: { payout_method: null } }], ['payout.payout_method.type', { payout: { payout_method: { type: 'card' } } }],
    ['reason', { reason: '' }], ['reason', { reason: 'x'.repeat(251) }], ['reason', { reason: 'a\u0000b' }], ['reason', { reason: 'half \ud83d' }],
    ['expires_at', { expires_at: Math.floor(Date.now() / 1000) - 1 }], ['expires_at', { expires_at: 1.5 }], ['expires_at', { expires_at: '1700000000' }], ['expires_at', { expires_at: 99_999_999_999_999 }],
    ['metadata', { metadata: [] }], ['metadata', { metadata: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, 1])) }], ['metadata', { metadata: null }],
    ['metadata', { metadata: { id: 2 ** 60 } }],
  ])('should refuse a wrong %s', async (param, change) => {
    const answer = await api.call('POST', '/payout_orders', payoutBody(change));
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details[0]).toMatchObject({ param, code: `conekta.errors.parameter_validation.${param}.invalid` });
  });

  it.each<[string, Record<string, unknown>]>([
    ['ammount', { ammount: 1 }], ['customer_info.email', { customer_info: { customer_id: 'cus_1', email: 'a@b.mx' } }], ['payout.payout_method.account', { payout: { payout_method: { type: 'cash', account: 1 } } }],
  ])('should refuse the unknown field %s', async (param, change) => {
    const answer = await api.call('POST', '/payout_orders', payoutBody(change));
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details[0]).toMatchObject({ param, code: 'conekta.errors.parameter_validation.whitelist' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['a value', { reason: '4242424242424242' }], ['a value in groups', { reason: 'to 4242 4242-4242 4242.' }], ['metadata', { metadata: { card: '378282246310005' } }],
    ['a number', { metadata: { deep: [{ er: 5_555_555_555_554_444 }] } }], ['a name', { metadata: { '4242424242424242': true } }], ['an unknown field', { '4242424242424242': true }], ['the amount', { amount: 4_242_424_242_424_242 }],
  ])('should refuse a card number in %s and not repeat it (RELIABILITY, Security)', async (_, change) => {
    const answer = await api.call('POST', '/payout_orders', payoutBody(change));
    expectRefused(api, answer, 422, 'parameter_validation_error');
    expect(answer.body.details[0].code).toBe('conekta.errors.parameter_validation.card_number');
    expect(JSON.stringify(answer.body)).not.toMatch(/4242|37828|55555/);
  });
});

describe('paths', () => {
  it.each([
    ['GET', '/payout_orders/a%2Fb%20c'], ['GET', '/payout_orders/%F0%9F'], ['GET', '/payout_orders/%'], ['GET', `/payout_orders/${'x'.repeat(65)}`], ['GET', `/payout_orders/${'x'.repeat(5000)}`],
    ['GET', '/payout_orders/'], ['GET', '/payout_orders/..%2f'], ['PUT', '/payout_orders/%00/cancel'], ['PUT', '/payout_orders//cancel'], ['POST', '/orders//refunds'], ['POST', '/orders/a%2Fb/refunds'],
    ['DELETE', '/orders/ord_1/refunds/a.b'], ['GET', '/orders/a%2Fb'], ['GET', '/payout_orders/00000000-0000-4000-8000-000000000000'], ['PUT', '/payout_orders/unknown/cancel'],
    ['DELETE', '/orders/ord_1/refunds/unknown'], ['GET', '/'], ['PATCH', '/payout_orders'], ['DELETE', '/orders/ord_1'], ['GET', '/charges'], ['POST', '/orders/ord_1/cancel'], ['POST', '/webhooks'],
  ] as const)('should answer %s %s with 404 in the dialect, and 401 without a key first (CONTRACT §1)', async (method, path) => {
    expectRefused(api, await api.call(method, path), 404, 'resource_not_found_error');
    expectRefused(api, await api.call(method, path, undefined, { authorization: '' }), 401, 'authentication_error');
  });

  it.each(['0', '251', '-1', 'x', '1.5', '', '1e2', '0x10'])('should refuse the limit "%s" (CONTRACT, Lists)', async (limit) => {
    expectRefused(api, await api.call('GET', `/payout_orders?limit=${limit}`), 422, 'parameter_validation_error');
  });

  it.each(['next=a%00', 'previous=a/b', 'search=%00', 'limit=1&limit=2', `search=${'x'.repeat(256)}`])('should refuse the query %s', async (query) => {
    expectRefused(api, await api.call('GET', `/payout_orders?${query}`), 422, 'parameter_validation_error');
  });
});
