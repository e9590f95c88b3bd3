import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { detailsOf } from './read-details.ts';
import { countOf, needsAttentionUpserts, scheduledActivities, secondsOfTimers, timerDueMs } from './read-history.ts';
import { ACCEPTED, FOUND, PROTOCOL, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { Stage, TestRefund } from './stage.ts';

const HOUR_MS = 3_600_000;
const ASKED = { actor: 'op_1', reason: 'the provider is back' };
const NOT_AWAITED = { name: 'ActRefusedError', why: 'not_awaited' };
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

async function untilGivenUp(stage: Stage, refund: TestRefund): Promise<void> {
  await refund.begin();
  await stage.skipTo((await stage.env.currentTimeMs()) + PROTOCOL.settleDelayMs + 5000);
  await eventually(async () => expect(await detailsOf(refund)).toMatch(/Waits for: a decision on its case/));
}

function oneSend() {
  return scriptActivities().on('reserveRefund', reserved([true], { ...PROTOCOL, maxSends: 1 }));
}

describe('retryRefund after the last send', () => {
  it('should look first, then send again under the next number (O2, S4)', async () => {
    const script = oneSend().on('submitRefund', { kind: 'unknown' }, ACCEPTED).on('findRefund', { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(stage, refund);
      await refund.retry(ASKED);
      expect(await refund.wait()).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(script.calls('recordAct')).toMatchObject([{ ...ASKED, act: 'retried', refundId: refund.id }]);
      expect(scheduledActivities(await refund.events())).toEqual(['submitRefund', 'findRefund', 'recordAct', 'findRefund', 'submitRefund']);
      expect(script.calls('findRefund').map(({ sendNumber }) => sendNumber)).toEqual([1, 1]);
      expect(script.calls('submitRefund').map(({ sendNumber }) => sendNumber)).toEqual([1, 2]);
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
    });
  });

  it('should send nothing when the look finds the late commit (O2, S4)', async () => {
    const script = oneSend().on('submitRefund', { kind: 'unknown' }).on('findRefund', { kind: 'absent' }, FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(stage, refund);
      await refund.retry(ASKED);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should settle and look after the new send like after the first, and come back to the human (O2, S4)', async () => {
    const script = oneSend().on('submitRefund', { kind: 'unknown' }).on('findRefund', { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(stage, refund);
      await refund.retry(ASKED);
      await eventually(async () => expect(secondsOfTimers(await refund.events())).toEqual([60, 60]));
      // It still needs a human: its case is open.
      expect(await refund.view()).toMatchObject({ statusDetail: 'needs_attention', needsAttention: true });
      await expect(refund.retry(ASKED)).rejects.toMatchObject(NOT_AWAITED);
      await stage.skipTo((await stage.env.currentTimeMs()) + 65_000);
      await eventually(async () => expect(await detailsOf(refund)).toMatch(/Waits for: a decision on its case/));
      expect(script.calls('findRefund').map(({ sendNumber }) => sendNumber)).toEqual([1, 1, 2]);
      expect(script.calls('submitRefund')).toHaveLength(2);
    });
  });
});

describe('retryRefund during a pause', () => {
  it('should send at once what the provider did not take (O2)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'not_sent', retryAfterMs: 8 * HOUR_MS }, ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      const beganMs = await stage.env.currentTimeMs();
      await refund.retry(ASKED);
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(2));
      expect((await stage.env.currentTimeMs()) - beganMs).toBeLessThan(HOUR_MS);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('recordAct')).toMatchObject([{ ...ASKED, act: 'retried' }]);
      expect(countOf(await refund.events(), 'timerFired')).toBe(0);
    });
  });

  it('should never cut the settle delay short (S4, O2)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      const dueMs = timerDueMs(await refund.events(), 60);
      await stage.skipTo(dueMs - 1000);
      await expect(refund.retry(ASKED)).rejects.toMatchObject({ ...NOT_AWAITED, view: { statusDetail: 'verifying' } });
      expect([...script.calls('findRefund'), ...script.calls('recordAct')]).toEqual([]);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(countOf(await refund.events(), 'timerCanceled')).toBe(0);
    });
  });

  it('should ask the records for the turn at once (O2, S5)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('takeTurn', { hasTurn: false }, { hasTurn: true }).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      // The first wait is short, and nothing to hurry.
      const firstMs = await eventually(async () => timerDueMs(await refund.events(), 10));
      await expect(refund.retry(ASKED)).rejects.toMatchObject({ ...NOT_AWAITED, view: { status: 'pending' } });
      await stage.skipTo(firstMs + 1000);
      expect(await begun).toMatchObject({ view: { status: 'pending' } });
      await refund.retry(ASKED);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(countOf(await refund.events(), 'timerFired')).toBe(1);
    });
  });

  it('should be refused while the send is under way (O2)', async () => {
    const sending = latch();
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', async () => {
      await sending.opened;
      return ACCEPTED;
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      await expect(refund.retry(ASKED)).rejects.toMatchObject({ ...NOT_AWAITED, view: { statusDetail: 'sent' } });
      sending.open();
      await begun;
    });
  });
});

describe('retryRefund while the provider does not show the order', () => {
  it('should read it again at once, and go on (O2, R10)', async () => {
    const script = scriptActivities().on('reserveRefund', { kind: 'not_yet', retryAfterMs: 8 * HOUR_MS }, reserved()).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { statusDetail: 'order_unreadable' } });
      await refund.retry(ASKED);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('recordAct')).toMatchObject([{ ...ASKED, act: 'retried', refundId: refund.id }]);
      expect(script.calls('reserveRefund')).toHaveLength(2);
      expect(countOf(await refund.events(), 'timerFired')).toBe(0);
    });
  });

  it('should go on waiting when it is still not shown, and be asked as often as anybody likes (O2)', async () => {
    const script = scriptActivities().on('reserveRefund', { kind: 'not_yet', retryAfterMs: 8 * HOUR_MS });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      for (const reads of [2, 3]) {
        await refund.retry(ASKED);
        await eventually(() => expect(script.calls('reserveRefund')).toHaveLength(reads));
      }
      await expect(refund.resolve({ ...ASKED, outcome: 'failed' })).rejects.toMatchObject({ ...NOT_AWAITED, view: { statusDetail: 'order_unreadable' } });
      expect(await refund.cancel()).toMatchObject({ status: 'cancelled' });
    });
  });
});
