import { describe, expect, it } from 'vitest';
import { expectMessages } from './dialects.ts';
import { advanceClock, createPayment, startSandbox, type Answer, type RunningSandbox } from './start-sandbox.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;

/** Refunds a payment; with a fault, as it wants. Fails unless the message has the shape of seed 003. */
async function refund(sandbox: RunningSandbox, paymentId: string, body: string, fault?: Record<string, unknown>): Promise<Answer['body']> {
  if (fault !== undefined) expect((await sandbox.call('POST', '/sandbox/faults', { operation: 'refund', delay_ms: DELAY_MS, ...fault })).status).toBe(200);
  const answer = await sandbox.call('POST', `/api/v2/pagos/devolucion/${paymentId}`, body);
  expect(answer.status).toBe(200);
  expectMessages(answer.text, [answer.body]);
  return answer.body;
}

async function find(sandbox: RunningSandbox, paymentId: string, query = ''): Promise<Answer['body']> {
  const { status, text, body } = await sandbox.call('GET', `/pagos/devolucion/${paymentId}${query}`);
  if (status === 404) return null;
  expectMessages(text, [body]);
  return body;
}

async function say(sandbox: RunningSandbox, refundId: string, status: string): Promise<Answer> {
  return sandbox.call('POST', `/sandbox/refunds/${refundId}/status`, { status }, { authorization: '' });
}

describe('POST /pagos/devolucion/{id}', () => {
  it('should answer every field of seed 003, with what the caller sent (X1)', async () => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '100.00', { type: 'by_media_payment' });
    const body = '{"amount":30.5,"type":"manual","reason":"Cambio de talle","external_reference":"ref-1","metadata":{"leg":"l1","step":1.0}}';
    expect(await refund(sandbox, id, body)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/), status: 'refunded', status_detail: null, type: 'manual', reference: id, external_reference: 'ref-1', amount: 30.5,
      reason: 'Cambio de talle', transaction_id: expect.stringMatching(/^\d{12}$/), authorization_code: expect.stringMatching(/^\d{4,6}$/),
      ticket_number: expect.stringMatching(/^\d{12}$/),
      fee_details: [{ type: 'refund_cost', fee_payer: 'collector', description: 'Costo por reembolso', amount: 1.5 }],
      source: { id: expect.stringMatching(/^[0-9a-f]{12}$/), name: null, type: 'collector' }, metadata: { leg: 'l1', step: 1 },
    });
    const rest = await refund(sandbox, id, '');
    expect(rest).toMatchObject({ amount: 69.5, type: 'by_media_payment', reason: null, external_reference: null, metadata: {} });
    expect(await sandbox.journal(`?charge_id=${id}`)).toEqual([['refund', 3050], ['refund', 6950]]);
  });

  it('should give back again when asked twice, and never more than was paid, whatever comes at once (M2)', async () => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    const answers = await Promise.all(Array.from({ length: 40 }, async () => sandbox.call('POST', `/pagos/devolucion/${id}`, '{"amount":3.00,"external_reference":"same"}')));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(16);
    expect(answers.filter((answer) => answer.status === 422)).toHaveLength(24);
    expect((await sandbox.journal()).reduce((sum, [, amount]) => sum + amount, 0)).toBe(4800);
    expect((await sandbox.call('POST', `/pagos/devolucion/${id}`)).status).toBe(200);
    expect((await sandbox.call('POST', `/pagos/devolucion/${id}`)).status).toBe(428);
    expect((await sandbox.call('POST', `/pagos/devolucion/${id}`, '{"amount":0.01}')).status).toBe(428);
  });

  it('should carry fees of all seven types and both payers, which never change the amount (R7)', async () => {
    const sandbox = await startSandbox();
    const types = ['fee', 'carrier_fee', 'media_payment_cost', 'carrier_cost', 'refund_cost', 'deferred_cost', 'discount'];
    const fees = types.flatMap((type, index) => ['collector', 'payer'].map((payer) => ({
      type, fee_payer: payer, description: index === 0 ? null : `Cargo ${index}`, amount: index + 0.01,
    })));
    const { id } = await createPayment(sandbox, '1.00', { refund_fees: fees });
    expect(await refund(sandbox, id, '')).toMatchObject({ amount: 1, fee_details: fees });
    expect(await sandbox.journal()).toEqual([['refund', 100]]);
    for (const refund_fees of [[], [{ type: 'tip', fee_payer: 'payer', amount: 1 }], [{ type: 'fee', fee_payer: 'carrier', amount: 1 }], [{ type: 'fee', fee_payer: 'payer', amount: 0.001 }]]) {
      expect((await sandbox.call('POST', '/pagos', { amount: 1, refund_fees })).status).toBe(422);
    }
  });
});

