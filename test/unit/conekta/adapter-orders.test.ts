import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { CALL, FIRST_CHARGE_ID, ORDER_ID, PAYOUT, REFUND, chargesOf, failureOf, refundsOf, seed } from './golden.ts';
import type { Json } from './golden.ts';
import { respond, startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
let adapter: ConektaAdapter;

beforeAll(async () => {
  server = await startScriptedServer();
  adapter = createConektaAdapter({ baseUrl: `${server.baseUrl}/prefix/`, timeoutMs: 5000 });
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

/** The seed's order after a change, served to `getOrder`. */
function changedOrder(change: (order: Json, first: Json) => void) {
  const order = seed('order.refund.response');
  change(order, chargesOf(order)[0]);
  server.script(respond(200, order));
  return adapter.getOrder(CALL, ORDER_ID);
}

/** What was read of the seed's first charge after a change that leaves it without refunds. */
async function unrefundedCharge(change: (charge: Json) => void) {
  const order = await changedOrder((json, first) => {
    json['amount_refunded'] = 20000;
    first['status'] = 'paid';
    first['refunds'] = null;
    change(first);
  });
  return order.charges[0];
}

/** What Conekta tells of a refund beside its state. */
const receipt = (authorizationCode: string | null, providerStatus: string | null = null) => (
  { providerStatus, type: null, transactionId: null, authorizationCode, ticketNumber: null, fees: [] }
);

const lastRequest = () => server.seen.at(-1);

describe('getOrder', () => {
  it('should read the seed: charges, positive refund amounts, the order as sent without its charges (M6)', async () => {
    const sent = seed('order.refund.response');
    const order = await changedOrder(() => undefined);
    const [first, second] = chargesOf(sent);
    const { charges: _charges, ...raw } = sent;
    expect(order).toEqual({
      orderId: ORDER_ID,
      currency: 'MXN',
      raw,
      charges: [
        {
          chargeId: FIRST_CHARGE_ID, amountMinor: 30000, currency: 'MXN', providerStatus: 'refunded', paid: true, disputedMinor: 0, raw: first,
          refunds: [{ providerRefundId: '64377d5877a374b7a7580b21', amountMinor: 30000, state: 'succeeded', reference: null, receipt: receipt('1776') }],
        },
        {
          chargeId: '64377cfc77a374b7a7580af2', amountMinor: 20000, currency: 'MXN', providerStatus: 'refunded', paid: true, disputedMinor: 0, raw: second,
          refunds: [{ providerRefundId: '64377d5777a374b7a7580b17', amountMinor: 20000, state: 'succeeded', reference: null, receipt: receipt('1991') }],
        },
      ],
    });
    expect(Object.keys(order.raw)).toEqual(Object.keys(raw));
  });

  it.each<[unknown, string | null]>([['1776', '1776'], [null, null], [undefined, null], [1776, null]])(
    'should tell an authorisation code of %j as %j: it decides nothing (S7)', async (sent, told) => {
      const order = await changedOrder((_order, first) => Object.assign(refundsOf(first).data[0]!, { auth_code: sent, status: 'approved' }));
      expect(order.charges[0]?.refunds[0]?.receipt).toEqual(receipt(told, 'approved'));
    },
  );

  it('should send the headers and the encoded id, below the prefix of the base URL', async () => {
    server.script(respond(200, seed('order.refund.response')));
    await failureOf(adapter.getOrder(CALL, 'a/b ?c'));
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(lastRequest()).toMatchObject({
      method: 'GET',
      url: '/prefix/orders/a%2Fb%20%3Fc',
      headers: {
        accept: 'application/vnd.conekta-v2.3.0+json',
        'accept-language': 'en',
        authorization: 'Bearer key_canarySecret',
        'user-agent': `reintegro/${version}`,
      },
    });
  });

  it.each(['', '.', '..', '\ud800'])('should ask for nothing when the id is %j', async (id) => {
    server.script(respond(200, seed('order.refund.response')));
    expect((await failureOf(adapter.getOrder(CALL, id))).kind).toBe('not_found');
    expect((await failureOf(adapter.cancelPayoutOrder(CALL, id))).kind).toBe('declined');
    expect(server.seen).toHaveLength(0);
  });

  it.each([null, undefined])('should read refunds: %s as none', async (refunds) => {
    expect((await unrefundedCharge((charge) => (charge['refunds'] = refunds)))?.refunds).toEqual([]);
  });

  it('should read an order without charges', async () => {
    const order = await changedOrder((json) => Object.assign(json, { charges: null, amount_refunded: 0 }));
    expect(order.charges).toEqual([]);
  });

  it.each([
    ['paid', true, 0],
    ['pending_payment', false, 0],
    ['declined', false, 0],
    ['expired', false, 0],
    ['canceled', false, 0],
    ['chargeback', true, 30000],
    ['charged_back', true, 30000],
    ['in_dispute', true, 30000],
  ])('should read charge status %s as paid: %s, disputed: %d (M2)', async (status, paid, disputedMinor) => {
    const charge = await unrefundedCharge((json) => (json['status'] = status));
    expect(charge).toMatchObject({ providerStatus: status, paid, disputedMinor });
  });

  it.each([
    ['won', 0],
    ['lost', 30000],
    ['under_review', 30000],
    ['action_required', 30000],
  ])('should read a chargeback that is %s as %d disputed (M2)', async (status, disputedMinor) => {
    expect((await unrefundedCharge((json) => (json['chargeback'] = { status })))?.disputedMinor).toBe(disputedMinor);
  });

  it.each<[string, (order: Json, first: Json) => void]>([
    ['the id of another order', (order) => (order['id'] = 'ord_2tgvDBAmxTMqSftQF')],
    ['another object', (order) => (order['object'] = 'charge')],
    ['a charge of another order', (_order, first) => (first['order_id'] = 'ord_other')],
    ['an unknown charge status', (_order, first) => (first['status'] = 'perhaps')],
    ['an unknown refund status', (_order, first) => (refundsOf(first).data[0]!['status'] = 'perhaps')],
    ['an unknown chargeback status', (_order, first) => (first['chargeback'] = { status: 'perhaps' })],
    ['a float', (_order, first) => (first['amount'] = 30000.5)],
    ['an amount as text', (_order, first) => (first['amount'] = '30000')],
    ['an unsafe integer', (_order, first) => (first['amount'] = 2 ** 53)],
    ['the same charge twice', (order) => (chargesOf(order)[1]['id'] = FIRST_CHARGE_ID)],
    ['the same refund twice', (_order, first) => refundsOf(first).data.push({ ...refundsOf(first).data[0] })],
    ['more pages of refunds', (_order, first) => (refundsOf(first).has_more = true)],
    ['more pages of charges', (order) => ((order['charges'] as Json)['has_more'] = true)],
    ['a total above what is listed', (_order, first) => (refundsOf(first).total = 2)],
    ['a refunded charge that lists no refund', (order, first) => Object.assign(order, { amount_refunded: 20000 }) && (first['refunds'] = null)],
    ['a refund missing from what was refunded', (order, first) => Object.assign(first, { status: 'paid', refunds: null }) && (order['amount_refunded'] = 50000)],
  ])('should be unknown on %s (S7)', async (_title, change) => {
    expect((await failureOf(changedOrder(change))).kind).toBe('unknown');
  });

  it.each([30000, 0, -0])('should be unknown on a refund of %d: on the wire they are negative (M6, S7)', async (amount) => {
    const reading = unrefundedCharge((json) => (json['refunds'] = { object: 'list', has_more: false, total: 1, data: [{ id: 'a', amount }] }));
    expect((await failureOf(reading)).kind).toBe('unknown');
  });

  it('should say where an answer departs from the schema', async () => {
    const failure = await failureOf(changedOrder((_order, first) => (refundsOf(first).has_more = true)));
    expect(failure.message).toBe('Conekta: unexpected answer at charges.data.0.refunds.has_more: more than one page');
  });
});

describe('submitRefund', () => {
  it('should ask for one charge and amount, and give back the order as it then is (seed 002)', async () => {
    server.script(respond(200, seed('order.refund.response')));
    const submitted = await adapter.submitRefund(CALL, REFUND);
    expect(submitted).toEqual({ kind: 'order', order: await adapter.getOrder(CALL, ORDER_ID) });
    server.script(respond(200, seed('order.refund.response')));
    await adapter.submitRefund(CALL, REFUND);
    expect(server.seen).toHaveLength(1);
    expect(lastRequest()).toMatchObject({ method: 'POST', url: `/prefix/orders/${ORDER_ID}/refunds`, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(lastRequest()?.body ?? '')).toEqual({ charge_id: FIRST_CHARGE_ID, amount: 30000, reason: 'requested_by_client' });
  });

  it('should leave out a reason that was not given', async () => {
    server.script(respond(200, seed('order.refund.response')));
    await adapter.submitRefund(CALL, { ...REFUND, reason: undefined });
    expect(JSON.parse(lastRequest()?.body ?? '')).toEqual({ charge_id: FIRST_CHARGE_ID, amount: 30000 });
  });

  it.each([
    ['another order', { orderId: 'ord_other' }],
    ['a charge it does not have', { chargeId: '64377cfe77a374b7a7580b0f' }],
    ['another currency', { currency: 'USD' }],
  ])('should be unknown when the answer is about %s (S7)', async (_title, change) => {
    server.script(respond(200, seed('order.refund.response')));
    expect((await failureOf(adapter.submitRefund(CALL, { ...REFUND, ...change }))).kind).toBe('unknown');
  });

  it.each([NaN, Infinity, 0, -1, 1.5, 2 ** 53])('should send nothing when the amount is %d (M1)', async (amountMinor) => {
    server.script(respond(200, seed('order.refund.response')));
    expect((await failureOf(adapter.submitRefund(CALL, { ...REFUND, amountMinor }))).kind).toBe('declined');
    expect((await failureOf(adapter.createPayoutOrder(CALL, { ...PAYOUT, amountMinor }))).kind).toBe('declined');
    expect(server.seen).toHaveLength(0);
  });

  it('should refuse with the code of the seed for a split order (seed 002)', async () => {
    server.script(respond(402, seed('error.split_payment_charge_id_required.es')));
    expect(await failureOf(adapter.submitRefund(CALL, REFUND))).toMatchObject({
      kind: 'declined',
      details: { httpStatus: 402, providerCode: 'conekta.errors.processing.charge_operations.refund.split_payment.charge_id_is_required' },
    });
  });
});
