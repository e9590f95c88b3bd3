import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { memoryDatabase } from '../support/database.ts';
import { DECLINE, LOST_BEFORE, NOT_SENT } from '../support/fake-provider.ts';
import { chargeRow, holds } from '../store/refund-records.ts';
import { booked, letCallsEnd, openScene, reserveLeg, type Scene } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

function shopOf({ merchantId }: Scene) {
  return { merchantId, orderId: 'ord_1' };
}

/** Asks for a total refund, judged by the copy alone: what it comes to, or why not. */
async function totalRefund(scene: Scene): Promise<unknown> {
  const total = await scene.refunds.reserveRefund({
    workflowId: 'refund:total', runId: 'run_1', merchantId: scene.merchantId, refundId: 'total', orderId: 'ord_1', idempotencyKey: 'total', fingerprint: 'f', requestedBy: 'key_test',
  });
  return total.kind === 'reserved' ? total.amountMinor : total;
}

describe('submitRefund of a charge that changed after its copy was saved', () => {
  it.each([
    ['disputed', (scene: Scene) => scene.provider.dispute('chg_1', 1), 'order_not_returnable', { disputed_minor: 1, external_minor: 0 }],
    ['refunded by hand', (scene: Scene) => scene.provider.refundByHand('chg_1', 7_000), 'amount_exceeds_remaining', { disputed_minor: 0, external_minor: 7_000 }],
  ] as const)('should send nothing, refuse it, and give its hold back when it was %s (M2, M4, R1)', async (_, change, refusal, copy) => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    change(scene);
    expect(await scene.refunds.submitRefund(input)).toEqual({ kind: 'declined', refundStatus: 'rejected', statusDetail: refusal, nextTurn: null, legStatus: 'refused' });
    expect(scene.provider.calls.submitRefund).toBe(0);
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
    expect(await holds(db, shopOf(scene))).toEqual([{ held: 0, ofLegs: 0 }]);
    expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'rejected', statusDetail: refusal });
    expect(await chargeRow(db, shopOf(scene))).toMatchObject(copy);
  });

  it('should send what still fits, to the last unit (M2)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.refundByHand('chg_1', 6_000);
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(scene.provider.movedMinor('chg_1')).toBe(10_000);
  });

  it('should refuse it, too, when the provider did not take it the first time (M2)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.refundScripts.push(NOT_SENT);
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'not_sent' });
    scene.provider.refundByHand('chg_1', 7_000);
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'declined', statusDetail: 'amount_exceeds_remaining' });
    expect(scene.provider.calls.submitRefund).toBe(1);
  });

  it('should leave the verdict to the provider once a send may have been executed (S4, I2)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.refundScripts.push(LOST_BEFORE);
    await scene.refunds.submitRefund(input);
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
    scene.provider.refundByHand('chg_1', 7_000);
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'declined', statusDetail: 'nothing_left' });
    expect(scene.provider.calls.submitRefund).toBe(2);
  });

  it('should make the next total refund ask for what really remains (M2, M5)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r');
    scene.provider.refundByHand('chg_1', 3_000);
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'declined', statusDetail: 'amount_exceeds_remaining' });
    expect(await totalRefund(scene)).toBe(7_000);
  });

  it('should refuse the next total refund of a charge that was disputed (M2, R1)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.dispute('chg_1', 10_000);
    await scene.refunds.submitRefund(input);
    expect(await totalRefund(scene)).toEqual({ kind: 'refused', refusal: 'order_not_returnable', fingerprint: 'f' });
  });

  it('should take the order over after a refusal of the provider, too (M2, M5)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    scene.provider.refundByHand('chg_1', 3_000);
    scene.provider.refundScripts.push(DECLINE);
    expect(await scene.refunds.submitRefund(input)).toMatchObject({ kind: 'declined', statusDetail: 'card_closed' });
    expect(await totalRefund(scene)).toBe(7_000);
  });
});
