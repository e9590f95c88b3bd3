import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { arm, see, type Seen } from './faulty-call.ts';
import { advanceClock, createPayout, expectShape, payoutStatus, startSandbox, temporaryFolder, type RunningSandbox } from './start-sandbox.ts';
import { startWebhookScene } from './webhook-scene.ts';

const WINDOW_MS = 180_000;
const VOIDABLE = { voidable: true };

/** Begins a withdrawal of a fresh payout order at the till, and returns the payout order's id. */
async function beginWithdrawal(sandbox: RunningSandbox, body?: unknown): Promise<string> {
  const { id } = await createPayout(sandbox);
  const begun = await sandbox.call('POST', `/sandbox/payout_orders/${id}/withdrawal`, body);
  expect([begun.status, begun.body.status]).toEqual([200, 'pending_confirmation']);
  return id as string;
}

async function cancel(sandbox: RunningSandbox, id: string): Promise<readonly [number, string]> {
  const { status, body } = await sandbox.call('PUT', `/payout_orders/${id}/cancel`);
  return [status, body.status as string];
}

async function act(sandbox: RunningSandbox, id: string, name: string, body?: unknown): Promise<number> {
  return (await sandbox.call('POST', `/sandbox/payout_orders/${id}/${name}`, body)).status;
}

describe('a voidable withdrawal', () => {
  it('should be voided by a cancel, and nothing can follow: no act at the till, no end of the window, no journal row (P4)', async () => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    const { status, body } = await sandbox.call('PUT', `/payout_orders/${id}/cancel`);
    expectShape('payout_order', body);
    expect([status, body.status, body.payouts[0].status]).toEqual([200, 'cancelled', 'cancelled']);
    for (const name of ['withdrawal', 'confirmation', 'reversal']) expect(await act(sandbox, id, name)).toBe(409);
    advanceClock(WINDOW_MS + 3_600_000);
    expect(await payoutStatus(sandbox, id)).toBe('cancelled');
    expect(await sandbox.journal()).toEqual([]);
    expect(await cancel(sandbox, id)).toEqual([200, 'cancelled']);
  });

  it.each([[undefined], [''], [{}], [{ voidable: false }]])('should not be what a withdrawal with the body %j is: a cancel is 428 (P4)', async (body) => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox, body);
    expect((await cancel(sandbox, id))[0]).toBe(428);
    expect(await payoutStatus(sandbox, id)).toBe('pending_confirmation');
  });

  it.each([[{ voidable: 'true' }], [{ voidable: 1 }], [{ voidable: null }], [{ voidable: true, extra: 1 }], [[]], ['1']])(
    'should not begin with the body %j: 422, still pending (X5)', async (body) => {
      const sandbox = await startSandbox();
      const { id } = await createPayout(sandbox);
      expect(await act(sandbox, id, 'withdrawal', body)).toBe(422);
      expect(await payoutStatus(sandbox, id)).toBe('pending');
    });

  it('should be asked for at its begin alone: the other acts read no body, as before (X5)', async () => {
    const sandbox = await startSandbox();
    const [one, two] = [await beginWithdrawal(sandbox), await beginWithdrawal(sandbox)];
    expect([await act(sandbox, one, 'confirmation', { till: 7 }), await act(sandbox, two, 'reversal', VOIDABLE)]).toEqual([200, 200]);
  });

  it('should have its cash out once confirmed: a cancel is 428 (P4)', async () => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    expect([await act(sandbox, id, 'confirmation'), await act(sandbox, id, 'confirmation')]).toEqual([200, 409]);
    expect((await cancel(sandbox, id))[0]).toBe(428);
    expect(await sandbox.journal()).toEqual([['withdrawal', 3000]]);
  });

  it('should be withdrawn when its window ends: a cancel is 428 (P2)', async () => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    advanceClock(WINDOW_MS);
    expect((await cancel(sandbox, id))[0]).toBe(428);
    expect(await payoutStatus(sandbox, id)).toBe('withdrawn');
    expect(await sandbox.journal()).toEqual([['withdrawal', 3000]]);
  });

  it('should be reversed like any other: a cancel is 428 (P4)', async () => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    expect(await act(sandbox, id, 'reversal')).toBe(200);
    expect((await cancel(sandbox, id))[0]).toBe(428);
    expect(await sandbox.journal()).toEqual([]);
  });

  it('should stay what it was when the till begins it again: 409, the cash is out or not as before, the window ends as before (X5)', async () => {
    const sandbox = await startSandbox();
    const [out, notOut] = [await beginWithdrawal(sandbox), await beginWithdrawal(sandbox, VOIDABLE)];
    advanceClock(WINDOW_MS - 1000);
    expect([await act(sandbox, out, 'withdrawal', VOIDABLE), await act(sandbox, notOut, 'withdrawal')]).toEqual([409, 409]);
    expect([(await cancel(sandbox, out))[0], (await cancel(sandbox, notOut))[0]]).toEqual([428, 200]);
    advanceClock(1000);
    expect(await payoutStatus(sandbox, out)).toBe('withdrawn');
  });

  it('should be announced, and its void as well (X5)', async () => {
    const { sandbox, until } = await startWebhookScene();
    await cancel(sandbox, await beginWithdrawal(sandbox, VOIDABLE));
    expect(await until(2)).toEqual(['payout_order.pending_confirmation', 'payout_order.cancelled']);
  });

  it('should still be voidable, or not, after a restart (X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath });
    const [out, notOut] = [await beginWithdrawal(before), await beginWithdrawal(before, VOIDABLE)];
    await before.app.close();
    const after = await startSandbox({ databasePath });
    expect([(await cancel(after, out))[0], (await cancel(after, notOut))[0]]).toEqual([428, 200]);
    advanceClock(WINDOW_MS);
    expect(await after.journal()).toEqual([['withdrawal', 3000]]);
  });
});

