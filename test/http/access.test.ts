import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { languageOf } from '../../src/http/language.ts';
import type { Scope } from '../../src/store/merchants.ts';
import { addKey, expectContract, expectRefused, KEY, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => { api = await startApi(); });
beforeEach(() => api.client.reset());
afterAll(() => api.close());

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('authentication', () => {
  it.each([['the SDK', `Bearer ${KEY}`], ['the seeds', basic(`${KEY}:`)], ['a proxy that lowers the scheme', `bearer ${KEY}`]])('should accept the key as %s sends it (CONTRACT §1)', async (_, authorization) => {
    expect(await api.call('GET', '/payout_orders', undefined, { authorization })).toMatchObject({ status: 200 });
  });

  it.each([
    ['none', ''], ['an unknown key', 'Bearer key_unknown'], ['a bare key', KEY], ['another scheme', `Digest ${KEY}`], ['the key as password', basic(`:${KEY}`)], ['an empty Basic', 'Basic '], ['no base64', 'Basic %%%'],
    ['the key twice', `Bearer ${KEY} ${KEY}`], ['the key with a tail', `Bearer ${KEY}x`], ['the hash of nothing', 'Bearer '],
  ])('should refuse %s with 401 before the body is looked at', async (_, authorization) => {
    const answer = await api.call('POST', '/payout_orders', '{not json', { authorization });
    expectRefused(api, answer, 401, 'authentication_error');
    expect(answer.body.details).toEqual([{
      debug_message: 'Please include your access key in your request.', message: 'Acceso no autorizado.', param: null, code: 'conekta.errors.authentication.missing_key',
    }]);
  });

  it('should refuse a revoked and an expired key', async () => {
    await addKey(api.db, 'm_one', 'key_revoked', ['read']);
    await addKey(api.db, 'm_one', 'key_expired', ['read']);
    const keys = await api.db.selectFrom('api_keys').select('key_hash').execute();
    expect((await api.call('GET', '/payout_orders', undefined, { authorization: 'Bearer key_revoked' })).status).toBe(200);
    await api.db.updateTable('api_keys').set({ revoked_at: new Date() }).where('key_hash', '=', keys.at(-2)?.key_hash ?? '').execute();
    await api.db.updateTable('api_keys').set({ expires_at: new Date(Date.now() - 1000) }).where('key_hash', '=', keys.at(-1)?.key_hash ?? '').execute();
    for (const key of ['key_revoked', 'key_expired']) {
      expectRefused(api, await api.call('GET', '/payout_orders', undefined, { authorization: `Bearer ${key}` }), 401, 'authentication_error');
    }
  });
});

describe('scopes', () => {
  const routes = [
    ['GET', '/payout_orders', ['read', 'refunds', 'payouts']], ['GET', '/payout_orders/unknown', ['read', 'refunds', 'payouts']], ['POST', '/payout_orders', ['payouts']], ['PUT', '/payout_orders/unknown/cancel', ['payouts']],
    ['POST', '/orders/ord_1/refunds', ['refunds']], ['DELETE', '/orders/ord_1/refunds/unknown', ['refunds']], ['GET', '/orders', ['read', 'refunds', 'payouts']], ['GET', '/orders/ord_1', ['read', 'refunds', 'payouts']], ['POST', '/orders', ['refunds']],
  ] as const;

  it.each(['read', 'refunds', 'payouts', 'approve', 'operator', 'rail'] as const)('should open to %s what the scope is for and nothing else', async (scope: Scope) => {
    const key = `key_scope_${scope}`;
    await addKey(api.db, 'm_one', key, [scope]);
    for (const [method, path, scopes] of routes) {
      const answer = await api.call(method, path, method === 'POST' ? { ammount: 1 } : undefined, { authorization: `Bearer ${key}` });
      if ((scopes as readonly Scope[]).includes(scope)) expect(answer.status, `${method} ${path}`).not.toBe(403);
      else expectRefused(api, answer, 403, 'authentication_error');
    }
    expect(api.client.calls).toEqual([]);
  });
});

describe('languages', () => {
  it.each([
    [undefined, 'es'], ['', 'es'], ['es', 'es'], ['en', 'en'], ['EN', 'en'], ['en-US,en;q=0.9', 'en'], ['es-MX,es;q=0.9,en;q=0.8', 'es'], ['fr', 'es'], ['fr,en;q=0.5', 'en'], ['en;q=0.2,es;q=0.9', 'es'], ['en;q=0', 'es'], ['*', 'es'], ['english', 'es'], [';;;,,,', 'es'],
  ] as const)('should read "%s" as %s (CONTRACT §1)', (header, language) => {
    expect(languageOf(header)).toBe(language);
  });

  it('should word messages in the caller\'s language and debug messages in English', async () => {
    const spanish = await api.call('GET', '/payout_orders/unknown');
    const english = await api.call('GET', '/payout_orders/unknown', undefined, { 'accept-language': 'en-US,en;q=0.9' });
    expect(spanish.body.details[0]).toEqual({ debug_message: 'The object PayoutOrder "unknown" could not be found.', message: 'El recurso no fue encontrado.', param: null, code: 'conekta.errors.resource_not_found.entity' });
    expect(english.body.details[0]).toEqual({ ...spanish.body.details[0], message: 'The resource was not found.' });
  });
});

describe('every answer', () => {
  it('should be of the dialect\'s media type and carry nosniff', async () => {
    for (const path of ['/payout_orders', '/nowhere', '//payout_orders']) {
      const { headers } = await api.call('GET', path);
      expect(headers['content-type']).toMatch(/^application\/vnd\.conekta-v2\.3\.0\+json/);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('should serve the double slash that the SDK makes of a base path with a slash (CONTRACT §1)', async () => {
    expect((await api.call('GET', '//payout_orders')).status).toBe(200);
    expect((await api.call('PUT', '//payout_orders/unknown/cancel')).status).toBe(404);
  });

  it('should give every request a log id of its own', async () => {
    const [first, second] = [await api.call('GET', '/nowhere'), await api.call('GET', '/nowhere')];
    expectContract('error', first.body);
    expect(first.body.log_id).not.toBe(second.body.log_id);
  });
});

describe('health', () => {
  it('should answer without a key', async () => {
    expect((await api.call('GET', '/health/live', undefined, { authorization: '' })).status).toBe(200);
    expect((await api.call('GET', '/health/ready', undefined, { authorization: '' })).status).toBe(200);
  });

  it.each([['not ready', async () => false], ['broken', async () => { throw new Error('no'); }]])('should be 503 while the rest is %s', async (_, isReady) => {
    const other = await startApi({ isReady });
    expect((await other.call('GET', '/health/ready')).status).toBe(503);
    expect((await other.call('GET', '/health/live')).status).toBe(200);
    await other.close();
  });
});

describe('a database that is gone', () => {
  it('should answer 503 with Retry-After, and with the key to repeat a refund safely (RELIABILITY)', async () => {
    const other = await startApi();
    await other.db.destroy();
    const answer = await other.call('POST', '/orders/ord_1/refunds', {}, { 'idempotency-key': 'k1' });
    expectRefused(other, answer, 503, 'api_error');
    expect(answer.headers).toMatchObject({ 'retry-after': '1' });
    expect(other.log()).not.toContain(KEY);
    await other.app.close();
  });
});
