import { expect, it } from 'vitest';
import { decimal, expectDone, expectRefused, payAtGateway, SANDBOX_KEYS } from '../../support/refund-faces.ts';
import type { FaceName, Paid, RefundAnswer, RefundWish } from '../../support/refund-faces.ts';
import type { ContractScene } from '../contract-scene.ts';
import { expectMoved, overEachFace } from '../face-suites.ts';
import type { FaceSuite } from '../face-suites.ts';

/** What one face calls things of its own. */
interface Words {
  readonly notReturnable: string;
  /** What an error calls the thing that a refund names. */
  readonly object: string;
  /** Something that nobody has paid yet. */
  readonly unpaid: (scene: ContractScene) => Promise<Pick<Paid, 'orderId'>>;
}

const WORDS: Readonly<Record<FaceName, Words>> = {
  conekta: {
    notReturnable: 'precondition_required.combo.order.is_not_returnable', object: 'Order',
    unpaid: async (scene) => ({ orderId: (await scene.createUnpaidOrder(30_000)).id as string }),
  },
  gateway: {
    notReturnable: 'precondition_required.payment.is_not_refundable', object: 'Payment',
    unpaid: (scene) => payAtGateway(scene.product.sandboxUrl, SANDBOX_KEYS.key_demo, { amountMinor: 30_000, fields: { status: '"pending"' } }),
  },
};

/** What is given back and what is refused, whatever the face and the provider behind it (PRODUCT §3, §5). What only one dialect has is in suites of its own. */
export function refundRulesSuite(scene: () => ContractScene): void {
  overEachFace(scene, [amounts, refusals, strangers]);
}

const amounts: FaceSuite = (_, scene, face) => {
  it.each<[string, RefundWish, number]>([
    ['nothing', {}, 30_000], ['the least there is', { amountMinor: 1 }, 1], ['an amount below the total', { amountMinor: 15_050 }, 15_050], ['an amount that is the total', { amountMinor: 30_000 }, 30_000],
    ['a reason', { reason: 'suspected_fraud' }, 30_000], ['an amount and a reason', { amountMinor: 15_000, reason: 'requested_by_client' }, 15_000],
  ])('should give back what is asked for: %s (R1, M5)', async (__, wish, movedMinor) => {
    const paid = await face().pay(30_000);
    expectDone(await face().refund(paid, wish), paid, movedMinor);
    await expectMoved(scene(), paid, [movedMinor]);
  });

  it('should be taken without a body as a refund of all that remains (CONTRACT §1, M5)', async () => {
    const paid = await face().pay(500);
    expectDone(await face().refundAs(paid, { headers: { 'content-type': 'application/json' } }), paid, 500);
    await expectMoved(scene(), paid, [500]);
  });

  it('should give back a part and then what remains, each once (M5)', async () => {
    const paid = await face().pay(30_000);
    expectDone(await face().refund(paid, { amountMinor: 10_000 }), paid, 10_000);
    expectDone(await face().refund(paid, {}), paid, 20_000, 30_000);
    await expectMoved(scene(), paid, [10_000, 20_000]);
  });

  it('should never be more than was captured, however many ask at once (M2, M3)', async () => {
    const paid = await face().pay(1000);
    const answers = await Promise.all(Array.from({ length: 8 }, () => face().refund(paid, { amountMinor: 300 })));
    expect(answers.map(({ meaning }) => meaning).toSorted()).toEqual([...Array<string>(3).fill('done'), ...Array<string>(5).fill('refused')]);
    for (const answer of answers.filter(({ meaning }) => meaning === 'refused')) expectRefused(answer, 422, 'parameter_validation.amount.exceeds_remaining');
    await expectMoved(scene(), paid, [300, 300, 300]);
  });
};

const refusals: FaceSuite = (name, scene, face) => {
  const { notReturnable, unpaid } = WORDS[name];

  it.each([30_001, Number.MAX_SAFE_INTEGER])('should be refused when it is more than is left, naming the amount: %i (R1, M2)', async (amountMinor) => {
    const paid = await face().pay(30_000);
    const answer = await scene().whileNothingMoves(() => face().refund(paid, { amountMinor }));
    expectRefused(answer, 422, 'parameter_validation.amount.exceeds_remaining');
    expect(answer.body).toMatchObject({ object: 'error', type: 'parameter_validation_error', details: [{ param: 'amount' }] });
  });

  it('should be refused when it is more than a part left, and when nothing is left (M2, R1)', async () => {
    const paid = await face().pay(30_000);
    expectDone(await face().refund(paid, { amountMinor: 10_000 }), paid, 10_000);
    expectRefused(await scene().whileNothingMoves(() => face().refund(paid, { amountMinor: 20_001 })), 422, 'parameter_validation.amount.exceeds_remaining');
    expectDone(await face().refund(paid, { amountMinor: 20_000 }), paid, 20_000, 30_000);
    for (const wish of [{}, { amountMinor: 1 }]) expectRefused(await scene().whileNothingMoves(() => face().refund(paid, wish)), 428, notReturnable);
  });

  it('should be refused of what nobody has paid (R1)', async () => {
    const waiting = await unpaid(scene());
    for (const wish of [{}, { amountMinor: 1 }]) expectRefused(await scene().whileNothingMoves(() => face().refund(waiting, wish)), 428, notReturnable);
  });

  it.each([['es', undefined], ['es', 'fr'], ['en', 'en-US,en;q=0.9']])('should be refused in %s to Accept-Language %s (CONTRACT §1)', async (language, header) => {
    const paid = await face().pay(100);
    const answer = await face().refundAs(paid, { body: `{"amount":${name === 'conekta' ? '101' : decimal(101)}}`, headers: header === undefined ? {} : { 'accept-language': header } });
    const debug = 'The "amount" exceeds what remains to be refunded.';
    expect(answer.body).toMatchObject({ details: [{ debug_message: debug, message: language === 'en' ? debug : 'El monto excede lo que resta por reembolsar.' }] });
  });
};

const strangers: FaceSuite = (name, scene, face) => {
  const expectUnknown = (answer: RefundAnswer, orderId: string): void => {
    expectRefused(answer, 404, 'resource_not_found.entity');
    expect(answer.body).toMatchObject({ details: [{ debug_message: `The object ${WORDS[name].object} "${orderId}" could not be found.`, param: null }] });
  };

  it('should know nothing of that name (CONTRACT §6)', async () => {
    expectUnknown(await scene().whileNothingMoves(() => face().refund({ orderId: 'ord_000000000000000Az' }, {})), 'ord_000000000000000Az');
  });

  it('should know nothing of another merchant’s (RELIABILITY, Security)', async () => {
    const theirs = await face('key_demo_two').pay(30_000);
    expectUnknown(await scene().whileNothingMoves(() => face().refund(theirs, {})), theirs.orderId);
    expectDone(await face('key_demo_two').refund(theirs, {}), theirs, 30_000);
    // On record now, it is still nobody else's.
    expectUnknown(await face().refund(theirs, {}), theirs.orderId);
    expect(await scene().books(`?charge_id=${theirs.chargeId}`)).toEqual([]);
  });
};
