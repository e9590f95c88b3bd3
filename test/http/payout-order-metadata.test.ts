import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playPayoutOrder } from './played-workflows.ts';
import { payoutBody, startApi } from './start-api.ts';
import type { Answer, TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => { api = await startApi(); });
afterAll(() => api.close());

async function create(changes: Record<string, unknown>): Promise<Answer> {
  api.client.reset({ createPayoutOrder: (order) => playPayoutOrder(api.db, order) });
  const answer = await api.call('POST', '/payout_orders', payoutBody(changes));
  api.client.reset();
  return answer;
}

function manyKeys(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key_${index}`, `value ${index}`]));
}

describe('metadata of a payout order', () => {
  it.each<[string, Record<string, unknown>]>([
    ['nothing', {}], ['nested objects and lists', { tienda: { caja: [1, { turno: 'noche' }, []], datos: {} } }], ['letters of many scripts', { 'dueña': 'Ñandú 漢字 🙂 é e\u0301 \u202eabc', emoji: ['👩‍👩‍👧'] }],
    ['null, booleans and numbers', { nada: null, si: true, no: false, cero: 0, negativo: -7, decimal: 0.1, chico: 1e-7, lista: [null, 1.5] }], ['empty names and texts', { '': '', a: [''] }],
    ['characters that SQL and JSON treat apart', { "'; drop table payout_orders; --": '"\\\n\t%_', $where: '{}' }], ['a hundred keys', manyKeys(100)], ['a name that we use ourselves', { reintegro_id: 'theirs', reintegro_key: { id: 1 } }],
    ['numbers written as texts', { amount: '100.00', id: '007' }],
  ])('should come back as it was given: %s (CONTRACT §3)', async (_, metadata) => {
    const answer = await create({ metadata });
    expect(answer).toMatchObject({ status: 200 });
    const { id } = answer.body as { id: string };
    expect(answer.body.metadata).toEqual(metadata);
    expect((await api.call('GET', `/payout_orders/${id}`)).body.metadata).toEqual(metadata);
    expect((await api.call('GET', '/payout_orders?limit=1')).body.data[0].metadata).toEqual(metadata);
    expect((await api.call('GET', `/v1/payout_orders/${id}`)).body.metadata).toEqual(metadata);
    expect((await api.call('GET', '/v1/payout_orders?limit=1')).body.data[0].metadata).toEqual(metadata);
  });

  it.each<[string, unknown]>([['101 keys', manyKeys(101)], ['a list', []], ['a text', 'x'], ['null', null], ['a card number', { note: ['4000 0566 5566 5556'] }], ['a NUL', { note: 'a\u0000b' }], ['half a character', { note: '\ud83d' }]])('should be refused with 422 when it is or holds %s', async (_, metadata) => {
    const answer = await create({ metadata });
    expect(answer).toMatchObject({ status: 422, body: { details: [{ param: 'metadata' }] } });
    expect(api.client.calls).toEqual([]);
  });
});

describe('the payout method', () => {
  it.each([[['cash'], 'cash'], [['cashout'], 'cashout'], [['cash', 'cashout'], 'cashout'], [['cashout', 'cash'], 'cash'], [['cash'], 'cashout']])('should be echoed as asked for, %j with %s, on every face', async (allowed, type) => {
    const { body } = await create({ allowed_payout_methods: allowed, payout: { payout_method: { type } } });
    for (const shown of [body, (await api.call('GET', `/payout_orders/${String(body.id)}`)).body]) {
      expect(shown).toMatchObject({ allowed_payout_methods: allowed, payouts: [{ payout_method: { object: 'payout_method', type } }] });
    }
    expect((await api.call('GET', `/v1/payout_orders/${String(body.id)}`)).body).toMatchObject({ allowed_payout_methods: allowed, payout_method_type: type });
  });

  it.each(['card', 'CASH', '', null])('should be refused with 422 when it is %s', async (type) => {
    expect(await create({ payout: { payout_method: { type } } })).toMatchObject({ status: 422, body: { details: [{ param: 'payout.payout_method.type' }] } });
  });
});
