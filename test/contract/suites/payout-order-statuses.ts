import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectContract, seed } from '../contract-fixtures.ts';
import { expectError } from '../contract-scene.ts';
import type { Body, ContractScene } from '../contract-scene.ts';
import { seedDifferences } from '../seed-differences.ts';
import { atProvider, leadAll, PAYOUT_ORDER_WAYS, sdk } from './payout-order-ways.ts';
import type { Language, LedPayoutOrder, PayoutOrderWay, Reply } from './payout-order-ways.ts';

/** What OpenAPI and the SDK's types ask of a payout order beyond the seed (CONTRACT §3). */
const BEYOND_THE_SEED = ['created_at', 'updated_at', 'livemode', 'customer_info', 'payouts[].payout_order_id', 'payouts[].livemode', 'payouts[].status'];

/** What the seed's example is about, and ours are not: these are compared with the request instead. */
const OF_THE_EXAMPLE = /^(amount|status|metadata\.[^:]*|expires_at|allowed_payout_methods\[\]|payouts\[\]\.(amount|expires_at|payout_method\.type)): /;

/** What a merchant's customer may be shown of a payout order that cannot be cancelled. */
const NOT_CANCELLABLE: Readonly<Record<Language, string>> = { es: 'No se puede cancelar la orden de retiro.', en: 'The payout order can not be cancelled.' };

const VOIDABLE = PAYOUT_ORDER_WAYS.filter(({ isVoidable }) => isVoidable);
const NOT_VOIDABLE = PAYOUT_ORDER_WAYS.filter(({ isVoidable }) => !isVoidable);

/** Create, read, list and cancel in every status of seed 000, by the official SDK. */
export function payoutOrderStatusesSuite(scene: () => ContractScene): void {
  describe('payout orders by the official SDK, in every status', () => {
    const tag = randomUUID();
    let led: ReadonlyMap<PayoutOrderWay, LedPayoutOrder> = new Map();
    beforeAll(async () => { led = await leadAll(scene(), tag); });
    const of = (way: PayoutOrderWay): LedPayoutOrder => led.get(way) ?? expect.unreachable(`none is ${way.name}`);

    shown(scene, of, tag);
    cancelled(scene, of);
  });
}

function shown(scene: () => ContractScene, of: (way: PayoutOrderWay) => LedPayoutOrder, tag: string): void {
  it.each(PAYOUT_ORDER_WAYS)('should show one that is $name as the seed does, with all that it was created with (P6, P7, CONTRACT §3)', async (way) => {
    const { created, request } = of(way);
    const { status, body } = await sdk(scene()).read(created.id);
    expect(status).toBe(200);
    expectContract('payout_order', body);
    expect(seedDifferences(body, seed('payout_order.get.response.json'), [...BEYOND_THE_SEED, ...Object.keys(Object(request['metadata'])).map((key) => `metadata.${key}`)])
      .filter((difference) => !OF_THE_EXAMPLE.test(difference))).toEqual([]);
    expect(body).toEqual({
      ...inStatus(created, way.status), amount: way.amount ?? 3000, currency: 'MXN', allowed_payout_methods: [way.method], reason: request['reason'], expires_at: request['expires_at'],
      metadata: request['metadata'], livemode: false, customer_info: { id: 'cus_23874283647' },
    });
    expect(body.payouts).toMatchObject([{ amount: body.amount, currency: 'MXN', expires_at: body.expires_at, payout_order_id: body.id, payout_method: { object: 'payout_method', type: way.method } }]);
    expect(body.updated_at).toBeGreaterThanOrEqual(body.created_at);
  });

  it.each(PAYOUT_ORDER_WAYS)('should find one that is $name in the list, the same as when it is read (CONTRACT, Lists)', async (way) => {
    const { created } = of(way);
    const { status, body } = await sdk(scene()).list(created.id, 1);
    expect(status).toBe(200);
    expectContract('page', body);
    expect(body).toEqual({ object: 'list', has_more: false, next_page_url: null, previous_page_url: null, data: [(await sdk(scene()).read(created.id)).body] });
  });

  it.each(PAYOUT_ORDER_WAYS)('should answer the creation of one that is $name as it now is, when its key comes again, and create no other (R8)', async (way) => {
    const { created, request, key } = of(way);
    const { create, read, list } = sdk(scene());
    const provider = await atProvider(scene(), created.id);
    expect(await create(request, key)).toEqual({ ...(await read(created.id)), isReplay: true });
    expect((await list(tag, 250)).body.data).toHaveLength(PAYOUT_ORDER_WAYS.length);
    expect(await atProvider(scene(), created.id)).toEqual(provider);
    expect(provider).toHaveLength(way.status === 'open' ? 0 : 1);
  });

  it('should page through all of them, newest first, there and back by the SDK\'s cursors (CONTRACT, Lists)', async () => {
    const { list, read } = sdk(scene());
    const newestFirst = await Promise.all(PAYOUT_ORDER_WAYS.toReversed().map(async (way) => (await read(of(way).created.id)).body as Body));
    const idOf = (index: number): string => newestFirst[index].id as string;
    const pages = [await list(tag, 3), await list(tag, 3, { next: idOf(2) }), await list(tag, 3, { next: idOf(5) })];
    expect(pages.map(({ body }) => body.data as Body)).toEqual([newestFirst.slice(0, 3), newestFirst.slice(3, 6), newestFirst.slice(6)]);
    expect(pages.map(({ body }) => body.has_more as boolean)).toEqual([true, true, false]);
    expect((await list(tag, 3, { previous: idOf(6) })).body.data).toEqual(newestFirst.slice(3, 6));
    expect((await list(tag, 3, { previous: idOf(3) })).body).toMatchObject({ data: newestFirst.slice(0, 3), has_more: false, previous_page_url: null });
  });
}

