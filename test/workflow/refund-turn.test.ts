import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { turnSignal } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { countOf, needsAttentionUpserts, secondsOfTimers, timerDueMs } from './read-history.ts';
import { ACCEPTED, DECLINED, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const DAY_MS = 24 * 3_600_000;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('refundWorkflow, two legs', () => {
  it('should send both side by side and be refunded in part when one is declined (R2)', async () => {
    const bothSent = latch();
    const script = scriptActivities().on('reserveRefund', reserved([true, true]));
    // Neither is answered before both are under way; the transaction that settles second sees the whole.
    script.on('submitRefund', async ({ legId }) => {
      if (script.calls('submitRefund').length === 2) bothSent.open();
      await bothSent.opened;
      return legId === 'leg_1' ? { ...ACCEPTED, refundStatus: 'in_process', statusDetail: 'sent' } : { ...ACCEPTED, kind: 'declined', statusDetail: 'partial' };
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'refunded', statusDetail: 'partial', amountMinor: 10_000 } });
      expect(script.calls('submitRefund').map(({ legId }) => legId).toSorted()).toEqual(['leg_1', 'leg_2']);
      expect(await refund.wait()).toMatchObject({ status: 'refunded', statusDetail: 'partial' });
    });
  });

  it('should be rejected when both are declined (R2)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true, true]));
    script.on('submitRefund', { ...DECLINED, refundStatus: 'in_process', statusDetail: 'sent' }, DECLINED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'rejected' } });
    });
  });

  it.each([
    { answer: ACCEPTED, end: { status: 'refunded', statusDetail: 'complete' } },
    { answer: DECLINED, end: { status: 'rejected', statusDetail: 'conekta.errors.refused' } },
  ])('should be $end.status, and tell both next legs, when both settled before either was reported (R2, S5)', async ({ answer, end }) => {
    const bothSent = latch();
    const script = scriptActivities().on('reserveRefund', reserved([true, true]));
    script.on('submitRefund', async ({ legId }) => {
      if (script.calls('submitRefund').length === 2) bothSent.open();
      await bothSent.opened;
      return { ...answer, nextTurn: { workflowId: `refund:mer_1:rfd_after_${legId}`, legId: 'leg_9' } };
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: end });
      expect(await refund.wait()).toMatchObject(end);
      const told = (await refund.events()).flatMap((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes?.workflowExecution?.workflowId ?? []);
      expect(told.toSorted()).toEqual(['refund:mer_1:rfd_after_leg_1', 'refund:mer_1:rfd_after_leg_2']);
    });
  });

  it('should not call off the second leg, nor the refund, once the first was sent (R4)', async () => {
    const sending = latch();
    const script = scriptActivities().on('reserveRefund', reserved([true, false])).on('takeTurn', { hasTurn: true });
    script.on('submitRefund', async ({ legId }) => {
      if (legId === 'leg_2') return ACCEPTED;
      await sending.opened;
      return { ...ACCEPTED, refundStatus: 'in_process', statusDetail: 'sent' };
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      await refund.signalCancel();
      await expect(refund.cancel()).rejects.toMatchObject({ name: 'NotCancellableError', view: { status: 'in_process' } });
      sending.open();
      await refund.handle.signal(turnSignal, { legId: 'leg_2' });
      expect(await begun).toMatchObject({ kind: 'answered', view: { status: 'refunded', statusDetail: 'complete' } });
      expect(script.calls('cancelRefund')).toEqual([]);
    });
  });
});

describe('refundWorkflow, waiting for the turn of its charge', () => {
  it('should be woken by the announcement (S5)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(1));
      expect(await refund.view()).toMatchObject({ status: 'pending' });
      expect(script.calls('takeTurn')).toEqual([]);
      await refund.handle.signal(turnSignal, { legId: 'leg_1' });
      expect(await begun).toMatchObject({ view: { status: 'refunded' } });
      expect(script.calls('takeTurn')).toMatchObject([{ legId: 'leg_1' }]);
      expect(countOf(await refund.events(), 'timerFired')).toBe(0);
    });
  });

  it('should ask the records itself when the announcement is lost, and answer its caller meanwhile (S5, R10)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('submitRefund', ACCEPTED);
    script.on('takeTurn', { hasTurn: false }, { hasTurn: false }, { hasTurn: true });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      const firstCheckMs = await eventually(async () => timerDueMs(await refund.events(), 10));
      await stage.skipTo(firstCheckMs + 1000);
      expect(await begun).toMatchObject({ kind: 'answered', view: { status: 'pending' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('takeTurn')).toHaveLength(3);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should cost few events in a day of waiting, tell a human once, and need nobody any more when it is done (O1, A6)', async () => {
    let hasTurn = false;
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('submitRefund', ACCEPTED).on('takeTurn', () => ({ hasTurn }));
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      const firstCheckMs = await eventually(async () => timerDueMs(await refund.events(), 10));
      await stage.skipTo(firstCheckMs + DAY_MS);
      expect(await begun).toMatchObject({ kind: 'answered', view: { status: 'pending' } });
      const waiting = await refund.events();
      const pauses = secondsOfTimers(waiting);
      expect(pauses.slice(0, 11)).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
      expect(waiting.length, JSON.stringify(pauses)).toBeLessThanOrEqual(220);
      expect(script.calls('openCase')).toMatchObject([{ kind: 'waited_too_long', refundId: refund.id, legId: 'leg_1' }]);
      expect(await refund.view()).toMatchObject({ needsAttention: true });
      // Written when it began to wait and when a human was told; not in the rounds between and after.
      expect(needsAttentionUpserts(waiting)).toEqual([false, true]);
      hasTurn = true;
      await refund.handle.signal(turnSignal, { legId: 'leg_1' });
      expect(await refund.wait()).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
    });
  });

  it('should tell the next leg of the charge, and not fail when that is gone (S5)', async () => {
    const gone = { workflowId: 'refund:mer_1:rfd_gone', legId: 'leg_9' };
    const script = scriptActivities().on('takeTurn', { hasTurn: true });
    script.on('reserveRefund', ({ idempotencyKey }) => reserved([idempotencyKey === 'first']));
    const first = latch();
    let waiting = '';
    script.on('submitRefund', async ({ workflowId }) => {
      if (workflowId === waiting) return { ...ACCEPTED, nextTurn: gone };
      await first.opened;
      return { ...ACCEPTED, nextTurn: { workflowId: waiting, legId: 'leg_1' } };
    });
    await onStage(server.env, script, async (stage) => {
      const [holder, waiter] = [stage.refund({ idempotencyKey: 'first' }), stage.refund({ idempotencyKey: 'second' })];
      waiting = waiter.workflowId;
      const held = holder.begin();
      const waited = waiter.begin();
      await eventually(async () => expect(countOf(await waiter.events(), 'timerStarted')).toBe(1));
      first.open();
      expect(await held).toMatchObject({ view: { status: 'refunded' } });
      expect(await waited).toMatchObject({ view: { status: 'refunded' } });
      expect(await waiter.wait()).toMatchObject({ status: 'refunded' });
      expect(countOf(await waiter.events(), 'timerFired')).toBe(0);
      expect(countOf(await waiter.events(), 'signalExternalWorkflowExecutionFailed')).toBe(1);
    });
  });
});
