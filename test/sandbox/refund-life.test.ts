import { describe, expect, it } from 'vitest';
import { advanceClock, createCardOrder, expectShape, startSandbox, type Answer, type RunningSandbox } from './start-sandbox.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;
const HALF_MS = DELAY_MS / 2;

const STATES = ['authorized', 'approved', 'succeeded', 'failed'] as const;
type State = (typeof STATES)[number];

interface Refund { readonly orderId: string; readonly chargeId: string; readonly id: string }

/** Refunds 4000 of a charge of 5000, as a fault wants it. */
async function makeRefund(sandbox: RunningSandbox, mode?: 'async' | 'async_failure' | 'late_failure', delayMs = DELAY_MS): Promise<Refund> {
  const order = await createCardOrder(sandbox, 5000);
  const chargeId = order.charges.data[0].id as string;
  if (mode !== undefined) await sandbox.call('POST', '/sandbox/faults', { operation: 'refund', mode, delay_ms: delayMs, charge_id: chargeId });
  const { status, body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 4000 });
  expect(status).toBe(200);
  return { orderId: order.id as string, chargeId, id: body.charges.data[0].refunds.data[0].id as string };
}

async function act(sandbox: RunningSandbox, { id }: Refund, what: string): Promise<Answer> {
  return sandbox.call('POST', `/sandbox/refunds/${id}/${what}`, undefined, { authorization: '' });
}

/** A refund brought into a state by hand. */
async function refundIn(sandbox: RunningSandbox, state: State): Promise<Refund> {
  const refund = await makeRefund(sandbox, 'async');
  const what = { authorized: undefined, approved: 'approval', succeeded: 'completion', failed: 'failure' }[state];
  if (what !== undefined) expect((await act(sandbox, refund, what)).status).toBe(200);
  return refund;
}

async function orderOf(sandbox: RunningSandbox, { orderId }: Refund): Promise<Answer['body']> {
  const { body } = await sandbox.call('GET', `/orders/${orderId}`);
  expectShape('order_after_refund', body);
  return body;
}

/** How the refund is listed, what its order counts as refunded, and what the journal has of it. */
async function look(sandbox: RunningSandbox, refund: Refund): Promise<unknown[]> {
  const order = await orderOf(sandbox, refund);
  const [charge] = order.charges.data;
  const listed = charge.refunds.data.find((row: { id: string }) => row.id === refund.id);
  return [listed.status, order.amount_refunded, charge.status, await sandbox.journal(`?charge_id=${refund.chargeId}`)];
}

describe('async', () => {
  it('should be authorized, approved after half the delay, and succeeded after it; refunded from the beginning, journaled at the end (X4)', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, 'async');
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, 'partially_refunded', []]);
    expect((await sandbox.call('POST', `/orders/${refund.orderId}/refunds`, { amount: 1001 })).status).toBe(422);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual(['approved', 4000, 'partially_refunded', []]);
    expect((await sandbox.call('POST', `/orders/${refund.orderId}/refunds`, { amount: 1001 })).status).toBe(422);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual([undefined, 4000, 'partially_refunded', [['refund', 4000]]]);
  });

  it('should answer the refund itself as authorized, in the shape of seed 002 (X4)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    await sandbox.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'async', delay_ms: DELAY_MS });
    const { body } = await sandbox.call('POST', `/orders/${order.id}/refunds`);
    expectShape('order_after_refund', body);
    expect(body).toMatchObject({ payment_status: 'refunded', is_refundable: false, charges: { data: [{ refunds: { total: 1, data: [{ status: 'authorized' }] } }] } });
  });

  it('should settle every charge of a split order, also when both steps are overdue at once (X4)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 30_000, 20_000);
    await sandbox.call('POST', '/sandbox/faults', { operation: 'refund', mode: 'async', delay_ms: DELAY_MS });
    await sandbox.call('POST', `/orders/${order.id}/refunds`);
    advanceClock(DELAY_MS);
    const { body } = await sandbox.call('GET', `/orders/${order.id}`);
    for (const charge of body.charges.data) expect(charge.refunds.data[0]).not.toHaveProperty('status');
    expect(await sandbox.journal()).toEqual([['refund', 30_000], ['refund', 20_000]]);
  });
});

describe('async_failure', () => {
  it('should be authorized, then listed as failed without a journal row; the charge is refundable again (X4)', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, 'async_failure');
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, 'partially_refunded', []]);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, 'partially_refunded', []]);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual(['failed', 0, 'paid', []]);
    expect((await sandbox.call('POST', `/orders/${refund.orderId}/refunds`, { amount: 5000 })).status).toBe(200);
  });
});

