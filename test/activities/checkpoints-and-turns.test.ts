import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RefundRequest, WorkflowRef } from '../../activities/contracts.ts';
import type { RefundPolicy } from '../../src/domain/checkpoint.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { Database } from '../../src/store/database.ts';
import { findKey } from '../../src/store/idempotency.ts';
import { saveRefundPolicy } from '../../src/store/merchants.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { refundOperation } from '../../src/store/refunds/reserve.ts';
import { history, holds } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { LOST_BEFORE } from '../support/fake-provider.ts';
import { openScene, type Scene } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const FAR_OFF = '2999-01-01T00:00:00.000Z';

function requestOf({ merchantId }: Scene, refundId: string, over: Partial<RefundRequest> = {}): RefundRequest & WorkflowRef {
  return {
    workflowId: `refund:${refundId}`, runId: 'run_1', merchantId, orderId: 'ord_1', refundId, chargeId: 'chg_1', amountMinor: 4_000,
    idempotencyKey: `key-${refundId}`, fingerprint: `f-${refundId}`, requestedBy: 'key_test', ...over,
  };
}

function legOf(request: RefundRequest & WorkflowRef) {
  const { workflowId, runId, merchantId, refundId } = request;
  return { workflowId, runId, merchantId, refundId, legId: `${refundId}:chg_1` };
}

async function policyScene(policy: Partial<RefundPolicy>): Promise<Scene> {
  const scene = await openScene(db);
  await saveRefundPolicy(db, scene.merchantId, policy);
  return scene;
}

async function reserved(scene: Scene, refundId: string, over: Partial<RefundRequest> = {}): Promise<RefundRequest & WorkflowRef> {
  const request = requestOf(scene, refundId, over);
  expect(await scene.refunds.reserveRefund(request)).toMatchObject({ kind: 'reserved' });
  return request;
}

/** Nothing of the refund, its key or its hold is on record. */
async function expectNoTrace({ merchantId }: Scene, request: RefundRequest): Promise<void> {
  expect(await readRefund(db, merchantId, request.refundId)).toBeNull();
  expect(await findKey(db, merchantId, refundOperation('ord_1'), request.idempotencyKey)).toBeNull();
  expect(await holds(db, { merchantId, orderId: 'ord_1' })).toEqual([{ held: 0, ofLegs: 0 }]);
  expect(await history(db, merchantId, request.refundId)).toEqual([]);
}

const ALL: Partial<RefundPolicy> = { reviewThresholdMinor: 4_000, reviewExpiryMs: 1, requirePayerConfirmation: true, payerConfirmationExpiryMs: 2, cancellationWindowMs: 3 };

