import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { NotRunningError, TemporalUnavailableError } from '../../src/client/client-errors.ts';
import { orderEventScene } from './order-event-scene.ts';
import type { LegFate } from './played-workflows.ts';
import { expectRefused } from './start-api.ts';

const scene = orderEventScene();
const { deliver, event, listen, orderWith, part, refund, shownOrder, told } = scene;
const calls = () => scene.api().client.calls;

describe('what an event says and cannot be told at once (A8)', () => {
  it('should be a case when the Workflow was ended by hand, once, and the event is taken in (O1)', async () => {
    const refundId = await refund(['authorized', 'authorized']);
    scene.api().client.reset({ signalRefundFact: async () => { throw new NotRunningError('gone'); } });
    const body = event(await shownOrder());
    for (const id of ['', '', '_anew']) expect((await deliver({ ...body, id: `${body.id}${id}` })).status).toBe(200);
    expect(calls()).toHaveLength(2);
    const cases = await scene.api().db.selectFrom('cases').select(['kind', 'status', 'leg_id', 'amount_minor']).where('refund_id', '=', refundId).execute();
    expect(cases).toEqual([{ kind: 'workflow_gone', status: 'open', leg_id: null, amount_minor: 50_000 }]);
    expect(await scene.statusOf(refundId)).toEqual({ status: 'authorized', needs_attention: true });
  });

  it.each<['signalRefundFact' | 'reviewRefund', LegFate]>([['signalRefundFact', 'authorized'], ['reviewRefund', 'succeeded']])('should be told by a later delivery, once, after Temporal was down at %s', async (method, fate) => {
    await refund([fate, fate]);
    const body = event(await orderWith((shown) => ({ ...shown, status: 'failed' })));
    scene.api().client.reset({ [method]: async () => { throw new TemporalUnavailableError('10.0.0.1 down'); } });
    const refused = await deliver(body);
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(JSON.stringify(refused.body)).not.toContain('10.0.0.1');
    listen();
    expect([(await deliver(body)).status, (await deliver(body)).status]).toEqual([200, 200]);
    expect(calls().map((call) => call.method)).toEqual([method]);
  });

  it('should be told to every refund, when Temporal was down after the first', async () => {
    const ids = [await refund(['authorized'], part(1)), await refund(['authorized'], part(2))];
    const heard = new Set<string>();
    scene.api().client.reset({ signalRefundFact: async (_, id) => {
      if (calls().length === 2) throw new TemporalUnavailableError('down');
      heard.add(id);
    } });
    const body = event(await shownOrder());
    expect([(await deliver(body)).status, (await deliver(body)).status]).toEqual([503, 200]);
    expect(heard).toEqual(new Set(ids));
  });

  it.each(['legs', 'cases', 'provider_events'])('should be told by a later delivery when the %s could not be used', async (table) => {
    await refund(['authorized', 'authorized']);
    const body = event(await shownOrder());
    const { client, db } = scene.api();
    client.reset({ signalRefundFact: async () => { throw new NotRunningError('gone'); } });
    await sql`alter table ${sql.table(table)} rename to away`.execute(db);
    try {
      expect(await deliver(body)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    } finally {
      await sql`alter table away rename to ${sql.table(table)}`.execute(db);
    }
    listen();
    expect((await deliver(body)).status).toBe(200);
    expect(calls()).toHaveLength(1);
  });
});

describe('an event about an order that says nothing to anybody', () => {
  it('should be refused when it is forged, and taken in once when it is doubled (A8)', async () => {
    const refundId = await refund(['authorized', 'authorized']);
    const body = event(await shownOrder());
    expectRefused(scene.api(), await deliver(body, { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }), 401, 'authentication_error');
    for (const again of [body, body, { ...body, type: 'charge.refunded' }]) expect((await deliver(again)).status).toBe(200);
    expect(calls()).toEqual([told(refundId)]);
  });

  it.each<[string, unknown]>([
    ['an order that nobody knows', { object: 'order', id: 'ord_nobody' }], ['a charge of an order that nobody knows', { object: 'charge', id: 'c', order_id: 'ord_nobody' }],
    ['a customer', { object: 'customer', id: 'cus_1' }], ['a chargeback', { object: 'chargeback', id: 'c', order_id: 7 }], ['nothing', null], ['a list', []], ['a text', 'order'],
  ])('should be taken in quietly when it is about %s', async (_, object) => {
    await refund(['authorized', 'succeeded']);
    for (const body of [event(object), { ...event(object), data: object }]) expect((await deliver(body)).status).toBe(200);
    expect(calls()).toEqual([]);
  });

  it.each<[string, object]>([
    ['an order without id', { object: 'order' }], ['an empty id', { object: 'order', id: '' }], ['a number for an id', { object: 'order', id: 7 }], ['an endless id', { object: 'order', id: 'x'.repeat(300) }],
    ['a charge without its order', { object: 'charge', id: 'c' }], ['a charge of no order', { object: 'charge', id: 'c', order_id: null }],
  ])('should be refused with 400, and not taken in, when it names no order: %s', async (_, object) => {
    const body = event(object);
    expectRefused(scene.api(), await deliver(body), 400, 'malformed_request_error');
    const refundId = await refund(['authorized', 'authorized']);
    await deliver({ ...body, data: { object: await shownOrder() } });
    expect(calls()).toMatchObject([{ method: 'signalRefundFact', args: ['m_one', refundId, body.id] }]);
  });

  it('should be read to its end up to a megabyte, and refused above', async () => {
    const refundId = await refund(['succeeded', 'succeeded']);
    const order = await orderWith((shown) => ({ ...shown, status: 'failed' }));
    const padded = (chargeCount: number) => ({ ...order, charges: { data: [...Array.from({ length: chargeCount }, (_, index) => ({ id: `c${index}`, refunds: { data: [{ id: `r${index}`, amount: -1 }] } })), ...order.charges.data] } });
    const body = event(padded(15_000));
    expect(JSON.stringify(body).length).toBeGreaterThan(700_000);
    expect((await deliver(body)).status).toBe(200);
    expect(calls()).toMatchObject([{ method: 'reviewRefund', args: ['m_one', refundId, scene.orderId(), body.id] }]);
    listen();
    expectRefused(scene.api(), await deliver(event(padded(30_000))), 413, 'malformed_request_error');
  });

  it('should never bring a 5xx, whatever it is made of', async () => {
    const object = fc.record({ object: fc.constantFrom('order', 'charge', 'chargeback'), id: fc.jsonValue(), order_id: fc.jsonValue(), charges: fc.oneof(fc.jsonValue(), fc.record({ data: fc.array(fc.jsonValue()) })), refunds: fc.jsonValue() }, { requiredKeys: ['object'] });
    const isNul = (value: unknown): boolean => JSON.stringify(value).includes('\\u0000');
    await fc.assert(fc.asyncProperty(fc.oneof(object, fc.jsonValue()), fc.jsonValue(), fc.constantFrom('order.refunded', 'charge.refunded', 'order.'), async (about, createdAt, type) => {
      fc.pre(!isNul(about));
      const { status } = await deliver({ ...event(about, { type }), created_at: createdAt });
      expect([200, 400]).toContain(status);
    }), { numRuns: 150 });
    expect(calls()).toEqual([]);
  });
});
