import { describe, expect, it } from 'vitest';
import { errorSeed, expectContract } from '../contract-fixtures.ts';
import { expectConsistent, expectError } from '../contract-scene.ts';
import type { Answer, Body, ContractScene } from '../contract-scene.ts';

const NOT_RETURNABLE = errorSeed('error.order_not_returnable.es.json');
const CHARGE_ID_REQUIRED = errorSeed('error.split_payment_charge_id_required.es.json');
/** Charges of a split order, minor units, as in the seed. */
const SPLIT = [30_000, 20_000] as const;

/** A row of the table of CONTRACT §5: charges, body, and what each charge gives back. */
type Row = readonly [name: string, charges: readonly number[], body: (order: Body) => unknown, moved: readonly number[]];

const REFUNDS: readonly Row[] = [
  ['nothing, one charge', [30_000], () => undefined, [30_000]],
  ['an empty object, one charge', [30_000], () => ({}), [30_000]],
  ['a reason, one charge', [30_000], () => ({ reason: 'suspected_fraud' }), [30_000]],
  ['its charge, one charge', [30_000], (order) => ({ charge_id: chargeId(order) }), [30_000]],
  ['its charge and an amount, one charge', [30_000], (order) => ({ charge_id: chargeId(order), amount: 1 }), [1]],
  ['an amount below the total, one charge', [30_000], () => ({ amount: 15_000, reason: 'requested_by_client' }), [15_000]],
  ['an amount that is the total, one charge', [30_000], () => ({ amount: 30_000 }), [30_000]],
  ['an amount and an expiry as OpenAPI has it, one charge', [30_000], () => ({ amount: 15_000, reason: 'other', expires_at: 1_900_000_000 }), [15_000]],
  ['nothing, split', SPLIT, () => undefined, SPLIT],
  ['a reason, split', SPLIT, () => ({ reason: 'duplicated_transaction' }), SPLIT],
  ['a charge, split', SPLIT, (order) => ({ charge_id: chargeId(order, 1) }), [0, 20_000]],
  ['a charge and an amount, split', SPLIT, (order) => ({ charge_id: chargeId(order), amount: 10_000 }), [10_000, 0]],
  ['an amount that is the total, split', SPLIT, () => ({ amount: 50_000 }), SPLIT],
];

/** The meaning of refund requests on Conekta's wire (CONTRACT §5), refusals included: orders with several charges, and bodies field by field. */
export function refundSemanticsSuite(scene: () => ContractScene): void {
  describe('POST /orders/{id}/refunds', () => {
    it.each(REFUNDS)('should give back what is asked for: %s (R1)', async (_, charges, body, moved) => {
      const order = await scene().createOrder(charges);
      const answer = await scene().refund(order.id, body(order), { headers: { 'content-type': 'application/json' } });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      expectContract('order_after_refund', answer.body);
      expectConsistent(answer.body);
      expect(answer.body.amount_refunded).toBe(moved.reduce((sum, amount) => sum + amount, 0));
      for (const [index, amount] of moved.entries()) await scene().expectMoved(chargeId(order, index), amount === 0 ? [] : [amount]);
      const { body: live } = await scene().call('GET', `/orders/${order.id}`);
      expect(live).toMatchObject({ payment_status: answer.body.payment_status, amount_refunded: answer.body.amount_refunded });
    });

    sequences(scene);
    refusals(scene);
    notFound(scene);
    languages(scene);
    transport(scene);
  });
}

function sequences(scene: () => ContractScene): void {
  it('should refund a part and then what remains of it, each once (M5)', async () => {
    const order = await scene().createOrder([30_000]);
    await scene().refund(order.id, { amount: 10_000 });
    const { status, body } = await scene().refund(order.id);
    expect(status).toBe(200);
    expectConsistent(body);
    expect(body.charges.data[0].refunds.data.map((refund: Body) => refund.amount).toSorted()).toEqual([-10_000, -20_000]);
    await scene().expectMoved(chargeId(order), [10_000, 20_000]);
  });

  it('should refund a part of one charge and then what remains of every charge (M5, R1)', async () => {
    const order = await scene().createOrder(SPLIT);
    await scene().refund(order.id, { charge_id: chargeId(order), amount: 10_000 });
    const { body } = await scene().refund(order.id, { reason: 'other' });
    expectConsistent(body);
    expect(body.payment_status).toBe('refunded');
    await scene().expectMoved(chargeId(order, 0), [10_000, 20_000]);
    await scene().expectMoved(chargeId(order, 1), [20_000]);
  });
}

