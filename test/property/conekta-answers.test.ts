import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConektaAdapter } from '../../src/providers/conekta/adapter.ts';
import type { ConektaAdapter } from '../../src/providers/conekta/adapter.ts';
import type { ProviderRefundState } from '../../src/domain/send-protocol.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { ProviderOrder, ProviderPayoutOrder, SubmittedRefund } from '../../src/providers/provider.ts';
import { CALL, FIRST_CHARGE_ID, ORDER_ID, PAYOUT, PAYOUT_ORDER_ID, REFERENCE, REFUND, chargesOf, goldenPayoutOrder, refundsOf, seed } from '../unit/conekta/golden.ts';
import type { Json } from '../unit/conekta/golden.ts';
import { respondText, startScriptedServer } from '../unit/conekta/scripted-server.ts';
import type { ScriptedServer } from '../unit/conekta/scripted-server.ts';

const RUNS = { numRuns: 300 };

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

function orderOf(submitted: SubmittedRefund): ProviderOrder {
  if (submitted.kind !== 'order') throw new Error('Conekta answers with the order');
  return submitted.order;
}

type Path = readonly (string | number)[];

/** Every place in a JSON value, the root left out. */
function placesOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return at.length === 0 ? [] : [at];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const inside = keys.flatMap((key) => placesOf((value as Json)[key], [...at, key]));
  return at.length === 0 ? inside : [at, ...inside];
}

/** The object that holds a place, or `undefined` when an earlier mutation took it away. */
function holderOf(root: unknown, path: Path): Json | undefined {
  const holder = path.slice(0, -1).reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Json)[key] : undefined), root);
  return typeof holder === 'object' && holder !== null ? (holder as Json) : undefined;
}

const REMOVED = Symbol('removed');
const odd = fc.oneof(
  fc.constantFrom<unknown>(REMOVED, null, true, false, '', '30000', 0, -0, -1, 1.5, -30000.5, 1e300, 2 ** 53, -(2 ** 53), [], {}, [null], 'paid', 'refunded', 'pending', 'failed', 'succeeded', 'approved', 'FAILED', 'failed ', 'constructor', '__proto__', 'MXN', 'USD', 'mxn', ORDER_ID),
  fc.integer(),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A golden answer with one to three places changed: to an odd value, or to another place's value. */
function mutated(golden: Json): fc.Arbitrary<Json> {
  const places = placesOf(golden);
  const place = fc.constantFrom(...places);
  const change = fc.oneof(fc.record({ place, value: odd }), fc.record({ place, from: place }));
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const root = structuredClone(golden);
    for (const each of changes) {
      const holder = holderOf(root, each.place);
      const key = each.place.at(-1);
      if (holder === undefined || key === undefined) continue;
      const value = 'from' in each ? structuredClone(holderOf(golden, each.from)?.[each.from.at(-1) ?? '']) : each.value;
      if (value === REMOVED) delete holder[key];
      else holder[key] = value;
    }
    return JSON.parse(JSON.stringify(root)) as Json;
  });
}

/** How often a mutated answer was read and how often it was `unknown`: a property that sees one side only proves nothing. */
const outcomes = { read: 0, unknown: 0 };

beforeEach(() => {
  Object.assign(outcomes, { read: 0, unknown: 0 });
});
afterEach(() => {
  expect(Math.min(outcomes.read, outcomes.unknown)).toBeGreaterThan(RUNS.numRuns / 20);
});

/** The value of a call, or `null` after a `ProviderError` of kind `unknown`; anything else fails the property. */
async function valueOrUnknown<T>(json: Json, call: () => Promise<T>): Promise<T | null> {
  server.script(respondText(200, JSON.stringify(json)));
  try {
    const value = await call();
    outcomes.read += 1;
    return value;
  } catch (error) {
    outcomes.unknown += 1;
    expect(error).toBeInstanceOf(ProviderError);
    expect((error as ProviderError).kind).toBe('unknown');
    return null;
  }
}

interface WireList { has_more?: unknown; data: Json[] }

const listOf = (value: unknown): Json[] => {
  if (value === null || value === undefined) return [];
  const list = value as WireList;
  expect(list.has_more).toBe(false);
  return list.data;
};

