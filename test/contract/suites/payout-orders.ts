import { describe, expect, it } from 'vitest';
import { expectContract } from '../contract-fixtures.ts';
import { expectError, inSeconds } from '../contract-scene.ts';
import type { Answer, Body, ContractScene } from '../contract-scene.ts';

const METADATA = { custom_client_id: '12345', nested: { list: [1, 'dos', null, true], ratio: 0.5 }, 'ñ': '✓' };

/** The life of a payout order as callers and the till see it (P1–P8, CONTRACT §3). */
export function payoutOrdersSuite(scene: () => ContractScene): void {
  describe('POST and GET /payout_orders', () => creation(scene));
  describe('PUT /payout_orders/{id}/cancel', () => cancellation(scene));
  describe('a payout order at the till', () => till(scene));
  describe('GET /payout_orders', () => listing(scene));
}

function creation(scene: () => ContractScene): void {
  it.each(['cash', 'cashout'])('should create one by %s, and read it as it was created (P1, P7)', async (method) => {
    const created = await scene().createPayoutOrder({ allowed_payout_methods: [method], payout: { payout_method: { type: method } }, metadata: METADATA });
    expect(created).toMatchObject({
      object: 'payout_order', status: 'pending', amount: 3000, currency: 'MXN', allowed_payout_methods: [method], metadata: METADATA, livemode: false, customer_info: { id: 'cus_23874283647' },
      payouts: [{ id: expect.stringMatching(/^payout_[0-9A-Za-z]{16,24}$/) as string, object: 'payout', status: 'pending', payout_order_id: created.id, payout_method: { object: 'payout_method', type: method } }],
    });
    expect(await scene().call('GET', `/payout_orders/${created.id}`)).toMatchObject({ status: 200, body: created });
  });

  it('should leave it open when the provider refuses to issue a reference, and admit nothing (P1, P4)', async () => {
    await scene().arm({ operation: 'payout.create', mode: 'decline' });
    const created = await scene().createPayoutOrder();
    expect(created.status).toBe('open');
    expectNotCancellable(await cancel(scene(), created.id), 'open');
    expect((await read(scene(), created.id)).status).toBe('open');
    await scene().atTill(created.id, 'withdrawal', 404);
  });

  it('should issue one reference when the answer is lost (S4)', async () => {
    await scene().arm({ operation: 'payout.create', mode: 'error_after' });
    const answer = await scene().call('POST', '/payout_orders', { body: { ...creationBody(), metadata: { lost: 'answer' } } });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/payout_orders/${answer.body.id}`);
    expectContract('payout_order', answer.body);
    await scene().payoutOrderIn(answer.body.id, 'pending');
    expect((await cancel(scene(), answer.body.id)).body).toMatchObject({ status: 'cancelled' });
  });
}

function cancellation(scene: () => ContractScene): void {
  it('should make the reference unusable, and answer the same again (P4, seed 000)', async () => {
    const created = await scene().createPayoutOrder();
    const first = await cancel(scene(), created.id);
    expect(first).toMatchObject({ status: 200, body: { id: created.id, status: 'cancelled' } });
    expectContract('payout_order', first.body);
    await scene().atTill(created.id, 'withdrawal', 409);
    expect(await cancel(scene(), created.id)).toMatchObject({ status: 200, body: first.body });
    expect(await scene().journal(`?payout_id=${created.id}`)).toEqual([]);
    expect(await scene().books(`?payout_order_id=${created.id}`)).toEqual([]);
  });

  it('should cancel once for many who ask at the same time (P5)', async () => {
    const created = await scene().createPayoutOrder();
    const answers = await Promise.all(Array.from({ length: 8 }, () => cancel(scene(), created.id)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { id: created.id, status: 'cancelled' } });
  });

  it('should know no payout order of that name, nor of another merchant (CONTRACT §6)', async () => {
    const theirs = await scene().createPayoutOrder({}, { key: 'key_demo_two' });
    for (const id of [theirs.id as string, '4468474a-48ed-4732-9f8a-666238eaa0ac']) {
      for (const answer of [await cancel(scene(), id), await scene().call('GET', `/payout_orders/${id}`)]) {
        expect(expectError(answer, 404, 'resource_not_found_error')).toMatchObject({
          debug_message: `The object PayoutOrder "${id}" could not be found.`, message: 'El recurso no fue encontrado.', code: 'conekta.errors.resource_not_found.entity',
        });
      }
    }
    expect((await scene().call('GET', `/payout_orders/${theirs.id}`, { key: 'key_demo_two' })).body.status).toBe('pending');
  });
}

function till(scene: () => ContractScene): void {
  it('should follow a withdrawal to its end, told by webhook alone, and book it once (P6, M7)', async () => {
    const created = await scene().createPayoutOrder();
    await scene().atTill(created.id, 'withdrawal');
    const confirming = await scene().payoutOrderIn(created.id, 'pending_confirmation');
    expect(confirming.payouts[0].status).toBe('pending_confirmation');
    // Cash is out: the sandbox refuses to void, and nothing changes (P4).
    expectNotCancellable(await cancel(scene(), created.id), 'pending_confirmation');
    expect((await read(scene(), created.id)).status).toBe('pending_confirmation');
    await scene().atTill(created.id, 'confirmation');
    await scene().payoutOrderIn(created.id, 'withdrawn');
    await scene().atTill(created.id, 'reversal', 409);
    expectNotCancellable(await cancel(scene(), created.id), 'withdrawn');
    const withdrawal = [{ kind: 'withdrawal', amount: 3000, currency: 'MXN' }];
    expect(await scene().journal(`?payout_id=${created.id}`)).toMatchObject(withdrawal);
    expect(await scene().books(`?payout_order_id=${created.id}`)).toMatchObject(withdrawal);
    expect(await scene().books(`?payout_order_id=${created.id}`)).toHaveLength(1);
  });

  it('should follow a reversal inside the window, with no money moved (P6)', async () => {
    const created = await scene().createPayoutOrder();
    await scene().atTill(created.id, 'withdrawal');
    await scene().payoutOrderIn(created.id, 'pending_confirmation');
    await scene().atTill(created.id, 'reversal');
    await scene().payoutOrderIn(created.id, 'reversed');
    await scene().atTill(created.id, 'confirmation', 409);
    expectNotCancellable(await cancel(scene(), created.id), 'reversed');
    expect(await scene().journal(`?payout_id=${created.id}`)).toEqual([]);
    expect(await scene().books(`?payout_order_id=${created.id}`)).toEqual([]);
  });

  it('should expire by its own timer, and refuse to be cancelled then (P2, P4)', async () => {
    const created = await scene().createPayoutOrder({ expires_at: inSeconds(2) });
    await scene().payoutOrderIn(created.id, 'expired');
    expectNotCancellable(await cancel(scene(), created.id), 'expired');
    await scene().atTill(created.id, 'withdrawal', 409);
  });
}

function listing(scene: () => ContractScene): void {
  const list = (query: string, key = 'key_demo'): Promise<Answer> => scene().call('GET', `/payout_orders?${query}`, { key });
  const ids = (page: Body): string[] => page.data.map((item: Body) => item.id as string);
  const follow = async (url: string): Promise<Body> => {
    expect(url.startsWith(`${scene().product.apiUrl}/payout_orders?`)).toBe(true);
    const page = (await scene().call('GET', url.slice(scene().product.apiUrl.length))).body as Body;
    expectContract('page', page);
    return page;
  };

  it('should page through what a search finds, newest first, both ways (CONTRACT, Lists)', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1) made.unshift((await scene().createPayoutOrder({ metadata: { batch: 'lote_100%', index } })).id);
    await scene().createPayoutOrder({ metadata: { batch: 'loteX100Z' } });
    const first = (await list(`search=${encodeURIComponent('lote_100%')}&limit=2`)).body;
    expectContract('page', first);
    expect(first).toMatchObject({ object: 'list', has_more: true, previous_page_url: null });
    const second = await follow(first.next_page_url);
    const third = await follow(second.next_page_url);
    expect([first, second, third].map(ids)).toEqual([made.slice(0, 2), made.slice(2, 4), made.slice(4)]);
    expect(third).toMatchObject({ has_more: false, next_page_url: null });
    const back = await follow(third.previous_page_url);
    expect(ids(back)).toEqual(made.slice(2, 4));
    const top = await follow(back.previous_page_url);
    expect(ids(top)).toEqual(made.slice(0, 2));
    expect(top.previous_page_url).toBeNull();
    for (const item of first.data) expectContract('payout_order', item);
  });

  it('should take cursors as the SDK sends them, and show 20 unless told otherwise (CONTRACT, Lists)', async () => {
    await Promise.all(Array.from({ length: 21 }, () => scene().createPayoutOrder()));
    const page = (await list('')).body;
    expect(page.data).toHaveLength(20);
    expect(page.has_more).toBe(true);
    expect(ids((await list(`limit=3&next=${ids(page)[4]}`)).body)).toEqual(ids(page).slice(5, 8));
    expect(ids((await list(`limit=3&previous=${ids(page)[4]}`)).body)).toEqual(ids(page).slice(1, 4));
    expect((await list('limit=1')).body.data).toHaveLength(1);
    expect((await list('limit=250')).body.data.length).toBeGreaterThan(20);
  });

  it.each(['0', '251', '-1', '1.5', 'many', ''])('should refuse the limit "%s" (CONTRACT, Lists)', async (limit) => {
    expect(expectError(await list(`limit=${limit}`), 422, 'parameter_validation_error').param).toBe('limit');
  });

  it('should find nothing of another merchant', async () => {
    const created = await scene().createPayoutOrder();
    expect((await list(`search=${created.id}`)).body.data).toHaveLength(1);
    expect((await list(`search=${created.id}`, 'key_demo_two')).body).toMatchObject({ has_more: false, next_page_url: null, previous_page_url: null, data: [] });
  });
}

function cancel(scene: ContractScene, id: string): Promise<Answer> {
  return scene.call('PUT', `/payout_orders/${id}/cancel`);
}

async function read(scene: ContractScene, id: string): Promise<Body> {
  return (await scene.call('GET', `/payout_orders/${id}`)).body as Body;
}

function creationBody(): Record<string, unknown> {
  return {
    allowed_payout_methods: ['cash'], amount: 3000, currency: 'MXN', customer_info: { customer_id: 'cus_1' }, payout: { payout_method: { type: 'cash' } },
    reason: 'Referencia de devolución', expires_at: inSeconds(3600),
  };
}

function expectNotCancellable(answer: Answer, status: string): void {
  expect(expectError(answer, 428, 'precondition_required_error')).toEqual({
    debug_message: `The payout order is ${status} and can not be cancelled.`, message: 'No se puede cancelar la orden de retiro.', param: null,
    code: `conekta.errors.precondition_required.payout_order.is_${status}`,
  });
}