describe('late_failure', () => {
  it('should stay listed as failed, count for nothing, and be taken back in the journal; the charge is refundable again (X4, R9)', async () => {
    const sandbox = await startSandbox();
    // Stopped, so that the seconds below cannot turn over in between.
    advanceClock(0);
    const refund = await makeRefund(sandbox, 'late_failure');
    const before = await orderOf(sandbox, refund);
    expect(await look(sandbox, refund)).toEqual([undefined, 4000, 'partially_refunded', [['refund', 4000]]]);
    advanceClock(DELAY_MS);
    expect(await look(sandbox, refund)).toEqual(['failed', 0, 'paid', [['refund', 4000], ['refund_failed', 4000]]]);
    const after = await orderOf(sandbox, refund);
    expect(after).toMatchObject({ payment_status: 'paid', is_refundable: true, amount_refunded: 0, updated_at: before.updated_at + DELAY_MS / 1000 });
    const paid = (await sandbox.call('GET', '/orders?payment_status=paid')).body;
    expect(paid.data.map((order: { id: string }) => order.id)).toEqual([refund.orderId]);
    expect(after.charges.data[0]).toMatchObject({ is_refundable: true, refunds: { object: 'list', total: 1, data: [{ amount: -4000 }] } });

    const again = await sandbox.call('POST', `/orders/${refund.orderId}/refunds`);
    expect(again.body).toMatchObject({ payment_status: 'refunded', amount_refunded: 5000, is_refundable: false });
    const { total, data } = again.body.charges.data[0].refunds;
    expect([total, data.map((row: { amount: number; status?: string }) => [row.amount, row.status])]).toEqual([2, [[-5000, undefined], [-4000, 'failed']]]);
    expect(await sandbox.journal()).toEqual([['refund', 4000], ['refund_failed', 4000], ['refund', 5000]]);
  });
});

describe('POST /sandbox/refunds/{id}/…', () => {
  // Written out: what each act makes of a refund in each state, and what the journal then has; null is a 409.
  const OUT: [string, number][] = [['refund', 4000]];
  const BACK: [string, number][] = [...OUT, ['refund_failed', 4000]];
  it.each<[State, string, [State, [string, number][]] | null]>([
    ['authorized', 'approval', ['approved', []]], ['authorized', 'completion', ['succeeded', OUT]], ['authorized', 'failure', ['failed', []]],
    ['approved', 'approval', null], ['approved', 'completion', ['succeeded', OUT]], ['approved', 'failure', ['failed', []]],
    ['succeeded', 'approval', null], ['succeeded', 'completion', null], ['succeeded', 'failure', ['failed', BACK]],
    ['failed', 'approval', null], ['failed', 'completion', null], ['failed', 'failure', null],
  ])('should take a refund that is %s by %s to %j, or refuse and change nothing (X4, X3)', async (state, what, expected) => {
    const sandbox = await startSandbox();
    const refund = await refundIn(sandbox, state);
    const before = [await orderOf(sandbox, refund), await sandbox.journal()];
    const answer = await act(sandbox, refund, what);
    if (expected === null) {
      expectShape('error', answer.body);
      expect([answer.status, answer.body.type]).toEqual([409, 'conflict_error']);
      expect([await orderOf(sandbox, refund), await sandbox.journal()]).toEqual(before);
      return;
    }
    const [to, journal] = expected;
    expect([answer.status, answer.body]).toEqual([200, await orderOf(sandbox, refund)]);
    const counted = to === 'failed' ? [0, 'paid'] : [4000, 'partially_refunded'];
    expect(await look(sandbox, refund)).toEqual([to === 'succeeded' ? undefined : to, ...counted, journal]);
  });

  it('should fail an ordinary refund, and move no other refund of the charge (R9)', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox);
    const other = (await sandbox.call('POST', `/orders/${refund.orderId}/refunds`, { amount: 1000 })).body.charges.data[0].refunds.data[0].id as string;
    const { body } = await act(sandbox, refund, 'failure');
    expect(body).toMatchObject({ payment_status: 'partially_refunded', amount_refunded: 1000 });
    expect(body.charges.data[0].refunds.data.map((row: { id: string; status?: string }) => [row.id, row.status])).toEqual([[other, undefined], [refund.id, 'failed']]);
    expect(await sandbox.journal()).toEqual([['refund', 4000], ['refund', 1000], ['refund_failed', 4000]]);
  });

  it('should leave to the clock what is still to come, and only that (X4)', async () => {
    const sandbox = await startSandbox();
    const [approved, completed, failed, doomed] = [
      await makeRefund(sandbox, 'async'), await makeRefund(sandbox, 'async'), await makeRefund(sandbox, 'async'), await makeRefund(sandbox, 'async_failure'),
    ];
    await act(sandbox, approved, 'approval');
    await act(sandbox, completed, 'completion');
    await act(sandbox, failed, 'failure');
    await act(sandbox, doomed, 'approval');
    advanceClock(DELAY_MS);
    const done = [undefined, 4000, 'partially_refunded', OUT];
    expect([await look(sandbox, approved), await look(sandbox, completed)]).toEqual([done, done]);
    const undone = ['failed', 0, 'paid', []];
    expect([await look(sandbox, failed), await look(sandbox, doomed)]).toEqual([undone, undone]);
  });

  it('should answer 404 for a refund that is not there, and for an act that is none', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, 'async');
    expect((await sandbox.call('POST', '/sandbox/refunds/0123456789abcdef01234567/failure')).status).toBe(404);
    expect((await sandbox.call('POST', `/sandbox/refunds/${refund.id}/reversal`)).status).toBe(404);
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, 'partially_refunded', []]);
  });
});
