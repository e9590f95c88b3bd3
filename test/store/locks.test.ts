import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrate } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { lockLeg } from '../../src/store/refunds/send.ts';
import { settleLeg, settleLockedLeg } from '../../src/store/refunds/settle.ts';
import type { Tx } from '../../src/store/transitions.ts';
import { startDatabase } from '../support/database.ts';
import { actingFor, begin, legOf, openShop, orderSnapshot, refundRow, reserve, success } from './refund-records.ts';

const database = await startDatabase('PostgreSQL');
beforeAll(async () => {
  if (database !== null) await migrate(database.db);
});
afterAll(() => database?.stop());

/** Runs one transaction, and another one that has to wait for its locks: what the second one came to. */
async function behind<T>(db: Database, first: (tx: Tx) => Promise<() => Promise<unknown>>, second: () => Promise<T>): Promise<T> {
  let waiting: Promise<T> | undefined;
  await db.transaction().execute(async (tx) => {
    const last = await first(tx);
    waiting = second();
    await vi.waitFor(async () => {
      const { rows } = await sql`select pid from pg_locks where not granted`.execute(db);
      expect(rows).not.toEqual([]);
    });
    await last();
  });
  if (waiting === undefined) throw new Error('the second transaction was not begun');
  return waiting;
}

describe.skipIf(database === null)('a transaction that had to wait for another one', () => {
  it('should see leg, gate and refund as that one left them, by the statement that locks them (S5)', async () => {
    const db = (database as NonNullable<typeof database>).db;
    const shop = await openShop(db);
    for (const refundId of ['a', 'b']) await reserve(db, shop, refundId, { amountMinor: 1_000 });
    const { merchantId } = shop;
    const seen = await behind(db, async (tx) => {
      await lockLeg(tx, legOf(shop, 'a'));
      return async () => {
        await tx.updateTable('legs').set({ status: 'unknown', send_number: 7 }).where('merchant_id', '=', merchantId).where('leg_id', '=', 'b:chg_1').execute();
        await tx.updateTable('refunds').set({ status: 'in_process', status_detail: 'sent', needs_attention: true }).where('merchant_id', '=', merchantId).where('refund_id', '=', 'b').execute();
        await tx.updateTable('charges').set({ gate_leg_id: 'b:chg_1' }).where('merchant_id', '=', merchantId).execute();
      };
    }, () => db.transaction().execute((tx) => lockLeg(tx, legOf(shop, 'b'))));
    expect(seen).toMatchObject({ leg_id: 'b:chg_1', status: 'unknown', send_number: 7, gate_leg_id: 'b:chg_1', refund: { status: 'in_process', statusDetail: 'sent', needsAttention: true } });
  });

  it('should compute a refund from all its legs as they then are (R2)', async () => {
    const db = (database as NonNullable<typeof database>).db;
    const charges = [{ chargeId: 'chg_1' }, { chargeId: 'chg_2' }];
    const shop = await openShop(db, charges);
    await reserve(db, shop, 'r');
    for (const { chargeId } of charges) await begin(db, legOf(shop, 'r', chargeId));
    const acting = actingFor('r');
    const settled = await behind(db, async (tx) => {
      const key = legOf(shop, 'r', 'chg_1');
      await settleLockedLeg(tx, acting, key, await lockLeg(tx, key), success('re_1', orderSnapshot(charges)));
      return async () => undefined;
    }, () => settleLeg(db, acting, legOf(shop, 'r', 'chg_2'), success('re_2', orderSnapshot(charges))));
    expect(settled).toMatchObject({ refundStatus: 'refunded', statusDetail: 'complete' });
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'refunded' });
  });
});
