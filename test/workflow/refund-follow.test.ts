import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FOLLOWS_BEFORE_CASE } from '../../workflows/backoff.ts';
import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { detailsOf } from './read-details.ts';
import { countOf, needsAttentionUpserts, scheduledActivities, secondsOfTimers } from './read-history.ts';
import { AUTHORIZED, FOLLOWED, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const DAY_MS = 24 * 3_600_000;
/** All looks before the case: 10 seconds doubled, up to six hours. */
const PAUSES = [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 21_600, 21_600, 21_600, 21_600];
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

function authorized() {
  return scriptActivities().on('reserveRefund', reserved()).on('submitRefund', AUTHORIZED);
}

describe('refundWorkflow, a refund that the provider accepted', () => {
  it('should answer its callers while it waits, and look at once on word from the provider (R6, R10)', async () => {
    const script = authorized().on('followRefund', FOLLOWED.approved, FOLLOWED.refunded);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'authorized', statusDetail: 'accepted_by_provider' } });
      expect(await detailsOf(refund)).toMatch(/authorized \(accepted_by_provider\)[^]*Waits for: the provider to execute the refund/);
      expect(script.calls('followRefund')).toEqual([]);
      await refund.tell('evt_1');
      await eventually(async () => expect(await refund.view()).toMatchObject({ status: 'approved', statusDetail: 'executed_by_provider' }));
      expect(await refund.begin()).toMatchObject({ view: { status: 'approved' } });
      await expect(refund.cancel()).rejects.toMatchObject({ name: 'NotCancellableError', view: { status: 'approved' } });
      await refund.tell('evt_2');
      expect(await refund.wait()).toMatchObject({ status: 'refunded', statusDetail: 'complete' });
      expect(script.calls('followRefund')).toMatchObject([{ legId: 'leg_1', refundId: refund.id }, { legId: 'leg_1' }]);
      expect(countOf(await refund.events(), 'timerFired')).toBe(0);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should ask with growing pauses when no word comes, and as eagerly as at first after a step forward (R6)', async () => {
    const script = authorized().on('followRefund', FOLLOWED.authorized, { kind: 'not_shown' }, FOLLOWED.approved, FOLLOWED.approved, FOLLOWED.refunded);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(secondsOfTimers(await refund.events())).toEqual([10, 20, 40, 10, 20]);
      expect(scheduledActivities(await refund.events())).toEqual(['submitRefund', ...Array.from({ length: 5 }, () => 'followRefund')]);
      expect(script.calls('openCase')).toEqual([]);
    });
  });

  it('should be rejected when the provider fails it after all (R6)', async () => {
    const next = { workflowId: 'refund:mer_1:rfd_next', legId: 'leg_9' };
    const script = authorized().on('followRefund', { ...FOLLOWED.rejected, nextTurn: next });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'rejected', statusDetail: 'failed_at_provider', refusal: null });
      expect(countOf(await refund.events(), 'signalExternalWorkflowExecutionInitiated')).toBe(1);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should be followed just so when a look after a lost answer finds it accepted (R6, S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('findRefund', { ...AUTHORIZED, kind: 'found' }).on('followRefund', FOLLOWED.refunded);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(secondsOfTimers(await refund.events())).toEqual([60, 10]);
    });
  });

  it('should not lose the word that comes while it looks (R6)', async () => {
    const looking = latch();
    const script = authorized().on('followRefund', async () => {
      await looking.opened;
      return FOLLOWED.approved;
    }, FOLLOWED.refunded);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.tell('evt_1');
      await eventually(() => expect(script.calls('followRefund')).toHaveLength(1));
      await refund.tell('evt_2');
      await eventually(async () => expect(countOf(await refund.events(), 'workflowExecutionSignaled')).toBe(2));
      looking.open();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(countOf(await refund.events(), 'timerFired')).toBe(0);
    });
  });

  it('should look at once when an operator wants that (O2)', async () => {
    const script = authorized().on('followRefund', FOLLOWED.refunded);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.retry({ actor: 'op_1', reason: 'they say it is done' });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('recordAct')).toMatchObject([{ actor: 'op_1', act: 'retried' }]);
    });
  });
});

