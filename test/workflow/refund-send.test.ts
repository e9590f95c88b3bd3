import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { countOf, needsAttentionUpserts, scheduledActivities, secondsOfTimers } from './read-history.ts';
import { ACCEPTED, DECLINED, FOUND, PROTOCOL, reserved } from './refund-samples.ts';
import { latch, scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('refundWorkflow, one leg', () => {
  it('should send once and answer with the outcome (R10, S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'refunded', statusDetail: 'complete', amountMinor: 5000, currency: 'MXN', refusal: null } });
      expect(script.calls('submitRefund')).toMatchObject([{ legId: 'leg_1', sendNumber: 1, refundId: refund.id, workflowId: refund.workflowId }]);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
    });
  });

  it('should send nothing when the request is refused (R1)', async () => {
    const script = scriptActivities().on('reserveRefund', { kind: 'refused', refusal: 'order_not_returnable' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'rejected', statusDetail: 'order_not_returnable', refusal: 'order_not_returnable' } });
      expect(scheduledActivities(await refund.events())).toEqual([]);
      expect(script.calls('submitRefund')).toEqual([]);
    });
  });

  it('should be rejected with the reason when the provider declines (R2)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', DECLINED);
    await onStage(server.env, script, async (stage) => {
      expect(await stage.refund().begin()).toMatchObject({ view: { status: 'rejected', statusDetail: 'conekta.errors.refused', refusal: null } });
    });
  });

  it('should send nothing for a refund that the records know as concluded (R8)', async () => {
    const script = scriptActivities().on('reserveRefund', ({ fingerprint }) => ({ kind: 'concluded', status: 'refunded', statusDetail: 'partial', fingerprint }));
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'refunded', statusDetail: 'partial' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('submitRefund')).toEqual([]);
    });
  });

  it('should not take a concluded refund for the answer to another request under its key (R8)', async () => {
    const script = scriptActivities().on('reserveRefund', { kind: 'concluded', status: 'refunded', statusDetail: 'complete', fingerprint: 'of-the-recorded-request' });
    await onStage(server.env, script, async (stage) => {
      await expect(stage.refund().begin()).rejects.toMatchObject({ name: 'KeyReusedError' });
    });
  });

  it('should find the one Workflow by a repeated request, and refuse another one under the same key (R8, R11)', async () => {
    const sending = latch();
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', async () => {
      await sending.opened;
      return ACCEPTED;
    });
    await onStage(server.env, script, async (stage) => {
      const answers = Promise.all([1, 2, 3].map(() => stage.refund({ idempotencyKey: 'the-same' }).begin()));
      await eventually(() => expect(script.calls('submitRefund')).toHaveLength(1));
      const other = stage.refund({ idempotencyKey: 'the-same', amountMinor: 1 }).begin().catch((error: unknown) => error);
      sending.open();
      expect(await answers).toMatchObject([1, 2, 3].map(() => ({ view: { status: 'refunded' } })));
      expect(await other).toMatchObject({ name: 'KeyReusedError' });
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });
});

