import { describe, expect, it } from 'vitest';
import { expectError, payoutOrderRequest } from '../contract-scene.ts';
import type { Body, ContractScene } from '../contract-scene.ts';

/** Idempotency keys of payout orders, and of refunds where Conekta's wire has a field of its own (R8); the rest of them is a rule of both faces. */
export function idempotencySuite(scene: () => ContractScene): void {
  describe('Idempotency-Key of a refund with a charge', () => refundKeys(scene));
  describe('Idempotency-Key of a payout order', () => payoutOrderKeys(scene));
}

function refundKeys(scene: () => ContractScene): void {
  const refundWith = (orderId: string, body: unknown, key: string): ReturnType<ContractScene['refund']> => scene().refund(orderId, body, { headers: { 'idempotency-key': key } });

  it.each<[string, (order: Body) => unknown]>([
    ['another charge', (order) => ({ amount: 100, charge_id: order.charges.data[1].id })], ['no charge', () => ({ amount: 100 })], ['nothing at all', () => undefined],
  ])('should stand for no other request: %s (R8)', async (_, other) => {
    const order = await scene().createOrder([30_000, 20_000]);
    await refundWith(order.id, { amount: 100, charge_id: order.charges.data[0].id }, 'spoken-for');
    const answer = await scene().whileNothingMoves(() => refundWith(order.id, other(order), 'spoken-for'));
    expect(expectError(answer, 422, 'parameter_validation_error').param).toBe('Idempotency-Key');
    expect(answer.headers.get('idempotency-key')).toBe('spoken-for');
  });

  it('should stand for the same refund whatever order its fields are in, its charge among them (R8)', async () => {
    const order = await scene().createOrder([30_000]);
    const chargeId = order.charges.data[0].id as string;
    const first = await refundWith(order.id, { amount: 100, charge_id: chargeId, reason: 'other' }, 'same-charge');
    const second = await refundWith(order.id, ` {\n"reason" : "other",\t"charge_id":"${chargeId}", "amount":100}`, '"same-charge"');
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    await scene().expectMoved(chargeId, [100]);
  });
}

function payoutOrderKeys(scene: () => ContractScene): void {
  const createWith = (key: string, body: unknown, apiKey = 'key_demo'): ReturnType<ContractScene['call']> =>
    scene().call('POST', '/payout_orders', { body, key: apiKey, headers: { 'idempotency-key': key } });

  it('should stand for one payout order whatever the order of fields (R8)', async () => {
    const request = payoutOrderRequest();
    const first = await createWith('one-payout', request);
    const second = await createWith('one-payout', JSON.stringify(Object.fromEntries(Object.entries(request).toReversed()), null, 2));
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    expect(expectError(await createWith('one-payout', { ...request, amount: 3001 }), 422, 'parameter_validation_error').param).toBe('Idempotency-Key');
    const theirs = await createWith('one-payout', request, 'key_demo_two');
    expect(theirs.status).toBe(200);
    expect(theirs.body.id).not.toBe(first.body.id);
  });

  it('should create one payout order for twenty posts at the same time (R8)', async () => {
    const request = payoutOrderRequest({ metadata: { batch: 'twenty-payouts' } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => createWith('twenty-payouts', request)));
    expect(answers.map((answer) => answer.status)).toEqual(Array<number>(20).fill(200));
    expect(new Set(answers.map((answer) => answer.body.id as string)).size).toBe(1);
    const { body: page } = await scene().call('GET', '/payout_orders?search=twenty-payouts');
    expect(page.data.map((item: Body) => item.id)).toEqual([answers[0]?.body.id]);
  });
}
