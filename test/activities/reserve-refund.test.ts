import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RefundRequest, WorkflowRef } from '../../activities/contracts.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { Database } from '../../src/store/database.ts';
import { findKey } from '../../src/store/idempotency.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { refundOperation } from '../../src/store/refunds/reserve.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { memoryDatabase } from '../support/database.ts';
import { history, holds } from '../store/refund-records.ts';
import { openScene, payoutRequest, reserveLeg, type Scene } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

function unreachable(): never {
  throw new ProviderError('unknown', 'timeout', { retryAfterMs: 3000 });
}

function requestOf({ merchantId }: Scene, refundId: string, over: Partial<RefundRequest> = {}): RefundRequest & WorkflowRef {
  return { workflowId: `refund:${refundId}`, runId: 'r', merchantId, orderId: 'ord_1', refundId, idempotencyKey: refundId, fingerprint: 'f', requestedBy: 'key', ...over };
}

/** A merchant whose copy of the order allows nothing: every request is judged by a new reading. */
async function sceneWithOldCopy(): Promise<Scene> {
  const scene = await openScene(db);
  await sql`update charges set paid = false where merchant_id = ${scene.merchantId}`.execute(db);
  return scene;
}

/** A refund of this amount whose order the provider would not show. */
async function unreadable(amountMinor?: number): Promise<{ readonly scene: Scene; readonly request: RefundRequest & WorkflowRef }> {
  const scene = await sceneWithOldCopy();
  const request = requestOf(scene, 'a', amountMinor === undefined ? {} : { amountMinor });
  scene.provider.before.getOrder.push(unreachable);
  expect(await scene.refunds.reserveRefund(request)).toEqual({ kind: 'not_yet', retryAfterMs: 3000 });
  return { scene, request };
}

async function steps({ merchantId }: Scene): Promise<readonly (readonly string[])[]> {
  return (await history(db, merchantId, 'a')).map((step) => [step.to, step.detail, ...step.events]);
}

const ACCEPTED = ['pending', 'order_unreadable', 'refund.pending'];

describe('reserveRefund', () => {
  it('should look at the provider before a refusal is final: the order on record may be old (R1)', async () => {
    const scene = await sceneWithOldCopy();
    expect(await scene.refunds.reserveRefund(requestOf(scene, 'a', { amountMinor: 6_000 }))).toEqual({
      kind: 'reserved', provider: 'acme', currency: 'MXN', amountMinor: 6_000, legs: [{ chargeId: 'chg_1', amountMinor: 6_000, hasTurn: true }],
      protocol: { idempotency: 'balance', settleDelayMs: 1000, maxSends: 3 },
    });
    expect(await scene.refunds.reserveRefund(requestOf(scene, 'b', { amountMinor: 6_000 }))).toEqual({ kind: 'refused', refusal: 'amount_exceeds_remaining', fingerprint: 'f' });
    expect(scene.provider.calls.getOrder).toBe(2);
  });

  it('should refuse an order that the provider does not know (R1)', async () => {
    const scene = await openScene(db);
    scene.provider.before.getOrder.push(() => { throw new ProviderError('not_found', 'no such order'); });
    expect(await scene.refunds.reserveRefund(requestOf(scene, 'a', { orderId: 'ord_2' }))).toEqual({ kind: 'refused', refusal: 'order_not_found', fingerprint: 'f' });
    expect(await readRefund(db, scene.merchantId, 'a')).toMatchObject({ status: 'rejected', statusDetail: 'order_not_found' });
  });

  it('should fail for good for a merchant that does not exist, and wait for a provider that is not configured', async () => {
    const scene = await openScene(db);
    await expect(scene.refunds.reserveRefund(requestOf(scene, 'a', { merchantId: 'mer_nobody' }))).rejects.toMatchObject({ type: 'UnknownMerchantError', nonRetryable: true });
    await db.updateTable('merchants').set({ provider: 'other' }).where('merchant_id', '=', scene.merchantId).execute();
    expect(await scene.refunds.reserveRefund(requestOf(scene, 'a'))).toEqual({ kind: 'not_yet', retryAfterMs: null });
  });

  it('should say that a leg was sent before, so that a Workflow that starts anew does not offer to cancel it (R4)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'a', 4_000);
    const again = requestOf(scene, 'a', { chargeId: 'chg_1', amountMinor: 4_000 });
    expect(await scene.refunds.reserveRefund(again)).not.toHaveProperty('alreadySent');
    scene.provider.refundScripts.push(() => { throw new ProviderError('unknown', 'timeout'); });
    await scene.refunds.submitRefund(input);
    expect(await scene.refunds.reserveRefund(again)).toMatchObject({ kind: 'reserved', alreadySent: true, legs: [{ chargeId: 'chg_1', hasTurn: true, lastSend: 1 }] });
  });

  it('should answer the recorded fingerprint to another body under the key of a refund that is over (R8)', async () => {
    const scene = await openScene(db);
    await scene.refunds.submitRefund(await reserveLeg(scene, 'a', 4_000));
    const other = requestOf(scene, 'a', { amountMinor: 9_999, fingerprint: 'other' });
    expect(await scene.refunds.reserveRefund(other)).toEqual({ kind: 'concluded', status: 'refunded', statusDetail: 'complete', fingerprint: 'f' });
  });
});