describe('faults of a void inside the window', () => {
  // Written out from PRODUCT X4 and P4: what the caller sees, whether the withdrawal is voided.
  it.each<[string, Seen, boolean]>([
    ['decline', 428, false], ['unavailable', 503, false], ['timeout', 'silence', true], ['hang', 'silence', false],
    ['error_after', 500, true], ['reset', 'reset', true], ['truncated', 'unreadable', true], ['rate_limited', 429, false],
  ])('should show %s as %s and void: %s, and the window ends accordingly (X4, P4)', async (mode, expected, voided) => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    await arm(sandbox, { operation: 'payout.cancel', mode });
    expect(await see(sandbox, 'PUT', `/payout_orders/${id}/cancel`)).toBe(expected);
    expect(await payoutStatus(sandbox, id)).toBe(voided ? 'cancelled' : 'pending_confirmation');
    advanceClock(WINDOW_MS);
    expect(await payoutStatus(sandbox, id)).toBe(voided ? 'cancelled' : 'withdrawn');
    expect(await sandbox.journal()).toEqual(voided ? [] : [['withdrawal', 3000]]);
  });

  it.each<[string, Seen, number, string]>([
    ['late_commit', 'silence', WINDOW_MS - 1, 'cancelled'], ['late_commit', 'silence', WINDOW_MS + 1, 'withdrawn'],
    ['async', 200, WINDOW_MS - 1, 'cancelled'], ['async', 200, WINDOW_MS + 1, 'withdrawn'],
  ])('should let %s (%s) that falls due after %i ms end as %s (X4, P4)', async (mode, expected, delayMs, status) => {
    const sandbox = await startSandbox();
    advanceClock(0);
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    await arm(sandbox, { operation: 'payout.cancel', mode, delay_ms: delayMs });
    expect(await see(sandbox, 'PUT', `/payout_orders/${id}/cancel`)).toBe(expected);
    expect(await payoutStatus(sandbox, id)).toBe('pending_confirmation');
    advanceClock(WINDOW_MS + 1);
    expect(await payoutStatus(sandbox, id)).toBe(status);
    expect(await sandbox.journal()).toEqual(status === 'withdrawn' ? [['withdrawal', 3000]] : []);
  });

  it.each([['late_commit', 'confirmation'], ['async', 'confirmation'], ['async', 'reversal']])('should let %s come to nothing after a %s at the till (X4, P5)', async (mode, name) => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    await arm(sandbox, { operation: 'payout.cancel', mode, delay_ms: 1000 });
    await see(sandbox, 'PUT', `/payout_orders/${id}/cancel`);
    expect(await act(sandbox, id, name)).toBe(200);
    advanceClock(1000);
    expect(await payoutStatus(sandbox, id)).toBe(name === 'confirmation' ? 'withdrawn' : 'reversed');
  });

  it('should refuse an async void at once where the cash is out (P4)', async () => {
    const sandbox = await startSandbox();
    const id = await beginWithdrawal(sandbox);
    await arm(sandbox, { operation: 'payout.cancel', mode: 'async' });
    expect((await cancel(sandbox, id))[0]).toBe(428);
  });

  it('should find the cash out after all when the void fails late: cancelled, then the same window, now without a void (X4)', async () => {
    const { sandbox, until } = await startWebhookScene();
    advanceClock(0);
    const id = await beginWithdrawal(sandbox, VOIDABLE);
    await arm(sandbox, { operation: 'payout.cancel', mode: 'late_failure', delay_ms: 60_000 });
    expect(await cancel(sandbox, id)).toEqual([200, 'cancelled']);
    advanceClock(60_000);
    expect(await payoutStatus(sandbox, id)).toBe('pending_confirmation');
    expect((await cancel(sandbox, id))[0]).toBe(428);
    advanceClock(WINDOW_MS - 60_001);
    expect(await payoutStatus(sandbox, id)).toBe('pending_confirmation');
    advanceClock(1);
    expect(await payoutStatus(sandbox, id)).toBe('withdrawn');
    expect(await sandbox.journal()).toEqual([['withdrawal', 3000]]);
    expect(await until(4)).toEqual(['pending_confirmation', 'cancelled', 'pending_confirmation', 'withdrawn'].map((status) => `payout_order.${status}`));
  });

  it('should be withdrawn, once, when the void fails after the window, also over a restart (X4, X1)', async () => {
    const databasePath = join(temporaryFolder(), 'sandbox.db');
    const before = await startSandbox({ databasePath });
    const id = await beginWithdrawal(before, VOIDABLE);
    await arm(before, { operation: 'payout.cancel', mode: 'late_failure', delay_ms: 2 * WINDOW_MS });
    expect(await cancel(before, id)).toEqual([200, 'cancelled']);
    advanceClock(WINDOW_MS);
    expect(await payoutStatus(before, id)).toBe('cancelled');
    await before.app.close();
    advanceClock(WINDOW_MS);
    const after = await startSandbox({ databasePath });
    expect(await payoutStatus(after, id)).toBe('withdrawn');
    expect(await after.journal()).toEqual([['withdrawal', 3000]]);
  });
});
