import { describe, expect, it } from 'vitest';
import { countedOf, DIALECTS, type DialectUnderTest, type Payable } from './dialects.ts';
import { advanceClock, createCardOrder, expectShape, startSandbox, type Answer, type RunningSandbox } from './start-sandbox.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;
const HALF_MS = DELAY_MS / 2;

const STATES = ['authorized', 'approved', 'succeeded', 'failed'] as const;
type State = (typeof STATES)[number];

interface Refund { readonly dialect: DialectUnderTest; readonly payable: Payable; readonly id: string }

/** Refunds 4000 of a charge of 5000, as a fault wants it. */
async function makeRefund(sandbox: RunningSandbox, dialect: DialectUnderTest, mode?: 'async' | 'async_failure' | 'late_failure'): Promise<Refund> {
  const payable = await dialect.pay(sandbox, 5000);
  if (mode !== undefined) await sandbox.call('POST', '/sandbox/faults', { operation: 'refund', mode, delay_ms: DELAY_MS, charge_id: payable.chargeId });
  expect((await refundMore(sandbox, { dialect, payable }, 4000)).status).toBe(200);
  const [refund] = await dialect.refunds(sandbox, payable);
  return { dialect, payable, id: refund?.id ?? expect.unreachable('no refund') };
}

/** Refunds an amount of the same charge, or what remains of it. */
async function refundMore(sandbox: RunningSandbox, { dialect, payable }: Pick<Refund, 'dialect' | 'payable'>, amountMinor?: number): Promise<Answer> {
  return sandbox.call('POST', payable.refundPath, dialect.refundBody(amountMinor));
}

async function act(sandbox: RunningSandbox, { id }: Refund, what: string): Promise<Answer> {
  return sandbox.call('POST', `/sandbox/refunds/${id}/${what}`, undefined, { authorization: '' });
}

/** A refund brought into a state by hand. */
async function refundIn(sandbox: RunningSandbox, dialect: DialectUnderTest, state: State): Promise<Refund> {
  const refund = await makeRefund(sandbox, dialect, 'async');
  const what = { authorized: undefined, approved: 'approval', succeeded: 'completion', failed: 'failure' }[state];
  if (what !== undefined) expect((await act(sandbox, refund, what)).status).toBe(200);
  return refund;
}

/** The order or payment of a refund, as its own read shows it. */
async function read(sandbox: RunningSandbox, { payable }: Refund): Promise<Answer['body']> {
  return (await sandbox.call('GET', payable.readPaths['order.get'])).body;
}

/** The state of the refund, what counts as refunded of its charge, and what the journal has of it. */
async function look(sandbox: RunningSandbox, { dialect, payable, id }: Refund): Promise<unknown[]> {
  const refunds = await dialect.refunds(sandbox, payable);
  return [refunds.find((refund) => refund.id === id)?.state, countedOf(refunds), await sandbox.journal(`?charge_id=${payable.chargeId}`)];
}

describe.each(DIALECTS)('asynchronous and late refunds in the dialect of $name', (dialect) => {
  it('should be authorized, approved after half the delay, and succeeded after it; refunded from the beginning, journaled at the end (X4)', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, dialect, 'async');
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, []]);
    expect((await refundMore(sandbox, refund, 1001)).status).toBe(422);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual(['approved', 4000, []]);
    expect((await refundMore(sandbox, refund, 1001)).status).toBe(422);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual(['succeeded', 4000, [['refund', 4000]]]);
  });

  it('should be authorized, then listed as failed without a journal row; the charge is refundable again (X4)', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, dialect, 'async_failure');
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, []]);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, []]);
    advanceClock(HALF_MS);
    expect(await look(sandbox, refund)).toEqual(['failed', 0, []]);
    expect((await refundMore(sandbox, refund, 5000)).status).toBe(200);
  });

  it('should stay listed as failed late, count for nothing, and be taken back in the journal; the charge is refundable again (X4, R9)', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, dialect, 'late_failure');
    expect(await look(sandbox, refund)).toEqual(['succeeded', 4000, [['refund', 4000]]]);
    advanceClock(DELAY_MS);
    expect(await look(sandbox, refund)).toEqual(['failed', 0, [['refund', 4000], ['refund_failed', 4000]]]);
    expect((await refundMore(sandbox, refund)).status).toBe(200);
    const listed = await dialect.refunds(sandbox, refund.payable);
    expect(listed.map(({ amountMinor, state }) => [amountMinor, state])).toEqual([[5000, 'succeeded'], [4000, 'failed']]);
    expect(await sandbox.journal()).toEqual([['refund', 4000], ['refund_failed', 4000], ['refund', 5000]]);
  });
});

