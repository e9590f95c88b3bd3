import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RefundRequest, TurnHolder } from '../../activities/contracts.ts';
import { turnAwaitedSignal } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { countOf, timerDueMs } from './read-history.ts';
import { ACCEPTED, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import type { Script } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { Stage, TestRefund } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** The refund that has the gate, as the records tell it to who waits. */
function holding(refund: TestRefund, wasSent: boolean): TurnHolder {
  const request: RefundRequest = { merchantId: 'mer_1', refundId: refund.id, orderId: 'ord_1', idempotencyKey: 'k', fingerprint: 'as-recorded', requestedBy: 'key_1' };
  return { workflowId: refund.workflowId, refundId: refund.id, legId: 'leg_held', wasSent, request };
}

/** Lets the first and the second wait for the turn go by: after the second the holder is looked for. */
async function waitTwice(stage: Stage, refund: TestRefund): Promise<void> {
  await stage.skipTo((await eventually(async () => timerDueMs(await refund.events(), 10))) + 500);
  await stage.skipTo((await eventually(async () => timerDueMs(await refund.events(), 20))) + 500);
}

/** Refunds that wait, and one that holds the gate and is in nobody's Workflow; the gate is free once `free` says so. */
function behind(holder: () => TurnHolder, free: () => boolean): Script {
  return scriptActivities().on('submitRefund', ACCEPTED)
    .on('reserveRefund', ({ refundId }) => (refundId === holder().refundId ? { ...reserved([true]), alreadySent: true } : reserved([false])))
    .on('takeTurn', () => (free() ? { hasTurn: true } : { hasTurn: false, holder: holder() }));
}

describe('refundWorkflow, behind a holder that is at work', () => {
  it('should leave it alone, however long it takes (S5)', async () => {
    let holder: TurnHolder | undefined;
    const script = behind(() => holder as TurnHolder, () => false).on('submitRefund', { kind: 'not_sent', retryAfterMs: 3_600_000 });
    await onStage(server.env, script, async (stage) => {
      const [busy, waiter] = [stage.refund(), stage.refund()];
      holder = holding(busy, true);
      expect(await busy.begin()).toMatchObject({ view: { status: 'in_process' } });
      const begun = waiter.begin();
      await waitTwice(stage, waiter);
      await begun;
      await eventually(async () => expect(countOf(await waiter.events(), 'externalWorkflowExecutionSignaled')).toBe(1));
      const [signal] = (await busy.events()).flatMap((event) => event.workflowExecutionSignaledEventAttributes ?? []);
      expect(signal?.signalName).toBe(turnAwaitedSignal.name);
      expect([...script.calls('openCase'), ...script.calls('loseTurn')]).toEqual([]);
      expect(countOf(await waiter.events(), 'startChildWorkflowExecutionInitiated')).toBe(0);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });
});

describe('refundWorkflow, behind a holder whose Workflow is gone', () => {
  it('should take the gate from one that was never sent, with a case about it, and go on (S5, O1)', async () => {
    let holder: TurnHolder | undefined;
    const script = behind(() => holder as TurnHolder, () => script.calls('loseTurn').length > 0);
    await onStage(server.env, script, async (stage) => {
      holder = holding(stage.refund(), false);
      const waiter = stage.refund();
      const next = { workflowId: waiter.workflowId, legId: 'leg_1' };
      script.on('loseTurn', { nextTurn: next });
      const begun = waiter.begin();
      await stage.skipTo((await eventually(async () => timerDueMs(await waiter.events(), 10))) + 500);
      // The announcement may be on its way: nobody is suspected after the first wait.
      expect(await begun).toMatchObject({ view: { status: 'pending' } });
      expect([...script.calls('openCase'), ...script.calls('loseTurn')]).toEqual([]);
      expect(await waiter.wait()).toMatchObject({ status: 'refunded' });
      const theirs = { refundId: holder.refundId, legId: 'leg_held', merchantId: 'mer_1' };
      expect(script.calls('openCase')).toMatchObject([{ ...theirs, kind: 'workflow_gone' }]);
      expect(script.calls('loseTurn')).toMatchObject([theirs]);
      // Told by the one that took the gate, it is its own: no third wait.
      expect(countOf(await waiter.events(), 'timerFired')).toBe(2);
      expect(countOf(await waiter.events(), 'startChildWorkflowExecutionInitiated')).toBe(0);
      expect(await waiter.view()).toMatchObject({ needsAttention: false });
    });
  });

  it('should tell another that is next in line, and wait on (S5)', async () => {
    let holder: TurnHolder | undefined;
    const script = behind(() => holder as TurnHolder, () => false).on('loseTurn', { nextTurn: { workflowId: 'refund:mer_1:rfd_other', legId: 'leg_9' } });
    await onStage(server.env, script, async (stage) => {
      holder = holding(stage.refund(), false);
      const waiter = stage.refund();
      const begun = waiter.begin();
      await waitTwice(stage, waiter);
      await begun;
      await eventually(async () => {
        const told = (await waiter.events()).flatMap((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes?.workflowExecution?.workflowId ?? []);
        expect(told).toEqual([holder?.workflowId, 'refund:mer_1:rfd_other']);
      });
      expect(await waiter.view()).toMatchObject({ status: 'pending' });
      expect(script.calls('submitRefund')).toEqual([]);
    });
  });

  it('should leave it at that when another that waits has begun it again before (S5)', async () => {
    let holder: TurnHolder | undefined;
    const sending = latch();
    const settled = new Set<string>();
    const script = behind(() => holder as TurnHolder, () => settled.has(holder?.refundId ?? ''));
    let next = '';
    script.on('submitRefund', async ({ refundId }) => {
      if (refundId !== holder?.refundId) return ACCEPTED;
      await sending.opened;
      settled.add(refundId);
      return { ...ACCEPTED, nextTurn: { workflowId: next, legId: 'leg_1' } };
    });
    await onStage(server.env, script, async (stage) => {
      const gone = stage.refund();
      holder = holding(gone, true);
      const waiter = stage.refund();
      next = waiter.workflowId;
      // Between the question whether it is there and the beginning, somebody else begins it.
      script.on('openCase', async () => void (await gone.begin({ waitMs: 300 })));
      const begun = waiter.begin();
      await waitTwice(stage, waiter);
      await begun;
      await eventually(async () => expect(countOf(await waiter.events(), 'startChildWorkflowExecutionFailed')).toBe(1));
      sending.open();
      await eventually(async () => expect(await waiter.view()).toMatchObject({ status: 'refunded' }));
      expect(script.calls('submitRefund').map(({ refundId }) => refundId)).toEqual([gone.id, waiter.id]);
    });
  });

  it('should begin one that was sent again where the records stand, with a case about it, and wait until it is over (S4, S5, O1)', async () => {
    let holder: TurnHolder | undefined;
    const sending = latch();
    const settled = new Set<string>();
    const script = behind(() => holder as TurnHolder, () => settled.has(holder?.refundId ?? ''));
    script.on('submitRefund', async ({ refundId, workflowId }) => {
      if (refundId !== holder?.refundId) return ACCEPTED;
      await sending.opened;
      settled.add(refundId);
      expect(workflowId).toBe(holder.workflowId);
      return ACCEPTED;
    });
    await onStage(server.env, script, async (stage) => {
      const gone = stage.refund();
      holder = holding(gone, true);
      const waiter = stage.refund();
      const begun = waiter.begin();
      await waitTwice(stage, waiter);
      await begun;
      await eventually(() => expect(script.calls('submitRefund')).toMatchObject([{ refundId: gone.id }]));
      expect(script.calls('openCase')).toMatchObject([{ kind: 'workflow_gone', refundId: gone.id, legId: 'leg_held' }]);
      expect(script.calls('loseTurn')).toEqual([]);
      expect(script.calls('reserveRefund').at(-1)).toMatchObject({ ...holder.request, workflowId: gone.workflowId });
      const [started] = (await waiter.events()).flatMap((event) => event.startChildWorkflowExecutionInitiatedEventAttributes ?? []);
      // It must outlive who began it: 2 is ABANDON.
      expect(started).toMatchObject({ workflowId: gone.workflowId, parentClosePolicy: 2 });
      expect(await gone.view()).toMatchObject({ status: 'in_process', fingerprint: 'as-recorded' });
      await waiter.handle.terminate('its child must outlive it');
      sending.open();
      expect(await gone.wait()).toMatchObject({ status: 'refunded' });
    });
  });
});