/** What each word means, by hand; a refund without one is done. Any other word is no state at all (S7). */
const STATES: Readonly<Record<string, ProviderRefundState>> = {
  pending: 'authorized', in_process: 'authorized', processing: 'authorized', authorized: 'authorized', approved: 'approved',
  succeeded: 'succeeded', success: 'succeeded', completed: 'succeeded', paid: 'succeeded', refunded: 'succeeded',
  failed: 'failed', canceled: 'failed', cancelled: 'failed',
};
const KNOWN_WORDS = Object.keys(STATES);

function stateOf(status: unknown): ProviderRefundState {
  if (status === undefined || status === null) return 'succeeded';
  expect(KNOWN_WORDS).toContain(status);
  return STATES[status as string]!;
}

const CAPTURED = ['paid', 'partially_refunded', 'refunded', 'chargeback', 'charged_back', 'in_dispute'];
const isMoney = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;

const MOVING = fc.constantFrom(...KNOWN_WORDS.filter((word) => STATES[word] !== 'failed'));

/** The seed's order with further refunds in every state, so that a mutation meets their words. */
const golden: fc.Arbitrary<Json> = fc.tuple(MOVING, fc.array(fc.constantFrom(...KNOWN_WORDS), { maxLength: 3 })).map(([first, more]) => {
  const order = seed('order.refund.response');
  const list = refundsOf(chargesOf(order)[0]);
  list.data[0] = { ...list.data[0], status: first };
  list.data.push(...more.map((status, index) => ({ object: 'refund', id: `more_${index}`, amount: -1 - index, status })));
  list.total = list.data.length;
  return order;
});
const mutatedOrder = golden.chain(mutated);

/** What an order's mapping must be, read off the JSON itself. */
function expectOrder(order: ProviderOrder, json: Json): void {
  expect(order.orderId).toBe(json['id']);
  expect(order.orderId).toBe(ORDER_ID);
  expect(order.currency).toBe(json['currency']);
  const charges = listOf(json['charges']);
  expect(order.charges.map((charge) => [charge.chargeId, charge.amountMinor, charge.currency, charge.providerStatus, charge.raw])).toEqual(
    charges.map((charge) => [charge['id'], charge['amount'], charge['currency'], charge['status'], charge]),
  );
  expect(order.charges.map(({ refunds }) => refunds)).toEqual(charges.map((charge) => listOf(charge['refunds']).map((refund) => ({
    providerRefundId: refund['id'], amountMinor: -Number(refund['amount']), state: stateOf(refund['status']), reference: null,
    receipt: {
      providerStatus: refund['status'] ?? null, type: null, transactionId: null, ticketNumber: null, fees: [],
      authorizationCode: typeof refund['auth_code'] === 'string' ? refund['auth_code'] : null,
    },
  }))));
  const amounts = order.charges.flatMap((charge) => [charge.amountMinor, ...charge.refunds.map(({ amountMinor }) => amountMinor)]);
  expect(amounts.every(isMoney)).toBe(true);
  for (const { paid, providerStatus } of order.charges) expect(paid).toBe(CAPTURED.includes(providerStatus));
}

function expectPayoutOrder(payoutOrder: ProviderPayoutOrder, json: Json): void {
  const metadata = json['metadata'] as Json | null | undefined;
  const payouts = json['payouts'] as Json[] | null | undefined;
  expect(payoutOrder).toEqual({
    providerPayoutOrderId: json['id'],
    reference: metadata?.['reintegro_id'] ?? null,
    payoutId: payouts?.[0]?.['id'] ?? null,
    status: json['status'],
  });
}

