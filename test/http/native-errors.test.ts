import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/http/errors.ts';
import type { ErrorText } from '../../src/http/errors.ts';
import { addKey, KEY, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await addKey(api.db, 'm_one', 'key_reader', ['read']);
});
beforeEach(() => api.client.reset());
afterAll(() => api.close());

/** Expects a problem of RFC 9457 with exactly these members, and that no Workflow was asked for anything. */
function expectProblem(answer: Answer, problem: { status: number; code: string; title: string; detail: string; errors?: readonly object[] }): void {
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json(;|$)/);
  expect(answer.status).toBe(problem.status);
  expect(answer.body).toEqual({ type: `urn:reintegro:problem:${problem.code}`, log_id: expect.stringMatching(/^[0-9a-f]{24}$/) as string, ...problem });
  expect(api.client.calls).toEqual([]);
}

const RAIL = '/v1/payout_orders/unknown/withdrawal';

describe('errors of /v1 (A3, RFC 9457)', () => {
  it.each([
    ['a list of ours', 'GET', '/v1/money_movements?charge_id=x'], ['payout orders', 'GET', '/v1/payout_orders'], ['an unknown path', 'GET', '/v1/nowhere'], ['the root', 'GET', '/v1'], ['a report', 'POST', RAIL],
  ] as const)('should be a problem for %s without a key, in English whatever language is asked for', async (_, method, path) => {
    const answer = await api.call(method, path, undefined, { authorization: '', 'accept-language': 'es' });
    const words = 'Please include your access key in your request.';
    expectProblem(answer, { status: 401, code: 'unauthenticated', title: words, detail: words });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it.each(['/v1/nowhere', '/v1', '/v1/', '/v1?x=1', '//v1/nowhere', '/v1/payout_orders/x/nothing', '/v1/%E0%A4%A'])('should be a problem for the unknown path %s', async (path) => {
    expectProblem(await api.call('GET', path), { status: 404, code: 'route_not_found', title: 'The resource was not found.', detail: 'The resource was not found.' });
  });

  it.each(['/nowhere', '/v10/payout_orders', '/payout_orders/v1', '/orders/v1/v1'])('should leave %s in the dialect (CONTRACT §6)', async (path) => {
    expect(await api.call('GET', path)).toMatchObject({ status: 404, body: { object: 'error', type: 'resource_not_found_error' }, headers: { 'content-type': expect.stringMatching(/^application\/vnd\.conekta/) as string } });
  });

  it('should be a problem for a method that a path does not have', async () => {
    expect(await api.call('DELETE', '/v1/payout_orders')).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
  });

  it('should be a problem without the scope', async () => {
    const words = 'The key may not be used for this operation.';
    expectProblem(await api.call('POST', RAIL, {}, { authorization: 'Bearer key_reader' }), { status: 403, code: 'scope_missing', title: words, detail: words });
  });

  it('should name the object that is not there', async () => {
    expectProblem(await api.call('GET', '/v1/payout_orders/unknown'), {
      status: 404, code: 'object_not_found', title: 'The resource was not found.', detail: 'The object PayoutOrder "unknown" could not be found.',
    });
  });

  it.each([['no JSON', '{"event_id"', 400, 'malformed_json'], ['a list', '[]', 422, 'body_not_object'], ['too much', `{"event_id":"${'x'.repeat(70_000)}"}`, 413, 'body_too_large']] as const)('should be a problem for a body that is %s', async (_, body, status, code) => {
    const answer = await api.call('POST', RAIL, body);
    expect(answer).toMatchObject({ status, body: { status, code, type: `urn:reintegro:problem:${code}` }, headers: { 'content-type': expect.stringMatching(/^application\/problem\+json/) as string } });
    expect(api.client.calls).toEqual([]);
  });

  it('should be a problem for a body that is no JSON by its type', async () => {
    expect(await api.call('POST', RAIL, 'x=1', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
  });

  it('should list every wrong parameter with its code, with a title that is the same for all, and never a value', async () => {
    const answer = await api.call('GET', '/v1/payout_orders?limit=secretvalue&page=2');
    expectProblem(answer, {
      status: 422, code: 'param_invalid', title: 'The parameter is invalid.', detail: 'The "limit" is invalid.',
      errors: [
        { param: 'limit', code: 'param_invalid', detail: 'The "limit" is invalid.' },
        { param: 'page', code: 'param_not_allowed', detail: 'The "page" parameter is not allowed' },
      ],
    });
    expect(JSON.stringify(answer.body)).not.toContain('secretvalue');
  });

  it('should be a problem of the movements, too', async () => {
    expectProblem(await api.call('GET', '/v1/money_movements'), {
      status: 422, code: 'param_missing', title: 'The parameter is missing.', detail: 'The "charge_id" is missing.', errors: [{ param: 'charge_id', code: 'param_missing', detail: 'The "charge_id" is missing.' }],
    });
  });

  it('should be a problem with Retry-After while the database does not answer (RELIABILITY)', async () => {
    const other = await startApi();
    await other.db.destroy();
    const answer = await other.call('GET', '/v1/payout_orders');
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable', status: 503 } });
    expect(other.log()).not.toContain(KEY);
    await other.app.close();
  });

  it('should have a title without a placeholder for every code there is, and a status of the 428 that is a conflict', () => {
    for (const [code, { en, status, nativeStatus }] of Object.entries<ErrorText>(ERRORS)) {
      expect(en.replace(/"\{param\}"( parameter)?/, 'parameter'), code).not.toMatch(/[{}]/);
      expect(nativeStatus, code).toBe(status === 428 ? 409 : status);
    }
  });

  it('should be listed in the document with the status each has, all there are here and no other', () => {
    const document = readFileSync(new URL('../../docs/native-api.md', import.meta.url), 'utf8');
    const listed = [...document.matchAll(/^\| (\d{3}) \| `([a-z_]+)` \|/gm)].map(([, status, code]) => `${status} ${code}`);
    expect(listed).toEqual([
      '400 malformed_request', '400 malformed_json', '401 unauthenticated', '403 scope_missing', '404 route_not_found', '404 object_not_found', '409 payout_order_not_cancellable', '409 payout_order_says_otherwise',
      '413 body_too_large', '415 unsupported_media_type', '422 body_not_object', '422 param_missing', '422 param_invalid', '422 param_duplicated', '422 param_not_allowed', '422 card_number', '500 general_failure', '503 unavailable',
    ]);
    for (const [status, code = ''] of listed.map((line) => line.split(' '))) expect((ERRORS as Record<string, ErrorText>)[code]?.nativeStatus, code).toBe(Number(status));
  });
});