describe('reserveRefund of an order that the provider does not show', () => {
  it('should put the refund on record with its key, hold nothing, and repeated change nothing (R8, R11, I6)', async () => {
    const { scene, request } = await unreadable(4_000);
    scene.provider.before.getOrder.push(() => { throw new ProviderError('not_sent', 'too many requests'); });
    expect(await scene.refunds.reserveRefund(request)).toEqual({ kind: 'not_yet', retryAfterMs: null });
    expect(await readRefund(db, scene.merchantId, 'a')).toMatchObject({ status: 'pending', statusDetail: 'order_unreadable', amountMinor: 4_000, currency: null });
    expect(await findKey(db, scene.merchantId, refundOperation('ord_1'), 'a')).toEqual({ fingerprint: 'f', resourceId: 'a' });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 0, ofLegs: 0 }]);
    expect(await db.selectFrom('legs').select('leg_id').where('merchant_id', '=', scene.merchantId).execute()).toEqual([]);
    expect(await steps(scene)).toEqual([ACCEPTED]);
  });

  it('should do the same for a merchant without a credential', async () => {
    const scene = await openScene(db);
    const merchantId = `${scene.merchantId}_without`;
    await saveMerchant(db, { merchantId, name: 'Tienda', provider: 'acme' });
    expect(await scene.refunds.reserveRefund(requestOf(scene, 'a', { merchantId }))).toEqual({ kind: 'not_yet', retryAfterMs: null });
    expect(await readRefund(db, merchantId, 'a')).toMatchObject({ status: 'pending', statusDetail: 'order_unreadable' });
    expect(scene.provider.calls.getOrder).toBe(0);
  });

  it('should keep an amount that no money can have out of the record, and refuse it later (R1)', async () => {
    const { scene, request } = await unreadable(-1);
    expect(await readRefund(db, scene.merchantId, 'a')).toMatchObject({ status: 'pending', amountMinor: null });
    expect(await scene.refunds.reserveRefund(request)).toMatchObject({ kind: 'refused' });
  });

  it('should let it be called off, and answer that to a late attempt (R4)', async () => {
    const { scene, request } = await unreadable();
    expect(await scene.refunds.cancelRefund({ ...request, actor: 'key' })).toEqual({ nextTurns: [] });
    expect(await readRefund(db, scene.merchantId, 'a')).toMatchObject({ status: 'cancelled', statusDetail: 'by_request' });
    expect(await scene.refunds.reserveRefund(request)).toEqual({ kind: 'concluded', status: 'cancelled', statusDetail: 'by_request', fingerprint: 'f' });
    expect(await steps(scene)).toEqual([ACCEPTED, ['cancelled', 'by_request', 'refund.cancelled']]);
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 0, ofLegs: 0 }]);
  });

  it('should reserve it as soon as the provider shows the order, as the same refund (R8, I6)', async () => {
    const { scene, request } = await unreadable();
    const reserved = await scene.refunds.reserveRefund(request);
    expect(reserved).toMatchObject({ kind: 'reserved', amountMinor: 10_000, legs: [{ chargeId: 'chg_1', hasTurn: true }] });
    expect(reserved).not.toHaveProperty('alreadySent');
    expect(await scene.refunds.reserveRefund(request)).toEqual(reserved);
    expect(await readRefund(db, scene.merchantId, 'a')).toMatchObject({ status: 'pending', statusDetail: 'reserved', amountMinor: 10_000, currency: 'MXN' });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 10_000, ofLegs: 10_000 }]);
    expect(await db.selectFrom('idempotency_keys').select('idempotency_key').where('merchant_id', '=', scene.merchantId).execute()).toHaveLength(1);
    expect(await steps(scene)).toEqual([ACCEPTED]);
  });

  it('should refuse it once the provider shows an order that cannot bear it, with its transition (R1, I6)', async () => {
    const { scene, request } = await unreadable(10_001);
    for (let round = 0; round < 2; round += 1) expect(await scene.refunds.reserveRefund(request)).toEqual({ kind: 'refused', refusal: 'amount_exceeds_remaining', fingerprint: 'f' });
    expect(await readRefund(db, scene.merchantId, 'a')).toMatchObject({ status: 'rejected', statusDetail: 'amount_exceeds_remaining', amountMinor: 10_001 });
    expect(await steps(scene)).toEqual([ACCEPTED, ['rejected', 'amount_exceeds_remaining', 'refund.rejected']]);
    expect(await db.selectFrom('idempotency_keys').select('idempotency_key').where('merchant_id', '=', scene.merchantId).execute()).toHaveLength(1);
  });
});

describe('registerPayoutOrder', () => {
  it('should answer the recorded fingerprint to another body under the same key (R8)', async () => {
    const scene = await openScene(db, []);
    const request = { ...payoutRequest(scene), workflowId: 'payout:p', runId: 'run_1' };
    expect((await scene.payouts.registerPayoutOrder(request)).fingerprint).toBe('f');
    expect((await scene.payouts.registerPayoutOrder({ ...request, amountMinor: 1, fingerprint: 'other' })).fingerprint).toBe('f');
  });
});
