import { sql } from 'kysely';
import { expect, it } from 'vitest';

import { readOrder, saveOrder, type ChargeSnapshot } from '../../src/store/orders.ts';
import { fenceSend } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import type { Database } from '../../src/store/database.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, begin, chargeRow, chargeSnapshot, legOf, listed, openShop, orderSnapshot, PROVIDER, REFUSED, reserve, success, type Shop } from './refund-records.ts';

function save(db: Database, shop: Shop, second: number, ...charges: readonly Partial<ChargeSnapshot>[]): Promise<void> {
  return saveOrder(db, shop.merchantId, PROVIDER, { ...orderSnapshot(charges), raw: { readAt: second } }, atSecond(second));
}

const MANUAL = listed('re_manual', 300);
const OURS = listed('re_ours', 1_000);

describeOnEachDatabase('saveOrder', (database) => {
  it('should let a newer reading replace an older one, whole', async () => {
    const db = database();
    const shop = await openShop(db, [{ paid: false, providerStatus: 'pending_payment' }]);
    await save(db, shop, 5, { amountMinor: 9_000, disputedMinor: 20, raw: { fresh: true } });
    expect(await readOrder(db, shop.merchantId, PROVIDER, shop.orderId)).toEqual({
      raw: { readAt: 5 },
      charges: [{ chargeId: 'chg_1', capturedMinor: 9_000, heldMinor: 0, externalMinor: 0, disputedMinor: 20, paid: true, currency: 'MXN', raw: { fresh: true } }],
    });
  });

  it('should not let a stale reading replace a newer one (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    await save(db, shop, 5, { disputedMinor: 20, refunds: [MANUAL], raw: { fresh: true } });
    await save(db, shop, 4, { raw: { fresh: false } });
    const order = await readOrder(db, shop.merchantId, PROVIDER, shop.orderId);
    expect(order?.raw).toEqual({ readAt: 5 });
    expect(order?.charges).toMatchObject([{ disputedMinor: 20, externalMinor: 300, raw: { fresh: true } }]);
  });

  it('should keep charges in the provider\'s order, and answer null for another merchant\'s order', async () => {
    const db = database();
    const shop = await openShop(db, [{ chargeId: 'chg_b' }, { chargeId: 'chg_a' }]);
    expect((await readOrder(db, shop.merchantId, PROVIDER, shop.orderId))?.charges.map((charge) => charge.chargeId)).toEqual(['chg_b', 'chg_a']);
    expect(await readOrder(db, 'mer_other', PROVIDER, shop.orderId)).toBeNull();
  });

  it('should count refunds made without us, and not our own (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 1_000 });
    await begin(db, legOf(shop, 'r'));
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), success('re_ours', orderSnapshot([{ refunds: [MANUAL, OURS] }]), atSecond(10)));
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 300 });
    await save(db, shop, 11, { refunds: [MANUAL, OURS, listed('re_manual_2', 50)] });
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 350 });
  });

  it('should keep its count of foreign refunds while one of ours is under way: the new one may be ours (S5, M2)', async () => {
    const db = database();
    const shop = await openShop(db, [{ refunds: [MANUAL] }]);
    await reserve(db, shop, 'r', { amountMinor: 1_000 });
    await begin(db, legOf(shop, 'r'));
    await fenceSend(db, legOf(shop, 'r'), 1, { afterPermitMs: 0, afterCallMs: 0 });
    await save(db, shop, 5, { refunds: [MANUAL, OURS], raw: { fresh: true } });
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 300, raw: { fresh: true } });
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), success('re_ours', orderSnapshot([{ refunds: [MANUAL, OURS] }]), atSecond(6)));
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 300, gate_leg_id: null });
  });

  it('should count a foreign refund again once nothing of ours is under way (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 1_000 });
    await begin(db, legOf(shop, 'r'));
    await save(db, shop, 5, { refunds: [MANUAL] });
    expect((await chargeRow(db, shop)).external_minor).toBe(0);
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), REFUSED);
    await save(db, shop, 6, { refunds: [MANUAL] });
    expect((await chargeRow(db, shop)).external_minor).toBe(300);
  });

  it('should not shrink a charge below what is held on it', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 1_000 });
    await save(db, shop, 5, { amountMinor: 400 });
    expect(await chargeRow(db, shop)).toMatchObject({ captured_minor: 1_000, held_minor: 1_000 });
  });

  it('should not take a charge away from the order it belongs to', async () => {
    const db = database();
    const shop = await openShop(db);
    await saveOrder(db, shop.merchantId, PROVIDER, { ...orderSnapshot(), orderId: 'ord_2', charges: [chargeSnapshot({ amountMinor: 1 })] }, atSecond(9));
    expect(await chargeRow(db, shop)).toMatchObject({ order_id: 'ord_1', captured_minor: 10_000 });
  });
});

describeOnEachDatabase('saveOrder beside reservations and settlements', (database, kind) => {
  it('should not deadlock with refunds that lock the same charges in their own order (M3)', async () => {
    const db = database();
    const charges = [{ chargeId: 'chg_b', amountMinor: 100 }, { chargeId: 'chg_a', amountMinor: 100 }];
    const shop = await openShop(db, charges);
    const busy = Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? save(db, shop, 1 + index, ...charges) : reserve(db, shop, `r${index}`, { recordRefusal: false })));
    const settled = await Promise.allSettled(busy);
    expect(settled.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))).toEqual([]);
  });

  it.runIf(kind === 'PostgreSQL')('should not count our refund as foreign when it settles while the order is being saved (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 1_000 });
    await begin(db, legOf(shop, 'r'));
    // Somebody holds the charge's lock: the save comes upon it, then the settlement is committed, and only then the save goes on.
    const { saving } = await db.transaction().execute(async (tx) => {
      await tx.selectFrom('charges').select('charge_id').where('merchant_id', '=', shop.merchantId).forUpdate().execute();
      const saving = save(db, shop, 20, { refunds: [OURS] });
      await lockAwaited(db);
      await tx.updateTable('legs').set({ status: 'succeeded', provider_refund_id: OURS.providerRefundId }).where('merchant_id', '=', shop.merchantId).execute();
      await tx.updateTable('charges').set({ gate_leg_id: null, updated_at: atSecond(10) }).where('merchant_id', '=', shop.merchantId).execute();
      return { saving };
    });
    await saving;
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 0 });
  });
});

/** Resolves when a statement waits for a lock. */
async function lockAwaited(db: Database): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waiting: number }>`select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(db);
    if ((rows[0]?.waiting ?? 0) > 0) return;
  }
}
