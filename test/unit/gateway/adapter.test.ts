import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import type { GatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import { PAYOUT, PAYOUT_ORDER_ID, REFERENCE, failureOf } from '../conekta/golden.ts';
import { respond, startScriptedServer } from '../conekta/scripted-server.ts';
import type { ScriptedServer } from '../conekta/scripted-server.ts';
import { CALL, LEG, OTHER_PAYMENT_ID, PAYMENT_ID, REFUND, message, number, payment, refusal, serve } from './golden.ts';
import type { Json } from './golden.ts';

let server: ScriptedServer;
let adapter: GatewayAdapter;

beforeAll(async () => {
  server = await startScriptedServer();
  adapter = createGatewayAdapter({ baseUrl: `${server.baseUrl}/api/v2/`, timeoutMs: 5000 });
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

const RECEIPT = {
  providerStatus: 'refunded', type: 'online', transactionId: 'tx_1', authorizationCode: '1776', ticketNumber: 'tk_1',
  fees: [
    { type: 'refund_cost', payer: 'collector', description: 'Costo por reembolso', amountMinor: 350 },
    { type: 'discount', payer: 'payer', description: null, amountMinor: 0 },
  ],
};
const READ_REFUND = { providerRefundId: 'dev_1', amountMinor: 10_000, state: 'succeeded', reference: LEG, receipt: RECEIPT };

function read(shown: Json, found: Json | null = null, sought?: string) {
  server.script(serve(shown, found));
  return adapter.getOrder(CALL, PAYMENT_ID, sought);
}

/** The ids and states of the refunds read. */
async function refundsRead(shown: Json, found: Json | null) {
  return (await read(shown, found, LEG)).charges[0]?.refunds.map(({ providerRefundId, state }) => `${providerRefundId} ${state}`);
}

describe('getOrder', () => {
  it('should read a payment as an order with one charge of its id, amounts in minor units, the answer as sent (M1)', async () => {
    const order = await read(payment({ status: 'refunded', refunds: [message()] }));
    const raw = {
      id: PAYMENT_ID, object: 'payment', status: 'refunded', status_detail: null, type: 'online', amount: '500.00', currency_id: 'ARS',
      external_reference: 'cart-9', metadata: { seats: 2 },
    };
    expect(order).toMatchObject({
      orderId: PAYMENT_ID, currency: 'ARS', raw,
      charges: [{ chargeId: PAYMENT_ID, amountMinor: 50_000, currency: 'ARS', providerStatus: 'refunded', paid: true, disputedMinor: 0, refunds: [READ_REFUND] }],
    });
    expect(order.raw).not.toHaveProperty('refunds');
    expect(order.charges[0]?.raw).toMatchObject({ ...raw, refunds: [{ id: 'dev_1', amount: '100.00', fee_details: [{ amount: '3.50' }, { amount: '0.00' }] }] });
    expect(JSON.parse(JSON.stringify(order))).toEqual(order);
  });

  it('should ask with the key, for JSON, below the prefix of the base URL, the id encoded', async () => {
    server.script(respond(200, payment()));
    await failureOf(adapter.getOrder(CALL, 'a/b ?c'));
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({
      method: 'GET', url: '/api/v2/pagos/a%2Fb%20%3Fc', headers: { accept: 'application/json', authorization: 'Bearer key_canarySecret' },
    });
  });

  it.each(['', '.', '..', '\ud800'])('should ask for nothing when the id is %j', async (id) => {
    server.script(respond(200, payment()));
    expect((await failureOf(adapter.getOrder(CALL, id, LEG))).kind).toBe('not_found');
    expect((await failureOf(adapter.submitRefund(CALL, { ...REFUND, orderId: id, chargeId: id }))).kind).toBe('declined');
    expect(server.seen).toHaveLength(0);
  });

  it.each<[unknown, string]>([[undefined, 'ARS'], [null, 'ARS'], ['MXN', 'MXN'], ['USD', 'USD']])('should read currency %j as %s', async (sent, currency) => {
    const order = await read(payment({ currency_id: sent }));
    expect([order.currency, order.charges[0]?.currency]).toEqual([currency, currency]);
  });

  it.each<[string, Json]>([
    ['another payment', { id: OTHER_PAYMENT_ID }],
    ['no id', { id: '' }],
    ['another object', { object: 'order' }],
    ['no list of refunds', { refunds: undefined }],
    ['null for a list', { refunds: null }],
    ['a page of refunds', { refunds: { data: [] } }],
    ['a refund of another payment', { refunds: [message({ reference: OTHER_PAYMENT_ID })] }],
    ['a refund without an id', { refunds: [message({ id: undefined })] }],
    ['the same refund twice', { refunds: [message(), message()] }],
    ['a refund of nothing', { refunds: [message({ amount: number('0.00') })] }],
    ['a negative refund', { refunds: [message({ amount: number('-100.00') })] }],
    ['an amount of nothing', { amount: number('0') }],
    ['an amount as text', { amount: '500.00' }],
    ['an amount of three places', { amount: number('500.005') }],
    ['an amount with an exponent', { amount: number('5e2') }],
    ['an amount beyond the safe integers', { amount: number('90071992547409.92') }],
    ['more given back than was paid', { refunds: [message({ amount: number('300.00') }), message({ id: 'dev_2', amount: number('200.01') })] }],
    ['more given back than can be summed', { refunds: [1, 2, 3].map((index) => message({ id: `dev_${index}`, amount: number('90071992547409.91') })) }],
    ['refunded, but lists none', { status: 'refunded' }],
    ['an odd currency', { currency_id: 'ars' }],
    ['an odd reference of ours', { refunds: [message({ external_reference: 7 })] }],
  ])('should be unknown on %s (S7)', async (_title, change) => {
    const failure = await failureOf(read(payment(change)));
    expect(failure.kind).toBe('unknown');
    expect(failure.message).toMatch(/^Gateway: /);
  });

  it('should not count what failed against the payment (M2)', async () => {
    const refunds = ['rejected', 'cancelled', 'dismissed'].map((status, index) => message({ id: `dev_f${index}`, status, amount: number('500.00') }));
    expect((await read(payment({ refunds: [...refunds, message({ amount: number('500.00') })] }))).charges[0]?.refunds).toHaveLength(4);
  });

  it.each([[50, 'read'], [200, 'unknown'], [20_000, 'unknown']])('should take an answer with %d levels as %s: nobody is to walk without end (S7)', async (levels, expected) => {
    const nested = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    server.script((response) => response.end(JSON.stringify(payment({ metadata: 'DEEP' })).replace('"DEEP"', nested)));
    const outcome = adapter.getOrder(CALL, PAYMENT_ID);
    expect(expected === 'read' ? (await outcome).orderId : (await failureOf(outcome)).kind).toBe(expected === 'read' ? PAYMENT_ID : 'unknown');
  });
});

describe('getOrder with a reference that is sought', () => {
  it('should ask for the payment first, and then for the refund that carries the reference (S1)', async () => {
    await read(payment(), null, 'a b&c');
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET /api/v2/pagos/${PAYMENT_ID}`, `GET /api/v2/pagos/devolucion/${PAYMENT_ID}?external_reference=a+b%26c`,
    ]);
    await read(payment());
    expect(server.seen).toHaveLength(1);
  });

  it('should show what the list does not show yet (S4)', async () => {
    const order = await read(payment({ refunds: [message({ id: 'dev_0', external_reference: null })] }), message(), LEG);
    expect(order.charges[0]?.refunds).toMatchObject([{ providerRefundId: 'dev_0', reference: null }, READ_REFUND]);
  });

  it('should take the later word on a refund that the list shows, and show it once (R6)', async () => {
    expect(await refundsRead(payment({ refunds: [message({ status: 'pending' }), message({ id: 'dev_2' })] }), message())).toEqual(['dev_1 succeeded', 'dev_2 succeeded']);
    expect(await refundsRead(payment({ refunds: [message({ status: 'approved' })] }), message({ status: 'rejected' }))).toEqual(['dev_1 failed']);
  });

  it('should let what was found cover what the payment says was given back (M2)', async () => {
    expect(await refundsRead(payment({ status: 'refunded' }), message())).toEqual(['dev_1 succeeded']);
    expect((await failureOf(refundsRead(payment({ status: 'refunded' }), null))).kind).toBe('unknown');
  });

  it('should keep what the list shows where the reference is not found', async () => {
    expect(await refundsRead(payment({ refunds: [message()] }), null)).toEqual(['dev_1 succeeded']);
  });

  it.each<[string, Json]>([
    ['another payment', { reference: OTHER_PAYMENT_ID }],
    ['another reference', { external_reference: 'other' }],
    ['no reference', { external_reference: null }],
    ['more than was paid', { amount: number('500.01') }],
    ['an unknown status', { status: 'perhaps' }],
  ])('should be unknown when the refund found is of %s (S7)', async (_title, change) => {
    expect((await failureOf(read(payment(), message(change), LEG))).kind).toBe('unknown');
  });

  it.each(['CLP', 'JPY', 'KWD'])('should show nothing to be given back of a payment in %s, whose minor units two places cannot tell (M1)', async (currency_id) => {
    expect((await read(payment({ currency_id }))).charges[0]).toMatchObject({ paid: false, currency: currency_id });
  });

  it('should still be read when all that is listed failed, whatever the payment says of itself: that is how a late failure is seen (R9)', async () => {
    expect(await refundsRead(payment({ status: 'refunded', refunds: [message({ status: 'rejected' })] }), null)).toEqual(['dev_1 failed']);
  });

  it('should be unknown when the refund found failed and is not listed: a list that is behind may lack one that did not (S7)', async () => {
    expect((await failureOf(refundsRead(payment(), message({ status: 'rejected' })))).kind).toBe('unknown');
    expect(await refundsRead(payment({ refunds: [message({ status: 'rejected' })] }), message({ status: 'rejected' }))).toEqual(['dev_1 failed']);
  });

  it('should be unknown when list and refund found disagree on an amount (S7)', async () => {
    expect((await failureOf(read(payment({ refunds: [message()] }), message({ amount: number('99.99') }), LEG))).kind).toBe('unknown');
  });

  it.each([
    [500, 'unknown'], [503, 'unknown'], [429, 'not_sent'], [401, 'not_sent'], [409, 'declined'],
  ])('should fail as the look fails: %d is %s and never "none" (S4)', async (status, kind) => {
    server.script((response, request) => (request.url.includes('?') ? respond(status, refusal()) : respond(200, payment()))(response, request));
    expect((await failureOf(adapter.getOrder(CALL, PAYMENT_ID, LEG))).kind).toBe(kind);
  });

  it.each([
    ['in another form', { error: 'no such page' }], ['in the dialect', refusal('gateway.errors.resource_not_found.route')],
  ])('should not take a page that was not found for the refund that was not found: told %s (S4, S7)', async (_form, body) => {
    server.script((response, request) => (request.url.includes('?') ? respond(404, body) : respond(200, payment()))(response, request));
    expect((await failureOf(adapter.getOrder(CALL, PAYMENT_ID, LEG))).kind).toBe('unknown');
  });
});

describe('submitRefund', () => {
  it('should send the amount with two places, our reference, and what was asked for, once; and tell the refund made (S1)', async () => {
    server.script(respond(200, message()));
    expect(await adapter.submitRefund(CALL, { ...REFUND, refundType: 'by_media_payment' })).toEqual({ kind: 'refund', refund: READ_REFUND });
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({
      method: 'POST', url: `/api/v2/pagos/devolucion/${PAYMENT_ID}`, headers: { 'content-type': 'application/json' },
      body: `{"amount":100.00,"type":"by_media_payment","reason":"requested_by_client","external_reference":"${LEG}"}`,
    });
  });

  it('should leave out a reason and a type that were not given', async () => {
    server.script(respond(200, message()));
    await adapter.submitRefund(CALL, { ...REFUND, reason: undefined });
    expect(server.seen[0]?.body).toBe(`{"amount":100.00,"external_reference":"${LEG}"}`);
  });

  it.each<[string, Json]>([
    ['another payment', { reference: OTHER_PAYMENT_ID }],
    ['another reference', { external_reference: 'other' }],
    ['no reference', { external_reference: undefined }],
    ['another amount', { amount: number('100.01') }],
    ['no amount', { amount: undefined }],
    ['no id', { id: '' }],
  ])('should be unknown when the answer is about %s (S7)', async (_title, change) => {
    server.script(respond(200, message(change)));
    expect((await failureOf(adapter.submitRefund(CALL, REFUND))).kind).toBe('unknown');
  });

  it.each<[string, Partial<typeof REFUND>]>([
    ...[NaN, Infinity, 0, -1, 1.5, 2 ** 53].map((amountMinor): [string, Partial<typeof REFUND>] => [`an amount of ${amountMinor}`, { amountMinor }]),
    ['another charge than the payment', { chargeId: OTHER_PAYMENT_ID }],
    ['a currency without minor units', { currency: 'CLP' }],
    ['a currency with thousandths', { currency: 'KWD' }],
  ])('should send nothing for %s (M1)', async (_title, change) => {
    server.script(respond(200, message()));
    expect((await failureOf(adapter.submitRefund(CALL, { ...REFUND, ...change }))).kind).toBe('declined');
    expect(server.seen).toHaveLength(0);
  });
});

describe('payout orders', () => {
  it('should be refused for good, so that they stay open, and never be found: nothing was sent (P1)', async () => {
    server.script(respond(200, {}));
    for (const call of [
      () => adapter.createPayoutOrder(CALL, PAYOUT), () => adapter.getPayoutOrder(CALL, PAYOUT_ORDER_ID), () => adapter.cancelPayoutOrder(CALL, PAYOUT_ORDER_ID),
    ]) {
      expect(await failureOf(call())).toMatchObject({ kind: 'declined', details: { providerCode: 'no_payout_orders' } });
    }
    expect(await adapter.findPayoutOrder(CALL, REFERENCE, new Date(0))).toBeNull();
    expect(server.seen).toHaveLength(0);
  });
});
