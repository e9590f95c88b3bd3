import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotCancellableError, NotRunningError } from '../../src/client/client-errors.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { fakePayoutProvider } from './fake-payout-provider.ts';
import type { FakePayoutProvider } from './fake-payout-provider.ts';
import { countOf, needsAttentionUpserts, secondsOfTimers, timerDueMs } from './read-history.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { HistoryEvent, TestPayoutOrder } from './stage.ts';

const WINDOW_S = 180;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

function atMs(event: HistoryEvent): number {
  return Number(event.eventTime?.seconds ?? 0) * 1000 + Number(event.eventTime?.nanos ?? 0) / 1e6;
}

/** When the Workflow had an Activity started, milliseconds since 1970, in their order. */
function startedMs(events: readonly HistoryEvent[], activity: string): readonly number[] {
  return events.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity).map(atMs);
}

/** When the last timer fired, milliseconds since 1970. */
function lastFiredMs(events: readonly HistoryEvent[]): number {
  return events.filter((event) => event.timerFiredEventAttributes).map(atMs).at(-1) ?? Number.NaN;
}

/** The rail begins to hand out the cash and says so. Answers when the window of the payout order ends, milliseconds since 1970. */
async function withdraw(payout: TestPayoutOrder, provider: FakePayoutProvider): Promise<number> {
  provider.status = 'pending_confirmation';
  expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending_confirmation' });
  return eventually(async () => timerDueMs(await payout.events(), WINDOW_S));
}

describe('payoutOrderWorkflow at expires_at', () => {
  it('should be pending and have asked nothing a second before, and have the reference voided a second after (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending' });
      expect([...script.calls('voidReference'), ...script.calls('followPayoutOrder')]).toEqual([]);
      await stage.skipTo(payout.expiresAtMs + 1000);
      expect(await payout.wait()).toMatchObject({ status: 'expired' });
      expect(provider.status).toBe('expired');
      const events = await payout.events();
      expect(Math.abs(lastFiredMs(events) - payout.expiresAtMs)).toBeLessThan(1000);
      expect(startedMs(events, 'voidReference')[0]).toBeGreaterThanOrEqual(payout.expiresAtMs);
    });
  });

  it('should give a withdrawal its whole window that begins and is told a second before (P3)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - 1000);
      const windowEndsMs = await withdraw(payout, provider);
      expect(windowEndsMs).toBeGreaterThan(payout.expiresAtMs + 170_000);
      await stage.skipTo(windowEndsMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' });
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('voidReference')).toEqual([]);
      expect(startedMs(await payout.events(), 'followPayoutOrder')[1]).toBeGreaterThanOrEqual(windowEndsMs);
    });
  });

  it('should void nothing and give a withdrawal its whole window that begins a second before and is told after (P2, P3)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      await stage.skipTo(payout.expiresAtMs - 1000);
      provider.status = 'pending_confirmation';
      await stage.skipTo(payout.expiresAtMs + 1000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' }));
      expect(await payout.report('withdrawal')).toMatchObject({ status: 'pending_confirmation' });
      const windowEndsMs = timerDueMs(await payout.events(), WINDOW_S);
      expect(windowEndsMs).toBeGreaterThanOrEqual(payout.expiresAtMs + WINDOW_S * 1000);
      await stage.skipTo(windowEndsMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' });
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('voidReference').map(({ cause }) => cause)).toEqual(['expiry']);
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'window_ended']);
      const events = await payout.events();
      expect(startedMs(events, 'followPayoutOrder')[1]).toBeGreaterThanOrEqual(windowEndsMs);
      // The expiry and one window, however often the withdrawal is told.
      expect(countOf(events, 'timerStarted')).toBe(2);
    });
  });
});

