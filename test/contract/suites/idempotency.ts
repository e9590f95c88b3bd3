import { describe, expect, it } from 'vitest';
import { expectError, payoutOrderRequest } from '../contract-scene.ts';
import type { Body, ContractScene } from '../contract-scene.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Idempotency keys of refunds and payout orders (R8). */
export function idempotencySuite(scene: () => ContractScene): void {
  describe('Idempotency-Key of a refund', () => refundKeys(scene));
  describe('Idempotency-Key of a payout order', () => payoutOrderKeys(scene));
}

function refundKeys(scene: () => ContractScene): void {
  const refundWith = (orderId: string, body: unknown, key: string): ReturnType<ContractScene['refund']> => scene().refund(orderId, body, { headers: { 'idempotency-key': key } });

  it('should stand for one refund whatever the order of fields, white space and quotes (R8)', async () => {
    const order = await scene().createOrder([30_000]);
    const chargeId = order.charges.data[0].id as string;
    const first = await refundWith(order.id, { amount: 100, charge_id: chargeId, reason: 'other' }, 'same-value');
    const second = await refundWith(order.id, ` {\n"reason" : "other",\t"charge_id":"${chargeId}", "amount":100}`, '"same-value"');
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    expect([first, second].map(({ headers }) => headers.get('idempotency-key'))).toEqual(['same-value', 'same-value']);
    await scene().expectMoved(chargeId, [100]);
  });

  it.each<[string, (order: Body) => unknown]>([
    ['amount', () => ({ amount: 200 })], ['reason', () => ({ amount: 100, reason: 'other' })], ['charge', (order) => ({ amount: 100, charge_id: order.charges.data[0].id })], ['nothing at all', () => undefined],
  ])('should stand for no other request: %s (R8)', async (_, other) => {
    const order = await scene().createOrder([30_000]);
    await refundWith(order.id, { amount: 100 }, 'spoken-for');
    const answer = await scene().whileNothingMoves(() => refundWith(order.id, other(order), 'spoken-for'));
    expect(expectError(answer, 422, 'parameter_validation_error').param).toBe('Idempotency-Key');
    expect(answer.headers.get('idempotency-key')).toBe('spoken-for');
  });

  it('should be another one for another order and for another merchant (R8)', async () => {
    const [order, sibling, theirs] = [await scene().createOrder([500]), await scene().createOrder([500]), await scene().createOrder([500], { key: 'key_demo_two' })];
    const headers = { 'idempotency-key': 'everybodys' };
    const answers = [await scene().refund(order.id, {}, { headers }), await scene().refund(sibling.id, {}, { headers }), await scene().refund(theirs.id, {}, { headers, key: 'key_demo_two' })];
    for (const [index, answer] of answers.entries()) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('idempotent-replayed')).toBeNull();
      expect(answer.body.id).toBe([order, sibling, theirs][index].id);
    }
  });

  it('should move money once for twenty posts at the same time, and answer all of them alike (R8, M7)', async () => {
    const order = await scene().createOrder([30_000]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refundWith(order.id, { amount: 700 }, 'twenty-fold')));
    expect(answers.map((answer) => answer.status)).toEqual(Array<number>(20).fill(200));
    for (const answer of answers) expect(answer.body).toEqual(answers[0]?.body);
    await scene().expectMoved(order.charges.data[0].id, [700]);
  });

  it('should answer a refusal again as it was, and be made by the server when there is none (R8)', async () => {
    const order = await scene().createOrder([500]);
    const refused = [await refundWith(order.id, { amount: 501 }, 'too-much'), await refundWith(order.id, { amount: 501 }, 'too-much')];
    expect(refused.map((answer) => answer.status)).toEqual([422, 422]);
    expect(refused.map((answer) => answer.headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    const [first, second] = [await scene().refund(order.id, { amount: 1 }), await scene().refund(order.id, { amount: 1 })];
    expect(first.headers.get('idempotency-key')).toMatch(UUID);
    expect(second.headers.get('idempotency-key')).not.toBe(first.headers.get('idempotency-key'));
    await scene().expectMoved(order.charges.data[0].id, [1, 1]);
    const repeated = await refundWith(order.id, { amount: 1 }, first.headers.get('idempotency-key') ?? '');
    expect(repeated.headers.get('idempotent-replayed')).toBe('true');
    await scene().expectMoved(order.charges.data[0].id, [1, 1]);
  });

  it.each([['an empty key', '""'], ['a key of 256 characters', 'k'.repeat(256)]])('should refuse %s (R8)', async (_, key) => {
    const order = await scene().createOrder([500]);
    const answer = await scene().whileNothingMoves(() => refundWith(order.id, {}, key));
    expect(expectError(answer, 422, 'parameter_validation_error').param).toBe('Idempotency-Key');
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