describe('orders with asynchronous and late refunds', () => {
  const [conekta] = DIALECTS as [DialectUnderTest];

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

  it('should be dated when they fail, and be paid as if nothing had been refunded (X4, R9)', async () => {
    const sandbox = await startSandbox();
    // Stopped, so that the seconds below cannot turn over in between.
    advanceClock(0);
    const refund = await makeRefund(sandbox, conekta, 'late_failure');
    const before = await read(sandbox, refund);
    expect(before).toMatchObject({ payment_status: 'partially_refunded', charges: { data: [{ status: 'partially_refunded' }] } });
    advanceClock(DELAY_MS);
    const after = await read(sandbox, refund);
    expect(after).toMatchObject({ payment_status: 'paid', is_refundable: true, amount_refunded: 0, updated_at: before.updated_at + DELAY_MS / 1000 });
    const paid = (await sandbox.call('GET', '/orders?payment_status=paid')).body;
    expect(paid.data.map((order: { id: string }) => order.id)).toEqual([refund.payable.id]);
    expect(after.charges.data[0]).toMatchObject({ status: 'paid', is_refundable: true, refunds: { object: 'list', total: 1, data: [{ amount: -4000 }] } });
    const again = await refundMore(sandbox, refund);
    expect(again.body).toMatchObject({ payment_status: 'refunded', amount_refunded: 5000, is_refundable: false, charges: { data: [{ refunds: { total: 2 } }] } });
  });
});

describe.each(DIALECTS)('POST /sandbox/refunds/{id}/… in the dialect of $name', (dialect) => {
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
    const refund = await refundIn(sandbox, dialect, state);
    const before = [await read(sandbox, refund), await sandbox.journal()];
    const answer = await act(sandbox, refund, what);
    if (expected === null) {
      expectShape('error', answer.body);
      expect([answer.status, answer.body.type]).toEqual([409, 'conflict_error']);
      expect([await read(sandbox, refund), await sandbox.journal()]).toEqual(before);
      return;
    }
    const [to, journal] = expected;
    expect([answer.status, answer.body]).toEqual([200, await read(sandbox, refund)]);
    expect(await look(sandbox, refund)).toEqual([to, to === 'failed' ? 0 : 4000, journal]);
  });

  it('should fail an ordinary refund, and move no other refund of the charge (R9)', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, dialect);
    await refundMore(sandbox, refund, 1000);
    expect((await act(sandbox, refund, 'failure')).status).toBe(200);
    const listed = await dialect.refunds(sandbox, refund.payable);
    expect(listed.map(({ amountMinor, state }) => [amountMinor, state])).toEqual([[1000, 'succeeded'], [4000, 'failed']]);
    expect(await sandbox.journal()).toEqual([['refund', 4000], ['refund', 1000], ['refund_failed', 4000]]);
  });

  it('should leave to the clock what is still to come, and only that (X4)', async () => {
    const sandbox = await startSandbox();
    const [approved, completed, failed, doomed] = [
      await makeRefund(sandbox, dialect, 'async'), await makeRefund(sandbox, dialect, 'async'), await makeRefund(sandbox, dialect, 'async'), await makeRefund(sandbox, dialect, 'async_failure'),
    ];
    await act(sandbox, approved, 'approval');
    await act(sandbox, completed, 'completion');
    await act(sandbox, failed, 'failure');
    await act(sandbox, doomed, 'approval');
    advanceClock(DELAY_MS);
    const done = ['succeeded', 4000, OUT];
    expect([await look(sandbox, approved), await look(sandbox, completed)]).toEqual([done, done]);
    const undone = ['failed', 0, []];
    expect([await look(sandbox, failed), await look(sandbox, doomed)]).toEqual([undone, undone]);
  });

  it('should answer 404 for a refund that is not there, and for an act that is none', async () => {
    const sandbox = await startSandbox();
    const refund = await makeRefund(sandbox, dialect, 'async');
    expect((await sandbox.call('POST', '/sandbox/refunds/0123456789abcdef01234567/failure')).status).toBe(404);
    expect((await sandbox.call('POST', `/sandbox/refunds/${refund.id}/reversal`)).status).toBe(404);
    expect(await look(sandbox, refund)).toEqual(['authorized', 4000, []]);
  });
});
