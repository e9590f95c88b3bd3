import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, needsAttentionUpserts, secondsOfTimers, timerDueMs } from './read-history.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const DAY_MS = 24 * 3_600_000;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('payoutOrderWorkflow, expiry', () => {
  it('should do nothing a second before expires_at, and expire after it (P2, P3)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      expect(await payout.begin()).toMatchObject({ kind: 'answered', view: { status: 'pending' } });
      await stage.skipTo(payout.expiresAtMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending' });
      expect(countOf(await payout.events(), 'timerFired')).toBe(0);
      expect(script.calls('voidReference')).toEqual([]);
      await stage.skipTo(payout.expiresAtMs + 1000);
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'expiry' }]);
      expect(provider.status).toBe('expired');
    });
  });

  it('should add nothing to its history in 29 days of waiting (P8)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const before = await payout.events();
      await stage.skipTo((await stage.env.currentTimeMs()) + 29 * DAY_MS);
      expect(await payout.events()).toHaveLength(before.length);
      expect(script.calls('followPayoutOrder')).toEqual([]);
    });
  });

  it('should follow the provider when that says at expiry that the cash is being withdrawn (P2, P3)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    // The rail's message never arrived: at expiry the provider refuses to void and tells why.
    script.on('voidReference', () => ({ kind: 'declined', status: 'pending' }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      await stage.skipTo(payout.expiresAtMs + 1000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['expiry', 'window_ended']);
    });
  });

  it('should leave a withdrawal that began before expires_at its window (P3)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - 60_000);
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      await stage.skipTo(payout.expiresAtMs + 30_000);
      expect(countOf(await payout.events(), 'timerFired')).toBe(1);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' });
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('voidReference')).toEqual([]);
    });
  });

  it('should ask again when the provider neither voids at expiry nor says why (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    script.on('voidReference', { kind: 'declined', status: 'pending' }, () => ({ kind: 'settled', status: (provider.status = 'expired') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('voidReference').map(({ cause }) => cause)).toEqual(['expiry', 'expiry']);
      expect(countOf(await payout.events(), 'timerFired')).toBe(2);
    });
  });

  it('should ask less and less often while the provider neither voids nor moves, tell a human once, and end when it does (P2, O1)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    let voids = false;
    script.on('voidReference', () => (voids ? { kind: 'settled', status: (provider.status = 'expired') } : { kind: 'declined', status: 'pending' }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs + DAY_MS);
      const asking = await payout.events();
      // The first timer is that of the expiry itself.
      expect(secondsOfTimers(asking).slice(1, 9)).toEqual([64, 128, 256, 512, 1024, 2048, 3600, 3600]);
      expect(asking.length, JSON.stringify(secondsOfTimers(asking))).toBeLessThanOrEqual(560);
      expect(script.calls('openCase')).toMatchObject([{ kind: 'waited_too_long', payoutOrderId: payout.id }]);
      expect(await payout.view()).toMatchObject({ status: 'pending', needsAttention: true });
      voids = true;
      expect(await payout.wait()).toMatchObject({ status: 'expired', needsAttention: false });
      expect(needsAttentionUpserts(await payout.events())).toEqual([false, true, false]);
    });
  });

  it('should void at expires_at although no look at the provider was ever answered (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    // Not repeated here: an attempt that ends as its time does makes this server lose count of who skips time.
    script.on('followPayoutOrder', () => {
      throw ApplicationFailure.nonRetryable('the provider does not answer');
    });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder({ expiresAt: new Date((await stage.env.currentTimeMs()) + DAY_MS) });
      await payout.begin();
      await payout.tell('changed');
      await eventually(() => expect(script.calls('followPayoutOrder').length).toBeGreaterThan(0));
      expect(await payout.wait()).toMatchObject({ status: 'expired', needsAttention: false });
      expect(provider.status).toBe('expired');
      expect(script.calls('voidReference')).toMatchObject([{ cause: 'expiry' }]);
      // Looks with growing pauses between them: a human was told once.
      expect(script.calls('openCase')).toMatchObject([{ kind: 'waited_too_long', payoutOrderId: payout.id }]);
    });
  });
});

describe('payoutOrderWorkflow, confirmation window', () => {
  it('should let a reversal win at 2:59 (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      const windowEndsMs = await eventually(async () => timerDueMs(await payout.events(), 180));
      await stage.skipTo(windowEndsMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' });
      provider.status = 'reversed';
      await payout.tell('reversal');
      expect(await payout.wait()).toMatchObject({ status: 'reversed' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'fact']);
    });
  });

  it('should call it withdrawn at 3:01 when nobody reversed it (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      const windowEndsMs = await eventually(async () => timerDueMs(await payout.events(), 180));
      await stage.skipTo(windowEndsMs - 1000);
      expect(countOf(await payout.events(), 'timerFired')).toBe(0);
      await stage.skipTo(windowEndsMs + 1000);
      await eventually(() => expect(script.calls('followPayoutOrder').at(-1)).toMatchObject({ cause: 'window_ended' }));
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
    });
  });

  it('should start one window for any number of repeated facts, and end it early on a confirmation (P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      await payout.tell('withdrawal');
      await payout.tell('withdrawal');
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      await payout.tell('withdrawal');
      provider.status = 'withdrawn';
      await payout.tell('confirmation');
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      // One of expiry, one of the window, however many facts came.
      expect(countOf(await payout.events(), 'timerStarted')).toBe(2);
      expect(countOf(await payout.events(), 'timerFired')).toBe(0);
    });
  });

  it('should ask again when the provider does not know of the withdrawal yet as the window ends (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    const lagging = { kind: 'settled', status: 'pending_confirmation' } as const;
    script.on('followPayoutOrder', lagging, lagging, () => ({ kind: 'settled', status: (provider.status = 'withdrawn') }));
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('withdrawal');
      const windowEndsMs = await eventually(async () => timerDueMs(await payout.events(), 180));
      await stage.skipTo(windowEndsMs + 3_600_000);
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'window_ended', 'window_ended']);
    });
  });
});
