import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { arm, see } from './faulty-call.ts';
import { advanceClock, createPayout, payoutRequest, payoutStatus, startSandbox, stopClockAt, temporaryFolder, type RunningSandbox } from './start-sandbox.ts';
import { startWebhookScene } from './webhook-scene.ts';

const WINDOW_MS = 180_000;

/** The second at which the payout orders of these tests expire, in unix seconds; the clock stands a minute before. */
function expiryAhead(): number {
  const expiresAt = Math.floor(Date.now() / 1000) + 60;
  stopClockAt((expiresAt - 60) * 1000);
  return expiresAt;
}

async function act(sandbox: RunningSandbox, id: string, name: string): Promise<number> {
  return (await sandbox.call('POST', `/sandbox/payout_orders/${id}/${name}`)).status;
}

async function cancel(sandbox: RunningSandbox, id: string): Promise<number> {
  return (await sandbox.call('PUT', `/payout_orders/${id}/cancel`)).status;
}

describe('expires_at', () => {
  it.each([[-1, 200, 200, 'pending_confirmation', 'cancelled'], [0, 409, 428, 'expired', 'expired'], [1, 409, 428, 'expired', 'expired']])(
    'should answer %i ms from it a withdrawal with %i and a cancel with %i (P3)', async (offsetMs, withdrawal, cancellation, afterWithdrawal, afterCancel) => {
      const sandbox = await startSandbox();
      const expiresAt = expiryAhead();
      const [one, two] = [await createPayout(sandbox, { expires_at: expiresAt }), await createPayout(sandbox, { expires_at: expiresAt })];
      stopClockAt(expiresAt * 1000 + offsetMs);
      expect([await act(sandbox, one.id, 'withdrawal'), await cancel(sandbox, two.id)]).toEqual([withdrawal, cancellation]);
      expect([await payoutStatus(sandbox, one.id), await payoutStatus(sandbox, two.id)]).toEqual([afterWithdrawal, afterCancel]);
    });

  it('should pass by a withdrawal begun a second before, which finishes its window and moves the money once (P3)', async () => {
    const sandbox = await startSandbox({ confirmationWindowMs: WINDOW_MS });
    const expiresAt = expiryAhead();
    const { id } = await createPayout(sandbox, { expires_at: expiresAt });
    const begunAtMs = (expiresAt - 1) * 1000;
    stopClockAt(begunAtMs);
    expect(await act(sandbox, id, 'withdrawal')).toBe(200);
    for (const atMs of [expiresAt * 1000, expiresAt * 1000 + 1000, begunAtMs + WINDOW_MS - 1]) {
      stopClockAt(atMs);
      expect(await payoutStatus(sandbox, id)).toBe('pending_confirmation');
    }
    stopClockAt(begunAtMs + WINDOW_MS);
    expect(await payoutStatus(sandbox, id)).toBe('withdrawn');
    expect(await sandbox.journal()).toEqual([['withdrawal', 3000]]);
  });

  it('should be judged when the whole request is there, not when its head came (P3)', async () => {
    const sandbox = await startSandbox();
    const expiresAt = expiryAhead();
    const { id } = await createPayout(sandbox, { expires_at: expiresAt });
    const headers = { 'content-type': 'application/json', 'content-length': '2', expect: '100-continue' };
    const slow = httpRequest(`${sandbox.url}/sandbox/payout_orders/${id}/withdrawal`, { method: 'POST', headers });
    slow.flushHeaders();
    await once(slow, 'continue');
    stopClockAt(expiresAt * 1000);
    const answered = once(slow, 'response');
    slow.end('{}');
    const [response] = (await answered) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(409);
    expect(await payoutStatus(sandbox, id)).toBe('expired');
  });

  it('should expire a reference that a late commit issues after it, so that nobody can collect it (P3, X4)', async () => {
    const { sandbox, until } = await startWebhookScene();
    const expiresAt = expiryAhead();
    await arm(sandbox, { operation: 'payout.create', mode: 'late_commit', delay_ms: 120_000 });
    expect(await see(sandbox, 'POST', '/payout_orders', payoutRequest({ expires_at: expiresAt, metadata: { reintegro_id: 'late' } }))).toBe('silence');
    stopClockAt((expiresAt + 60) * 1000);
    const [late] = (await sandbox.call('GET', '/payout_orders?search=late')).body.data;
    expect([late.status, await act(sandbox, 'late', 'withdrawal')]).toEqual(['expired', 409]);
    expect(await until(1)).toEqual(['payout_order.expired']);
  });

  it('should expire an open payout order only once its reference is issued (P1, P3)', async () => {
    const sandbox = await startSandbox();
    const expiresAt = expiryAhead();
    await arm(sandbox, { operation: 'payout.create', mode: 'async', delay_ms: 120_000 });
    const { id } = await createPayout(sandbox, { expires_at: expiresAt });
    stopClockAt((expiresAt + 59) * 1000);
    expect([await payoutStatus(sandbox, id), await act(sandbox, id, 'withdrawal')]).toEqual(['open', 409]);
    stopClockAt((expiresAt + 60) * 1000);
    expect([await payoutStatus(sandbox, id), await act(sandbox, id, 'withdrawal')]).toEqual(['expired', 409]);
  });

  it('should expire a reference whose void fails after it (P3, X4)', async () => {
    const sandbox = await startSandbox();
    const expiresAt = expiryAhead();
    const { id } = await createPayout(sandbox, { expires_at: expiresAt });
    await arm(sandbox, { operation: 'payout.cancel', mode: 'late_failure', delay_ms: 120_000 });
    expect(await cancel(sandbox, id)).toBe(200);
    stopClockAt((expiresAt + 59) * 1000);
    expect(await payoutStatus(sandbox, id)).toBe('cancelled');
    stopClockAt((expiresAt + 60) * 1000);
    expect(await payoutStatus(sandbox, id)).toBe('expired');
  });
});

