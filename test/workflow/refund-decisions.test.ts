import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NotRunningError } from '../../src/client/client-errors.ts';
import type { Checkpoint } from '../../src/domain/checkpoint.ts';
import type { OperatorAct } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { ACCEPTED, reserved, REVIEW, stopping, VALIDATE, WINDOW } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { TestRefund } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

function afterCheckpoints(...checkpoints: readonly Checkpoint[]) {
  return scriptActivities().on('reserveRefund', stopping(...checkpoints)).on('takeTurn', { hasTurn: true }).on('submitRefund', ACCEPTED);
}

/** What everybody else is told. */
const NOT_AWAITED = { name: 'ActRefusedError', why: 'not_awaited' };

describe('decisions about a refund in review', () => {
  it('should refuse the approval of who asked for it, and take that of a second person (R3, O3)', async () => {
    const script = afterCheckpoints(REVIEW);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund({ requestedBy: 'key_1' });
      await refund.begin();
      await expect(refund.approve({ actor: 'key_1', reason: 'I am sure' })).rejects.toMatchObject({ name: 'ActRefusedError', why: 'same_person', view: { refundId: refund.id, status: 'review' } });
      expect(script.calls('passCheckpoint')).toEqual([]);
      expect(await refund.approve({ actor: 'key_2', reason: 'the goods are back' })).toMatchObject({ refundId: refund.id });
      expect(script.calls('passCheckpoint')).toMatchObject([{ checkpoint: 'review', actor: 'key_2', reason: 'the goods are back', refundId: refund.id, workflowId: refund.workflowId }]);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });

  it.each(['key_1', 'key_2'])('should be refused by %s, with actor and reason on record, and send nothing (R3, O3)', async (actor) => {
    const script = afterCheckpoints(REVIEW, WINDOW);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund({ requestedBy: 'key_1' });
      await refund.begin();
      expect(await refund.reject({ actor, reason: 'asked for twice' })).toMatchObject({ status: 'rejected', statusDetail: 'refused_in_review', refusal: null });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor, ending: { status: 'rejected', statusDetail: 'refused_in_review', reason: 'asked for twice' } }]);
      expect(await refund.wait()).toMatchObject({ status: 'rejected' });
      await expect(refund.approve()).rejects.toThrow(NotRunningError);
      expect([...script.calls('passCheckpoint'), ...script.calls('submitRefund')]).toEqual([]);
    });
  });

  it('should tell the next in line when it is refused (S5)', async () => {
    const script = afterCheckpoints(REVIEW).on('cancelRefund', { nextTurns: [{ workflowId: 'refund:mer_1:rfd_next', legId: 'leg_9' }] });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.reject();
      await refund.wait();
      const told = (await refund.events()).flatMap((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes?.workflowExecution?.workflowId ?? []);
      expect(told).toEqual(['refund:mer_1:rfd_next']);
    });
  });

  it('should refuse what lacks an actor or a reason that can be kept (O3)', async () => {
    const malformed = [
      { actor: '', reason: 'because' }, { actor: 'key_2', reason: '' }, { actor: 'key_2', reason: 'x'.repeat(251) }, { actor: 'key_2', reason: 'a\0b' },
      { actor: 'key_2', reason: 7 as unknown as string }, null as unknown as OperatorAct,
    ];
    const script = afterCheckpoints(REVIEW);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      for (const act of malformed) await expect(refund.approve(act), JSON.stringify(act)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'malformed', view: { status: 'review' } });
      await expect(refund.reject({ actor: 'key_2', reason: '' })).rejects.toMatchObject({ why: 'malformed' });
      expect([...script.calls('passCheckpoint'), ...script.calls('cancelRefund')]).toEqual([]);
      expect(await refund.view()).toMatchObject({ status: 'review', statusDetail: 'awaiting_approval' });
    });
  });
});

describe('decisions of the payer', () => {
  it('should be dismissed when the payer contests, with actor and reason on record, and send nothing (O3)', async () => {
    const script = afterCheckpoints(VALIDATE, REVIEW);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.contest({ actor: 'payer_1', reason: 'not my account' })).toMatchObject({ status: 'dismissed', statusDetail: 'contested_by_payer' });
      expect(script.calls('cancelRefund')).toMatchObject([{ actor: 'payer_1', ending: { status: 'dismissed', statusDetail: 'contested_by_payer', reason: 'not my account' } }]);
      expect(await refund.wait()).toMatchObject({ status: 'dismissed' });
      expect([...script.calls('passCheckpoint'), ...script.calls('submitRefund')]).toEqual([]);
    });
  });

  it('should let who asked for the refund confirm for the payer: only an approval needs a second person (R3)', async () => {
    const script = afterCheckpoints(VALIDATE);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund({ requestedBy: 'key_1' });
      await refund.begin();
      await refund.confirm({ actor: 'key_1', reason: 'told us on the phone' });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });
});

describe('decisions that nobody waits for', () => {
  const acts: readonly (readonly [string, (refund: TestRefund) => Promise<unknown>])[] = [
    ['approve', (refund) => refund.approve()], ['reject', (refund) => refund.reject()], ['confirm', (refund) => refund.confirm()], ['contest', (refund) => refund.contest()],
  ];

  it.each([
    { checkpoint: VALIDATE, others: ['approve', 'reject'] },
    { checkpoint: REVIEW, others: ['confirm', 'contest'] },
    { checkpoint: WINDOW, others: ['approve', 'reject', 'confirm', 'contest'] },
  ])('should be refused in $checkpoint.kind, with the true state (R3)', async ({ checkpoint, others }) => {
    await onStage(server.env, afterCheckpoints(checkpoint), async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      for (const [name, act] of acts.filter(([word]) => others.includes(word))) {
        await expect(act(refund), name).rejects.toMatchObject({ ...NOT_AWAITED, view: { refundId: refund.id, status: checkpoint.kind } });
      }
    });
  });

  it('should be refused once it is sent, with the true state (R3)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      for (const [name, act] of acts) await expect(act(refund), name).rejects.toMatchObject({ ...NOT_AWAITED, view: { status: 'in_process', statusDetail: 'verifying' } });
    });
  });

  it('should be refused while an earlier decision is being written down (R3)', async () => {
    const writing = latch();
    const script = afterCheckpoints(REVIEW).on('passCheckpoint', () => writing.opened);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      const approval = refund.approve();
      await eventually(() => expect(script.calls('passCheckpoint')).toHaveLength(1));
      await expect(refund.reject({ actor: 'key_3', reason: 'no' })).rejects.toMatchObject({ ...NOT_AWAITED, view: { status: 'review' } });
      writing.open();
      expect(await approval).toMatchObject({ refundId: refund.id });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('cancelRefund')).toEqual([]);
    });
  });
});
