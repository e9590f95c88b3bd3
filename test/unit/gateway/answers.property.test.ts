import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import type { GatewayAdapter } from '../../../src/providers/gateway/adapter.ts';
import { ProviderError } from '../../../src/providers/provider-error.ts';
import { respondText, startScriptedServer } from '../conekta/scripted-server.ts';
import type { ScriptedServer } from '../conekta/scripted-server.ts';
import { CALL, LEG, PAYMENT_ID, REFUND, message, number, payment, serve } from './golden.ts';

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

const RUNS = { numRuns: 300 };
const amount = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** By hand, digit by digit: what the wire must carry. */
function written(amountMinor: number): string {
  const digits = amountMinor.toString().padStart(3, '0');
  return `${digits.slice(0, digits.length - 2)}.${digits.slice(digits.length - 2)}`;
}

/** The amount of a request, as it stands on the raw wire; `null` when it is no decimal of exactly two places. */
function amountOf(body: string): string | null {
  return /^\{"amount":(\d+\.\d\d),/.exec(body)?.[1] ?? null;
}

describe('an amount', () => {
  it('should arrive exactly, both ways, up to 2^53-1 minor units, with two places on the raw wire (M1)', async () => {
    await fc.assert(fc.asyncProperty(amount, amount, async (amountMinor, feeMinor) => {
      const fees = { fee_details: [{ type: 'fee', fee_payer: 'payer', description: null, amount: number(written(feeMinor)) }] };
      const expected = { amountMinor, receipt: { fees: [{ amountMinor: feeMinor }] } };
      server.script(serve(payment({ amount: number(written(amountMinor)), refunds: [message({ amount: number(written(amountMinor)), ...fees })] })));
      const order = await adapter.getOrder(CALL, PAYMENT_ID);
      expect(order.charges[0]).toMatchObject({ amountMinor, refunds: [expected], raw: { amount: written(amountMinor) } });
      // The answer repeats the request's own digits.
      server.script((response, request) => respondText(200, JSON.stringify(message({ amount: number(amountOf(request.body) ?? 'null'), ...fees })))(response, request));
      const submitted = await adapter.submitRefund(CALL, { ...REFUND, amountMinor });
      expect(amountOf(server.seen[0]?.body ?? '')).toBe(written(amountMinor));
      expect(submitted).toMatchObject({ refund: expected });
    }), RUNS);
  });

  it('should not be taken for its neighbour, a minor unit away (M1, S7)', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }), async (amountMinor) => {
      server.script(respondText(200, JSON.stringify(message({ amount: number(written(amountMinor - 1)) }))));
      await expect(adapter.submitRefund(CALL, { ...REFUND, amountMinor })).rejects.toMatchObject({ kind: 'unknown' });
    }), RUNS);
  });
});

const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, '', 0, -1, 1.5, 1e300, '100.00', [], {}, [null], 'approved', 'refunded', 'rejected', 'perhaps', '__proto__', 'USD', 'CLP', PAYMENT_ID, LEG, 'dev_1'),
  fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string(), fc.jsonValue({ maxDepth: 2 }),
);
const MESSAGE_FIELDS = Object.keys(message());
const PAYMENT_FIELDS = Object.keys(payment());
const changesOf = (fields: readonly string[]) => fc.dictionary(fc.constantFrom(...fields, 'more'), odd, { maxKeys: 3 });

/** How often a mutated answer was read and how often it was `unknown`: a property that sees one side only proves nothing. */
const outcomes = { read: 0, unknown: 0 };

beforeEach(() => {
  Object.assign(outcomes, { read: 0, unknown: 0 });
});

/** The value of a call, or `null` after a `ProviderError` of kind `unknown`; anything else fails the property. */
async function valueOrUnknown<T>(call: Promise<T>): Promise<T | null> {
  try {
    const value = await call;
    outcomes.read += 1;
    return value;
  } catch (error) {
    outcomes.unknown += 1;
    expect(error).toBeInstanceOf(ProviderError);
    expect((error as ProviderError).kind).toBe('unknown');
    return null;
  }
}

describe('a mutated golden answer of the gateway', () => {
  afterEach(() => {
    expect(Math.min(outcomes.read, outcomes.unknown)).toBeGreaterThan(RUNS.numRuns / 20);
  });

  it('should be about our refund, or be unknown, and never anything else (S7)', async () => {
    await fc.assert(fc.asyncProperty(changesOf(MESSAGE_FIELDS), async (over) => {
      server.script(respondText(200, JSON.stringify(message(over))));
      const submitted = await valueOrUnknown(adapter.submitRefund(CALL, REFUND));
      if (submitted !== null) expect(submitted).toMatchObject({ kind: 'refund', refund: { amountMinor: 10_000, reference: LEG } });
    }), RUNS);
  });

  it('should be our payment with what was found, or be unknown, and never anything else (S7)', async () => {
    await fc.assert(fc.asyncProperty(changesOf(PAYMENT_FIELDS), changesOf(MESSAGE_FIELDS), fc.boolean(), async (over, inList, isFound) => {
      server.script(serve(payment({ refunds: [message({ id: 'dev_0', ...inList })], ...over }), isFound ? message() : null));
      const order = await valueOrUnknown(adapter.getOrder(CALL, PAYMENT_ID, LEG));
      if (order === null) return;
      expect(order).toMatchObject({ orderId: PAYMENT_ID, charges: [{ chargeId: PAYMENT_ID }] });
      const { refunds, amountMinor } = order.charges[0]!;
      if (isFound) expect(refunds).toContainEqual(expect.objectContaining({ providerRefundId: 'dev_1', reference: LEG, amountMinor: 10_000 }));
      expect(new Set(refunds.map(({ providerRefundId }) => providerRefundId)).size).toBe(refunds.length);
      const counting = refunds.filter(({ state }) => state !== 'failed').reduce((sum, each) => sum + BigInt(each.amountMinor), 0n);
      expect(counting <= BigInt(amountMinor)).toBe(true);
    }), RUNS);
  });
});
