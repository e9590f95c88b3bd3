import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { realServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { ACCEPTED, FOUND, PROTOCOL, reserved, REVIEW, stopping, WINDOW } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { Stage, TestRefund } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await realServer();
});
afterAll(() => server.close());

/** Resets a refund to its beginning, as an operator can in the Temporal Web UI. */
async function resetToBeginning({ env }: Stage, refund: TestRefund): Promise<void> {
  const first = (await refund.events()).find((event) => event.workflowTaskCompletedEventAttributes);
  if (first?.eventId === undefined || first.eventId === null) throw new Error('no Workflow Task was completed');
  await env.client.workflowService.resetWorkflowExecution({
    namespace: 'default', workflowExecution: { workflowId: refund.workflowId }, workflowTaskFinishEventId: first.eventId, requestId: refund.id, reason: 'reset by hand',
  });
}

describe.concurrent('a refund whose Workflow was reset', () => {
  it('should stop at what is left of its checkpoints only, and send once (R3, R5)', async () => {
    const left = { ...WINDOW, windowMs: 200 };
    const script = scriptActivities().on('reserveRefund', stopping(REVIEW, WINDOW), stopping(left)).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.approve();
      await eventually(async () => expect(await refund.view()).toMatchObject({ status: 'deferred' }));
      await resetToBeginning(stage, refund);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('enterCheckpoint').map(({ checkpoint }) => checkpoint)).toEqual(['review', 'deferred', 'deferred']);
      expect(script.calls('passCheckpoint')).toHaveLength(1);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should stop nowhere and look first when it had sent (S4)', async () => {
    const protocol = { ...PROTOCOL, settleDelayMs: 200 };
    const script = scriptActivities().on('reserveRefund', reserved([true], { ...PROTOCOL, settleDelayMs: 3_600_000 }), { ...reserved([true], protocol), legs: reserved().legs.map((leg) => ({ ...leg, lastSend: 1 })), alreadySent: true, checkpoints: [REVIEW] });
    script.on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await resetToBeginning(stage, refund);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('enterCheckpoint')).toEqual([]);
      expect(script.calls('findRefund')).toMatchObject([{ sendNumber: 1 }]);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });
});

describe.concurrent('a refund that is asked for again with its key', () => {
  it('should go on in a new run when its Workflow was ended by hand before its first answer (R8, I3)', async () => {
    const sending = latch();
    const script = scriptActivities().on('reserveRefund', reserved(), { ...reserved(), alreadySent: true });
    script.on('submitRefund', async () => {
      await sending.opened;
      return ACCEPTED;
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin({ waitMs: 500 })).toMatchObject({ kind: 'accepted' });
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      await refund.handle.terminate('by hand');
      const again = refund.begin();
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(2));
      sending.open();
      expect(await again).toMatchObject({ kind: 'answered', view: { status: 'refunded' } });
      expect(new Set(script.calls('reserveRefund').map(({ runId }) => runId)).size).toBe(2);
    });
  });

  it('should go on in a new run when its Workflow was ended by hand after its first answer, once for all who ask (R8, I3)', async () => {
    const script = scriptActivities().on('reserveRefund', stopping(REVIEW)).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.handle.terminate('by hand');
      const stopped = { kind: 'answered', view: { status: 'review', statusDetail: 'awaiting_approval' } };
      expect(await Promise.all([refund.begin(), refund.begin({ firstAnswerSuffices: true })])).toMatchObject([stopped, stopped]);
      expect(await refund.begin()).toMatchObject(stopped);
      await refund.approve();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      const runs = script.calls('reserveRefund').map(({ runId }) => runId);
      expect(new Set(runs).size).toBe(2);
      expect(script.calls('submitRefund')).toMatchObject([{ runId: runs[1], refundId: refund.id }]);
    });
  });

  it('should not begin again for another request under its key (R8)', async () => {
    const script = scriptActivities().on('reserveRefund', stopping(REVIEW));
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund({ idempotencyKey: 'ended-by-hand' });
      await refund.begin();
      await refund.handle.terminate('by hand');
      await expect(stage.refund({ idempotencyKey: 'ended-by-hand', amountMinor: 7 }).begin()).rejects.toMatchObject({ name: 'KeyReusedError' });
      expect(script.calls('reserveRefund')).toHaveLength(1);
    });
  });

  it('should never begin again when it came to its end (R8)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.wait();
      for (const options of [{}, { firstAnswerSuffices: true }]) expect(await refund.begin(options)).toMatchObject({ kind: 'answered', view: { status: 'refunded' } });
      expect(script.calls('reserveRefund')).toHaveLength(1);
    });
  });
});
