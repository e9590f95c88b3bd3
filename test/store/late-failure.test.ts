import { expect, it } from 'vitest';

import type { Database } from '../../src/store/database.ts';
import { listCases } from '../../src/store/cases.ts';
import { recordLateFailure, succeededLegs } from '../../src/store/refunds/late-failure.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import type { LegKey } from '../../src/store/refunds/send.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, begin, books, casesOf, chargeRow, history, holds, legOf, legRow, listed, movements, openShop, orderSnapshot, PROVIDER, refundRow, REFUSED, reserve, told, type Shop } from './refund-records.ts';

const SPLIT = [{ chargeId: 'chg_1', amountMinor: 6_000 }, { chargeId: 'chg_2', amountMinor: 4_000 }];

/** A refund that succeeded on all its charges, as `re_<charge>`. */
async function refunded(db: Database, shop: Shop, refundId: string, chargeIds: readonly string[] = ['chg_1'], amountMinor?: number): Promise<void> {
  await reserve(db, shop, refundId, { amountMinor });
  for (const chargeId of chargeIds) await begin(db, legOf(shop, refundId, chargeId));
  for (const chargeId of chargeIds) await settleLeg(db, actingFor(refundId), legOf(shop, refundId, chargeId), told('succeeded', `re_${chargeId}`));
}

function fail(db: Database, key: LegKey, order = orderSnapshot([{ refunds: [listed('re_chg_1', 10_000, 'failed')] }]), second = 20): Promise<boolean> {
  return recordLateFailure(db, { ...actingFor(key.refundId), actor: 'reintegro' }, key, { order, seenAt: atSecond(second) });
}