describe('GET /pagos/devolucion/{id}', () => {
  it('should find the last refund, the latest of a reference, and a given one of this payment (X1)', async () => {
    const sandbox = await startSandbox();
    const [payment, other] = [await createPayment(sandbox, '100.00'), await createPayment(sandbox, '100.00')];
    expect(await find(sandbox, payment.id)).toBeNull();
    const first = await refund(sandbox, payment.id, '{"amount":1,"external_reference":"a"}');
    const second = await refund(sandbox, payment.id, '{"amount":2,"external_reference":"a"}');
    const third = await refund(sandbox, payment.id, '{"amount":3,"external_reference":"b"}');
    const foreign = await refund(sandbox, other.id, '{"amount":4,"external_reference":"c"}');
    expect(await find(sandbox, payment.id)).toEqual(third);
    expect(await find(sandbox, payment.id, '?external_reference=a')).toEqual(second);
    expect(await find(sandbox, payment.id, `?refund_id=${first.id}`)).toEqual(first);
    expect(await find(sandbox, payment.id, `?refund_id=${first.id}&external_reference=b`)).toBeNull();
    expect(await find(sandbox, payment.id, '?external_reference=c')).toBeNull();
    expect(await find(sandbox, payment.id, `?refund_id=${foreign.id}`)).toBeNull();
    const { body } = await sandbox.call('GET', `/pagos/${payment.id}`);
    expect(body).toMatchObject({ status: 'refunded', refunds: [first, second, third] });
    expect((await sandbox.call('GET', `/pagos/devolucion/${payment.id}?reference=a`)).status).toBe(422);
  });
});

describe('the words of a refund', () => {
  const TAKEN = ['pending', 'in_process', 'review', 'validate', 'deferred', 'authorized'];
  const FAILED = ['rejected', 'cancelled', 'dismissed'];

  it.each(TAKEN)('should begin with %s under async when the fault says so, then be approved and refunded (X4)', async (status) => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    const made = await refund(sandbox, id, '{"amount":40.00}', { mode: 'async', status });
    // The provider's numbers come when it has authorized the refund, the ticket when it has executed it.
    const numbers = [status === 'authorized', status === 'authorized', false];
    expect([made.status, made.transaction_id !== null, made.authorization_code !== null, made.ticket_number !== null]).toEqual([status, ...numbers]);
    expect((await sandbox.call('POST', `/pagos/devolucion/${id}`, '{"amount":10.01}')).status).toBe(422);
    advanceClock(DELAY_MS / 2);
    const approved = await find(sandbox, id);
    expect(approved).toEqual({
      ...made, status: 'approved', status_detail: null, transaction_id: made.transaction_id ?? expect.any(String),
      authorization_code: made.authorization_code ?? expect.any(String), ticket_number: expect.any(String),
    });
    expect(await sandbox.journal()).toEqual([]);
    advanceClock(DELAY_MS / 2);
    expect(await find(sandbox, id)).toEqual({ ...approved, status: 'refunded' });
    expect(await sandbox.journal()).toEqual([['refund', 4000]]);
  });

  it.each(FAILED)('should end with %s under async_failure and late_failure when the fault says so (X4, R9)', async (status) => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    expect(await refund(sandbox, id, '', { mode: 'async_failure', status })).toMatchObject({ status: 'authorized' });
    advanceClock(DELAY_MS);
    expect(await find(sandbox, id)).toMatchObject({ status, status_detail: expect.any(String), ticket_number: null });
    expect(await sandbox.journal()).toEqual([]);
    const late = await refund(sandbox, id, '', { mode: 'late_failure', status });
    expect(late).toMatchObject({ status: 'refunded', amount: 50 });
    advanceClock(DELAY_MS);
    expect(await find(sandbox, id)).toEqual({ ...late, status, status_detail: expect.any(String) });
    expect(await sandbox.journal()).toEqual([['refund', 5000], ['refund_failed', 5000]]);
    expect((await sandbox.call('GET', `/pagos/${id}`)).body.status).toBe('approved');
  });

  it('should begin with the word and be rejected under async_failure when it is told a word to begin with (X4)', async () => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    expect(await refund(sandbox, id, '', { mode: 'async_failure', status: 'validate' })).toMatchObject({ status: 'validate', status_detail: 'waiting_for_payer' });
    advanceClock(DELAY_MS);
    expect(await find(sandbox, id)).toMatchObject({ status: 'rejected', status_detail: 'rejected_by_carrier', transaction_id: null });
  });
});

