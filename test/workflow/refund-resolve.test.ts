import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ResolveOutcome } from '../../activities/contracts.ts';
import { ROUNDS_BEFORE_CASE } from '../../workflows/backoff.ts';
import type { ResolveAct } from '../../workflows/messages.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { detailsOf } from './read-details.ts';
import { needsAttentionUpserts, secondsOfTimers, timerDueMs } from './read-history.ts';
import { PROTOCOL, reserved } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';
import type { Stage, TestRefund } from './stage.ts';

const BY_OPERATOR = { actor: 'op_1', reason: 'seen on the statement' };
const SUCCEEDED: ResolveAct = { ...BY_OPERATOR, outcome: 'succeeded', providerRefundId: 're_1' };
const FAILED: ResolveAct = { ...BY_OPERATOR, outcome: 'failed' };
const SETTLED: ResolveOutcome = { kind: 'settled', refundStatus: 'refunded', statusDetail: 'complete', legStatus: 'succeeded', nextTurn: null };
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

/** Every send is lost and no look finds it: after the first, a human must decide. */
function givingUp(turns: readonly boolean[] = [true]) {
  return scriptActivities().on('reserveRefund', reserved(turns, { ...PROTOCOL, maxSends: 1 })).on('submitRefund', { kind: 'unknown' }).on('findRefund', { kind: 'absent' });
}

/** Brings a refund to where all its legs wait for a decision. */
async function untilGivenUp(stage: Stage, refund: TestRefund, cases: () => readonly unknown[], legs = 1): Promise<void> {
  await refund.begin();
  await stage.skipTo((await stage.env.currentTimeMs()) + PROTOCOL.settleDelayMs + 5000);
  await eventually(async () => {
    expect(cases()).toHaveLength(legs);
    expect(await detailsOf(refund)).toMatch(/needs_attention[^]*Waits for: a decision on its case[^]*an operator/);
  });
}

describe('resolveRefund after the last send', () => {
  it.each([
    { act: SUCCEEDED, settled: SETTLED, resolution: { outcome: 'succeeded', providerRefundId: 're_1' }, end: { status: 'refunded', statusDetail: 'complete' } },
    {
      act: FAILED, settled: { ...SETTLED, refundStatus: 'rejected', statusDetail: 'resolved_as_failed', legStatus: 'refused' } as const,
      resolution: { outcome: 'failed' }, end: { status: 'rejected', statusDetail: 'resolved_as_failed' },
    },
  ])('should end as settled by the word "$act.outcome", with actor and reason on record, and need nobody any more (O2, O3, A6)', async ({ act, settled, resolution, end }) => {
    const script = givingUp().on('resolveLeg', settled);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(stage, refund, () => script.calls('openCase'));
      expect(await refund.resolve(act)).toMatchObject({ ...end, needsAttention: false });
      expect(script.calls('resolveLeg')).toMatchObject([{ ...BY_OPERATOR, resolution, legId: 'leg_1', refundId: refund.id, workflowId: refund.workflowId }]);
      expect(await refund.wait()).toMatchObject(end);
      expect(script.calls('submitRefund')).toHaveLength(1);
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
      expect(await detailsOf(refund)).not.toMatch(/Who may unblock it|Waits for/);
    });
  });

  it.each(['provider_refund_taken', 'never_sent', 'other_amount', 'provider_says_otherwise', 'not_shown_by_provider', 'too_early'] as const)('should be told %s, change nothing, and take a better word (O2)', async (why) => {
    const script = givingUp().on('resolveLeg', { kind: 'refused', why }, SETTLED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(stage, refund, () => script.calls('openCase'));
      await expect(refund.resolve(SUCCEEDED)).rejects.toMatchObject({ name: 'ActRefusedError', why, view: { status: 'in_process', statusDetail: 'needs_attention', needsAttention: true } });
      expect(await detailsOf(refund)).toMatch(/Waits for: a decision on its case/);
      expect(await refund.resolve({ ...SUCCEEDED, providerRefundId: 're_2' })).toMatchObject({ status: 'refunded' });
      expect(script.calls('resolveLeg').map(({ resolution }) => resolution)).toMatchObject([{ providerRefundId: 're_1' }, { providerRefundId: 're_2' }]);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should refuse what is not a whole word (O2)', async () => {
    const malformed: readonly unknown[] = [
      { ...SUCCEEDED, providerRefundId: '' }, { ...BY_OPERATOR, outcome: 'succeeded' }, { ...BY_OPERATOR, outcome: 'perhaps' }, { ...SUCCEEDED, actor: '' }, { ...FAILED, reason: '' }, null,
    ];
    const script = givingUp();
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(stage, refund, () => script.calls('openCase'));
      for (const act of malformed) await expect(refund.resolve(act as ResolveAct), JSON.stringify(act)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'malformed' });
      expect(script.calls('resolveLeg')).toEqual([]);
    });
  });

  it('should want the charge named when two legs wait, and settle that one (O2, R2)', async () => {
    const script = givingUp([true, true]).on('resolveLeg', ({ legId }) => (legId === 'leg_2' ? { ...SETTLED, refundStatus: 'in_process', statusDetail: 'needs_attention' } : SETTLED));
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await untilGivenUp(stage, refund, () => script.calls('openCase'), 2);
      await expect(refund.resolve(SUCCEEDED)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'charge_id_required' });
      await expect(refund.retry()).rejects.toMatchObject({ name: 'ActRefusedError', why: 'charge_id_required' });
      await expect(refund.resolve({ ...SUCCEEDED, chargeId: 'charge_9' })).rejects.toMatchObject({ name: 'ActRefusedError', why: 'no_open_case' });
      expect(await refund.resolve({ ...SUCCEEDED, chargeId: 'charge_2' })).toMatchObject({ status: 'in_process', needsAttention: true });
      await expect(refund.resolve({ ...SUCCEEDED, chargeId: 'charge_2' })).rejects.toMatchObject({ why: 'no_open_case' });
      // One is left: it need not be named.
      expect(await refund.resolve(SUCCEEDED)).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(script.calls('resolveLeg').map(({ legId }) => legId)).toEqual(['leg_2', 'leg_1']);
    });
  });
});