describeOnEachDatabase('recordLateFailure', (database) => {
  it('should write the opposite movement once, however often and at once it is told (R9, M7)', async () => {
    const db = database();
    const shop = await openShop(db);
    await refunded(db, shop, 'r');
    const told = await Promise.all(Array.from({ length: 5 }, () => fail(db, legOf(shop, 'r'))));
    expect(told.filter(Boolean)).toHaveLength(1);
    expect(await fail(db, legOf(shop, 'r'))).toBe(false);
    const moved = { leg_id: 'r:chg_1', charge_id: 'chg_1', payout_order_id: null, amount_minor: 10_000, currency: 'MXN', provider_id: 're_chg_1' };
    expect(await movements(db, shop)).toEqual([{ kind: 'refund', ...moved }, { kind: 'refund_failed', ...moved }]);
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([['late_failure', 'open']]);
  });

  it('should release the hold, reject the refund, open a case with its amount and send one event (R9, O1, I6)', async () => {
    const db = database();
    const shop = await openShop(db);
    await refunded(db, shop, 'r', ['chg_1'], 4_000);
    const before = await books(db, shop.merchantId);
    expect(await fail(db, legOf(shop, 'r'), orderSnapshot([{ refunds: [listed('re_chg_1', 4_000, 'failed')], raw: { seen: 'failed' } }]))).toBe(true);
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }]);
    expect(await legRow(db, legOf(shop, 'r'))).toMatchObject({ status: 'failed_late', refusal: 'failed_late', provider_refund_id: 're_chg_1' });
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'rejected', status_detail: 'failed_late', needs_attention: true });
    expect(await chargeRow(db, shop)).toMatchObject({ external_minor: 0, raw: { seen: 'failed' }, updated_at: atSecond(20) });
    expect(await listCases(db, shop.merchantId, { refundId: 'r' })).toMatchObject([{ kind: 'late_failure', status: 'open', legId: 'r:chg_1', amountMinor: 4_000, currency: 'MXN', actions: ['acknowledge'] }]);
    expect((await history(db, shop.merchantId, 'r')).slice(2)).toEqual([
      { to: 'refunded', detail: 'complete', events: ['refund.refunded'] }, { to: 'rejected', detail: 'failed_late', events: ['refund.rejected'] },
    ]);
    const after = await books(db, shop.merchantId);
    for (const table of ['moved', 'transitions', 'events'] as const) expect(after[table].slice(0, before[table].length)).toEqual(before[table]);
  });

  it('should make the amount refundable again, and not a unit more than was captured (R9, M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    await refunded(db, shop, 'r', ['chg_1'], 4_000);
    expect(await reserve(db, shop, 'early', { amountMinor: 6_001 })).toMatchObject({ kind: 'refused' });
    await fail(db, legOf(shop, 'r'));
    expect(await reserve(db, shop, 'beyond', { amountMinor: 10_001 })).toMatchObject({ kind: 'refused', refusal: 'amount_exceeds_remaining' });
    const asked = await Promise.all(Array.from({ length: 6 }, (_, index) => reserve(db, shop, `again-${index}`, { amountMinor: 4_000, recordRefusal: false })));
    expect(asked.filter((one) => one.kind === 'reserved')).toHaveLength(2);
    expect(await holds(db, shop)).toEqual([{ held: 8_000, ofLegs: 8_000 }]);
    expect(await reserve(db, shop, 'rest')).toMatchObject({ kind: 'reserved', legs: [{ amountMinor: 2_000 }] });
  });

  it('should leave a split refund `refunded`, partial, with an event for each leg that fails while others stand, and reject it with the last (R2, R9, I6)', async () => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    await refunded(db, shop, 'r', ['chg_1', 'chg_2']);
    const order = orderSnapshot(SPLIT);
    await fail(db, legOf(shop, 'r', 'chg_1'), order);
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'refunded', status_detail: 'partial', needs_attention: true });
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }, { held: 4_000, ofLegs: 4_000 }]);
    await fail(db, legOf(shop, 'r', 'chg_2'), order);
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'rejected', status_detail: 'failed_late' });
    expect((await history(db, shop.merchantId, 'r')).slice(2)).toEqual([
      { to: 'refunded', detail: 'complete', events: ['refund.refunded'] }, { to: 'refunded', detail: 'partial', events: ['refund.failed_late'] },
      { to: 'rejected', detail: 'failed_late', events: ['refund.rejected'] },
    ]);
    expect((await movements(db, shop)).map((row) => [row.kind, row.charge_id, row.amount_minor])).toEqual([
      ['refund', 'chg_1', 6_000], ['refund', 'chg_2', 4_000], ['refund_failed', 'chg_1', 6_000], ['refund_failed', 'chg_2', 4_000],
    ]);
    expect((await listCases(db, shop.merchantId, { refundId: 'r' })).map((one) => [one.kind, one.legId])).toEqual([['late_failure', 'r:chg_1'], ['late_failure', 'r:chg_2']]);
  });

  it.each([['authorized', 'authorized'], ['approved', 'approved']] as const)('should send an event as well while another leg of the refund is %s (R2, R9)', async (kind, status) => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    await reserve(db, shop, 'r');
    for (const chargeId of ['chg_1', 'chg_2']) await begin(db, legOf(shop, 'r', chargeId));
    await settleLeg(db, actingFor('r'), legOf(shop, 'r', 'chg_1'), told('succeeded', 're_chg_1'));
    await settleLeg(db, actingFor('r'), legOf(shop, 'r', 'chg_2'), told(kind, 're_chg_2'));
    expect((await refundRow(db, shop.merchantId, 'r')).status).toBe(status);
    const before = await history(db, shop.merchantId, 'r');
    expect(await fail(db, legOf(shop, 'r', 'chg_1'), orderSnapshot(SPLIT))).toBe(true);
    expect((await refundRow(db, shop.merchantId, 'r')).status).toBe(status);
    expect((await history(db, shop.merchantId, 'r')).slice(before.length)).toMatchObject([{ to: status, events: ['refund.failed_late'] }]);
  });

  it.each([['succeeds', told('succeeded', 're_chg_2'), 'refunded', 'partial'], ['is refused', REFUSED, 'rejected', 'failed_late']] as const)(
    'should end the refund truthfully when a leg fails late and the other one %s afterwards (R2, R9)', async (_, last, status, detail) => {
      const db = database();
      const shop = await openShop(db, SPLIT);
      await reserve(db, shop, 'r');
      for (const chargeId of ['chg_1', 'chg_2']) await begin(db, legOf(shop, 'r', chargeId));
      await settleLeg(db, actingFor('r'), legOf(shop, 'r', 'chg_1'), told('succeeded', 're_chg_1'));
      await fail(db, legOf(shop, 'r', 'chg_1'), orderSnapshot(SPLIT));
      await settleLeg(db, actingFor('r'), legOf(shop, 'r', 'chg_2'), last);
      expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status, status_detail: detail, needs_attention: true });
      expect((await casesOf(db, shop.merchantId, 'r'))).toEqual([['late_failure', 'open']]);
    });

  it('should book nothing for a leg that never succeeded (R9, M7)', async () => {
    const db = database();
    const shop = await openShop(db);
    const stages = [() => reserve(db, shop, 'r', { amountMinor: 100 }), () => begin(db, legOf(shop, 'r')), () => settleLeg(db, actingFor('r'), legOf(shop, 'r'), told('authorized', 're_chg_1')), () => settleLeg(db, actingFor('r'), legOf(shop, 'r'), REFUSED)];
    for (const stage of stages) {
      await stage();
      const before = await books(db, shop.merchantId);
      expect(await fail(db, legOf(shop, 'r'))).toBe(false);
      expect(await books(db, shop.merchantId)).toEqual(before);
    }
  });
});

describeOnEachDatabase('succeededLegs', (database) => {
  it('should name the legs that moved money, until they fail late (R9)', async () => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    await refunded(db, shop, 'r', ['chg_1', 'chg_2']);
    const [first, second] = ['chg_1', 'chg_2'].map((chargeId) => ({ provider: PROVIDER, legId: `r:${chargeId}`, chargeId, providerRefundId: `re_${chargeId}` }));
    expect(await succeededLegs(db, shop.merchantId, 'r')).toEqual([first, second]);
    await fail(db, legOf(shop, 'r', 'chg_1'), orderSnapshot(SPLIT));
    expect(await succeededLegs(db, shop.merchantId, 'r')).toEqual([second]);
    expect(await succeededLegs(db, 'mer_other', 'r')).toEqual([]);
  });
});
