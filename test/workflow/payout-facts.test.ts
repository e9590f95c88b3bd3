import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, secondsOfTimers } from './read-history.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage, THIRTY_DAYS_MS } from './stage.ts';
import type { HistoryEvent } from './stage.ts';

const PENDING = { kind: 'settled', status: 'pending' } as const;
const BEGUN = { kind: 'settled', status: 'pending_confirmation' } as const;
const HOUR_MS = 3_600_000;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** How often the ways of old and new code parted (local Activities write markers, too). */
function patchesOf(events: readonly HistoryEvent[]): number {
  return events.filter((event) => event.markerRecordedEventAttributes?.markerName === 'core_patch').length;
}

/** The pauses that were begun after the timer of the expiry, seconds. */
function pausesOf(events: readonly HistoryEvent[]): readonly number[] {
  expect(Math.abs((secondsOfTimers(events)[0] ?? 0) - THIRTY_DAYS_MS / 1000)).toBeLessThan(60);
  return secondsOfTimers(events).slice(1);
}

describe('payoutFactSignal', () => {
  it('should answer 30 facts that come while the provider is asked with one more question (P6)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    const looking = latch();
    script.on('followPayoutOrder', async () => {
      await looking.opened;
      return PENDING;
    }, PENDING);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.tell('changed');
      await eventually(() => expect(script.calls('followPayoutOrder')).toHaveLength(1));
      await Promise.all(Array.from({ length: 30 }, () => payout.tell('changed')));
      looking.open();
      await payout.cancel();
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      expect(countOf(await payout.events(), 'workflowExecutionSignaled')).toBe(31);
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'fact']);
    });
  });

  it('should have nothing looked for that it does not claim, and nothing more than the expiry waited for (P6, P8)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.report('changed')).toMatchObject({ status: 'pending' });
      await stage.skipTo(payout.expiresAtMs - 1000);
      expect(script.calls('followPayoutOrder')).toHaveLength(1);
      expect(pausesOf(await payout.events())).toEqual([]);
      expect(patchesOf(await payout.events())).toBe(0);
    });
  });

  it('should leave neither marker nor pause on the ordinary way (P6, P8)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending_confirmation' });
      provider.status = 'withdrawn';
      await payout.tell('confirmation');
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      const events = await payout.events();
      expect(patchesOf(events)).toBe(0);
      // The confirmation window, and nothing else.
      expect(pausesOf(events)).toEqual([180]);
      expect(countOf(events, 'timerFired')).toBe(0);
    });
  });
});

describe('payoutOrderWorkflow, facts that the provider does not show yet', () => {
  it('should follow a withdrawal that the provider shows only at the third look, then leave the window to its clock (P2, P6)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    script.on('followPayoutOrder', PENDING, PENDING, BEGUN, { kind: 'settled', status: 'withdrawn' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending' });
      await stage.skipTo((await stage.env.currentTimeMs()) + 11_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation', needsAttention: false }));
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(pausesOf(await payout.events())).toEqual([2, 8, 180]);
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'fact', 'fact', 'window_ended']);
      expect(patchesOf(await payout.events())).toBe(1);
    });
  });

  it('should look five times more for one that it never shows, then wait for the expiry and tell nobody (P2, P6, P8)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending' });
      await stage.skipTo(payout.expiresAtMs - 1000);
      expect(pausesOf(await payout.events())).toEqual([2, 8, 32, 128, 512]);
      expect(script.calls('followPayoutOrder')).toHaveLength(6);
      expect(await payout.view()).toMatchObject({ status: 'pending', needsAttention: false });
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('followPayoutOrder')).toHaveLength(6);
      expect(script.calls('openCase')).toEqual([]);
    });
  });

  it('should look in one series for what is told more than once (P6)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      for (let told = 0; told < 3; told += 1) expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending' });
      await stage.skipTo((await stage.env.currentTimeMs()) + 11_000);
      for (let told = 0; told < 3; told += 1) await payout.report('withdrawal');
      await stage.skipTo(payout.expiresAtMs - 1000);
      expect(pausesOf(await payout.events())).toEqual([2, 8, 32, 128, 512]);
      // Six that were told, five of the series.
      expect(script.calls('followPayoutOrder')).toHaveLength(11);
    });
  });

  it('should look for a confirmation that is told before the withdrawal, and not wait for the window (P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      provider.status = 'pending_confirmation';
      expect(await payout.report('confirmation')).toMatchObject({ status: 'pending_confirmation' });
      expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending_confirmation' });
      provider.status = 'withdrawn';
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      const events = await payout.events();
      expect([...pausesOf(events)].toSorted((one, other) => one - other)).toEqual([2, 180]);
      // The two seconds, not the window.
      expect(countOf(events, 'timerFired')).toBe(1);
    });
  });

  it('should begin a new series for what is told again after the last look (P6)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await payout.report('withdrawal');
      await stage.skipTo((await stage.env.currentTimeMs()) + 3_600_000);
      await payout.report('withdrawal');
      await stage.skipTo((await stage.env.currentTimeMs()) + 3_600_000);
      expect(pausesOf(await payout.events())).toEqual([2, 8, 32, 128, 512, 2, 8, 32, 128, 512]);
      expect(patchesOf(await payout.events())).toBe(1);
    });
  });
});

