import { createHash } from 'node:crypto';

import { sql } from 'kysely';
import { expect, it } from 'vitest';

import { openCase } from '../../src/store/cases.ts';
import { together } from '../../src/store/together.ts';
import { claimKey, findKey } from '../../src/store/idempotency.ts';
import { findKeyHolder, providerOf, saveApiKey, saveMerchant } from '../../src/store/merchants.ts';
import { rememberTakenIn, wasTakenIn } from '../../src/store/provider-events.ts';
import { findRefundOfOrder, readRefund } from '../../src/store/refunds/read.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, begin, legOf, openShop, PROVIDER, REFUSED, reserve, success } from './refund-records.ts';

describeOnEachDatabase('the schema', (database) => {
  it.each(['money_movements', 'transitions', 'events'])('should refuse to change or delete rows of %s (M7, O3)', async (table) => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await begin(db, legOf(shop, 'r'));
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), success('re_1'));
    const read = async () => (await sql`select * from ${sql.table(table)} where merchant_id = ${shop.merchantId}`.execute(db)).rows;
    const before = await read();
    expect(before.length).toBeGreaterThan(0);
    await expect(sql`update ${sql.table(table)} set merchant_id = 'x' where merchant_id = ${shop.merchantId}`.execute(db)).rejects.toThrow(`${table} is append-only`);
    await expect(sql`delete from ${sql.table(table)} where merchant_id = ${shop.merchantId}`.execute(db)).rejects.toThrow(`${table} is append-only`);
    expect(await read()).toEqual(before);
  });

  it.each([
    ['more held than captured', 'update charges set held_minor = captured_minor + 1', /charges_check|held_minor/],
    ['less than nothing held', 'update charges set held_minor = -1', /held_minor|charges_check/],
    ['a negative capture', 'update charges set captured_minor = -1', /captured_minor|charges_check/],
    ['negative foreign refunds', 'update charges set external_minor = -1', /external_minor/],
    ['a negative chargeback', 'update charges set disputed_minor = -1', /disputed_minor/],
    ['a leg of nothing', 'update legs set amount_minor = 0', /amount_minor/],
  ])('should refuse %s (M2)', async (_, statement, constraint) => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await expect(sql`${sql.raw(statement)} where merchant_id = ${shop.merchantId}`.execute(db)).rejects.toThrow(constraint);
  });

  it.each([
    ['of nothing', { leg_id: 'l', amount_minor: 0 }, /amount_minor/],
    ['of an unknown kind', { leg_id: 'l', kind: 'gift' }, /kind/],
    ['of neither a leg nor a payout order', {}, /money_movements_check/],
    ['of both a leg and a payout order', { leg_id: 'l', payout_order_id: 'p' }, /money_movements_check/],
  ])('should refuse a movement %s (M7)', async (_, over, constraint) => {
    const db = database();
    const { merchantId } = await openShop(db);
    const row = { merchant_id: merchantId, kind: 'refund', leg_id: null, payout_order_id: null, amount_minor: 1, currency: 'MXN', ...over };
    await expect(sql`insert into money_movements (merchant_id, kind, leg_id, payout_order_id, amount_minor, currency)
      values (${row.merchant_id}, ${row.kind}, ${row.leg_id}, ${row.payout_order_id}, ${row.amount_minor}, ${row.currency})`.execute(db)).rejects.toThrow(constraint);
  });

  it('should refuse a second movement of a leg, and take the opposite one of a late failure (M7, R9)', async () => {
    const db = database();
    const { merchantId } = await openShop(db);
    const write = (kind: 'refund' | 'refund_failed') => db.insertInto('money_movements').values({ merchant_id: merchantId, kind, leg_id: 'l', charge_id: 'c', amount_minor: 1, currency: 'MXN' }).execute();
    await write('refund');
    await expect(write('refund')).rejects.toThrow(/money_movements_merchant_id_kind_leg_id_key/);
    await write('refund_failed');
  });
});

describeOnEachDatabase('openCase', (database) => {
  it('should open one case per subject and kind while it is open, and mark the refund (O1)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await begin(db, legOf(shop, 'r'));
    const matter = { merchantId: shop.merchantId, kind: 'outcome_unknown', refundId: 'r', legId: 'r:chg_1' } as const;
    await Promise.all([openCase(db, matter), openCase(db, matter), openCase(db, { ...matter, kind: 'waited_too_long' })]);
    const read = () => db.selectFrom('cases').select(['kind', 'refund_id', 'leg_id', 'amount_minor', 'currency', 'status']).where('merchant_id', '=', shop.merchantId).orderBy('kind').execute();
    const named = { refund_id: 'r', leg_id: 'r:chg_1', amount_minor: 10_000, currency: 'MXN', status: 'open' };
    expect(await read()).toEqual([{ kind: 'outcome_unknown', ...named }, { kind: 'waited_too_long', ...named }]);
    expect(await db.selectFrom('refunds').select(['needs_attention', 'status_detail']).where('merchant_id', '=', shop.merchantId).executeTakeFirst()).toEqual({ needs_attention: true, status_detail: 'needs_attention' });
    await db.updateTable('cases').set({ status: 'resolved' }).where('merchant_id', '=', shop.merchantId).execute();
    await openCase(db, matter);
    expect(await read()).toHaveLength(3);
  });

  it('should open a case about a whole refund as well (O1)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await openCase(db, { merchantId: shop.merchantId, kind: 'waited_too_long', refundId: 'r' });
    await openCase(db, { merchantId: shop.merchantId, kind: 'waited_too_long', refundId: 'r' });
    expect(await db.selectFrom('cases').select(['refund_id', 'leg_id', 'amount_minor']).where('merchant_id', '=', shop.merchantId).execute()).toEqual([{ refund_id: 'r', leg_id: null, amount_minor: 10_000 }]);
  });

  it('should no longer ask for attention once the refund has its end', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await begin(db, legOf(shop, 'r'));
    await openCase(db, { merchantId: shop.merchantId, kind: 'outcome_unknown', refundId: 'r', legId: 'r:chg_1' });
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), REFUSED);
    expect(await db.selectFrom('refunds').select(['needs_attention', 'status']).where('merchant_id', '=', shop.merchantId).executeTakeFirst()).toEqual({ needs_attention: false, status: 'rejected' });
  });
});