function refusals(scene: () => ContractScene): void {
  const expectNotReturnable = (answer: Answer): void => {
    expectError(answer, 428, 'precondition_required_error');
    expect(answer.body).toEqual({ ...NOT_RETURNABLE, log_id: answer.body.log_id });
  };

  it.each<[string, readonly number[], (order: Body) => object]>([
    ['one charge', [30_000], () => ({ amount: 30_001 })],
    ['one charge, by its id', [30_000], (order) => ({ charge_id: chargeId(order), amount: 30_001 })],
    ['a charge of a split order', SPLIT, (order) => ({ charge_id: chargeId(order, 1), amount: 20_001 })],
    ['a split order', SPLIT, () => ({ amount: 50_001 })],
    ['the largest amount there is', [30_000], () => ({ amount: Number.MAX_SAFE_INTEGER })],
  ])('should refuse more than is left of %s, naming the amount (R1, M2)', async (_, charges, body) => {
    const order = await scene().createOrder(charges);
    const answer = await scene().whileNothingMoves(() => scene().refund(order.id, body(order)));
    expect(expectError(answer, 422, 'parameter_validation_error')).toMatchObject({ param: 'amount', code: 'conekta.errors.parameter_validation.amount.exceeds_remaining' });
  });

  it.each([1, 49_999])('should refuse %i of a split order without its charge, with the order as it is (seed 002)', async (amount) => {
    const order = await scene().createOrder(SPLIT);
    const answer = await scene().whileNothingMoves(() => scene().refund(order.id, { amount }));
    expectError(answer, 402, 'processing_error');
    expect(answer.body).toEqual({ ...CHARGE_ID_REQUIRED, log_id: answer.body.log_id, data: answer.body.data });
    expectContract('order_seed', answer.body.data);
    expect(answer.body.data).toMatchObject({ id: order.id, payment_status: 'paid', amount_refunded: 0 });
  });

  it('should refuse the whole when one of the charges has nothing left (R1, CONTRACT §8 no. 18)', async () => {
    const order = await scene().createOrder(SPLIT);
    await scene().refund(order.id, { charge_id: chargeId(order) });
    expectNotReturnable(await scene().whileNothingMoves(() => scene().refund(order.id)));
    expectNotReturnable(await scene().whileNothingMoves(() => scene().refund(order.id, { charge_id: chargeId(order) })));
    const rest = await scene().refund(order.id, { charge_id: chargeId(order, 1) });
    expect(rest.body.payment_status).toBe('refunded');
  });

  it('should refuse an order that nobody has paid (R1)', async () => {
    const order = await scene().createUnpaidOrder(30_000);
    expect(order.payment_status).toBe('pending_payment');
    expectNotReturnable(await scene().whileNothingMoves(() => scene().refund(order.id)));
    expectNotReturnable(await scene().whileNothingMoves(() => scene().refund(order.id, { charge_id: chargeId(order), amount: 1 })));
  });
}

function notFound(scene: () => ContractScene): void {
  const expectNotFound = (answer: Answer, object: string, id: string): void => {
    expect(expectError(answer, 404, 'resource_not_found_error')).toEqual({
      debug_message: `The object ${object} "${id}" could not be found.`, message: 'El recurso no fue encontrado.', param: null, code: 'conekta.errors.resource_not_found.entity',
    });
  };

  it('should know no order of that name (CONTRACT §6)', async () => {
    expectNotFound(await scene().whileNothingMoves(() => scene().refund('ord_000000000000000Az')), 'Order', 'ord_000000000000000Az');
  });

  it("should know no order of another merchant, nor its charges (RELIABILITY, Security)", async () => {
    const theirs = await scene().createOrder([30_000], { key: 'key_demo_two' });
    const ours = await scene().createOrder([30_000]);
    expectNotFound(await scene().whileNothingMoves(() => scene().refund(theirs.id)), 'Order', theirs.id);
    expectNotFound(await scene().whileNothingMoves(() => scene().refund(ours.id, { charge_id: chargeId(theirs) })), 'Charge', chargeId(theirs));
    expect((await scene().refund(theirs.id, undefined, { key: 'key_demo_two' })).status).toBe(200);
    // On record now, it is still nobody else's.
    expectNotFound(await scene().refund(theirs.id), 'Order', theirs.id);
    expect(await scene().books(`?charge_id=${chargeId(theirs)}`)).toEqual([]);
  });
}

function languages(scene: () => ContractScene): void {
  it.each([
    ['es', undefined], ['es', 'es'], ['es', 'fr'], ['en', 'en'], ['en', 'en-US,en;q=0.9'],
  ])('should speak %s to Accept-Language %s (CONTRACT §1)', async (language, header) => {
    const order = await scene().createOrder(SPLIT);
    const headers: Record<string, string> = header === undefined ? {} : { 'accept-language': header };
    const { body } = await scene().refund(order.id, { amount: 1 }, { headers });
    const [detail] = CHARGE_ID_REQUIRED['details'] as [Body];
    expect(body.details).toEqual([language === 'en' ? { ...detail, message: detail.debug_message } : detail]);
  });
}

function transport(scene: () => ContractScene): void {
  it.each<Record<string, string>>([
    { accept: 'application/vnd.conekta-v2.1.0+json' }, { accept: 'application/vnd.conekta-v2.3.0+json' }, { accept: 'application/json' }, { accept: '*/*' }, { accept: 'text/html' },
    { 'x-child-company-id': 'child_company' }, { 'content-type': 'application/vnd.conekta-v2.1.0+json' }, { 'content-type': 'application/json; charset=utf-8' },
  ])('should answer a call with %o in its own media type (CONTRACT §1)', async (headers) => {
    const order = await scene().createOrder([500]);
    for (const answer of [await scene().refund(order.id, { amount: 1 }, { headers }), await scene().refund(order.id, { amount: 500 }, { headers })]) {
      expect(answer.headers.get('content-type')).toMatch(/^application\/vnd\.conekta-v2\.3\.0\+json(;|$)/);
      expect([200, 422]).toContain(answer.status);
    }
    await scene().expectMoved(chargeId(order), [1]);
  });

  it.each(['', 'application/json', 'application/x-www-form-urlencoded'])('should take a refund without a body of the content type "%s" (CONTRACT §1)', async (type) => {
    const order = await scene().createOrder([500]);
    expect((await scene().refund(order.id, undefined, { headers: type === '' ? {} : { 'content-type': type } })).status).toBe(200);
  });
}

function chargeId(order: Body, index = 0): string {
  return order.charges.data[index].id as string;
}
