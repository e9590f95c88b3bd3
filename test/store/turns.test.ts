import { expect, it } from 'vitest';

import type { Database } from '../../src/store/database.ts';
import { fenceSend, markNotSent, markUnknown } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { loseTurn, takeTurn } from '../../src/store/refunds/turns.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, begin, books, chargeRow, holds, legOf, legRow, openShop, PROVIDER, refundRow, REFUSED, reserve, told, type Shop } from './refund-records.ts';

/** A charge with legs of 1,000 each in line, in the order given: the first has the gate. */
async function lineOf(db: Database, ...refundIds: readonly string[]): Promise<Shop> {
  const shop = await openShop(db);
  for (const refundId of refundIds) await reserve(db, shop, refundId, { amountMinor: 1_000 });
  return shop;
}

function next(refundId: string) {
  return { legId: `${refundId}:chg_1`, workflowId: `refund:${refundId}` };
}

/** Who has the turn, asked by everybody in line. */
async function holderOf(db: Database, shop: Shop): Promise<string | null> {
  return (await chargeRow(db, shop)).gate_leg_id;
}

describeOnEachDatabase('takeTurn', (database) => {
  it('should name the leg that others wait for, with what its Workflow was started with, and whether it was sent (S5)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'a', { amountMinor: 700, chargeId: 'chg_1', reason: 'requested_by_client', fingerprint: 'f-a' });
    await reserve(db, shop, 'b', { amountMinor: 1 });
    const holder = {
      workflowId: 'refund:a', refundId: 'a', legId: 'a:chg_1', wasSent: false, provider: PROVIDER, details: {}, orderId: shop.orderId, chargeId: 'chg_1', amountMinor: 700, reason: 'requested_by_client',
      requestedBy: 'key_test', idempotencyKey: 'key-a', fingerprint: 'f-a',
    };
    expect(await takeTurn(db, legOf(shop, 'b'))).toEqual({ hasTurn: false, holder });
    expect(await takeTurn(db, legOf(shop, 'a'))).toEqual({ hasTurn: true, holder: null });
    await begin(db, legOf(shop, 'a'));
    expect(await takeTurn(db, legOf(shop, 'b'))).toEqual({ hasTurn: false, holder: { ...holder, wasSent: true } });
    await markUnknown(db, legOf(shop, 'a'), 1);
    expect(await takeTurn(db, legOf(shop, 'b'))).toMatchObject({ hasTurn: false, holder: { wasSent: true } });
  });

  it('should name the holder of the leg\'s own charge and merchant (S5)', async () => {
    const db = database();
    const [mine, other] = [await lineOf(db, 'a', 'b'), await lineOf(db, 'b', 'a')];
    expect(await takeTurn(db, legOf(mine, 'b'))).toMatchObject({ holder: { refundId: 'a' } });
    expect(await takeTurn(db, legOf(other, 'a'))).toMatchObject({ holder: { refundId: 'b' } });
  });
});

