import { describe, expect, it } from 'vitest';
import { createCardOrder, expectShape, startSandbox } from './start-sandbox.ts';

describe('POST /orders/{id}/refunds', () => {
  it('should refund every charge of a split order in full, in the shape of seed 002 (R1)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 30000, 20000);
    const { status, body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, { reason: 'requested_by_client' });
    expect(status).toBe(200);
    expectShape('order_after_refund', body);
    expect(body).toMatchObject({ payment_status: 'refunded', amount_refunded: 50000, is_refundable: false, split_payment: true });
    for (const [index, amount] of [30000, 20000].entries()) {
      const charge = body.charges.data[index];
      expect(charge).toMatchObject({ status: 'refunded', is_refundable: false, refunds: { object: 'list', has_more: false, total: 1 } });
      expect(Object.keys(charge.refunds.data[0])).toEqual(['object', 'amount', 'id', 'created_at', 'auth_code']);
      expect(charge.refunds.data[0]).toMatchObject({ amount: -amount, auth_code: charge.payment_method.auth_code });
    }
    expect(await sandbox.journal()).toEqual([['refund', 30000], ['refund', 20000]]);
  });

  it('should refund part of one charge and journal it, again for every call: there is no idempotency (X1)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 30000, 20000);
    const chargeId = order.charges.data[0].id as string;
    const refund = { charge_id: chargeId, amount: 10000, reason: 'requested_by_client' };
    await sandbox.call('POST', `/orders/${order.id}/refunds`, refund, { 'idempotency-key': 'k' });
    const { body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, refund, { 'idempotency-key': 'k' });
    expect(body).toMatchObject({ payment_status: 'partially_refunded', amount_refunded: 20000, is_refundable: true });
    expect(body.charges.data[0]).toMatchObject({ status: 'partially_refunded', is_refundable: true, refunds: { total: 2 } });
    expect(body.charges.data[1]).toMatchObject({ status: 'paid', refunds: null });
    expect(await sandbox.journal(`?charge_id=${chargeId}`)).toEqual([['refund', 10000], ['refund', 10000]]);
    expect(await sandbox.journal(`?charge_id=${order.charges.data[1].id}`)).toEqual([]);
  });

  it('should refund what remains when the amount is left out (M5)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 1200 });
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`)).body).toMatchObject({ payment_status: 'refunded', amount_refunded: 5000 });
    expect(await sandbox.journal()).toEqual([['refund', 1200], ['refund', 3800]]);
  });

  it('should answer part of a split order without a charge exactly as seed 002 does, with the untouched order (R1)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 30000, 20000);
    const { status, body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 10000 });
    expectShape('error', body);
    expectShape('order_seed', body.data);
    expect(status).toBe(402);
    expect(body).toMatchObject({ object: 'error', type: 'processing_error', log_id: expect.stringMatching(/^[0-9a-f]{24}$/) });
    expect(body.details).toEqual([{
      debug_message: 'Charge id is required for refund split payments',
      message: 'El id del cargo es requerido para reembolsar pagos fraccionados',
      param: null,
      code: 'conekta.errors.processing.charge_operations.refund.split_payment.charge_id_is_required',
    }]);
    expect(body.data).toMatchObject({ id: order.id, amount_refunded: 0, charges: { data: [{ fee: 1241, payment_method: { antifraud_flag: '' } }, { fee: 905 }] } });
    expect(body.data).not.toHaveProperty('split_payment');
    expect(body.data.charges.data[0]).not.toHaveProperty('is_refundable');
    expect(await sandbox.journal()).toEqual([]);
  });

  it('should refuse the whole when one charge has nothing left, exactly as seed 002 does (R1)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 30000, 20000);
    await sandbox.call('POST', `/orders/${order.id}/refunds`, { charge_id: order.charges.data[0].id });
    const { status, body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, {});
    expectShape('error', body);
    expect([status, body.type]).toEqual([428, 'precondition_required_error']);
    expect(body.details).toEqual([{
      debug_message: 'The order can not be returned.', message: 'No se puede devolver la orden.', param: null,
      code: 'conekta.errors.precondition_required.combo.order.is_not_returnable',
    }]);
    expect(await sandbox.journal()).toEqual([['refund', 30000]]);
  });

  it('should refuse more than what remains with 422 naming the amount (M2)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 4000 });
    const { status, body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 1001 });
    expect([status, body.details[0].param, body.details[0].code]).toEqual([422, 'amount', 'conekta.errors.parameter_validation.amount.invalid']);
    expect(await sandbox.journal()).toEqual([['refund', 4000]]);
  });

  it('should never refund more than was captured, whatever comes at once (M2)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    const answers = await Promise.all(Array.from({ length: 40 }, async () => sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 300 })));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(16);
    expect(answers.filter((answer) => answer.status === 422)).toHaveLength(24);
    const { body } = await sandbox.call('GET', `/orders/${order.id}`);
    expect(body.amount_refunded).toBe(4800);
    expect(body.charges.data[0].refunds.data.reduce((sum: number, refund: { amount: number }) => sum + refund.amount, 0)).toBe(-4800);
    expect((await sandbox.journal()).reduce((sum, [, amount]) => sum + amount, 0)).toBe(4800);
  });

  it.each([
    [{ ammount: 100 }, 'ammount'], [{ amount: 0 }, 'amount'], [{ amount: -5 }, 'amount'], [{ amount: 1.5 }, 'amount'], [{ amount: '100' }, 'amount'],
    [{ amount: 2 ** 53 }, 'amount'], [{ reason: 'because' }, 'reason'],
  ])('should refuse the body %j and move nothing (M1)', async (refund, param) => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    const { status, body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, refund);
    expect([status, body.details[0].param]).toEqual([422, param]);
    expect(await sandbox.journal()).toEqual([]);
  });

  it('should answer 404 for an unknown charge, or one of another order', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    const other = await createCardOrder(sandbox, 5000);
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`, { charge_id: other.charges.data[0].id })).status).toBe(404);
    expect(await sandbox.journal()).toEqual([]);
  });
});