describe('a mutated golden answer of Conekta', () => {
  it('should be read by getOrder as it is, or be unknown (S7)', async () => {
    await fc.assert(
      fc.asyncProperty(mutatedOrder, async (json) => {
        const order = await valueOrUnknown(json, () => adapter.getOrder(CALL, ORDER_ID));
        if (order !== null) expectOrder(order, json);
      }),
      RUNS,
    );
  });

  it('should be read by submitRefund as it is, about our charge, or be unknown (S7)', async () => {
    await fc.assert(
      fc.asyncProperty(mutatedOrder, async (json) => {
        const order = await valueOrUnknown(json, async () => orderOf(await adapter.submitRefund(CALL, REFUND)));
        if (order === null) return;
        expectOrder(order, json);
        expect(order.charges.find(({ chargeId }) => chargeId === FIRST_CHARGE_ID)?.currency).toBe('MXN');
      }),
      RUNS,
    );
  });

  it('should never take a status word that is not known for a state: all are known, or the whole answer is unknown (S7)', async () => {
    const word = fc.oneof({ weight: 6, arbitrary: fc.constantFrom<unknown>(...KNOWN_WORDS, null) }, { weight: 1, arbitrary: odd }, {
      weight: 1, arbitrary: fc.constantFrom(...KNOWN_WORDS).chain((known) => fc.constantFrom(known.toUpperCase(), ` ${known}`, `${known}\n`, known.slice(1), `${known}s`, `${known}_refund`)),
    });
    const isKnown = (status: unknown) => status === undefined || status === null || KNOWN_WORDS.includes(status as string);
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 4 }), async (words) => {
        const json = seed('order.refund.response');
        const [charge] = chargesOf(json);
        json['amount_refunded'] = 0;
        charge['status'] = 'paid';
        charge['refunds'] = {
          object: 'list', has_more: false, total: words.length,
          data: words.map((status, index) => ({ object: 'refund', id: `re_${index}`, amount: -100, ...(status === REMOVED ? {} : { status }) })),
        };
        const order = await valueOrUnknown(json, () => adapter.getOrder(CALL, ORDER_ID));
        const statuses = words.map((status) => (status === REMOVED ? undefined : status));
        expect(order !== null).toBe(statuses.every(isKnown));
        if (order !== null) expect(order.charges[0]?.refunds.map(({ state }) => state)).toEqual(statuses.map(stateOf));
      }),
      RUNS,
    );
  });

  it('should be read by createPayoutOrder as it is, with our amount and reference, or be unknown (S7)', async () => {
    await fc.assert(
      fc.asyncProperty(mutated(goldenPayoutOrder()), async (json) => {
        const payoutOrder = await valueOrUnknown(json, () => adapter.createPayoutOrder(CALL, PAYOUT));
        if (payoutOrder === null) return;
        expectPayoutOrder(payoutOrder, json);
        expect([payoutOrder.reference, json['amount'], json['currency']]).toEqual([REFERENCE, 3000, 'MXN']);
      }),
      RUNS,
    );
  });

  it('should be read by getPayoutOrder and cancelPayoutOrder as it is, or be unknown (S7)', async () => {
    await fc.assert(
      fc.asyncProperty(mutated(goldenPayoutOrder()), fc.constantFrom('getPayoutOrder', 'cancelPayoutOrder'), async (json, operation) => {
        const payoutOrder = await valueOrUnknown(json, () => adapter[operation](CALL, PAYOUT_ORDER_ID));
        if (payoutOrder === null) return;
        expectPayoutOrder(payoutOrder, json);
        expect(payoutOrder.providerPayoutOrderId).toBe(PAYOUT_ORDER_ID);
      }),
      RUNS,
    );
  });

  it('should be found by findPayoutOrder only as ours, and absent only when no item carries our reference (S4, S7)', async () => {
    const golden = { object: 'list', has_more: false, data: [goldenPayoutOrder({ id: 'other', metadata: { reintegro_id: 'other' } }), goldenPayoutOrder()] };
    await fc.assert(
      fc.asyncProperty(mutated(golden), async (json) => {
        const ABSENT = 'absent' as const;
        const found = await valueOrUnknown(json, async () => (await adapter.findPayoutOrder(CALL, REFERENCE, new Date(0))) ?? ABSENT);
        if (found === null) return;
        const ours = listOf(json).filter((item) => (item['metadata'] as Json | null | undefined)?.['reintegro_id'] === REFERENCE);
        if (found === ABSENT) expect(ours).toEqual([]);
        else expectPayoutOrder(found, ours[0] ?? {});
      }),
      RUNS,
    );
  });
});