describeOnEachDatabase('loseTurn', (database) => {
  it('should take gate and place from a leg that was never sent, tell the next in line, and keep the hold (S5, M4)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b', 'c');
    expect(await loseTurn(db, legOf(shop, 'a'))).toEqual(next('b'));
    expect(await takeTurn(db, legOf(shop, 'b'))).toEqual({ hasTurn: true, holder: null });
    expect(await legRow(db, legOf(shop, 'a'))).toMatchObject({ status: 'reserved', ticket: null });
    expect(await refundRow(db, shop.merchantId, 'a')).toMatchObject({ status: 'pending', status_detail: 'reserved' });
    expect(await holds(db, shop)).toEqual([{ held: 3_000, ofLegs: 3_000 }]);
    expect(await loseTurn(db, legOf(shop, 'a'))).toBeNull();
    expect(await holderOf(db, shop)).toBe('b:chg_1');
  });

  it('should put a leg that comes back at the end of the line (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b', 'c');
    await loseTurn(db, legOf(shop, 'a'));
    expect(await takeTurn(db, legOf(shop, 'a'))).toMatchObject({ hasTurn: false, holder: { refundId: 'b' } });
    await reserve(db, shop, 'd', { amountMinor: 1_000 });
    const turns: (string | null)[] = [];
    for (let holder = await holderOf(db, shop); holder !== null; holder = await holderOf(db, shop)) {
      turns.push(holder);
      const refundId = holder.split(':')[0] ?? '';
      await begin(db, legOf(shop, refundId));
      await settleLeg(db, actingFor(refundId), legOf(shop, refundId), REFUSED);
    }
    expect(turns).toEqual(['b:chg_1', 'c:chg_1', 'a:chg_1', 'd:chg_1']);
  });

  it('should free the gate when nobody waits, and give it back to the leg when it asks again (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a');
    expect(await loseTurn(db, legOf(shop, 'a'))).toBeNull();
    expect(await holderOf(db, shop)).toBeNull();
    expect(await takeTurn(db, legOf(shop, 'a'))).toEqual({ hasTurn: true, holder: null });
    expect(await begin(db, legOf(shop, 'a'))).toEqual({ kind: 'go' });
  });

  it('should take its place from a leg that only waits, and leave the gate where it is (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b', 'c');
    expect(await loseTurn(db, legOf(shop, 'b'))).toBeNull();
    expect(await holderOf(db, shop)).toBe('a:chg_1');
    expect(await loseTurn(db, legOf(shop, 'a'))).toEqual(next('c'));
  });

  it('should take the turn of a leg that the provider did not take, as well: nothing of it is under way (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b');
    await begin(db, legOf(shop, 'a'));
    await markNotSent(db, legOf(shop, 'a'), 1, 'reserved');
    expect(await loseTurn(db, legOf(shop, 'a'))).toEqual(next('b'));
  });

  it('should never take the gate from a leg that was sent, whatever is known of it (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b');
    const key = legOf(shop, 'a');
    const stages = [() => begin(db, key), () => fenceSend(db, key, 1, { afterPermitMs: 0, afterCallMs: 0 }), () => begin(db, key, 2), () => markUnknown(db, key, 2)];
    for (const stage of stages) {
      await stage();
      const before = await books(db, shop.merchantId);
      expect(await loseTurn(db, key)).toBeNull();
      expect(await books(db, shop.merchantId)).toEqual(before);
      expect(await holderOf(db, shop)).toBe('a:chg_1');
      expect(await begin(db, legOf(shop, 'b'))).toEqual({ kind: 'fenced' });
    }
  });

  it('should do nothing to a leg that has its outcome (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b');
    await begin(db, legOf(shop, 'a'));
    await settleLeg(db, actingFor('a'), legOf(shop, 'a'), told('authorized', 're_a'));
    const before = await books(db, shop.merchantId);
    expect(await loseTurn(db, legOf(shop, 'a'))).toBeNull();
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should have one winner when it races with the send: the gate stays with what was sent (S5)', async () => {
    const db = database();
    for (let round = 0; round < 10; round += 1) {
      const shop = await lineOf(db, 'a', 'b');
      const calls = [() => begin(db, legOf(shop, 'a')), () => loseTurn(db, legOf(shop, 'a'))];
      await Promise.all((round % 2 === 0 ? calls : calls.toReversed()).map((call) => call()));
      expect([['sending', 'a:chg_1'], ['reserved', 'b:chg_1']]).toContainEqual([(await legRow(db, legOf(shop, 'a'))).status, await holderOf(db, shop)]);
    }
  });
});

describeOnEachDatabase('beginSend without the gate', (database) => {
  it('should give no permit to a leg that lost its turn, nor to one that never had a place in line (S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a', 'b');
    await loseTurn(db, legOf(shop, 'a'));
    await reserve(db, shop, 'no-ticket', { amountMinor: 1, gated: false });
    for (const refundId of ['a', 'no-ticket']) {
      expect(await begin(db, legOf(shop, refundId))).toEqual({ kind: 'fenced' });
      expect(await legRow(db, legOf(shop, refundId))).toMatchObject({ status: 'reserved', send_number: 0 });
      expect(await refundRow(db, shop.merchantId, refundId)).toMatchObject({ status: 'pending' });
    }
    expect(await holderOf(db, shop)).toBe('b:chg_1');
    expect(await begin(db, legOf(shop, 'no-ticket'), 1, { gated: false })).toEqual({ kind: 'go' });
  });

  it('should give no permit on a free gate that was not taken, and take it for the next try (S5)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { demands: { requireReview: true } });
    expect(await holderOf(db, shop)).toBeNull();
    expect(await begin(db, legOf(shop, 'r'))).toEqual({ kind: 'fenced' });
    expect(await holderOf(db, shop)).toBe('r:chg_1');
    expect(await begin(db, legOf(shop, 'r'))).toEqual({ kind: 'go' });
  });

  it('should give no permit to a worker that read the leg before another send of it began (S4, S5)', async () => {
    const db = database();
    const shop = await lineOf(db, 'a');
    expect(await begin(db, legOf(shop, 'a'))).toEqual({ kind: 'go' });
    const before = await books(db, shop.merchantId);
    expect(await begin(db, legOf(shop, 'a'), 2, { lastSend: 0 })).toEqual({ kind: 'fenced' });
    expect(await books(db, shop.merchantId)).toEqual(before);
    expect(await begin(db, legOf(shop, 'a'), 2, { lastSend: 1 })).toEqual({ kind: 'go' });
  });
});
