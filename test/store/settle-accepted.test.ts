import { expect, it } from 'vitest';

import type { LegStatus } from '../../src/domain/leg.ts';
import type { Database } from '../../src/store/database.ts';
import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { acceptedLegsOfOrder } from '../../src/store/refunds/read.ts';
import { recordLateFailure } from '../../src/store/refunds/late-failure.ts';
import { acceptedAs, markUnknown } from '../../src/store/refunds/send.ts';
import { settleLeg, type LegResult, type SettledLeg } from '../../src/store/refunds/settle.ts';
import { takeTurn } from '../../src/store/refunds/turns.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, begin, books, casesOf, chargeRow, history, holds, legOf, legRow, listed, movements, openShop, orderSnapshot, PROVIDER, refundRow, REFUSED, reserve, told, type Shop } from './refund-records.ts';

/** A shop with a refund `r` of 4,000 that was sent, and one of 1,000 behind it in line. */
async function shopWithSentRefund(db: Database): Promise<Shop> {
  const shop = await openShop(db);
  await reserve(db, shop, 'r', { amountMinor: 4_000 });
  await reserve(db, shop, 'next', { amountMinor: 1_000 });
  await begin(db, legOf(shop, 'r'));
  return shop;
}

function settle(db: Database, shop: Shop, result: LegResult, refundId = 'r'): Promise<SettledLeg> {
  return settleLeg(db, actingFor(refundId), legOf(shop, refundId), result);
}

const NEXT = { legId: 'next:chg_1', workflowId: 'refund:next' };
const BOTH_HELD = [{ held: 5_000, ofLegs: 5_000 }];

describeOnEachDatabase('settleLeg of what a provider accepted', (database) => {
  it('should follow authorized, approved and succeeded, and move money at the last alone, once (R6, M7, I6)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    for (const [kind, refundStatus] of [['authorized', 'authorized'], ['approved', 'approved'], ['succeeded', 'refunded']] as const) {
      expect(await movements(db, shop)).toEqual([]);
      const settled = await Promise.all([settle(db, shop, told(kind, 're_1')), settle(db, shop, told(kind, 're_1'))]);
      for (const one of settled) expect(one).toMatchObject({ legStatus: kind, refundStatus });
      expect(await legRow(db, legOf(shop, 'r'))).toMatchObject({ status: kind, provider_refund_id: 're_1' });
      expect(await holds(db, shop)).toEqual(BOTH_HELD);
    }
    expect(await movements(db, shop)).toMatchObject([{ kind: 'refund', leg_id: 'r:chg_1', amount_minor: 4_000, provider_id: 're_1' }]);
    expect((await history(db, shop.merchantId, 'r')).map((step) => [step.to, step.detail, ...step.events])).toEqual([
      ['pending', 'reserved', 'refund.pending'], ['in_process', 'sent', 'refund.in_process'], ['authorized', 'accepted_by_provider', 'refund.authorized'],
      ['approved', 'executed_by_provider', 'refund.approved'], ['refunded', 'complete', 'refund.refunded'],
    ]);
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([]);
  });

  it.each([['authorized'], ['authorized', 'approved']] as const)('should release the hold when the provider refuses after %j, and move nothing (M4, R6)', async (...accepted) => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    for (const kind of accepted) await settle(db, shop, told(kind, 're_1'));
    expect(await settle(db, shop, { kind: 'refused', refusal: 'failed_at_provider', seen: { order: orderSnapshot([{ refunds: [listed('re_1', 4_000, 'failed')] }]), seenAt: atSecond(9) } }))
      .toMatchObject({ legStatus: 'refused', refundStatus: 'rejected', statusDetail: 'failed_at_provider' });
    expect(await holds(db, shop)).toEqual([{ held: 1_000, ofLegs: 1_000 }]);
    expect(await movements(db, shop)).toEqual([]);
    expect(await chargeRow(db, shop)).toMatchObject({ external_minor: 0 });
    expect(await reserve(db, shop, 'again', { amountMinor: 9_000 })).toMatchObject({ kind: 'reserved' });
  });

  it.each([['approved', 'authorized'], ['succeeded', 'authorized'], ['succeeded', 'approved'], ['authorized', 'authorized']] as const)('should let %s stand when %s is told again, as old news (R6, P6)', async (known, old) => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    await settle(db, shop, told(known, 're_1'));
    const before = await books(db, shop.merchantId);
    expect(await settle(db, shop, told(old, 're_1'))).toMatchObject({ legStatus: known });
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should pass the gate on at the first acceptance, and not again at the next ones (S5)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    expect((await settle(db, shop, told('authorized', 're_1'))).nextTurn).toEqual(NEXT);
    expect(await takeTurn(db, legOf(shop, 'next'))).toEqual({ hasTurn: true, holder: null });
    expect(await begin(db, legOf(shop, 'next'))).toEqual({ kind: 'go' });
    for (const kind of ['approved', 'succeeded'] as const) expect((await settle(db, shop, told(kind, 're_1'))).nextTurn).toBeNull();
    expect((await chargeRow(db, shop)).gate_leg_id).toBe('next:chg_1');
  });

  it('should not let the refusal of a send touch what was accepted meanwhile (S4)', async () => {
    const db = database();
    for (const kind of ['authorized', 'approved'] as const) {
      const shop = await shopWithSentRefund(db);
      await settle(db, shop, told(kind, 're_1'));
      const before = await books(db, shop.merchantId);
      await expect(settle(db, shop, { ...REFUSED, kind: 'refused', refusal: 'card_closed', sendNumber: 1 })).rejects.toThrow();
      expect(await books(db, shop.merchantId)).toEqual(before);
    }
  });

  it('should give no permit for another send of what was accepted, and name what it was accepted as (S4, R6)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    expect(await acceptedAs(db, legOf(shop, 'r'))).toBeNull();
    for (const kind of ['authorized', 'approved'] as const) {
      await settle(db, shop, told(kind, 're_1'));
      expect(await begin(db, legOf(shop, 'r'), 2, { gated: false })).toEqual({ kind: 'settled' });
      expect(await acceptedAs(db, legOf(shop, 'r'))).toEqual({ provider: PROVIDER, orderId: shop.orderId, chargeId: 'chg_1', amountMinor: 4000, providerRefundId: 're_1' });
    }
    expect((await acceptedLegsOfOrder(db, PROVIDER, shop.orderId)).filter((leg) => leg.merchantId === shop.merchantId)).toMatchObject([{ refundId: 'r', chargeId: 'chg_1', status: 'approved', providerRefundId: 're_1' }]);
    expect(await acceptedLegsOfOrder(db, 'other', shop.orderId)).toEqual([]);
    await settle(db, shop, told('succeeded', 're_1'));
    expect(await acceptedAs(db, legOf(shop, 'r'))).toBeNull();
  });

  it('should settle a leg whose answer was lost as well (S4)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    await markUnknown(db, legOf(shop, 'r'), 1);
    expect(await settle(db, shop, told('authorized', 're_1'))).toMatchObject({ legStatus: 'authorized', refundStatus: 'authorized' });
  });

  it('should tell a split refund by its slowest leg, and `partial` when one is refused after all (R2)', async () => {
    const db = database();
    const shop = await openShop(db, [{ chargeId: 'chg_1', amountMinor: 600 }, { chargeId: 'chg_2', amountMinor: 400 }]);
    await reserve(db, shop, 'r');
    const [first, second] = [legOf(shop, 'r', 'chg_1'), legOf(shop, 'r', 'chg_2')];
    for (const key of [first, second]) await begin(db, key);
    const after = async (key: typeof first, result: LegResult) => (await settleLeg(db, actingFor('r'), key, result)).refundStatus;
    expect(await after(first, told('approved', 're_1'))).toBe('in_process');
    expect(await after(second, told('authorized', 're_2'))).toBe('authorized');
    expect(await after(second, told('approved', 're_2'))).toBe('approved');
    expect(await after(first, told('succeeded', 're_1'))).toBe('approved');
    expect(await after(second, REFUSED)).toBe('refunded');
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'refunded', status_detail: 'partial' });
    expect(await movements(db, shop)).toMatchObject([{ leg_id: first.legId, amount_minor: 600 }]);
  });
});

