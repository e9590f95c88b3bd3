import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderRefundState } from '../../../src/domain/send-protocol.ts';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { CALL, ORDER_ID, chargesOf, failureOf, seed } from './golden.ts';
import { respond, startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
let adapter: ConektaAdapter;

beforeAll(async () => {
  server = await startScriptedServer();
  adapter = createConektaAdapter({ baseUrl: server.baseUrl, timeoutMs: 5000 });
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

/** Reads an order whose first charge lists these refunds, of 100 each; what the order says was refunded on it, and the charge's status, as given. */
async function readWith(statuses: readonly unknown[], refundedMinor = 0, chargeStatus = 'paid') {
  const order = seed('order.refund.response');
  const [first] = chargesOf(order);
  // The second charge of the seed is refunded: 20000.
  order['amount_refunded'] = 20_000 + refundedMinor;
  first['status'] = chargeStatus;
  const data = statuses.map((status, index) => ({ object: 'refund', id: `re_${index}`, amount: -100, ...(status === undefined ? {} : { status }) }));
  first['refunds'] = { object: 'list', has_more: false, total: data.length, data };
  server.script(respond(200, order));
  return (await adapter.getOrder(CALL, ORDER_ID)).charges[0]?.refunds;
}

/** By hand: every word a refund's status may have, and where the refund stands. */
const STATES: readonly (readonly [status: string | null | undefined, state: ProviderRefundState])[] = [
  [undefined, 'succeeded'],
  [null, 'succeeded'],
  ['pending', 'authorized'],
  ['in_process', 'authorized'],
  ['processing', 'authorized'],
  ['authorized', 'authorized'],
  ['approved', 'approved'],
  ['succeeded', 'succeeded'],
  ['success', 'succeeded'],
  ['completed', 'succeeded'],
  ['paid', 'succeeded'],
  ['refunded', 'succeeded'],
  ['failed', 'failed'],
  ['canceled', 'failed'],
  ['cancelled', 'failed'],
];

describe('a listed refund', () => {
  it.each(STATES)('should be read with status %j as %s, without a reference (R6, S1)', async (status, state) => {
    expect(await readWith([status])).toEqual([{
      providerRefundId: 're_0', amountMinor: 100, state, reference: null,
      receipt: { providerStatus: status ?? null, type: null, transactionId: null, authorizationCode: null, ticketNumber: null, fees: [] },
    }]);
  });

  it('should be told in whatever state it is, beside all others (R6, R9)', async () => {
    const refunds = await readWith(STATES.map(([status]) => status));
    expect(refunds?.map(({ state }) => state)).toEqual(STATES.map(([, state]) => state));
  });

  it.each(['perhaps', '', 'Failed', 'FAILED', ' failed', 'rejected', 'partially_refunded', 'constructor', '__proto__', 0, false, {}])(
    'should make the whole answer unknown when its status is %j (S7)', async (status) => {
      expect((await failureOf(readWith(['succeeded', status]))).kind).toBe('unknown');
    },
  );
});

describe('what an order says was refunded', () => {
  it.each(STATES.filter(([, state]) => state !== 'failed'))('should be covered by a refund with status %j (M2)', async (status) => {
    expect(await readWith([status], 100, 'partially_refunded')).toHaveLength(1);
    expect((await failureOf(readWith([status], 101, 'partially_refunded'))).kind).toBe('unknown');
  });

  it.each(STATES.filter(([, state]) => state === 'failed'))('should not be covered by a refund with status %j: the one that moved is missing (M2, S7)', async (status) => {
    expect((await failureOf(readWith([status], 100))).kind).toBe('unknown');
    expect((await failureOf(readWith([status], 0, 'refunded'))).kind).toBe('unknown');
    expect(await readWith([status, undefined], 100, 'partially_refunded')).toHaveLength(2);
  });
});
