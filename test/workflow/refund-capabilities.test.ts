import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Environment } from './environments.ts';
import { timeSkippingServer } from './environments.ts';
import { eventually } from './eventually.ts';
import { countOf, needsAttentionUpserts, scheduledActivities, secondsOfTimers } from './read-history.ts';
import { ACCEPTED, DECLINED, PROTOCOL, reserved } from './refund-samples.ts';
import { scriptActivities } from './scripted-activities.ts';
import { onStage } from './stage.ts';

const DAY_MS = 24 * 3_600_000;
const KEY = { ...PROTOCOL, idempotency: 'key' } as const;
const NONE = { ...PROTOCOL, idempotency: 'none' } as const;
const UNKNOWN = { kind: 'unknown' } as const;
let server: Environment;

beforeAll(async () => {
  server = await timeSkippingServer();
});
afterAll(() => server.close());

describe('refundWorkflow, a provider that honours our key', () => {
  it('should send again with growing pauses and never look (S3)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], KEY)).on('submitRefund', UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ kind: 'answered', view: { status: 'in_process' } });
      expect(await refund.wait()).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(secondsOfTimers(await refund.events())).toEqual([1, 2, 4, 8, 16]);
      expect(scheduledActivities(await refund.events())).toEqual(Array.from({ length: 6 }, () => 'submitRefund'));
      expect(script.calls('submitRefund').map(({ sendNumber }) => sendNumber)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(script.calls('openCase')).toEqual([]);
    });
  });

  it('should tell a human after twelve lost answers, once, and go on sending (S3, O1)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], KEY)).on('submitRefund', ...Array.from({ length: 14 }, () => UNKNOWN), ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      // Eleven pauses of 1, 2, 4 … seconds lie before the twelfth send.
      await stage.skipTo((await stage.env.currentTimeMs()) + 1000 * 2 ** 11 - 60_000);
      expect(script.calls('openCase')).toEqual([]);
      await stage.skipTo((await stage.env.currentTimeMs()) + 120_000);
      await eventually(() => expect(script.calls('openCase')).toMatchObject([{ kind: 'outcome_unknown', refundId: refund.id, legId: 'leg_1' }]));
      await eventually(async () => expect(await refund.view()).toMatchObject({ status: 'in_process', needsAttention: true }));
      expect(await refund.wait()).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(script.calls('openCase')).toHaveLength(1);
      expect(script.calls('submitRefund')).toHaveLength(15);
      expect(script.calls('findRefund')).toEqual([]);
      expect(needsAttentionUpserts(await refund.events())).toEqual([false, true, false]);
    });
  });

  it('should believe the refusal of a repeated send: the key tells the provider what it is about (S3)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], KEY)).on('submitRefund', UNKNOWN, DECLINED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'rejected', statusDetail: 'conekta.errors.refused' });
      expect(script.calls('findRefund')).toEqual([]);
    });
  });

  it('should be sent again at once when an operator asks for that (O2, S3)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], KEY)).on('submitRefund', { kind: 'not_sent', retryAfterMs: 3_600_000 }, UNKNOWN, ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await refund.retry();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(countOf(await refund.events(), 'timerCanceled')).toBe(1);
    });
  });
});

describe('refundWorkflow, a provider that cannot be asked', () => {
  it('should put a lost answer before a human at once, and send nothing more, ever (S6)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], NONE)).on('submitRefund', UNKNOWN);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      expect(await refund.begin()).toMatchObject({ view: { status: 'in_process', statusDetail: 'needs_attention', needsAttention: true } });
      expect(script.calls('openCase')).toMatchObject([{ kind: 'outcome_unknown', legId: 'leg_1' }]);
      await stage.skipTo((await stage.env.currentTimeMs()) + 30 * DAY_MS);
      expect(script.calls('submitRefund')).toHaveLength(1);
      expect(script.calls('findRefund')).toEqual([]);
      expect(countOf(await refund.events(), 'timerStarted')).toBe(0);
    });
  });

  it('should count an Activity that failed as a lost answer, too (S4, S6)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], NONE)).on('submitRefund', () => {
      throw new Error('the worker lost the answer');
    });
    await onStage(server.env, script, async (stage) => {
      expect(await stage.refund().begin()).toMatchObject({ view: { statusDetail: 'needs_attention' } });
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });

  it('should send again what was surely not sent (S4, S6)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], NONE)).on('submitRefund', { kind: 'not_sent', retryAfterMs: 30_000 }, ACCEPTED);
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(secondsOfTimers(await refund.events())).toEqual([30]);
      expect(script.calls('openCase')).toEqual([]);
    });
  });

  it('should be refused a retry, and end by the word of a human alone (O2, S6)', async () => {
    const script = scriptActivities().on('reserveRefund', reserved([true], NONE)).on('submitRefund', UNKNOWN);
    script.on('resolveLeg', { kind: 'settled', refundStatus: 'refunded', statusDetail: 'complete', legStatus: 'succeeded', nextTurn: null });
    await onStage(server.env, script, async (stage) => {
      const refund = stage.refund();
      await refund.begin();
      await expect(refund.retry()).rejects.toMatchObject({ name: 'ActRefusedError', why: 'not_awaited', view: { statusDetail: 'needs_attention' } });
      expect(script.calls('recordAct')).toEqual([]);
      expect(await refund.resolve({ actor: 'op_1', reason: 'seen on the statement', outcome: 'succeeded', providerRefundId: 're_1' })).toMatchObject({ status: 'refunded', needsAttention: false });
      expect(await refund.wait()).toMatchObject({ status: 'refunded' });
      expect(script.calls('submitRefund')).toHaveLength(1);
    });
  });
});
