import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { CALL, PAYOUT, PAYOUT_ORDER_ID, REFERENCE, failureOf, goldenPayoutOrder, seed } from './golden.ts';
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

const lastRequest = () => server.seen.at(-1);

describe('createPayoutOrder', () => {
  it('should send the contract body with our id in the metadata, which our caller cannot displace (S4)', async () => {
    server.script(respond(200, goldenPayoutOrder({ status: 'pending' })));
    const metadata = { custom_client_id: '12345', reintegro_id: 'someone-else' };
    expect(await adapter.createPayoutOrder(CALL, { ...PAYOUT, metadata })).toEqual({
      providerPayoutOrderId: PAYOUT_ORDER_ID, reference: REFERENCE, payoutId: 'payout_2pwMgf9irhCLzMfCZ', status: 'pending',
    });
    expect(lastRequest()).toMatchObject({ method: 'POST', url: '/prefix/payout_orders' });
    expect(JSON.parse(lastRequest()?.body ?? '')).toEqual({
      allowed_payout_methods: ['cash'],
      amount: 3000,
      currency: 'MXN',
      customer_info: { customer_id: 'cus_23874283647' },
      payout: { payout_method: { type: 'cash' } },
      reason: 'Referencia de devolución',
      expires_at: 1700000000,
      metadata: { custom_client_id: '12345', reintegro_id: REFERENCE },
    });
  });

  it.each([
    ['another amount', { amount: 3001 }],
    ['another currency', { currency: 'USD' }],
    ['another reference', { metadata: { reintegro_id: 'other' } }],
    ['no reference', { metadata: {} }],
    ['no metadata', { metadata: null }],
    ['an unknown status', { status: 'canceled' }],
    ['no id', { id: '' }],
  ])('should be unknown when the answer has %s (S7)', async (_title, change) => {
    server.script(respond(200, goldenPayoutOrder(change)));
    expect((await failureOf(adapter.createPayoutOrder(CALL, PAYOUT))).kind).toBe('unknown');
  });
});

describe('getPayoutOrder', () => {
  it.each(['open', 'pending', 'pending_confirmation', 'withdrawn', 'cancelled', 'expired', 'reversed'])('should read status %s (seed 000)', async (status) => {
    server.script(respond(200, goldenPayoutOrder({ status })));
    expect((await adapter.getPayoutOrder(CALL, PAYOUT_ORDER_ID)).status).toBe(status);
    expect(lastRequest()).toMatchObject({ method: 'GET', url: `/prefix/payout_orders/${PAYOUT_ORDER_ID}` });
  });

  it('should be null where Conekta gives neither our reference nor a payout', async () => {
    server.script(respond(200, goldenPayoutOrder({ metadata: null, payouts: [] })));
    expect(await adapter.getPayoutOrder(CALL, PAYOUT_ORDER_ID)).toMatchObject({ reference: null, payoutId: null });
  });

  it.each([{ currency: 'pesos' }, { amount: 0 }, { amount: '3000' }, { object: 'payout' }, { payouts: [{ id: 7 }] }])('should be unknown on %j (S7)', async (change) => {
    server.script(respond(200, goldenPayoutOrder(change)));
    expect((await failureOf(adapter.getPayoutOrder(CALL, PAYOUT_ORDER_ID))).kind).toBe('unknown');
  });

  it('should be unknown on the seed answer whose id is empty (S7)', async () => {
    server.script(respond(200, seed('payout_order.get.response')));
    expect((await failureOf(adapter.getPayoutOrder(CALL, PAYOUT_ORDER_ID))).kind).toBe('unknown');
  });
});

describe('cancelPayoutOrder', () => {
  it('should put without a body and read the seed answer (P4)', async () => {
    server.script(respond(200, seed('payout_order.cancel.response')));
    expect((await adapter.cancelPayoutOrder(CALL, PAYOUT_ORDER_ID)).status).toBe('cancelled');
    expect(lastRequest()).toMatchObject({ method: 'PUT', url: `/prefix/payout_orders/${PAYOUT_ORDER_ID}/cancel`, body: '' });
  });

  it('should be unknown when the answer is about another payout order (S7)', async () => {
    server.script(respond(200, seed('payout_order.cancel.response')));
    expect((await failureOf(adapter.cancelPayoutOrder(CALL, 'other'))).kind).toBe('unknown');
  });
});