describe('POST /sandbox/refunds/{id}/status', () => {
  // Written out: from which words to which a refund may be moved by hand.
  const TAKEN = ['pending', 'in_process', 'review', 'validate', 'deferred', 'authorized'];
  const FAILED = ['rejected', 'cancelled', 'dismissed'];
  const ALLOWED: Record<string, readonly string[]> = {
    pending: ['in_process', 'review', 'validate', 'deferred', 'authorized', 'approved', 'refunded', ...FAILED],
    in_process: ['pending', 'review', 'validate', 'deferred', 'authorized', 'approved', 'refunded', ...FAILED],
    review: ['pending', 'in_process', 'validate', 'deferred', 'authorized', 'approved', 'refunded', ...FAILED],
    validate: ['pending', 'in_process', 'review', 'deferred', 'authorized', 'approved', 'refunded', ...FAILED],
    deferred: ['pending', 'in_process', 'review', 'validate', 'authorized', 'approved', 'refunded', ...FAILED],
    authorized: ['pending', 'in_process', 'review', 'validate', 'deferred', 'approved', 'refunded', ...FAILED],
    approved: ['refunded', ...FAILED],
    refunded: FAILED,
    rejected: [], cancelled: [], dismissed: [],
  };

  it.each(Object.entries(ALLOWED))('should take a refund that is %s to %j and to nothing else, its money with it (X4, X3)', async (from, allowed) => {
    const sandbox = await startSandbox();
    for (const to of Object.keys(ALLOWED)) {
      const { id } = await createPayment(sandbox, '50.00');
      const made = await refund(sandbox, id, '', { mode: 'async', charge_id: id });
      if (from !== 'authorized') expect((await say(sandbox, made.id, from)).status).toBe(200);
      const before = await find(sandbox, id);
      expect(before.status).toBe(from);
      const answer = await say(sandbox, made.id, to);
      const isAllowed = allowed.includes(to);
      expect([from, to, answer.status]).toEqual([from, to, isAllowed ? 200 : 409]);
      const after = await find(sandbox, id);
      expect(isAllowed ? after.status : after).toEqual(isAllowed ? to : before);
      if (isAllowed) expect(answer.text).toBe((await sandbox.call('GET', `/pagos/${id}`)).text);
      const isOut = from === 'refunded' || (isAllowed && to === 'refunded');
      const isBack = from === 'refunded' && isAllowed;
      expect(await sandbox.journal(`?charge_id=${id}`)).toEqual([...(isOut ? [['refund', 5000]] : []), ...(isBack ? [['refund_failed', 5000]] : [])]);
      // What failed is refundable again, all else counts.
      const again = await sandbox.call('POST', `/pagos/devolucion/${id}`);
      expect([from, to, again.status]).toEqual([from, to, FAILED.includes(after.status) ? 200 : 428]);
    }
  });

  it('should leave the next steps to the clock, from whichever word (X4)', async () => {
    const sandbox = await startSandbox();
    for (const word of TAKEN.slice(0, -1)) {
      const { id } = await createPayment(sandbox, '50.00');
      const made = await refund(sandbox, id, '', { mode: 'async', charge_id: id });
      expect((await say(sandbox, made.id, word)).body.refunds[0].status).toBe(word);
    }
    advanceClock(DELAY_MS);
    expect(await sandbox.journal()).toEqual(Array.from({ length: 5 }, () => ['refund', 5000]));
  });

  it('should answer 404 for a refund that is not there or is Conekta’s, 422 for a word that is none', async () => {
    const sandbox = await startSandbox();
    const { id } = await createPayment(sandbox, '50.00');
    const made = await refund(sandbox, id, '', { mode: 'async' });
    expect((await say(sandbox, 'nobody', 'review')).status).toBe(404);
    for (const body of [{ status: 'lost' }, {}, { status: 'review', extra: 1 }]) {
      expect((await sandbox.call('POST', `/sandbox/refunds/${made.id}/status`, body)).status).toBe(422);
    }
    const order = (await sandbox.call('POST', '/orders', {
      currency: 'MXN', customer_info: { customer_id: 'cus_1' }, line_items: [{ name: 'Box', unit_price: 5000, quantity: 1 }],
      charges: [{ payment_method: { type: 'card', token_id: 'tok_test_visa_4242' } }],
    })).body;
    const conekta = (await sandbox.call('POST', `/orders/${order.id}/refunds`)).body.charges.data[0].refunds.data[0].id as string;
    expect((await say(sandbox, conekta, 'rejected')).status).toBe(404);
    expect(await find(sandbox, id)).toEqual(made);
  });
});
