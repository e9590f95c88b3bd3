import { describe, expect, it } from 'vitest';
import { MAGIC_VALUES } from '../../src/sandbox/magic-values.ts';
import { countedOf, DIALECTS } from './dialects.ts';
import { arm, see, type Seen } from './faulty-call.ts';
import { advanceClock, createCardOrder, createPayout, payoutRequest, startSandbox } from './start-sandbox.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;

describe.each(DIALECTS)('faults of a refund in the dialect of $name', (dialect) => {
  // Written out from PRODUCT X4: what the caller sees, and whether money moved.
  it.each<[string, Seen, boolean]>([
    ['decline', 402, false], ['unavailable', 503, false], ['timeout', 'silence', true], ['hang', 'silence', false],
    ['error_after', 500, true], ['reset', 'reset', true], ['truncated', 'unreadable', true], ['rate_limited', 429, false],
  ])('should show %s as %s and execute: %s (X4)', async (mode, expected, executed) => {
    const sandbox = await startSandbox();
    const [payable, other] = [await dialect.pay(sandbox, 5000), await dialect.pay(sandbox, 5000)];
    await arm(sandbox, { operation: 'refund', mode, charge_id: payable.chargeId });
    expect((await sandbox.call('POST', other.refundPath, dialect.refundBody(100))).status).toBe(200);
    expect(await see(sandbox, 'POST', payable.refundPath, dialect.refundBody(700))).toBe(expected);
    expect(await sandbox.journal(`?charge_id=${payable.chargeId}`)).toEqual(executed ? [['refund', 700]] : []);
    expect(countedOf(await dialect.refunds(sandbox, payable))).toBe(executed ? 700 : 0);
    expect(await see(sandbox, 'POST', payable.refundPath, dialect.refundBody(700))).toBe(200);
  });

  it('should execute a late commit after its delay, unanswered (X4)', async () => {
    const sandbox = await startSandbox();
    const payable = await dialect.pay(sandbox, 5000);
    await arm(sandbox, { operation: 'refund', mode: 'late_commit', delay_ms: DELAY_MS });
    expect(await see(sandbox, 'POST', payable.refundPath, dialect.refundBody(700))).toBe('silence');
    expect(await sandbox.journal()).toEqual([]);
    advanceClock(DELAY_MS);
    expect(await sandbox.journal()).toEqual([['refund', 700]]);
  });

  it('should never over-refund by a late commit: it does nothing when nothing is left (M2)', async () => {
    const sandbox = await startSandbox();
    const { refundPath } = await dialect.pay(sandbox, 5000);
    await arm(sandbox, { operation: 'refund', mode: 'late_commit', delay_ms: DELAY_MS });
    await see(sandbox, 'POST', refundPath, dialect.refundBody());
    await sandbox.call('POST', refundPath, dialect.refundBody(1));
    advanceClock(DELAY_MS);
    expect(await sandbox.journal()).toEqual([['refund', 1], ['refund', 4999]]);
    await arm(sandbox, { operation: 'refund', mode: 'late_commit', delay_ms: 0 });
    await see(sandbox, 'POST', refundPath, dialect.refundBody());
    expect(await sandbox.journal()).toHaveLength(2);
  });

  it.each<[string, Seen]>([
    ['decline', 402], ['unavailable', 503], ['timeout', 'silence'], ['hang', 'silence'], ['late_commit', 'silence'], ['error_after', 500],
    ['reset', 'reset'], ['truncated', 'unreadable'], ['rate_limited', 429],
  ])('should spoil both reads by %s as %s, and move nothing (X4)', async (mode, expected) => {
    const sandbox = await startSandbox();
    const payable = await dialect.pay(sandbox, 5000);
    await sandbox.call('POST', payable.refundPath, dialect.refundBody(100));
    for (const operation of ['refund.find', 'order.get'] as const) {
      await arm(sandbox, { operation, mode, charge_id: payable.chargeId });
      expect(await see(sandbox, 'GET', payable.readPaths[operation])).toBe(expected);
      expect((await sandbox.call('GET', payable.readPaths[operation])).status).toBe(200);
    }
    expect(await sandbox.journal()).toEqual([['refund', 100]]);
  });
});