describe('payoutOrderWorkflow, looks by itself', () => {
  it.each([
    { webhooks: 'sends none', rules: { pollMs: 12 * HOUR_MS }, looks: 59 },
    { webhooks: 'sends webhooks', rules: {}, looks: 0 },
  ])('should ask a provider that $webhooks $looks times in 30 days in which nothing happens (P8, P6)', async ({ rules, looks }) => {
    const script = scriptActivities();
    fakePayoutProvider(script, rules);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - HOUR_MS);
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(Array.from({ length: looks }, () => 'poll'));
      expect(countOf(await payout.events(), 'timerStarted')).toBe(looks === 0 ? 1 : looks + 2);
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(script.calls('followPayoutOrder')).toHaveLength(looks);
    });
  });

  it('should find at its next look what a provider without webhooks told nobody (P8, P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { pollMs: HOUR_MS });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const begunAtMs = await stage.env.currentTimeMs();
      provider.status = 'pending_confirmation';
      await stage.skipTo(begunAtMs + HOUR_MS - 60_000);
      expect(await payout.view()).toMatchObject({ status: 'pending' });
      await stage.skipTo(begunAtMs + HOUR_MS + 60_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['poll', 'window_ended']);
    });
  });

  it.each([
    { webhooks: 'sends none', rules: { pollMs: HOUR_MS }, end: 'pending' },
    { webhooks: 'sends webhooks', rules: {}, end: 'open' },
  ])('should leave a reference $end that a provider that $webhooks issued after we had given it up (P8, S4)', async ({ rules, end }) => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script, { ...rules, maxSends: 1 });
    script.on('issueReference', { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + 65_000);
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'outcome_unknown' }]));
      provider.status = 'pending';
      await stage.skipTo((await stage.env.currentTimeMs()) + HOUR_MS + 60_000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: end }));
      expect(script.calls('findReference')).toHaveLength(end === 'pending' ? 2 : 1);
      expect(script.calls('issueReference')).toHaveLength(1);
    });
  });

  it('should look ever more rarely for a reference that it has given up, so that its history ends with it and not before (P8, S4)', async () => {
    const script = scriptActivities();
    fakePayoutProvider(script, { pollMs: HOUR_MS, maxSends: 1 });
    script.on('issueReference', { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      expect(await payout.wait()).toMatchObject({ status: 'open' });
      expect(script.calls('findReference').at(-1)).toMatchObject({ isLast: true });
      // Every hour would be 720; a month of looks every minute would be more events than a Workflow may have.
      expect(script.calls('findReference').length).toBeLessThan(200);
    });
  });
});
