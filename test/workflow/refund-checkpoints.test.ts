import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Checkpoint } from '../../src/domain/checkpoint.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { detailsOf } from './read-details.ts';
import { countOf, secondsOfTimers, timerDueMs } from './read-history.ts';
import { ACCEPTED, reserved, REVIEW, stopping, VALIDATE, WINDOW } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { TestRefund } from './stage.ts';

const HOUR_MS = 3_600_000;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** A refund that is sent at once when it has passed its checkpoints. */
function afterCheckpoints(...checkpoints: readonly Checkpoint[]) {
  return scriptActivities().on('reserveRefund', stopping(...checkpoints)).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
}

describe('refundWorkflow, one checkpoint', () => {
  it.each([
    { checkpoint: VALIDATE, detail: 'awaiting_payer', waitsFor: /payer to confirm or contest[^]*confirmRefund or contestRefund/, pass: (refund: TestRefund) => refund.confirm() },
    { checkpoint: REVIEW, detail: 'awaiting_approval', waitsFor: /second person[^]*approveRefund or rejectRefund/, pass: (refund: TestRefund) => refund.approve() },
    { checkpoint: WINDOW, detail: 'awaiting_execution_time', waitsFor: /its time of execution; it may still be called off/, pass: async () => null },
  ])('should stop in $checkpoint.kind, answer its callers, send nothing, and go on at once when it is passed (R3, R5, R10)', async ({ checkpoint, detail, waitsFor, pass }) => {
    const script = afterCheckpoints(checkpoint);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const stopped = { status: checkpoint.kind, statusDetail: detail, amountMinor: 5000, needsAttention: false };
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: stopped });
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: stopped });
      expect(script.calls('enterCheckpoint')).toMatchObject([{ checkpoint: checkpoint.kind, refundId: refund.id, workflowId: refund.workflowId }]);
      expect(await detailsOf(refund)).toMatch(waitsFor);
      expect([...script.calls('takeTurn'), ...script.calls('submitRefund')]).toEqual([]);
      await pass(refund);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('takeTurn')).toMatchObject([{ legId: 'leg_1' }]);
      expect(script.calls('submitRefund')).toHaveLength(1);
      // Its own limit is the only timer: nobody waits ten seconds for an announcement that would never come.
      expect(secondsOfTimers(await refund.events())).toEqual([('windowMs' in checkpoint ? checkpoint.windowMs : checkpoint.expiresAfterMs) / 1000]);
    });
  });

  it.each([
    { name: '72 hours of review', checkpoint: REVIEW },
    { name: 'the 36 hours of review that the plan gives', checkpoint: { ...REVIEW, expiresAfterMs: 36 * HOUR_MS } },
    { name: 'the two days that the payer has', checkpoint: VALIDATE },
  ])('should run out of time exactly after $name, and not before (R3)', async ({ checkpoint }) => {
    const script = afterCheckpoints(checkpoint);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      const dueMs = timerDueMs(await refund.events(), checkpoint.expiresAfterMs / 1000);
      await stage.skipTo(dueMs - 1000);
      expect(await refund.view()).toMatchObject({ status: checkpoint.kind });
      expect(script.calls('cancelRefund')).toEqual([]);
      await stage.skipTo(dueMs + 1000);
      expect(await refund.wait()).toMatchObject({ status: 'cancelled', statusDetail: 'expired' });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'expiry', ending: { status: 'cancelled', statusDetail: 'expired' } }]);
      expect(script.calls('submitRefund')).toEqual([]);
    });
  });
});