describe('refundWorkflow, an accepted refund that stays unfinished', () => {
  it.each([
    { says: 'nothing', answer: { kind: 'not_shown' } as const }, { says: 'what it said before', answer: FOLLOWED.authorized },
  ])('should tell a human once when the provider says $says for a day and a half, and take his word (R6, O1, O2)', async ({ answer }) => {
    const script = authorized().on('followRefund', answer).on('resolveLeg', { ...FOLLOWED.refunded, kind: 'settled' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await expect(refund.resolve({ actor: 'op_1', reason: 'credited', outcome: 'succeeded', providerRefundId: 're_1' })).rejects.toMatchObject({ why: 'no_open_case' });
      await stage.skipTo((await stage.env.currentTimeMs()) + 3 * DAY_MS);
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'waited_too_long', legId: 'leg_1', refundId: refund.id }]));
      await eventually(async () => expect(await refund.view()).toMatchObject({ status: 'authorized', needsAttention: true }));
      expect(secondsOfTimers(await refund.events()).slice(0, FOLLOWS_BEFORE_CASE)).toEqual(PAUSES);
      expect(await detailsOf(refund)).toMatch(/authorized[^]*Waits for: the provider to execute[^]*an operator/);
      await eventually(async () => expect(await refund.resolve({ actor: 'op_1', reason: 'credited', outcome: 'succeeded', providerRefundId: 're_1' })).toMatchObject({ status: 'refunded', needsAttention: false }));
      expect(script.calls('openCase')).toHaveLength(1);
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
    });
  });

  it('should ask on when the provider is silent (R6, S7)', async () => {
    let answers = false;
    const script = authorized().on('followRefund', () => {
      if (!answers) throw ApplicationFailure.nonRetryable('the provider does not answer');
      return FOLLOWED.refunded;
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await stage.skipTo((await stage.env.currentTimeMs()) + 3_600_000);
      expect(await refund.view()).toMatchObject({ status: 'authorized' });
      expect(script.calls('followRefund').length).toBeGreaterThan(5);
      answers = true;
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });
});

describe('refundWorkflow, accepted legs of a split order', () => {
  it('should say what both legs make of it when one is refused, and end in part (R2, R6)', async () => {
    const bothSent = latch();
    const script = scriptActivities().on('reserveRefund', reserved([true, true])).on('followRefund', { ...FOLLOWED.refunded, statusDetail: 'partial' });
    script.on('submitRefund', async ({ legId }) => {
      if (script.calls('submitRefund').length === 2) bothSent.open();
      await bothSent.opened;
      return legId === 'leg_1' ? { ...AUTHORIZED, refundStatus: 'in_process', statusDetail: 'sent' } : { ...AUTHORIZED, kind: 'declined', legStatus: 'refused' };
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'authorized', amountMinor: 10_000 } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded', statusDetail: 'partial' });
      expect(script.calls('followRefund')).toMatchObject([{ legId: 'leg_1' }]);
    });
  });

  it('should look at both legs on one word (R2, R6)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true, true])).on('submitRefund', { ...AUTHORIZED, refundStatus: 'in_process', statusDetail: 'sent' }, AUTHORIZED);
    const done = new Set<string>();
    script.on('followRefund', ({ legId }) => {
      done.add(legId);
      return done.size === 2 ? FOLLOWED.refunded : { ...FOLLOWED.refunded, refundStatus: 'authorized', statusDetail: 'accepted_by_provider' };
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'authorized' } });
      await refund.tell('evt_1');
      expect(await refund.wait()).toMatchObject({ status: 'refunded', statusDetail: 'complete' });
      expect(script.calls('followRefund').map(({ legId }) => legId).toSorted()).toEqual(['leg_1', 'leg_2']);
      expect(countOf(await refund.events(), 'timerFired')).toBe(0);
    });
  });
});