describeOnEachDatabase('findKeyHolder', (database) => {
  const hash = (key: string): string => createHash('sha256').update(key).digest('hex');

  it('should know a valid key, and not an unknown, expired or revoked one (RELIABILITY, Security)', async () => {
    const db = database();
    const { merchantId } = await openShop(db);
    const keys = ['valid', 'later', 'expired', 'revoked'].map((name) => ({ name, keyHash: hash(`${merchantId}.${name}`) }));
    for (const { name, keyHash } of keys) await saveApiKey(db, { keyHash, keyPrefix: `rk_${name}`, merchantId, scopes: ['read', 'refunds'] });
    const change = (name: string, set: { expires_at?: Date; revoked_at?: Date }) => db.updateTable('api_keys').set(set).where('key_hash', '=', hash(`${merchantId}.${name}`)).execute();
    await change('later', { expires_at: new Date(Date.now() + 3_600_000) });
    await change('expired', { expires_at: new Date(Date.now() - 1000) });
    await change('revoked', { revoked_at: new Date() });
    const found = await Promise.all(keys.map(({ keyHash }) => findKeyHolder(db, keyHash)));
    const holder = { merchantId, provider: PROVIDER, scopes: ['read', 'refunds'] };
    expect(found).toEqual([{ ...holder, keyPrefix: 'rk_valid' }, { ...holder, keyPrefix: 'rk_later' }, null, null]);
    expect(await findKeyHolder(db, hash('unknown'))).toBeNull();
  });

  it('should leave an existing key and merchant as they are when they are saved again', async () => {
    const db = database();
    const { merchantId } = await openShop(db);
    const keyHash = hash(merchantId);
    await saveApiKey(db, { keyHash, keyPrefix: 'rk', merchantId, scopes: ['read'] });
    await saveApiKey(db, { keyHash, keyPrefix: 'rk', merchantId, scopes: ['read', 'refunds', 'operator'] });
    await saveMerchant(db, { merchantId, name: 'Other', provider: 'other' });
    expect(await findKeyHolder(db, keyHash)).toMatchObject({ provider: PROVIDER, scopes: ['read'] });
    await expect(providerOf(db, 'mer_nobody')).rejects.toThrow('no merchant "mer_nobody"');
  });
});

describeOnEachDatabase('claimKey', (database) => {
  it('should be unique per merchant and operation, and last 13 months (R8)', async () => {
    const db = database();
    const [{ merchantId }, other] = [await openShop(db), await openShop(db)];
    const claim = (over: Partial<Parameters<typeof claimKey>[1]>) => db.transaction().execute((tx) => together(tx, claimKey(tx, { merchantId, operation: 'refund:ord_1', key: 'k', fingerprint: 'f', resourceId: 'first', ...over })));
    await claim({});
    await expect(claim({ resourceId: 'second' })).rejects.toThrow(/idempotency_keys_pkey/);
    await claim({ operation: 'refund:ord_2', resourceId: 'elsewhere' });
    await claim({ merchantId: other.merchantId, resourceId: 'others' });
    expect(await findKey(db, merchantId, 'refund:ord_1', 'k')).toEqual({ fingerprint: 'f', resourceId: 'first' });
    expect(await findKey(db, merchantId, 'refund:ord_1', 'K')).toBeNull();
    const { rows } = await sql<{ lasts: boolean }>`select expires_at = created_at + interval '13 months' as lasts from idempotency_keys where merchant_id = ${merchantId}`.execute(db);
    expect(rows).toEqual([{ lasts: true }, { lasts: true }]);
  });
});

describeOnEachDatabase('rememberTakenIn', (database) => {
  it('should remember a provider\'s event, once, apart from other providers\' (A8)', async () => {
    const db = database();
    await Promise.all([rememberTakenIn(db, 'acme', 'evt_1'), rememberTakenIn(db, 'acme', 'evt_1')]);
    expect([await wasTakenIn(db, 'acme', 'evt_1'), await wasTakenIn(db, 'other', 'evt_1'), await wasTakenIn(db, 'acme', 'evt_2')]).toEqual([true, false, false]);
  });
});

describeOnEachDatabase('findRefundOfOrder', (database) => {
  it('should find by our id and by the provider\'s, on its own order alone (A1)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 7 });
    await begin(db, legOf(shop, 'r'));
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), success('re_1'));
    const record = { refundId: 'r', provider: PROVIDER, orderId: shop.orderId, status: 'refunded', statusDetail: 'complete', amountMinor: 7, currency: 'MXN' };
    expect(await readRefund(db, shop.merchantId, 'r')).toEqual(record);
    for (const id of ['r', 're_1']) expect(await findRefundOfOrder(db, shop.merchantId, PROVIDER, shop.orderId, id)).toEqual(record);
    for (const id of ['r', 're_1']) expect(await findRefundOfOrder(db, shop.merchantId, PROVIDER, 'ord_2', id)).toBeNull();
    expect(await findRefundOfOrder(db, 'mer_other', PROVIDER, shop.orderId, 'r')).toBeNull();
  });
});
