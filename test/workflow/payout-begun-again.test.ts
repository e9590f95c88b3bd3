import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, needsAttentionUpserts, secondsOfTimers, timerDueMs } from './read-history.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const PENDING = { status: 'pending', needsAttention: false, withdrawalBegunAt: null } as const;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** A withdrawal that began so long ago by the server's clock. */
async function begunAgo(ms: number) {
  return { ...PENDING, status: 'pending_confirmation', withdrawalBegunAt: new Date((await server.env.currentTimeMs()) - ms).toISOString() } as const;
}

describe('payoutOrderWorkflow, begun again', () => {
  it('should ask once what it may have missed, ask for no reference, and keep expires_at (P1, P2)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script, { standing: PENDING });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'pending', needsAttention: false } });
      await eventually(() => expect(script.calls('followPayoutOrder')).toMatchObject([{ cause: 'fact' }]));
      await stage.skipTo(payout.expiresAtMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending' });
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('followPayoutOrder')).toHaveLength(1);
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'expiry' }]);
      expect([...script.calls('issueReference'), ...script.calls('findReference')]).toEqual([]);
      expect(countOf(await payout.events(), 'timerStarted')).toBe(1);
    });
  });

  it('should follow what happened while nobody listened (P2, P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { standing: PENDING });
    provider.status = 'pending_confirmation';
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      // Nobody knows when it began: the rail has its whole window.
      await eventually(async () => expect(secondsOfTimers(await payout.events())[1]).toBe(180));
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('issueReference')).toEqual([]);
    });
  });

  it('should leave a withdrawal begun 100 s ago the 80 s that its window has left (P2)', async () => {
    const script = scriptActivities();
    const standing = await begunAgo(100_000);
    fakePayoutProvider(script, { standing });
    const endsMs = Date.parse(standing.withdrawalBegunAt) + 180_000;
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const seconds = await eventually(async () => {
        const [, window] = secondsOfTimers(await payout.events());
        expect(window).toBeGreaterThan(0);
        return window ?? 0;
      });
      expect(seconds).toBeLessThanOrEqual(80);
      expect(Math.abs(timerDueMs(await payout.events(), seconds) - endsMs)).toBeLessThan(2000);
      await stage.skipTo(endsMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact']);
      await stage.skipTo(endsMs + 2000);
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'window_ended']);
      expect([...script.calls('issueReference'), ...script.calls('voidReference')]).toEqual([]);
    });
  });

  it('should believe the provider, not its clock, when the window ended while nobody listened (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { standing: await begunAgo(3_600_000) });
    provider.status = 'reversed';
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.wait()).toMatchObject({ status: 'reversed' });
      expect(script.calls('followPayoutOrder').length).toBeLessThanOrEqual(2);
      expect(script.calls('issueReference')).toEqual([]);
    });
  });

  it.each(['withdrawn', 'cancelled', 'expired', 'reversed'] as const)('should end at once, and ask nothing, where the records say %s (P5)', async (status) => {
    const script = scriptActivities();
    fakePayoutProvider(script, { standing: { ...PENDING, status } });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ view: { status } });
      expect(await payout.wait()).toMatchObject({ status });
      const events = await payout.events();
      expect(countOf(events, 'activityTaskScheduled') + countOf(events, 'timerStarted')).toBe(0);
    });
  });

  it('should still be before a human, until its status changes (O1)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { standing: { ...PENDING, needsAttention: true } });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ view: { status: 'pending', needsAttention: true } });
      expect(await payout.report('changed')).toMatchObject({ status: 'pending', needsAttention: true });
      expect(needsAttentionUpserts(await payout.events()).at(-1)).toBe(true);
      provider.status = 'pending_confirmation';
      expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending_confirmation', needsAttention: false });
      expect(needsAttentionUpserts(await payout.events()).at(-1)).toBe(false);
      expect(script.calls('openCase')).toEqual([]);
    });
  });

  it('should be called off like any other (P4)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script, { standing: await begunAgo(100_000) });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.cancel('key_7')).toMatchObject({ status: 'cancelled' });
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'cancel', actor: 'key_7' }]);
    });
  });

  it('should go on from the records when it was ended by hand and is asked for again, and issue no second reference (S4, I3)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const plan = { provider: 'conekta', confirmationWindowMs: 180_000, protocol: { idempotency: 'reference', settleDelayMs: 60_000, maxSends: 3 } } as const;
    script.on('registerPayoutOrder', ({ fingerprint }) => ({ ...plan, fingerprint }), ({ fingerprint }) => ({ ...plan, fingerprint, lastSend: 1, standing: PENDING }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.handle.terminate('by hand');
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'pending' } });
      await eventually(() => expect(script.calls('followPayoutOrder')).toMatchObject([{ cause: 'fact' }]));
      expect(script.calls('issueReference')).toHaveLength(1);
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
    });
  });
});