describe('faults of payout orders', () => {
  it.each<[string, Seen, boolean]>([
    ['decline', 402, false], ['unavailable', 503, false], ['timeout', 'silence', true], ['hang', 'silence', false],
    ['error_after', 500, true], ['reset', 'reset', true], ['truncated', 'unreadable', true], ['rate_limited', 429, false],
  ])('should show %s of a creation as %s and create: %s (X4)', async (mode, expected, executed) => {
    const sandbox = await startSandbox();
    await arm(sandbox, { operation: 'payout.create', mode });
    expect(await see(sandbox, 'POST', '/payout_orders', payoutRequest())).toBe(expected);
    expect((await sandbox.call('GET', '/payout_orders?search=our-1')).body.data).toHaveLength(executed ? 1 : 0);
  });

  it.each<[string, Seen, boolean]>([
    ['decline', 428, false], ['unavailable', 503, false], ['timeout', 'silence', true], ['hang', 'silence', false],
    ['error_after', 500, true], ['reset', 'reset', true], ['truncated', 'unreadable', true], ['rate_limited', 429, false],
  ])('should show %s of a cancellation as %s and cancel: %s (X4)', async (mode, expected, executed) => {
    const sandbox = await startSandbox();
    const { id } = await createPayout(sandbox);
    await arm(sandbox, { operation: 'payout.cancel', mode });
    expect(await see(sandbox, 'PUT', `/payout_orders/${id}/cancel`)).toBe(expected);
    expect((await sandbox.call('GET', `/payout_orders/${id}`)).body.status).toBe(executed ? 'cancelled' : 'pending');
  });

  it('should create and cancel late, open first and issue later, call off and reinstate (X4)', async () => {
    const sandbox = await startSandbox();
    const statusOf = async (id: string): Promise<string> => (await sandbox.call('GET', `/payout_orders/${id}`)).body.status as string;
    await arm(sandbox, { operation: 'payout.create', mode: 'late_commit', delay_ms: DELAY_MS });
    expect(await see(sandbox, 'POST', '/payout_orders', payoutRequest({ metadata: { reintegro_id: 'late' } }))).toBe('silence');
    expect((await sandbox.call('GET', '/payout_orders?search=late')).body.data).toEqual([]);
    advanceClock(DELAY_MS);
    expect((await sandbox.call('GET', '/payout_orders?search=late')).body.data).toHaveLength(1);

    await arm(sandbox, { operation: 'payout.create', mode: 'async', delay_ms: DELAY_MS });
    const open = await createPayout(sandbox);
    expect([open.status, open.reference]).toEqual(['open', null]);
    expect((await sandbox.call('PUT', `/payout_orders/${open.id}/cancel`)).status).toBe(428);
    expect((await sandbox.call('POST', `/sandbox/payout_orders/${open.id}/withdrawal`)).status).toBe(409);
    advanceClock(DELAY_MS);
    expect(await statusOf(open.id)).toBe('pending');

    await arm(sandbox, { operation: 'payout.cancel', mode: 'late_failure', delay_ms: DELAY_MS });
    expect((await sandbox.call('PUT', `/payout_orders/${open.id}/cancel`)).body.status).toBe('cancelled');
    advanceClock(DELAY_MS);
    expect(await statusOf(open.id)).toBe('pending');
    for (const mode of ['async', 'late_commit']) {
      const { id } = await createPayout(sandbox);
      await arm(sandbox, { operation: 'payout.cancel', mode, delay_ms: DELAY_MS });
      expect(await see(sandbox, 'PUT', `/payout_orders/${id}/cancel`)).toBe(mode === 'async' ? 200 : 'silence');
      advanceClock(DELAY_MS);
      expect(await statusOf(id)).toBe('cancelled');
    }
    await arm(sandbox, { operation: 'payout.create', mode: 'late_failure', delay_ms: DELAY_MS });
    const calledOff = await createPayout(sandbox);
    expect(calledOff.status).toBe('pending');
    advanceClock(DELAY_MS);
    expect(await statusOf(calledOff.id)).toBe('cancelled');
  });
});