/** How a leg gets to each status from which no news of money may be believed at once. */
const OVER: readonly (readonly [status: LegStatus, get: (db: Database, shop: Shop) => Promise<unknown>])[] = [
  ['refused', async (db, shop) => {
    await begin(db, legOf(shop, 'r'));
    await settle(db, shop, REFUSED);
  }],
  ['released', (db, shop) => cancelRefund(db, actingFor('r'), shop.merchantId, 'r')],
  ['failed_late', async (db, shop) => {
    await begin(db, legOf(shop, 'r'));
    await settle(db, shop, told('succeeded', 're_1'));
    await recordLateFailure(db, actingFor('r'), legOf(shop, 'r'), { order: orderSnapshot(), seenAt: atSecond(9) });
  }],
];

describeOnEachDatabase('settleLeg of what the books exclude', (database) => {
  it.each(OVER)('should put a leg that is %s and told as moved before a human, once, and write no money (M7, I4, O1)', async (status, get) => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 4_000 });
    await get(db, shop);
    const before = await books(db, shop.merchantId);
    for (const kind of ['authorized', 'approved', 'succeeded', 'succeeded'] as const) expect(await settle(db, shop, told(kind, 're_1'))).toMatchObject({ legStatus: status });
    const after = await books(db, shop.merchantId);
    expect({ ...after, cases: [], refunds: [] }).toEqual({ ...before, cases: [], refunds: [] });
    expect((await casesOf(db, shop.merchantId, 'r')).filter(([kind]) => kind === 'contradiction')).toEqual([['contradiction', 'open']]);
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: before.refunds[0]?.status, needs_attention: true });
  });

  it('should put a leg that succeeded and is told as another refund before a human (M7, O1)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    await settle(db, shop, told('succeeded', 're_1'));
    await settle(db, shop, told('succeeded', 're_2'));
    expect(await legRow(db, legOf(shop, 'r'))).toMatchObject({ status: 'succeeded', provider_refund_id: 're_1' });
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([['contradiction', 'open']]);
    expect(await movements(db, shop)).toHaveLength(1);
  });

  it.each([['authorized', 'authorized'], ['authorized', 'approved'], ['authorized', 'succeeded'], ['approved', 'authorized'], ['approved', 'succeeded']] as const)(
    'should put a leg that is %s and told as another refund that is %s before a human, and keep the first (M7, O1)', async (known, news) => {
      const db = database();
      const shop = await shopWithSentRefund(db);
      await settle(db, shop, told(known, 're_1'));
      await settle(db, shop, told(news, 're_2'));
      expect(await legRow(db, legOf(shop, 'r'))).toMatchObject({ status: known, provider_refund_id: 're_1' });
      expect(await casesOf(db, shop.merchantId, 'r')).toEqual([['contradiction', 'open']]);
      expect(await movements(db, shop)).toEqual([]);
    });
});