function cancelled(scene: () => ContractScene, of: (way: PayoutOrderWay) => LedPayoutOrder): void {
  it.each(NOT_VOIDABLE)('should refuse to cancel one that is $name, again and again alike, and leave everything as it was (P4, CONTRACT §3)', async (way) => {
    const { created: { id } } = of(way);
    const before = await standing(scene(), id);
    const languages = ['es', 'es', 'en'] as const;
    for (const language of languages) expectRefused(await sdk(scene()).cancel(id, language), way.status, language);
    expect(await standing(scene(), id)).toEqual(before);
    expect(before.journal).toMatchObject(way.status === 'withdrawn' ? [{ kind: 'withdrawal', amount: 3000, currency: 'MXN' }] : []);
    expect(before.books).toMatchObject(way.status === 'withdrawn' ? [{ kind: 'withdrawal', amount: 3000, currency: 'MXN' }] : []);
  });

  it.each(VOIDABLE)('should cancel one that is $name once, answer the same again, and never let it be collected (P4, seed 000)', async (way) => {
    const { created } = of(way);
    const { cancel, read } = sdk(scene());
    const first = await cancel(created.id);
    expect(first).toMatchObject({ status: 200, body: inStatus(created, 'cancelled') });
    expectContract('payout_order', first.body);
    const after = await standing(scene(), created.id);
    for (const language of ['es', 'en'] as const) expect(await cancel(created.id, language)).toEqual(first);
    expect(await read(created.id)).toEqual(first);
    for (const act of ['withdrawal', 'confirmation', 'reversal'] as const) await scene().atTill(created.id, act, 409);
    expect(await standing(scene(), created.id)).toEqual(after);
    expect(after).toMatchObject({ provider: [{ status: 'cancelled' }], journal: [], books: [] });
  });
}

/** How a payout order is on record, at the provider, in its journal, and in our books. */
async function standing(scene: ContractScene, id: string): Promise<{ record: Reply; provider: readonly Body[]; journal: readonly unknown[]; books: readonly unknown[] }> {
  const [record, provider, journal, books] = await Promise.all([sdk(scene).read(id), atProvider(scene, id), scene.journal(`?payout_id=${id}`), scene.books(`?payout_order_id=${id}`)]);
  return { record, provider, journal, books };
}

/** A payout order as it was created, in another status; only its last change is another. */
function inStatus(created: Body, status: string): Body {
  return { ...created, status, updated_at: expect.any(Number) as number, payouts: created.payouts.map((payout: Body) => ({ ...payout, status })) };
}

function expectRefused({ status, body }: Reply, inTheWay: string, language: Language): void {
  expect(expectError({ status, body, headers: new Headers() }, 428, 'precondition_required_error')).toEqual({
    debug_message: `The payout order is ${inTheWay} and can not be cancelled.`, message: NOT_CANCELLABLE[language], param: null,
    code: `conekta.errors.precondition_required.payout_order.is_${inTheWay}`,
  });
  expect(body.details).toHaveLength(1);
}