describe('faults of reads', () => {
  it.each(['refund.find', 'order.get', 'payout.find'])('should spoil %s and nothing else (X4)', async (operation) => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 5000);
    const payout = await createPayout(sandbox);
    const path = operation === 'payout.find' ? `/payout_orders/${payout.id}` : `/orders/${order.id}`;
    for (const [mode, expected] of [['unavailable', 503], ['timeout', 'silence'], ['late_commit', 'silence'], ['truncated', 'unreadable'], ['reset', 'reset']]) {
      await arm(sandbox, { operation, mode });
      expect((await sandbox.call('GET', operation === 'payout.find' ? `/orders/${order.id}` : `/payout_orders/${payout.id}`)).status).toBe(200);
      expect(await see(sandbox, 'GET', path)).toBe(expected);
    }
    expect(await sandbox.journal()).toEqual([]);
  });

  it('should spoil the list of payout orders by payout.find (X4)', async () => {
    const sandbox = await startSandbox();
    await arm(sandbox, { operation: 'payout.find', mode: 'error_after' });
    expect(await see(sandbox, 'GET', '/payout_orders?search=x')).toBe(500);
  });
});

describe('POST /sandbox/faults', () => {
  it('should fire first in, first out, as often as told, only where the filter fits (X4)', async () => {
    const sandbox = await startSandbox();
    const [one, two] = [await createCardOrder(sandbox, 5000), await createCardOrder(sandbox, 5000)];
    await arm(sandbox, { operation: 'refund', mode: 'unavailable', times: 2, charge_id: one.charges.data[0].id });
    await arm(sandbox, { operation: 'refund', mode: 'rate_limited', delay_ms: 6500 });
    const refund = async (order: { id: string }): Promise<number> => (await sandbox.call('POST', `/orders/${order.id}/refunds`, { amount: 1 })).status;
    expect((await sandbox.call('POST', `/orders/${two.id}/refunds`, { amount: 1 })).headers.get('retry-after')).toBe('7');
    expect([await refund(two), await refund(one), await refund(one), await refund(one)]).toEqual([200, 503, 503, 200]);
  });

  it('should list and clear (X4)', async () => {
    const sandbox = await startSandbox();
    await arm(sandbox, { operation: 'refund', mode: 'decline', times: 3 });
    const { body } = await sandbox.call('GET', '/sandbox/faults', undefined, { authorization: '' });
    expect(body.data).toEqual([{ id: 1, operation: 'refund', mode: 'decline', times: 3, delay_ms: null, charge_id: null, payout_id: null, status: null }]);
    expect((await sandbox.call('DELETE', '/sandbox/faults')).body).toEqual({ cleared: 1 });
    expect((await sandbox.call('GET', '/sandbox/faults')).body.data).toEqual([]);
  });

  it.each([
    {}, { operation: 'refund' }, { operation: 'refund', mode: 'explode' }, { operation: 'charge', mode: 'decline' }, { operation: 'refund', mode: 'drop' },
    { operation: 'webhook', mode: 'decline' }, { operation: 'order.get', mode: 'late_failure' }, { operation: 'refund', mode: 'decline', times: 0 },
    { operation: 'refund', mode: 'decline', delay_ms: -1 }, { operation: 'refund', mode: 'decline', extra: 1 }, { operation: 'refund', mode: 'decline', payout_id: 'x' },
    { operation: 'payout.create', mode: 'async_failure' }, { operation: 'payout.cancel', mode: 'async_failure' }, { operation: 'refund.find', mode: 'async_failure' },
    { operation: 'refund', mode: 'decline', status: 'review' }, { operation: 'refund', mode: 'async', status: 'rejected' }, { operation: 'refund', mode: 'async', status: 'approved' },
    { operation: 'refund', mode: 'late_failure', status: 'review' }, { operation: 'refund', mode: 'async_failure', status: 'refunded' },
    { operation: 'payout.create', mode: 'async', status: 'review' }, { operation: 'refund', mode: 'async', status: 'lost' },
    { operation: 'webhook', mode: 'drop', charge_id: 'x', payout_id: 'y' }, { operation: 'payout.create', mode: 'decline', charge_id: 'x' },
  ])('should refuse %j with 422 (X4)', async (fault) => {
    const sandbox = await startSandbox();
    expect((await sandbox.call('POST', '/sandbox/faults', fault)).status).toBe(422);
    expect((await sandbox.call('GET', '/sandbox/faults')).body.data).toEqual([]);
  });
});

