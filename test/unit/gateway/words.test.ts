import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderRefundState } from '../../../src/domain/send-protocol.ts';
import { createGatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import type { GatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import type { RefundType } from '../../../src/domain/refund-receipt.ts';
import { failureOf } from '../conekta/golden.ts';
import { respond, startScriptedServer } from '../conekta/scripted-server.ts';
import type { ScriptedServer } from '../conekta/scripted-server.ts';
import { CALL, PAYMENT_ID, REFUND, message, number, payment, serve } from './golden.ts';
import type { Json } from './golden.ts';

let server: ScriptedServer;
let adapter: GatewayAdapter;

beforeAll(async () => {
  server = await startScriptedServer();
  adapter = createGatewayAdapter({ baseUrl: server.baseUrl, timeoutMs: 5000 });
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

async function chargeOf(shown: Json) {
  server.script(serve(shown));
  return (await adapter.getOrder(CALL, PAYMENT_ID)).charges[0];
}

async function submittedAs(over: Json) {
  server.script(respond(200, message(over)));
  const submitted = await adapter.submitRefund(CALL, REFUND);
  if (submitted.kind !== 'refund') throw new Error('the gateway answers with the refund');
  return submitted.refund;
}

/** Both ways a refund is told: in the payment's list, and as the answer to a send. */
async function bothTell(over: Json) {
  const listed = (await chargeOf(payment({ refunds: [message({ status: 'approved' }), message({ id: 'dev_2', ...over })] })))?.refunds[1];
  const submitted = await submittedAs({ id: 'dev_2', ...over });
  expect(submitted).toEqual(listed);
  return submitted;
}

async function neitherTells(over: Json, place: string) {
  const fromList = await failureOf(chargeOf(payment({ refunds: [message(), message({ id: 'dev_2', ...over })] })));
  expect(fromList).toMatchObject({ kind: 'unknown', details: {} });
  expect(fromList.message).toContain(`unexpected answer at refunds.1.${place}`);
  const fromSend = await failureOf(submittedAs({ id: 'dev_2', ...over }));
  expect(fromSend).toMatchObject({ kind: 'unknown', details: {} });
  expect(fromSend.message).toContain(`unexpected answer at ${place}`);
}

/** By hand, of docs/gateway-dialect.md: every word, where a refund with it stands, and what it says of a payment's money. */
const WORDS: readonly (readonly [word: string, state: ProviderRefundState, paid: boolean, disputedMinor: number])[] = [
  ['pending', 'authorized', false, 0],
  ['approved', 'approved', true, 0],
  ['authorized', 'authorized', false, 0],
  ['in_process', 'authorized', false, 0],
  ['rejected', 'failed', false, 0],
  ['cancelled', 'failed', false, 0],
  ['refunded', 'succeeded', true, 0],
  ['deferred', 'authorized', false, 0],
  ['dismissed', 'failed', true, 50_000],
  ['review', 'authorized', false, 0],
  ['validate', 'authorized', false, 0],
];
/** What no table knows, though some objects do. */
const STRANGERS = ['perhaps', '', 'Approved', 'APPROVED', ' approved', 'approved\n', 'canceled', 'succeeded', 'constructor', '__proto__', 0, false, null, {}, ['approved']];

describe('status', () => {
  it.each(WORDS)('should be read as %s of a refund: %s, the word kept beside it (A2, S7)', async (status, state) => {
    expect(await bothTell({ status })).toMatchObject({ providerRefundId: 'dev_2', state, receipt: { providerStatus: status } });
  });

  it.each(WORDS)('should be read as %s of a payment (state %s): paid %s, disputed %d (M2)', async (status, _state, paid, disputedMinor) => {
    const refunds = [message({ status: 'approved' })];
    expect(await chargeOf(payment({ status, refunds }))).toMatchObject({ providerStatus: status, paid, disputedMinor, amountMinor: 50_000 });
  });

  it.each(STRANGERS)('should make the answer unknown, naming the place and not the value, when it is %j (S7)', async (status) => {
    await neitherTells({ status }, 'status');
    const failure = await failureOf(chargeOf(payment({ status })));
    expect(failure.message).toMatch(/^Gateway: unexpected answer at status: \w+$/);
    expect(failure.kind).toBe('unknown');
  });
});

describe('type', () => {
  it.each<RefundType>(['manual', 'online', 'by_media_payment'])('should be read and sent as %s (seed 003)', async (type) => {
    expect((await bothTell({ type })).receipt?.type).toBe(type);
    server.script(respond(200, message({ type })));
    await adapter.submitRefund(CALL, { ...REFUND, refundType: type });
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({ type });
  });

  it('should be null where none is told, and be left out where none is asked for (seed 003)', async () => {
    expect((await bothTell({ type: null })).receipt?.type).toBeNull();
    expect(JSON.parse(server.seen[0]?.body ?? '')).not.toHaveProperty('type');
  });

  it.each(['', 'Online', 'cash', 7, {}])('should make the answer unknown when it is %j (S7)', (type) => neitherTells({ type }, 'type'));
});

const FEE = { type: 'fee', fee_payer: 'collector', description: null, amount: number('1.00') };

describe('fee_details', () => {
  it.each(['fee', 'carrier_fee', 'media_payment_cost', 'carrier_cost', 'refund_cost', 'deferred_cost', 'discount'])('should be told with type %s, beside the amount (R7)', async (type) => {
    const told = await bothTell({ fee_details: [{ ...FEE, type, amount: number('12.34') }] });
    expect(told).toMatchObject({ amountMinor: 10_000, receipt: { fees: [{ type, payer: 'collector', description: null, amountMinor: 1234 }] } });
  });

  it.each(['collector', 'payer'])('should be told with payer %s (R7)', async (payer) => {
    expect((await bothTell({ fee_details: [{ ...FEE, fee_payer: payer }] })).receipt?.fees[0]?.payer).toBe(payer);
  });

  it.each([[null], [undefined], [[]]])('should be no fees when they are %j (R7)', async (fees) => {
    expect((await bothTell({ fee_details: fees })).receipt?.fees).toEqual([]);
  });

  it.each([
    ['type', { type: 'tax' }], ['type', { type: undefined }], ['fee_payer', { fee_payer: 'merchant' }], ['fee_payer', { fee_payer: null }],
    ['amount', { amount: number('1e2') }], ['amount', { amount: number('-1.00') }], ['amount', { amount: '1.00' }], ['amount', { amount: number('1.005') }],
  ])('should make the answer unknown on another %s: %j (S7)', (field, over) => neitherTells({ fee_details: [FEE, { ...FEE, ...over }] }, `fee_details.1.${field}`));
});

describe('source', () => {
  it.each(['collector', 'backoffice', 'system', 'customer', 'carrier'])('should be read with type %s (seed 003)', async (type) => {
    expect(await bothTell({ source: { id: 's', name: 'n', type } })).toMatchObject({ providerRefundId: 'dev_2' });
  });

  it.each(['merchant', '', null, 3])('should make the answer unknown with type %j (S7)', (type) => neitherTells({ source: { id: 's', name: 'n', type } }, 'source.type'));
});