describe('payoutOrderWorkflow at the end of the confirmation window', () => {
  it('should conclude nothing at 179 s, ask the provider at 180 s, and be withdrawn at 181 s (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const windowEndsMs = await withdraw(payout, provider);
      await stage.skipTo(windowEndsMs - 1000);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation' });
      expect(script.calls('followPayoutOrder')).toHaveLength(1);
      await stage.skipTo(windowEndsMs + 1000);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'withdrawn' }));
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'window_ended']);
      const events = await payout.events();
      expect(Math.abs(lastFiredMs(events) - windowEndsMs)).toBeLessThan(1000);
      expect(startedMs(events, 'followPayoutOrder')[1]).toBeGreaterThanOrEqual(windowEndsMs);
      // A reversal at 181 s meets no Workflow any more: it is somebody's case.
      provider.status = 'reversed';
      await eventually(() => expect(payout.tell('reversal')).rejects.toThrow(NotRunningError));
      expect(await payout.view()).toMatchObject({ status: 'withdrawn' });
    });
  });

  it('should be reversed by a reversal that is told at 179 s (P2, P6)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const windowEndsMs = await withdraw(payout, provider);
      await stage.skipTo(windowEndsMs - 1000);
      provider.status = 'reversed';
      expect(await payout.report('reversal')).toMatchObject({ status: 'reversed' });
      expect(await payout.wait()).toMatchObject({ status: 'reversed' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'fact']);
    });
  });

  it('should be reversed, not withdrawn, when only the provider knows of the reversal at 180 s (P2)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const windowEndsMs = await withdraw(payout, provider);
      await stage.skipTo(windowEndsMs - 1000);
      provider.status = 'reversed';
      expect(await payout.wait()).toMatchObject({ status: 'reversed' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'window_ended']);
    });
  });

  it('should conclude nothing while the provider knows of no withdrawal, ask less and less often, and tell a human once (P2, O1)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const windowEndsMs = await withdraw(payout, provider);
      provider.status = 'pending';
      await stage.skipTo(windowEndsMs + 1_000_000);
      expect(await payout.view()).toMatchObject({ status: 'pending_confirmation', needsAttention: false });
      expect(script.calls('openCase')).toEqual([]);
      await stage.skipTo(windowEndsMs + 4_000_000);
      expect(secondsOfTimers(await payout.events()).slice(1, 7)).toEqual([WINDOW_S, 64, 128, 256, 512, 1024]);
      await eventually(async () => expect(await payout.view()).toMatchObject({ status: 'pending_confirmation', needsAttention: true }));
      expect(script.calls('openCase')).toMatchObject([{ kind: 'waited_too_long', payoutOrderId: payout.id }]);
      provider.status = 'withdrawn';
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn', needsAttention: false });
      expect(new Set(script.calls('followPayoutOrder').slice(1).map(({ cause }) => cause))).toEqual(new Set(['window_ended']));
      expect(script.calls('openCase')).toHaveLength(1);
      expect(needsAttentionUpserts(await payout.events()).slice(-2)).toEqual([true, false]);
    });
  });
});

describe('cancelPayoutOrder at 179 s of the confirmation window', () => {
  it('should be obeyed when the provider voids, after which no confirmation can follow (P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const windowEndsMs = await withdraw(payout, provider);
      await stage.skipTo(windowEndsMs - 1000);
      expect(await payout.cancel()).toMatchObject({ status: 'cancelled' });
      expect(await payout.wait()).toMatchObject({ status: 'cancelled' });
      await expect(payout.report('confirmation')).rejects.toThrow(NotRunningError);
      await stage.skipTo(windowEndsMs + 1000);
      expect(await payout.view()).toMatchObject({ status: 'cancelled' });
      // Nobody asked the provider whether the window was over.
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact']);
    });
  });

  it('should change nothing when the provider refuses: withdrawn at 180 s, no sooner and no later (P2, P4)', async () => {
    const script = scriptActivities();
    const provider = fakePayoutProvider(script);
    await onStage(server.env, script, async (stage) => {
      const payout = await stage.payoutOrder();
      await payout.begin();
      const windowEndsMs = await withdraw(payout, provider);
      await stage.skipTo(windowEndsMs - 1000);
      provider.voids = false;
      const refusal = await payout.cancel().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(NotCancellableError);
      expect(refusal).toMatchObject({ view: { status: 'pending_confirmation' } });
      expect(await payout.wait()).toMatchObject({ status: 'withdrawn' });
      expect(script.calls('followPayoutOrder').map(({ cause }) => cause)).toEqual(['fact', 'cancel', 'window_ended']);
      const events = await payout.events();
      expect(startedMs(events, 'followPayoutOrder')[2]).toBeGreaterThanOrEqual(windowEndsMs);
      expect(Math.abs(lastFiredMs(events) - windowEndsMs)).toBeLessThan(1000);
      expect(countOf(events, 'timerStarted')).toBe(2);
    });
  });
});