describe('the end of the window', () => {
  it.each([['confirmation', -1, 200, 'withdrawn'], ['confirmation', 0, 409, 'withdrawn'], ['reversal', -1, 200, 'reversed'], ['reversal', 0, 409, 'withdrawn']])(
    'should answer a %s %i ms from it with %i: %s (P2, X5)', async (name, offsetMs, expected, status) => {
      const sandbox = await startSandbox({ confirmationWindowMs: WINDOW_MS });
      advanceClock(0);
      const { id } = await createPayout(sandbox);
      await act(sandbox, id, 'withdrawal');
      advanceClock(WINDOW_MS + offsetMs);
      expect(await act(sandbox, id, name)).toBe(expected);
      expect(await act(sandbox, id, name)).toBe(409);
      advanceClock(WINDOW_MS);
      expect(await payoutStatus(sandbox, id)).toBe(status);
      expect(await sandbox.journal()).toEqual(status === 'withdrawn' ? [['withdrawal', 3000]] : []);
    });

  it.each([[-1, 200, 'cancelled'], [0, 428, 'withdrawn']])('should answer a void %i ms from it with %i: %s (P2, P4)', async (offsetMs, expected, status) => {
    const sandbox = await startSandbox({ confirmationWindowMs: WINDOW_MS });
    advanceClock(0);
    const { id } = await createPayout(sandbox);
    await sandbox.call('POST', `/sandbox/payout_orders/${id}/withdrawal`, { voidable: true });
    advanceClock(WINDOW_MS + offsetMs);
    expect(await cancel(sandbox, id)).toBe(expected);
    advanceClock(WINDOW_MS);
    expect(await payoutStatus(sandbox, id)).toBe(status);
    expect(await sandbox.journal()).toEqual(status === 'withdrawn' ? [['withdrawal', 3000]] : []);
  });
});

describe('settleDue', () => {
  it.each([[59_999, 'cancelled'], [60_000, 'expired'], [60_001, 'expired']])(
    'should catch up in the order of time: a cancel that fell due after %i ms, with an expiry after 60000 ms, ends as %s (P3, X1)', async (delayMs, status) => {
      const databasePath = join(temporaryFolder(), 'sandbox.db');
      const before = await startSandbox({ databasePath });
      const { id } = await createPayout(before, { expires_at: expiryAhead() });
      await arm(before, { operation: 'payout.cancel', mode: 'late_commit', delay_ms: delayMs });
      await see(before, 'PUT', `/payout_orders/${id}/cancel`);
      await before.app.close();
      advanceClock(3_600_000);
      expect(await payoutStatus(await startSandbox({ databasePath }), id)).toBe(status);
    });
});