describe('reserveRefund with checkpoints', () => {
  it.each<readonly [string, Partial<RefundPolicy>, Partial<RefundRequest>, readonly object[]]>([
    ['nothing is demanded', {}, {}, []],
    ['the policy demands all', ALL, {}, [{ kind: 'validate', expiresAfterMs: 2 }, { kind: 'review', expiresAfterMs: 1 }, { kind: 'deferred', executeAt: null, windowMs: 3 }]],
    ['the amount is below the threshold', { reviewThresholdMinor: 4_001 }, {}, []],
    ['the request demands a review', {}, { requireReview: true }, [{ kind: 'review', expiresAfterMs: 259_200_000 }]],
    ['the request demands the payer', {}, { requirePayerConfirmation: true }, [{ kind: 'validate', expiresAfterMs: 259_200_000 }]],
    ['the request names a time', {}, { executeAt: FAR_OFF }, [{ kind: 'deferred', executeAt: FAR_OFF, windowMs: 0 }]],
    ['the request names a time that is past', {}, { executeAt: '2020-01-01T00:00:00Z' }, []],
    ['the request demands less than the policy', ALL, { requireReview: false, requirePayerConfirmation: false, cancellationWindowSeconds: 0 },
      [{ kind: 'validate', expiresAfterMs: 2 }, { kind: 'review', expiresAfterMs: 1 }, { kind: 'deferred', executeAt: null, windowMs: 3 }]],
    ['the request demands a longer window', ALL, { cancellationWindowSeconds: 5 }, [{ kind: 'validate', expiresAfterMs: 2 }, { kind: 'review', expiresAfterMs: 1 }, { kind: 'deferred', executeAt: null, windowMs: 5_000 }]],
  ])('should answer the stops that are ahead, hold the amount, and take a place in line only without any: %s (R3, R5, S5)', async (_, policy, demands, checkpoints) => {
    const scene = await policyScene(policy);
    const request = requestOf(scene, 'r', demands);
    const answer = await scene.refunds.reserveRefund(request);
    expect(answer).toMatchObject({ kind: 'reserved', ...(checkpoints.length === 0 ? {} : { checkpoints }), legs: [{ chargeId: 'chg_1', hasTurn: checkpoints.length === 0 }] });
    expect('checkpoints' in answer).toBe(checkpoints.length > 0);
    expect(await scene.refunds.reserveRefund(request)).toEqual(answer);
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 4_000, ofLegs: 4_000 }]);
  });

  it('should judge a total refund by what it came to (R3, M5)', async () => {
    const scene = await policyScene({ reviewThresholdMinor: 10_000 });
    const { amountMinor: _, ...total } = requestOf(scene, 'r');
    expect(await scene.refunds.reserveRefund(total)).toMatchObject({ kind: 'reserved', amountMinor: 10_000, checkpoints: [{ kind: 'review' }] });
  });

  it('should keep the checkpoints of a refund on record when the policy changes, and answer those still ahead (R3, R5)', async () => {
    const scene = await policyScene(ALL);
    const request = await reserved(scene, 'r');
    await saveRefundPolicy(db, scene.merchantId, { reviewThresholdMinor: null, requirePayerConfirmation: false, cancellationWindowMs: 0 });
    const ahead = async (): Promise<readonly string[]> => {
      const answer = await scene.refunds.reserveRefund(request);
      return answer.kind === 'reserved' ? (answer.checkpoints ?? []).map(({ kind }) => kind) : [answer.kind];
    };
    expect(await ahead()).toEqual(['validate', 'review', 'deferred']);
    await scene.refunds.enterCheckpoint({ ...request, checkpoint: 'validate' });
    expect(await ahead()).toEqual(['validate', 'review', 'deferred']);
    await scene.refunds.passCheckpoint({ ...request, checkpoint: 'validate', actor: 'payer', reason: 'confirmed' });
    expect(await ahead()).toEqual(['review', 'deferred']);
    await scene.refunds.enterCheckpoint({ ...request, checkpoint: 'deferred' });
    expect(await ahead()).toEqual(['deferred']);
  });

  it('should let another refund of the charge go first while one waits for a person (S5)', async () => {
    const scene = await openScene(db);
    const waiting = await reserved(scene, 'waiting', { requireReview: true });
    const next = await reserved(scene, 'next');
    expect(await scene.refunds.submitRefund({ ...legOf(next), sendNumber: 1 })).toMatchObject({ kind: 'accepted' });
    expect(await scene.refunds.takeTurn(legOf(waiting))).toEqual({ hasTurn: true, holder: null });
    expect(await scene.refunds.submitRefund({ ...legOf(waiting), sendNumber: 1 })).toMatchObject({ kind: 'accepted' });
  });
});

describe('reserveRefund with a demand that cannot be read', () => {
  const UNREADABLE: readonly (readonly [string, Partial<RefundRequest>])[] = [
    ['a time', { executeAt: 'mañana' }], ['a negative window', { cancellationWindowSeconds: -1 }], ['a window in fractions', { cancellationWindowSeconds: 0.5 }],
  ];

  it.each(UNREADABLE)('should fail for good and leave nothing on record: %s (R5)', async (_, demands) => {
    const scene = await openScene(db);
    const request = requestOf(scene, 'r', demands);
    await expect(scene.refunds.reserveRefund(request)).rejects.toMatchObject({ type: 'UnreadableDemandError', nonRetryable: true });
    await expectNoTrace(scene, request);
    expect(scene.provider.calls.getOrder).toBe(0);
  });

  it.each(UNREADABLE)('should do the same when the provider does not show the order: %s (R5, I3)', async (_, demands) => {
    const scene = await openScene(db);
    const request = requestOf(scene, 'r', { ...demands, amountMinor: 10_001 });
    scene.provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'timeout'); });
    await expect(scene.refunds.reserveRefund(request)).rejects.toMatchObject({ type: 'UnreadableDemandError', nonRetryable: true });
    await expectNoTrace(scene, request);
  });
});

