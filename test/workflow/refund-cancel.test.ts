import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotCancellableError, NotRunningError } from '../../src/client/client-errors.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { countOf } from './read-history.ts';
import { ACCEPTED, FOUND, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import type { Latch, Script } from './scripted-activities.ts';
import { onStage } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** A refund whose provider answers only when the door is opened. */
function slowSend(): { script: Script; sending: Latch } {
  const sending = latch();
  const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', async () => {
    await sending.opened;
    return ACCEPTED;
  });
  return { script, sending };
}

describe('cancelRefund', () => {
  it('should win while the refund waits for its turn, and both callers learn it (R4)', async () => {
    const next = { workflowId: 'refund:mer_1:rfd_gone', legId: 'leg_9' };
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('cancelRefund', { nextTurns: [next] });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(1));
      expect(await refund.cancel('key_7')).toMatchObject({ status: 'cancelled', statusDetail: 'by_request' });
      expect(await begun).toMatchObject({ kind: 'answered', view: { status: 'cancelled' } });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'key_7', refundId: refund.id }]);
      expect(await refund.wait()).toMatchObject({ status: 'cancelled' });
      await expect(refund.cancel()).rejects.toThrow(NotRunningError);
      // The gate is passed on: the next leg of the charge was told (S5).
      expect(countOf(await refund.events(), 'signalExternalWorkflowExecutionInitiated')).toBe(1);
    });
  });

  it('should be refused once sending, with the state, and both callers learn it (R4)', async () => {
    const { script, sending } = slowSend();
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      const refusal = await refund.cancel().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(NotCancellableError);
      expect(refusal).toMatchObject({ view: { refundId: refund.id, status: 'in_process' } });
      sending.open();
      expect(await begun).toMatchObject({ view: { status: 'refunded' } });
      expect(script.calls('cancelRefund')).toEqual([]);
    });
  });

  it('should be refused while a lost answer is being verified (R4, S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await expect(refund.cancel()).rejects.toMatchObject({ name: 'NotCancellableError', view: { status: 'in_process', statusDetail: 'verifying' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });
});

describe('signalCancelRefund', () => {
  it('should cancel a waiting refund without waiting for the verdict (R4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false]));
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(1));
      await refund.signalCancel();
      expect(await begun).toMatchObject({ view: { status: 'cancelled' } });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'key_1' }]);
    });
  });

  it('should change nothing once sending (R4)', async () => {
    const { script, sending } = slowSend();
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      await refund.signalCancel();
      sending.open();
      expect(await begun).toMatchObject({ view: { status: 'refunded' } });
      expect(script.calls('cancelRefund')).toEqual([]);
    });
  });
});

describe('cancellation of a refund in the Temporal Web UI', () => {
  it('should not tear a send apart, and lose no caller (R4, S4)', async () => {
    const { script, sending } = slowSend();
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      await refund.handle.cancel();
      await eventually(async () => expect(countOf(await refund.events(), 'workflowTaskCompleted')).toBe(2));
      expect(countOf(await refund.events(), 'activityTaskCancelRequested')).toBe(0);
      sending.open();
      expect(await begun).toMatchObject({ kind: 'answered', view: { status: 'refunded' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });

  it('should not cut the settle delay short (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.handle.cancel();
      await eventually(async () => expect(countOf(await refund.events(), 'workflowExecutionCancelRequested')).toBe(1));
      expect(await refund.view()).toMatchObject({ statusDetail: 'verifying' });
      expect(script.calls('findRefund')).toEqual([]);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(countOf(await refund.events(), 'timerCanceled')).toBe(0);
    });
  });

  it('should call off a refund that waits for its turn, like any other request (R4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false]));
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(async () => expect(countOf(await refund.events(), 'timerStarted')).toBe(1));
      await refund.handle.cancel();
      expect(await begun).toMatchObject({ kind: 'answered', view: { status: 'cancelled' } });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'temporal' }]);
      expect(await refund.wait()).toMatchObject({ status: 'cancelled' });
    });
  });
});
