import { expect, it } from 'vitest';

import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { markNotSent, markUnknown, type LegKey } from '../../src/store/refunds/send.ts';
import { settleLeg, standingLeg } from '../../src/store/refunds/settle.ts';
import { takeTurn } from '../../src/store/refunds/turns.ts';
import type { Database } from '../../src/store/database.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, begin, chargeRow, legOf, legRow, openShop, REFUSED, reserve, success, type Shop } from './refund-records.ts';

/** A charge with legs of equal amount in line, in the order given: the first has the gate. */
async function lineOf(db: Database, ...refundIds: readonly string[]): Promise<Shop> {
  const shop = await openShop(db);
  for (const refundId of refundIds) await reserve(db, shop, refundId, { amountMinor: 1_000 });
  return shop;
}

async function hasTurn(db: Database, key: LegKey): Promise<boolean> {
  return (await takeTurn(db, key)).hasTurn;
}

function next(refundId: string) {
  return { legId: `${refundId}:chg_1`, workflowId: `refund:${refundId}` };
}

describeOnEachDatabase('the gate of a charge', (database) => {
  it('should be the first comer\'s, and nobody else\'s until its outcome is known (S5)', async () => {
    const db = database();
    const shop = await openShop(db);
    const made = [await reserve(db, shop, 'a', { amountMinor: 1 }), await reserve(db, shop, 'b', { amountMinor: 1 }), await reserve(db, shop, 'c', { amountMinor: 1 })];
    expect(made.map((one) => one.kind === 'reserved' && one.legs[0]?.hasTurn)).toEqual([true, false, false]);
    await begin(db, legOf(shop, 'a'));
    await markUnknown(db, legOf(shop, 'a'), 1);
    for (const [refundId, mine] of [['c', false], ['b', false], ['a', true]] as const) expect(await hasTurn(db, legOf(shop, refundId))).toBe(mine);
  });

  it('should be given to one leg alone when many come at once (S5)', async () => {
    const db = database();
    const shop = await openShop(db);
    const made = await Promise.all(Array.from({ length: 20 }, (_, index) => reserve(db, shop, `r${index}`, { amountMinor: 1 })));
    expect(made.filter((one) => one.kind === 'reserved' && one.legs[0]?.hasTurn)).toHaveLength(1);
    const asked = await Promise.all(made.map((_, index) => takeTurn(db, legOf(shop, `r${index}`))));
    expect(asked.filter((one) => one.hasTurn)).toHaveLength(1);
  });

  it('should pass to the next in line on success and on refusal, who is named to be told (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b', 'c');
    await begin(db, legOf(shop, 'a'));
    expect((await settleLeg(db, actingFor('a'), legOf(shop, 'a'), success('re_a'))).nextTurn).toEqual(next('b'));
    expect(await hasTurn(db, legOf(shop, 'c'))).toBe(false);
    await begin(db, legOf(shop, 'b'));
    expect((await settleLeg(db, actingFor('b'), legOf(shop, 'b'), REFUSED)).nextTurn).toEqual(next('c'));
    await begin(db, legOf(shop, 'c'));
    expect((await settleLeg(db, actingFor('c'), legOf(shop, 'c'), success('re_c'))).nextTurn).toBeNull();
    expect((await chargeRow(db, shop)).gate_leg_id).toBeNull();
  });

  it('should pass over a leg that was called off while it waited, and pass on from one that held it (S5, M4)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b', 'c');
    expect(await cancelRefund(db, actingFor('b'), shop.merchantId, 'b')).toEqual([]);
    await takeTurn(db, legOf(shop, 'b'));
    expect(await cancelRefund(db, actingFor('a'), shop.merchantId, 'a')).toEqual([next('c')]);
    await takeTurn(db, legOf(shop, 'b'));
    expect(await chargeRow(db, shop)).toMatchObject({ gate_leg_id: 'c:chg_1' });
    expect(await hasTurn(db, legOf(shop, 'c'))).toBe(true);
  });

  it('should never be taken by a leg that is over (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a');
    await cancelRefund(db, actingFor('a'), shop.merchantId, 'a');
    await takeTurn(db, legOf(shop, 'a'));
    expect((await chargeRow(db, shop)).gate_leg_id).toBeNull();
  });

  it('should stay with a leg that the provider did not take: it is sent again before others (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b');
    await begin(db, legOf(shop, 'a'));
    await markNotSent(db, legOf(shop, 'a'), 1, 'reserved');
    expect(await hasTurn(db, legOf(shop, 'b'))).toBe(false);
    expect(await hasTurn(db, legOf(shop, 'a'))).toBe(true);
  });

  it('should not be passed on twice when a settled leg is settled again (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b', 'c');
    await begin(db, legOf(shop, 'a'));
    await settleLeg(db, actingFor('a'), legOf(shop, 'a'), success('re_a'));
    await settleLeg(db, actingFor('a'), legOf(shop, 'a'), success('re_a'));
    await standingLeg(db, actingFor('a'), legOf(shop, 'a'));
    expect(await chargeRow(db, shop)).toMatchObject({ gate_leg_id: 'b:chg_1' });
  });

  it('should not exist for providers that can tell refunds apart (S5)', async () => {
    const db = database();
    const shop = await openShop(db);
    const made = [await reserve(db, shop, 'a', { amountMinor: 1, gated: false }), await reserve(db, shop, 'b', { amountMinor: 1, gated: false })];
    expect(made.map((one) => one.kind === 'reserved' && one.legs[0]?.hasTurn)).toEqual([true, true]);
    expect([await begin(db, legOf(shop, 'a'), 1, { gated: false }), await begin(db, legOf(shop, 'b'), 1, { gated: false })]).toEqual([{ kind: 'go' }, { kind: 'go' }]);
    expect((await legRow(db, legOf(shop, 'a'))).ticket).toBeNull();
  });
});
