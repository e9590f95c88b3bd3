import { expect, it } from 'vitest';

import { findKey } from '../../src/store/idempotency.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { refundOperation, type Reservation } from '../../src/store/refunds/reserve.ts';
import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, begin, chargeRow, history, holds, legOf, listed, openShop, REFUSED, reserve, success } from './refund-records.ts';

const SPLIT = [{ chargeId: 'chg_1', amountMinor: 6_000 }, { chargeId: 'chg_2', amountMinor: 4_000 }];

function reservedMinor(reservations: readonly Reservation[]): number {
  return reservations.flatMap((made) => (made.kind === 'reserved' ? made.legs : [])).reduce((sum, leg) => sum + leg.amountMinor, 0);
}

describeOnEachDatabase('reserveRefund', (database) => {
  it('should hold the amount on every charge, and give it back on refusal and cancellation alone (M2, M4)', async () => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    await reserve(db, shop, 'total');
    expect(await holds(db, shop)).toEqual([{ held: 6_000, ofLegs: 6_000 }, { held: 4_000, ofLegs: 4_000 }]);
    for (const charge of ['chg_1', 'chg_2']) await begin(db, legOf(shop, 'total', charge));
    expect(await holds(db, shop)).toEqual([{ held: 6_000, ofLegs: 6_000 }, { held: 4_000, ofLegs: 4_000 }]);
    await settleLeg(db, actingFor('total'), legOf(shop, 'total', 'chg_1'), success('re_1'));
    await settleLeg(db, actingFor('total'), legOf(shop, 'total', 'chg_2'), REFUSED);
    expect(await holds(db, shop)).toEqual([{ held: 6_000, ofLegs: 6_000 }, { held: 0, ofLegs: 0 }]);
    await reserve(db, shop, 'part', { chargeId: 'chg_2', amountMinor: 1_500 });
    expect(await holds(db, shop)).toEqual([{ held: 6_000, ofLegs: 6_000 }, { held: 1_500, ofLegs: 1_500 }]);
    await cancelRefund(db, actingFor('part'), shop.merchantId, 'part');
    expect(await holds(db, shop)).toEqual([{ held: 6_000, ofLegs: 6_000 }, { held: 0, ofLegs: 0 }]);
  });

  it('should let exactly as many concurrent refunds through as the charge can bear (M2, M3)', async () => {
    const db = database();
    const shop = await openShop(db, [{ amountMinor: 1_000 }]);
    // 70 does not divide 1000: whatever the order, 14 fit and 20 remain.
    const partials = await Promise.all(Array.from({ length: 50 }, (_, index) => reserve(db, shop, `part-${index}`, { amountMinor: 70 })));
    expect(partials.filter((made) => made.kind === 'reserved')).toHaveLength(14);
    expect(new Set(partials.flatMap((made) => (made.kind === 'refused' ? [made.refusal] : [])))).toEqual(new Set(['amount_exceeds_remaining']));
    expect(await holds(db, shop)).toEqual([{ held: 980, ofLegs: 980 }]);
  });

  it('should give a total refund what partial ones at the same time leave, and never a unit more (M2, M3, M5)', async () => {
    const db = database();
    const shop = await openShop(db, [{ amountMinor: 1_000 }]);
    const asked = Array.from({ length: 51 }, (_, index) => (index === 5 ? reserve(db, shop, 'total') : reserve(db, shop, `part-${index}`, { amountMinor: 70 })));
    const made = await Promise.all(asked);
    const total = made[5];
    // Either it took the rest, or the partial ones had left it nothing that a 70 could not take: 20 always remain for it.
    expect(total?.kind).toBe('reserved');
    expect(reservedMinor(made)).toBe(1_000);
    expect(await holds(db, shop)).toEqual([{ held: 1_000, ofLegs: 1_000 }]);
    const totalMinor = reservedMinor(made.filter((_, index) => index === 5));
    expect(made.filter((one, index) => index !== 5 && one.kind === 'reserved')).toHaveLength((1_000 - totalMinor) / 70);
  });

  it('should not deadlock when refunds of split orders take their charges in opposite order (M3)', async () => {
    const db = database();
    const shop = await openShop(db, [{ chargeId: 'chg_2', amountMinor: 1_000 }, { chargeId: 'chg_1', amountMinor: 1_000 }]);
    const made = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? reserve(db, shop, `total-${index}`) : reserve(db, shop, `part-${index}`, { chargeId: index % 4 === 1 ? 'chg_1' : 'chg_2', amountMinor: 10 }))));
    expect(made.some((one) => one.kind === 'reserved')).toBe(true);
    for (const { held, ofLegs } of await holds(db, shop)) {
      expect(held).toBe(ofLegs);
      expect(held).toBeLessThanOrEqual(1_000);
    }
  });

  it('should keep external refunds and chargebacks out of what remains (M2)', async () => {
    const db = database();
    const shop = await openShop(db, [{ amountMinor: 1_000, refunds: [listed('manual', 300)] }]);
    expect(await reserve(db, shop, 'too-much', { amountMinor: 701 })).toEqual({ kind: 'refused', refusal: 'amount_exceeds_remaining', fingerprint: 'f' });
    expect(reservedMinor([await reserve(db, shop, 'rest')])).toBe(700);
    const disputed = await openShop(db, [{ amountMinor: 1_000, disputedMinor: 1 }]);
    expect(await reserve(db, disputed, 'any')).toEqual({ kind: 'refused', refusal: 'order_not_returnable', fingerprint: 'f' });
  });

  it('should answer what stands when repeated, and change nothing (R8, R11)', async () => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    const first = await reserve(db, shop, 'once');
    const again = await Promise.all([reserve(db, shop, 'once'), reserve(db, shop, 'once'), reserve(db, shop, 'once')]);
    expect(again).toEqual([first, first, first]);
    expect(await holds(db, shop)).toEqual([{ held: 6_000, ofLegs: 6_000 }, { held: 4_000, ofLegs: 4_000 }]);
    expect(await history(db, shop.merchantId, 'once')).toEqual([{ to: 'pending', detail: 'reserved', events: ['refund.pending'] }]);
    expect(await findKey(db, shop.merchantId, refundOperation(shop.orderId), 'key-once')).toEqual({ fingerprint: 'f', resourceId: 'once' });
  });

  it('should answer the end of a refund that is over when it is reserved again (R8, I4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'done');
    await begin(db, legOf(shop, 'done'));
    await settleLeg(db, actingFor('done'), legOf(shop, 'done'), success('re_1'));
    const concluded = { kind: 'concluded', status: 'refunded', statusDetail: 'complete', fingerprint: 'f' };
    expect(await reserve(db, shop, 'done')).toEqual(concluded);
    // Another body under the same key is told whose key it is, so that the caller can be refused.
    expect(await reserve(db, shop, 'done', { fingerprint: 'other', amountMinor: 1 })).toEqual(concluded);
    expect(await holds(db, shop)).toEqual([{ held: 10_000, ofLegs: 10_000 }]);
  });

  it('should say so when a leg was sent already: the turns of what is sent are over, those of the rest are not (R4, S5)', async () => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    await reserve(db, shop, 'before', { chargeId: 'chg_2', amountMinor: 1_000 });
    expect(await reserve(db, shop, 'r', { chargeId: 'chg_1' })).toMatchObject({ kind: 'reserved', alreadySent: false });
    await reserve(db, shop, 'later', { chargeId: 'chg_2', amountMinor: 1_000 });
    await begin(db, legOf(shop, 'r'));
    expect(await reserve(db, shop, 'r', { chargeId: 'chg_1' })).toMatchObject({ kind: 'reserved', alreadySent: true, legs: [{ legId: 'r:chg_1', hasTurn: true }] });
    expect(await reserve(db, shop, 'later', { chargeId: 'chg_2' })).toMatchObject({ kind: 'reserved', alreadySent: false, legs: [{ legId: 'later:chg_2', hasTurn: false }] });
  });

  it('should give a leg that is settled its turn though the gate went on to others (S5)', async () => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    await reserve(db, shop, 'r');
    await begin(db, legOf(shop, 'r', 'chg_1'));
    await settleLeg(db, actingFor('r'), legOf(shop, 'r', 'chg_1'), success('re_1'));
    expect((await chargeRow(db, shop, 'chg_1')).gate_leg_id).toBeNull();
    expect(await reserve(db, shop, 'r')).toMatchObject({ kind: 'reserved', alreadySent: true, legs: [{ legId: 'r:chg_1', hasTurn: true }, { legId: 'r:chg_2', hasTurn: true }] });
  });

  it('should write a refusal down only when asked, and then answer it for ever (R1, R8)', async () => {
    const db = database();
    const shop = await openShop(db);
    const asked = { amountMinor: 10_001 };
    expect(await reserve(db, shop, 'big', { ...asked, recordRefusal: false })).toEqual({ kind: 'refused', refusal: 'amount_exceeds_remaining', fingerprint: 'f' });
    expect(await readRefund(db, shop.merchantId, 'big')).toBeNull();
    expect(await findKey(db, shop.merchantId, refundOperation(shop.orderId), 'key-big')).toBeNull();
    await reserve(db, shop, 'big', asked);
    expect(await readRefund(db, shop.merchantId, 'big')).toMatchObject({ status: 'rejected', statusDetail: 'amount_exceeds_remaining', amountMinor: 10_001 });
    expect(await reserve(db, shop, 'big', { amountMinor: 1 })).toEqual({ kind: 'refused', refusal: 'amount_exceeds_remaining', fingerprint: 'f' });
    expect(await history(db, shop.merchantId, 'big')).toEqual([{ to: 'rejected', detail: 'amount_exceeds_remaining', events: ['refund.rejected'] }]);
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }]);
  });

  it.each([
    ['an order nobody knows', { orderId: 'ord_unknown' }, 'order_not_found'],
    ['a charge of no such order', { chargeId: 'chg_unknown' }, 'charge_not_found'],
    ['a part of a split order without its charge', { amountMinor: 1 }, 'charge_id_required'],
    ['a negative amount', { chargeId: 'chg_1', amountMinor: -1 }, 'amount_exceeds_remaining'],
  ])('should refuse %s and hold nothing (R1)', async (_, over, refusal) => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    expect(await reserve(db, shop, 'refused', over)).toEqual({ kind: 'refused', refusal, fingerprint: 'f' });
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }, { held: 0, ofLegs: 0 }]);
  });

  it('should refuse the whole of a split order, and hold nothing, when one charge has nothing left (R1)', async () => {
    const db = database();
    const shop = await openShop(db, SPLIT);
    await reserve(db, shop, 'first', { chargeId: 'chg_2' });
    expect(await reserve(db, shop, 'total')).toEqual({ kind: 'refused', refusal: 'order_not_returnable', fingerprint: 'f' });
    expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }, { held: 4_000, ofLegs: 4_000 }]);
  });

  it('should keep merchants apart: another\'s order does not exist (RELIABILITY, Security)', async () => {
    const db = database();
    const [mine, other] = [await openShop(db), await openShop(db)];
    await reserve(db, other, 'same-id');
    expect(await readRefund(db, mine.merchantId, 'same-id')).toBeNull();
    expect((await reserve(db, mine, 'same-id')).kind).toBe('reserved');
    expect((await chargeRow(db, other)).held_minor).toBe(10_000);
  });
});
