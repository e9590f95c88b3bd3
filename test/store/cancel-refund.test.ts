import { expect, it } from 'vitest';

import { openCase } from '../../src/store/cases.ts';
import { cancelRefund, type UnsentEnd } from '../../src/store/refunds/cancel.ts';
import { enterCheckpoint } from '../../src/store/refunds/checkpoints.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { takeTurn } from '../../src/store/refunds/turns.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, audit, begin, books, casesOf, chargeRow, history, holds, legOf, legRow, openShop, operatorFor, refundRow, reserve } from './refund-records.ts';

/** Every way a refund ends that was never sent, with the checkpoint it stops at before (PRODUCT §5). */
const ENDINGS: readonly (readonly [name: string, at: 'validate' | 'review' | 'deferred' | null, end: UnsentEnd])[] = [
  ['called off while it waits for its turn', null, { status: 'cancelled', statusDetail: 'by_request' }],
  ['called off in its cancellation window', 'deferred', { status: 'cancelled', statusDetail: 'by_request' }],
  ['out of time for a second person', 'review', { status: 'cancelled', statusDetail: 'expired' }],
  ['refused by a second person', 'review', { status: 'rejected', statusDetail: 'refused_in_review' }],
  ['contested by the payer', 'validate', { status: 'dismissed', statusDetail: 'contested_by_payer' }],
];

describeOnEachDatabase('cancelRefund', (database) => {
  it('should win once before anything was sent, with one transition (R4, I6)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await Promise.all([cancelRefund(db, actingFor('r'), shop.merchantId, 'r'), cancelRefund(db, actingFor('r'), shop.merchantId, 'r')]);
    expect((await history(db, shop.merchantId, 'r')).map((step) => [step.to, step.detail, ...step.events])).toEqual([
      ['pending', 'reserved', 'refund.pending'], ['cancelled', 'by_request', 'refund.cancelled'],
    ]);
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }]);
  });

  it('should lose to a send that began, and release nothing (R4, M4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await begin(db, legOf(shop, 'r'));
    expect(await cancelRefund(db, actingFor('r'), shop.merchantId, 'r')).toBeNull();
    expect(await holds(db, shop)).toEqual([{ held: 10_000, ofLegs: 10_000 }]);
  });

  it('should say so when the refund was refused at the start and has no legs (R4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'big', { amountMinor: 10_001 });
    expect(await cancelRefund(db, actingFor('big'), shop.merchantId, 'big')).toBeNull();
  });

  it('should have one winner when it races with the send (R4)', async () => {
    const db = database();
    for (let round = 0; round < 10; round += 1) {
      const shop = await openShop(db);
      await reserve(db, shop, 'r');
      const calls = [() => begin(db, legOf(shop, 'r')), () => cancelRefund(db, actingFor('r'), shop.merchantId, 'r')];
      const started = round % 2 === 0 ? calls : calls.toReversed();
      await Promise.allSettled(started.map((call) => call()));
      const refund = await readRefund(db, shop.merchantId, 'r');
      const leg = await legRow(db, legOf(shop, 'r'));
      expect([['in_process', 'sending'], ['cancelled', 'released']]).toContainEqual([refund?.status, leg.status]);
      expect(await holds(db, shop)).toEqual([leg.status === 'sending' ? { held: 10_000, ofLegs: 10_000 } : { held: 0, ofLegs: 0 }]);
    }
  });

  it.each(ENDINGS)('should end a refund that is %s once: hold released, gate passed on, who and why on record (R3, R4, R5, M4, O3)', async (_, at, end) => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 4_000 });
    await reserve(db, shop, 'next', { amountMinor: 1_000 });
    if (at !== null) await enterCheckpoint(db, actingFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, at);
    await openCase(db, { merchantId: shop.merchantId, kind: 'waited_too_long', refundId: 'r', legId: 'r:chg_1' });
    expect(await cancelRefund(db, operatorFor('r'), shop.merchantId, 'r', end)).toEqual([{ legId: 'next:chg_1', workflowId: 'refund:next' }]);
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: end.status, status_detail: end.statusDetail, needs_attention: false });
    expect((await legRow(db, legOf(shop, 'r'))).status).toBe('released');
    expect(await holds(db, shop)).toEqual([{ held: 1_000, ofLegs: 1_000 }]);
    expect(await takeTurn(db, legOf(shop, 'next'))).toEqual({ hasTurn: true, holder: null });
    expect((await audit(db, shop.merchantId, 'r')).at(-1)).toEqual({
      from_status: at ?? 'pending', to_status: end.status, status_detail: end.statusDetail, actor: 'key_operator', reason: 'seen at the bank', workflow_id: 'refund:r', run_id: 'run_1',
    });
    expect((await history(db, shop.merchantId, 'r')).at(-1)?.events).toEqual([`refund.${end.status}`]);
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([['waited_too_long', 'resolved']]);
    const before = await books(db, shop.merchantId);
    expect(await cancelRefund(db, operatorFor('r'), shop.merchantId, 'r', end)).toEqual([]);
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it.each(ENDINGS)('should change nothing for one that is %s when it was sent already (R4, M4)', async (_, at, end) => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 4_000 });
    if (at !== null) await enterCheckpoint(db, actingFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, at);
    expect(await begin(db, legOf(shop, 'r'))).toEqual({ kind: 'go' });
    const before = await books(db, shop.merchantId);
    expect(await cancelRefund(db, operatorFor('r'), shop.merchantId, 'r', end)).toBeNull();
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should not turn one end into another (I4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await cancelRefund(db, actingFor('r'), shop.merchantId, 'r');
    const before = await books(db, shop.merchantId);
    for (const status of ['rejected', 'dismissed'] as const) {
      expect(await cancelRefund(db, actingFor('r'), shop.merchantId, 'r', { status, statusDetail: 'late' })).toBeNull();
    }
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should release every leg of a split order, and pass on every gate (M4, S5)', async () => {
    const db = database();
    const shop = await openShop(db, [{ chargeId: 'chg_1', amountMinor: 600 }, { chargeId: 'chg_2', amountMinor: 400 }]);
    await reserve(db, shop, 'r');
    await cancelRefund(db, actingFor('r'), shop.merchantId, 'r');
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }, { held: 0, ofLegs: 0 }]);
    for (const chargeId of ['chg_1', 'chg_2']) expect((await chargeRow(db, shop, chargeId)).gate_leg_id).toBeNull();
  });
});