describe('refundWorkflow, deferred', () => {
  it('should send nothing before its time, and send then (R5)', async () => {
    const executeAtMs = (await server.env.currentTimeMs()) + 50 * HOUR_MS;
    const script = afterCheckpoints({ ...WINDOW, executeAt: new Date(executeAtMs).toISOString() });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'deferred' } });
      await stage.skipTo(executeAtMs - 1000);
      expect(await refund.view()).toMatchObject({ status: 'deferred' });
      expect(script.calls('submitRefund')).toEqual([]);
      await stage.skipTo(executeAtMs + 1000);
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });

  it('should keep its whole window when its time is over before (R5)', async () => {
    const script = afterCheckpoints({ ...WINDOW, executeAt: new Date((await server.env.currentTimeMs()) + 60_000).toISOString() });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(secondsOfTimers(await refund.events())).toEqual([3600]);
    });
  });

  it('should be called off in its last second (R4, R5)', async () => {
    const script = afterCheckpoints(WINDOW);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await stage.skipTo(timerDueMs(await refund.events(), 3600) - 1000);
      expect(await refund.cancel('key_7')).toMatchObject({ status: 'cancelled', statusDetail: 'by_request' });
      expect(await refund.wait()).toMatchObject({ status: 'cancelled' });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'key_7' }]);
      expect([...script.calls('takeTurn'), ...script.calls('submitRefund')]).toEqual([]);
    });
  });

  it('should count the window from the approval, not from the request (R3, R5)', async () => {
    const script = afterCheckpoints(REVIEW, WINDOW);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + 10 * HOUR_MS);
      await refund.approve();
      const dueMs = await eventually(async () => timerDueMs(await refund.events(), 3600));
      await stage.skipTo(dueMs - 1000);
      expect(await refund.view()).toMatchObject({ status: 'deferred' });
      expect(script.calls('submitRefund')).toEqual([]);
      await stage.skipTo(dueMs + 1000);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });
});

describe('refundWorkflow, several checkpoints', () => {
  it('should meet all three in their order and tell each caller where it stands (R3, R5, R10)', async () => {
    const script = afterCheckpoints(VALIDATE, REVIEW, WINDOW);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'validate' } });
      await refund.confirm({ actor: 'payer_1', reason: 'it is my account' });
      await eventually(async () => expect(await refund.begin()).toMatchObject({ view: { status: 'review', statusDetail: 'awaiting_approval' } }));
      await refund.approve({ actor: 'key_2', reason: 'the goods are back' });
      await eventually(async () => expect(await refund.begin()).toMatchObject({ view: { status: 'deferred' } }));
      expect(script.calls('submitRefund')).toEqual([]);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('enterCheckpoint').map(({ checkpoint }) => checkpoint)).toEqual(['validate', 'review', 'deferred']);
      expect(script.calls('passCheckpoint')).toMatchObject([
        { checkpoint: 'validate', actor: 'payer_1', reason: 'it is my account' }, { checkpoint: 'review', actor: 'key_2', reason: 'the goods are back' },
      ]);
    });
  });

  it('should wait for its turn like any other when the charge is busy by then (S5)', async () => {
    const script = afterCheckpoints(REVIEW).on('takeTurn', { hasTurn: false }, { hasTurn: true });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.approve();
      await eventually(async () => expect(secondsOfTimers(await refund.events())).toEqual([72 * 3600, 10]));
      expect(await refund.view()).toMatchObject({ status: 'review', statusDetail: 'reviewed' });
      expect(script.calls('submitRefund')).toEqual([]);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('takeTurn')).toHaveLength(2);
    });
  });

  it('should be called off while an approval is being written down, and send nothing (R4)', async () => {
    const writing = latch();
    const script = afterCheckpoints(REVIEW).on('passCheckpoint', () => writing.opened);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      const approval = refund.approve();
      await eventually(() => expect(script.calls('passCheckpoint')).toHaveLength(1));
      await refund.signalCancel();
      await eventually(async () => expect(countOf(await refund.events(), 'workflowExecutionSignaled')).toBe(1));
      writing.open();
      expect(await approval).toMatchObject({ status: 'review', statusDetail: 'reviewed' });
      expect(await refund.wait()).toMatchObject({ status: 'cancelled', statusDetail: 'by_request' });
      expect([...script.calls('takeTurn'), ...script.calls('submitRefund')]).toEqual([]);
    });
  });

  it('should pass by a checkpoint that is behind it on record (R3)', async () => {
    const script = afterCheckpoints(VALIDATE, REVIEW).on('enterCheckpoint', { isBeyond: true }, { isBeyond: false });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'review' } });
      await refund.approve();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });

  it('should send on when the records know of a send that a cancel comes too late for, and say so (R4, S4)', async () => {
    const script = afterCheckpoints(REVIEW).on('cancelRefund', { nextTurns: [], isTooLate: true });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await expect(refund.cancel()).rejects.toMatchObject({ name: 'NotCancellableError', view: { status: 'in_process' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });

  it('should stop nowhere when a leg went out before this run began (S4)', async () => {
    const script = afterCheckpoints().on('reserveRefund', { ...reserved(), alreadySent: true, checkpoints: [REVIEW, WINDOW] });
    await onStage(server.env, script, async (stage) => {
      expect(await stage.refund().begin()).toMatchObject({ view: { status: 'refunded' } });
      expect(script.calls('enterCheckpoint')).toEqual([]);
    });
  });
});