describe('refundWorkflow, a lost answer', () => {
  it('should answer at once, wait the settle delay in a timer, and believe the look (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('findRefund', FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'in_process', statusDetail: 'verifying' } });
      expect(script.calls('findRefund')).toEqual([]);
      const [timer] = (await refund.events()).flatMap((event) => event.timerStartedEventAttributes ?? []);
      expect(Number(timer?.startToFireTimeout?.seconds)).toBe(PROTOCOL.settleDelayMs / 1000);
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('findRefund')).toMatchObject([{ sendNumber: 1 }]);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should send again only after a look that found nothing (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }, ACCEPTED).on('findRefund', { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(scheduledActivities(await refund.events())).toEqual(['submitRefund', 'findRefund', 'submitRefund']);
      expect(script.calls('submitRefund').map(({ sendNumber }) => sendNumber)).toEqual([1, 2]);
    });
  });

  it('should open a case after the last send and send no more (S4, O1)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('findRefund', { kind: 'absent' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      // The caller was answered long before: it did not wait for any of the settle delays.
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'in_process', statusDetail: 'verifying' } });
      await stage.skipTo((await stage.env.currentTimeMs()) + 24 * 3_600_000);
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'outcome_unknown', refundId: refund.id, legId: 'leg_1' }]));
      await eventually(async () => expect(await refund.view()).toMatchObject({ status: 'in_process', statusDetail: 'needs_attention', needsAttention: true }));
      expect(script.calls('submitRefund')).toHaveLength(PROTOCOL.maxSends);
      await expect(refund.cancel()).rejects.toMatchObject({ name: 'NotCancellableError', view: { statusDetail: 'needs_attention' } });
    });
  });

  it('should open a case at once for a provider that cannot be asked (S6)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], { ...PROTOCOL, idempotency: 'none' })).on('submitRefund', { kind: 'unknown' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { statusDetail: 'needs_attention', needsAttention: true } });
      expect(script.calls('openCase')).toHaveLength(1);
      expect(countOf(await refund.events(), 'timerStarted')).toBe(0);
    });
  });

  it('should count an Activity that failed as unknown (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('findRefund', FOUND);
    script.on('submitRefund', () => {
      throw ApplicationFailure.create({ message: 'the database failed after the call' });
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { statusDetail: 'verifying' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(scheduledActivities(await refund.events())).toEqual(['submitRefund', 'findRefund']);
    });
  });

  it('should send nothing while looks stay unanswered, tell a human once, and go on by itself when they are answered (S4, S7, O1)', async () => {
    let answers = false;
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' });
    script.on('findRefund', () => {
      if (!answers) throw ApplicationFailure.create({ message: 'the provider does not answer' });
      return FOUND;
    });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { statusDetail: 'verifying' } });
      await stage.skipTo((await stage.env.currentTimeMs()) + 3 * 3_600_000);
      expect(script.calls('openCase')).toMatchObject([{ kind: 'unreadable_answer', refundId: refund.id, legId: 'leg_1' }]);
      expect(await refund.view()).toMatchObject({ status: 'in_process', statusDetail: 'needs_attention', needsAttention: true });
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true]);
      const pauses = secondsOfTimers(await refund.events());
      expect(pauses.slice(0, 7)).toEqual([60, 32, 64, 128, 256, 512, 1024]);
      expect(script.calls('submitRefund')).toHaveLength(1);
      answers = true;
      expect(await refund.wait()).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should look again later when the lost Activity may still be calling, and count nothing (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved()).on('submitRefund', { kind: 'unknown' }).on('findRefund', { kind: 'too_early', waitMs: 30_000 }, FOUND);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      const seconds = secondsOfTimers(await refund.events());
      expect(seconds).toEqual([60, 30]);
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should not count a send that never left as one of the allowed (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], { ...PROTOCOL, maxSends: 1 }));
    script.on('submitRefund', { kind: 'unknown' }, ACCEPTED).on('findRefund', { kind: 'never_sent' });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(script.calls('openCase')).toEqual([]);
    });
  });
});

describe('refundWorkflow, a provider that takes nothing', () => {
  it('should wait as the provider asks, answer meanwhile, and send again (S4)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved());
    script.on('submitRefund', { kind: 'not_sent', retryAfterMs: 90_000 }, { kind: 'not_sent', retryAfterMs: null }, ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'in_process' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      const pauses = secondsOfTimers(await refund.events());
      expect(pauses).toEqual([90, 2]);
      expect(script.calls('findRefund')).toEqual([]);
    });
  });

  it('should tell a human after about half an hour and go on trying (O1)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved());
    const refusals = Array.from({ length: 13 }, () => ({ kind: 'not_sent', retryAfterMs: null }) as const);
    script.on('submitRefund', ...refusals, ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('openCase')).toMatchObject([{ kind: 'waited_too_long', legId: 'leg_1' }]);
      expect(await refund.view()).toMatchObject({ needsAttention: false });
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
      expect(script.calls('submitRefund')).toHaveLength(14);
    });
  });
});