describe('takeTurn of a leg that must wait', () => {
  it('should name the holder, and what its Workflow was started with, so that it can be started again as the same refund (S5, R8, R11)', async () => {
    const scene = await openScene(db);
    const first = await reserved(scene, 'first', { reason: 'requested_by_client' });
    const second = await reserved(scene, 'second', { amountMinor: 100 });
    const { holder } = await scene.refunds.takeTurn(legOf(second));
    const { workflowId, runId: _, ...asked } = first;
    const request = { ...asked, provider: 'acme' };
    expect(holder).toEqual({ workflowId, refundId: 'first', legId: 'first:chg_1', wasSent: false, request });
    expect(await scene.refunds.reserveRefund({ ...request, workflowId, runId: 'run_2', ...holder?.request })).toMatchObject({
      kind: 'reserved', legs: [{ chargeId: 'chg_1', amountMinor: 4_000, hasTurn: true }],
    });
  });

  it('should name a total refund by its ids, key and fingerprint: the same reservation answers, of all its charges (S5, R8)', async () => {
    const scene = await openScene(db, [{ chargeId: 'chg_1', amountMinor: 10_000 }, { chargeId: 'chg_2', amountMinor: 5_000 }]);
    const { chargeId: _, amountMinor: __, ...total } = requestOf(scene, 'total');
    const standing = await scene.refunds.reserveRefund(total);
    await db.updateTable('charges').set({ captured_minor: 20_000 }).where('merchant_id', '=', scene.merchantId).where('charge_id', '=', 'chg_1').execute();
    const waiting = await reserved(scene, 'waiting');
    const { holder } = await scene.refunds.takeTurn(legOf(waiting));
    expect(holder?.request).toMatchObject({ merchantId: scene.merchantId, refundId: 'total', orderId: 'ord_1', idempotencyKey: 'key-total', fingerprint: 'f-total', requestedBy: 'key_test' });
    expect(holder?.request).not.toHaveProperty('chargeId');
    expect(await scene.refunds.reserveRefund({ ...total, ...holder?.request })).toEqual(standing);
  });

  it('should say that the holder was sent, from its permit on (S5)', async () => {
    const scene = await openScene(db);
    const first = await reserved(scene, 'first');
    const second = await reserved(scene, 'second', { amountMinor: 100 });
    scene.provider.refundScripts.push(LOST_BEFORE);
    await scene.refunds.submitRefund({ ...legOf(first), sendNumber: 1 });
    expect(await scene.refunds.takeTurn(legOf(second))).toMatchObject({ hasTurn: false, holder: { refundId: 'first', wasSent: true } });
    expect(await scene.refunds.loseTurn(legOf(first))).toEqual({ nextTurn: null });
    expect(await scene.refunds.takeTurn(legOf(second))).toMatchObject({ hasTurn: false });
  });

  it('should have the turn after the holder, never sent, lost it, and let that one queue again (S5)', async () => {
    const scene = await openScene(db);
    const first = await reserved(scene, 'first');
    const second = await reserved(scene, 'second', { amountMinor: 100 });
    expect(await scene.refunds.loseTurn(legOf(first))).toEqual({ nextTurn: { workflowId: 'refund:second', legId: 'second:chg_1' } });
    expect(await scene.refunds.takeTurn(legOf(second))).toEqual({ hasTurn: true, holder: null });
    expect(await scene.refunds.takeTurn(legOf(first))).toMatchObject({ hasTurn: false, holder: { refundId: 'second' } });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 4_100, ofLegs: 4_100 }]);
    await scene.refunds.submitRefund({ ...legOf(second), sendNumber: 1 });
    expect(await scene.refunds.takeTurn(legOf(first))).toEqual({ hasTurn: true, holder: null });
  });
});