describe('MAGIC_VALUES', () => {
  const EXPECTED: readonly [number, Seen, number][] = [
    [901, 402, 0], [902, 503, 0], [903, 'silence', 1], [904, 'silence', 0], [906, 500, 1], [907, 'reset', 1], [908, 'unreadable', 1], [909, 429, 0],
  ];

  it.each(DIALECTS.flatMap((dialect) => EXPECTED.map(([ending, expected, movements]) => ({ dialect, name: dialect.name, ending, expected, movements }))))(
    'should treat a refund in the dialect of $name ending in $ending as $expected, once per charge and amount (X6)', async ({ dialect, ending, expected, movements }) => {
      const sandbox = await startSandbox();
      const { refundPath } = await dialect.pay(sandbox, 50_000);
      const body = dialect.refundBody(10_000 + ending);
      expect(await see(sandbox, 'POST', refundPath, body)).toBe(expected);
      expect(await sandbox.journal()).toHaveLength(movements);
      // A refusal is for ever, anything else passes on the second attempt.
      expect(await see(sandbox, 'POST', refundPath, body)).toBe(ending === 901 ? 402 : 200);
    },
  );

  it('should hit a new payout order once, recognised by our id in the metadata (X6)', async () => {
    const sandbox = await startSandbox();
    expect((await sandbox.call('POST', '/payout_orders', payoutRequest({ amount: 10_902 }))).status).toBe(503);
    expect((await sandbox.call('POST', '/payout_orders', payoutRequest({ amount: 10_902 }))).status).toBe(200);
    expect((await sandbox.call('POST', '/payout_orders', payoutRequest({ amount: 10_902, metadata: { reintegro_id: 'our-2' } }))).status).toBe(503);
  });

  it('should refuse a refund ending in 912 only after it was authorized, and leave a payout order of that amount alone (X6)', async () => {
    const sandbox = await startSandbox();
    const order = await createCardOrder(sandbox, 50_000);
    const refund = { amount: 10_912 };
    const { body } = await sandbox.call('POST', `/orders/${order.id}/refunds`, refund);
    expect(body.charges.data[0].refunds.data[0]).toMatchObject({ amount: -10_912, status: 'authorized' });
    advanceClock(1000);
    expect((await sandbox.call('GET', `/orders/${order.id}`)).body.charges.data[0].refunds.data[0]).toMatchObject({ status: 'failed' });
    expect(await sandbox.journal()).toEqual([]);
    expect((await sandbox.call('POST', `/orders/${order.id}/refunds`, refund)).body.charges.data[0].refunds.data[0]).not.toHaveProperty('status');
    expect((await createPayout(sandbox, { amount: 10_912 })).status).toBe('pending');
  });

  it('should name every mode once (X6)', () => {
    expect(MAGIC_VALUES.map(({ ending, mode }) => `${ending} ${mode}`)).toEqual([
      '901 decline', '902 unavailable', '903 timeout', '904 hang', '905 late_commit', '906 error_after', '907 reset', '908 truncated',
      '909 rate_limited', '910 async', '911 late_failure', '912 async_failure',
    ]);
  });
});