describe('resolveRefund at other times', () => {
  it('should be refused without a case (O2)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await expect(refund.resolve(FAILED)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'no_open_case', view: { statusDetail: 'verifying' } });
      expect(script.calls('resolveLeg')).toEqual([]);
    });
  });

  it('should be refused while nothing was sent, though a case is open: it can be called off (O2, R4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([false])).on('takeTurn', { hasTurn: false, holder: null });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      const begun = refund.begin();
      await eventually(async () => timerDueMs(await refund.events(), 10));
      await stage.skipTo((await stage.env.currentTimeMs()) + 10_000 * 2 ** ROUNDS_BEFORE_CASE);
      await begun;
      await eventually(async () => expect(await refund.view()).toMatchObject({ status: 'pending', needsAttention: true }));
      await expect(refund.resolve(FAILED)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'not_awaited', view: { status: 'pending' } });
      expect(script.calls('resolveLeg')).toEqual([]);
      expect(await refund.cancel()).toMatchObject({ status: 'cancelled', needsAttention: false });
    });
  });

  it('should end a verification that gets no answer, and a refused word should not lengthen the pause (O2, S7)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('resolveLeg', { kind: 'refused', why: 'other_amount' }, SETTLED);
    script.on('findRefund', () => {
      throw ApplicationFailure.nonRetryable('the provider does not answer');
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      // Pauses of 60, 32, 64, 128 and 256 seconds lie before the fifth look.
      await stage.skipTo((await stage.env.currentTimeMs()) + 545_000);
      const dueMs = await eventually(async () => timerDueMs(await refund.events(), 512));
      expect(script.calls('openCase')).toMatchObject([{ kind: 'unreadable_answer', legId: 'leg_1' }]);
      await stage.skipTo(dueMs - 100_000);
      await expect(refund.resolve(SUCCEEDED)).rejects.toMatchObject({ why: 'other_amount' });
      const left = secondsOfTimers(await refund.events()).at(-1);
      expect(left).toBeGreaterThan(90);
      expect(left).toBeLessThanOrEqual(100);
      await stage.skipTo(dueMs + 1000);
      await eventually(() => expect(script.calls('findRefund')).toHaveLength(6));
      await eventually(async () => expect(await refund.resolve(SUCCEEDED)).toMatchObject({ status: 'refunded', needsAttention: false }));
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });
});
