import { afterAll, describe, expect, it, vi } from 'vitest';
import { expectContract } from '../contract-fixtures.ts';
import { expectConsistent, expectError } from '../contract-scene.ts';
import type { Answer, Body, ContractScene } from '../contract-scene.ts';

/** What callers of Conekta's face see of a provider that fails, beside what both faces have in common: the order, whole, in every answer (S4, R2, R10). */
export function providerFaultsSuite(scene: () => ContractScene): void {
  // Each fault is armed for one charge alone, so that they can all happen at once.
  describe.concurrent('a refund of an order while Conekta fails', () => {
    afterAll(() => scene().disarm());

    it('should answer a refusal with 402 and the order as it now is (CONTRACT §5)', async () => {
      const { order, chargeId } = await orderWithFault(scene(), 'decline');
      const answer = await scene().refund(order.id, { amount: 100 });
      expectError(answer, 402, 'processing_error');
      expectContract('order_seed', answer.body.data);
      expectConsistent(answer.body.data);
      expect(answer.body.data).toMatchObject({ id: order.id, payment_status: 'paid', amount_refunded: 0 });
      await scene().expectMoved(chargeId, []);
      // A definite refusal gives the reservation back (M4).
      expect((await scene().refund(order.id)).body.amount_refunded).toBe(30_000);
      await scene().expectMoved(chargeId, [30_000]);
    });

    it.each(['timeout', 'hang'])('should answer 202 with the order when the answer is lost by %s, and refund once (S4, R10)', async (mode) => {
      const { order, chargeId } = await orderWithFault(scene(), mode);
      const ask = (): Promise<Answer> => scene().refund(order.id, { amount: 100 }, { headers: { 'idempotency-key': `lost-order-${mode}` } });
      const answer = await ask();
      expect(answer.status, JSON.stringify(answer.body)).toBe(202);
      expect(answer.headers.get('location')).toBe(`/orders/${order.id}`);
      expectContract('order_after_refund', answer.body);
      await untilBooked(scene(), chargeId);
      const repeated = await ask();
      expect(repeated.status).toBe(200);
      expect(repeated.body).toMatchObject({ id: order.id, amount_refunded: 100, payment_status: 'partially_refunded' });
      expectConsistent(repeated.body);
      await scene().expectMoved(chargeId, [100]);
    });

    it('should say exactly what happened when one of two charges is refused (R2)', async () => {
      const order = await scene().createOrder([30_000, 20_000]);
      const [first, second] = order.charges.data as [Body, Body];
      await scene().arm({ operation: 'refund', mode: 'decline', charge_id: second.id });
      const answer = await scene().refund(order.id);
      expectError(answer, 402, 'processing_error');
      expectConsistent(answer.body.data);
      expect(answer.body.data).toMatchObject({
        id: order.id, payment_status: 'partially_refunded', amount_refunded: 30_000, charges: { data: [{ status: 'refunded' }, { status: 'paid', refunds: null }] },
      });
      await scene().expectMoved(first.id, [30_000]);
      await scene().expectMoved(second.id, []);
      expect((await scene().refund(order.id, { charge_id: second.id })).body.payment_status).toBe('refunded');
    });
  });
}

async function orderWithFault(scene: ContractScene, mode: string): Promise<{ order: Body; chargeId: string }> {
  const order = await scene.createOrder([30_000]);
  const chargeId = order.charges.data[0].id as string;
  await scene.arm({ operation: 'refund', mode, charge_id: chargeId });
  return { order, chargeId };
}

function untilBooked(scene: ContractScene, chargeId: string): Promise<void> {
  return vi.waitFor(async () => expect(await scene.books(`?charge_id=${chargeId}`)).toHaveLength(1), { timeout: 30_000, interval: 100 });
}
