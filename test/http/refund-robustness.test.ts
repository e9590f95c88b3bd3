import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chargeIdOf, playRefund, recordOrder } from './played-workflows.ts';
import type { LegFate } from './played-workflows.ts';
import { KEY, seed, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

const PAID = seed('error.split_payment_charge_id_required.es.json')['data'] as Record<string, unknown>;
/** Each order is asked about this often, and then replaced by a new one: soon nothing would be left to refund. */
const RUNS_PER_ORDER = 5;
let api: TestApi;
beforeAll(async () => { api = await startApi(); });
afterAll(() => api.close());

const fate = fc.constantFrom<LegFate>('authorized', 'approved', 'succeeded', 'succeeded', 'succeeded', 'refused', 'sending');
const toBytes = (text: string) => Buffer.from(text);
/** What an HTTP parser lets through as a header's value. */
const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)), maxLength: 300 });
const mostly = <T>(usual: fc.Arbitrary<T>, ...others: fc.Arbitrary<T>[]) => fc.oneof({ weight: 8, arbitrary: usual }, ...others);

/** A request that may be meant, of the order it is about: nothing (all of it), or some of its fields. */
const request = fc.oneof(fc.constant({}), fc.record({
  amount: mostly<unknown>(fc.integer({ min: 1, max: 10_000 }), fc.maxSafeInteger(), fc.double(), fc.string()), charge_id: mostly<unknown>(fc.constantFrom(0, 1), fc.string({ unit: 'binary' }), fc.constant('ch_x')),
  reason: mostly<unknown>(fc.constantFrom('other', 'suspected_fraud'), fc.jsonValue()), expires_at: mostly<unknown>(fc.integer({ min: 0, max: 2 ** 40 }), fc.jsonValue()),
}, { requiredKeys: [] }));
const body = mostly<object>(request, fc.json().map(toBytes), fc.string({ unit: 'binary' }).map(toBytes), fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)), fc.constant(Buffer.alloc(0)));
function bytesOf(asked: object, orderId: string): Buffer {
  if (Buffer.isBuffer(asked)) return asked;
  return toBytes(JSON.stringify(asked, (field, value: unknown) => (field === 'charge_id' && typeof value === 'number' ? chargeIdOf(orderId, value) : value)));
}
const headers = fc.record({
  'content-type': mostly(fc.constant('application/json'), fc.constantFrom('application/json; charset=utf-16', 'APPLICATION/JSON', 'application/vnd.conekta-v2.2.0+json', 'application/x-www-form-urlencoded', ''), headerText),
  'idempotency-key': mostly(fc.constantFrom('a', 'b', 'c', '"a"'), fc.constantFrom('"', '', 'k'.repeat(255), 'k'.repeat(256)), headerText),
  accept: headerText, 'accept-language': mostly(fc.constantFrom('es', 'en', 'xx', 'en;q=0.1,es'), headerText), 'x-child-company-id': headerText, digest: headerText,
}, { requiredKeys: ['content-type'] });
const encoding = mostly(fc.constant({}), fc.constantFrom('identity', 'gzip', '').map((word) => ({ 'content-encoding': word })));
const order = mostly(fc.constant(null), fc.string({ unit: 'grapheme', minLength: 1 }).map(encodeURIComponent), headerText.map((text) => encodeURIComponent(text)));

describe('POST /orders/{id}/refunds', () => {
  it('should never answer with a 5xx, whatever is asked for in whatever words, and always in the dialect (R10, CONTRACT §6)', async () => {
    const answered = new Set<number>();
    let runs = 0;
    await fc.assert(fc.asyncProperty(order, body, headers, encoding, fc.tuple(fate, fate), async (named, asked, given, encoded, fates) => {
      if (runs % RUNS_PER_ORDER === 0) await recordOrder(api.db, 'm_one', PAID, `ord_2tgvDBAmxTMqR${runs}`);
      const orderId = named ?? `ord_2tgvDBAmxTMqR${runs - (runs % RUNS_PER_ORDER)}`;
      runs += 1;
      api.client.reset({ requestRefund: (refund) => playRefund(api.db, refund, fates) });
      const answer = await api.app.inject({ method: 'POST', url: `/orders/${orderId}/refunds`, payload: bytesOf(asked, orderId), headers: { ...given, ...encoded, authorization: `Bearer ${KEY}` } });
      answered.add(answer.statusCode);
      expect(answer.statusCode, api.log().split('\n').filter((line) => line.includes('"level":50')).join('\n')).toBeLessThan(500);
      expect(JSON.parse(answer.body)).toMatchObject({ object: answer.statusCode < 300 ? 'order' : 'error' });
      expect(answer.headers.location).toBe(answer.statusCode === 202 ? `/orders/${orderId}` : undefined);
    }), { numRuns: 500 });
    // The property says nothing unless it met what succeeds, what is under way and what is refused.
    for (const status of [200, 202, 400, 402, 404, 415, 422, 428]) expect([...answered]).toContain(status);
  });
});
