import { expect, it } from 'vitest';
import type { RefundReceipt } from '../../src/domain/refund-receipt.ts';
import type { ListedRefund } from '../../src/domain/send-protocol.ts';
import type { Database } from '../../src/store/database.ts';
import { findCharge, rememberCharges } from '../../src/store/known-charges.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { readOrder, saveOrder } from '../../src/store/orders.ts';
import { refundOfCharge } from '../../src/store/refunds/of-charge.ts';
import { acceptedAs, readLeg } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, begin, casesOf, chargeRow, legOf, legRow, listed, openShop, orderSnapshot, PROVIDER, refundRow, reserve } from './refund-records.ts';
import type { Shop } from './refund-records.ts';

const OTHER = 'gateway';

/** A payment of the other provider: its order and its one charge go by one id. Minor units. */
function savePayment(db: Database, shop: Shop, paymentId: string, amountMinor = 10_000): Promise<void> {
  return saveOrder(db, shop.merchantId, OTHER, {
    ...orderSnapshot([{ chargeId: paymentId, amountMinor, currency: 'ARS' }]), orderId: paymentId, currency: 'ARS',
  }, atSecond(5));
}

function receipt(providerStatus: string): RefundReceipt {
  return { providerStatus, type: 'online', transactionId: 'tx', authorizationCode: null, ticketNumber: null, fees: [{ type: 'fee', payer: 'payer', description: null, amountMinor: 3 }] };
}

describeOnEachDatabase('refunds at several providers', (database) => {
  it('should keep a refund with the provider it names, side by side with another of the same merchant', async () => {
    const db = database();
    const shop = await openShop(db);
    await savePayment(db, shop, 'pay-1');
    expect(await reserve(db, shop, 'here', { amountMinor: 100 })).toMatchObject({ kind: 'reserved', currency: 'MXN' });
    expect(await reserve(db, shop, 'there', { provider: OTHER, orderId: 'pay-1', chargeId: 'pay-1', amountMinor: 100, gated: false, details: { refundType: 'manual' } })).toMatchObject({ kind: 'reserved', currency: 'ARS' });
    expect(await readLeg(db, legOf(shop, 'here'))).toMatchObject({ provider: PROVIDER, details: {} });
    expect(await readLeg(db, { ...legOf(shop, 'there'), legId: 'there:pay-1' })).toMatchObject({ provider: OTHER, orderId: 'pay-1', details: { refundType: 'manual' } });
  });

  it('should know an order only at its own provider, and leave it alone when another one has the same id (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    for (const [orderId, refundId] of [[shop.orderId, 'order'], ['pay-none', 'none']] as const) {
      expect(await reserve(db, shop, refundId, { provider: OTHER, orderId, amountMinor: 100 })).toEqual({ kind: 'refused', refusal: 'order_not_found', fingerprint: 'f' });
    }
    // The other provider has a payment of the same id: nothing of it gets into the order on record.
    await saveOrder(db, shop.merchantId, OTHER, { ...orderSnapshot([{ chargeId: 'chg_new', amountMinor: 1 }, { amountMinor: 77 }]), orderId: shop.orderId, currency: 'ARS' }, atSecond(9));
    expect(await readOrder(db, shop.merchantId, OTHER, shop.orderId)).toBeNull();
    expect((await readOrder(db, shop.merchantId, PROVIDER, shop.orderId))?.charges.map(({ chargeId, capturedMinor }) => [chargeId, capturedMinor])).toEqual([['chg_1', 10_000]]);
    expect(await reserve(db, shop, 'again', { provider: OTHER, orderId: shop.orderId, amountMinor: 1 })).toMatchObject({ kind: 'refused', refusal: 'order_not_found' });
    expect((await chargeRow(db, shop)).held_minor).toBe(0);
  });

  it('should not book a charge of another order that goes by the same id (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    await savePayment(db, shop, 'chg_1', 500);
    expect(await chargeRow(db, shop)).toMatchObject({ order_id: shop.orderId, captured_minor: 10_000 });
    expect(await reserve(db, shop, 'r', { provider: OTHER, orderId: 'chg_1', chargeId: 'chg_1', amountMinor: 1 })).toMatchObject({ kind: 'refused' });
  });

  it('should keep what the provider last told of a refund, also while it stays where it is, and take nothing from another one (R6, R7)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 100 });
    await begin(db, legOf(shop, 'r'));
    const told = (providerStatus: string, providerRefundId = 're_1') => settleLeg(db, actingFor('r'), legOf(shop, 'r'), { kind: 'authorized', providerRefundId, seen: null, receipt: receipt(providerStatus) });
    for (const word of ['in_process', 'review', 'validate']) {
      expect(await told(word)).toMatchObject({ legStatus: 'authorized' });
      expect((await legRow(db, legOf(shop, 'r'))).receipt).toEqual(receipt(word));
    }
    await told('approved', 're_other');
    expect((await legRow(db, legOf(shop, 'r'))).receipt).toEqual(receipt('validate'));
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), { kind: 'refused', refusal: 'dismissed_at_provider', receipt: receipt('dismissed') });
    expect((await legRow(db, legOf(shop, 'r'))).receipt).toEqual(receipt('dismissed'));
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'rejected', status_detail: 'dismissed_at_provider' });
    expect(await acceptedAs(db, legOf(shop, 'r'))).toBeNull();
  });

  it('should find the last refund of a charge, or the one named by either id, and no other merchant\'s', async () => {
    const db = database();
    const shop = await openShop(db);
    expect(await refundOfCharge(db, shop.merchantId, 'chg_1')).toBeNull();
    await reserve(db, shop, 'first', { amountMinor: 100, chargeId: 'chg_1', reason: 'other' });
    await begin(db, legOf(shop, 'first'));
    await settleLeg(db, actingFor('first'), legOf(shop, 'first'), { kind: 'succeeded', providerRefundId: 're_1', seen: null, receipt: receipt('refunded') });
    const first = {
      refundId: 'first', provider: PROVIDER, chargeId: 'chg_1', merchantId: shop.merchantId, merchantName: 'Tienda', status: 'refunded', statusDetail: 'complete', amountMinor: 100, currency: 'MXN', reason: 'other',
      requestedBy: actingFor('first').actor, details: {}, receipt: receipt('refunded'),
    };
    expect(await refundOfCharge(db, shop.merchantId, 'chg_1')).toEqual(first);
    // A total refund names no charge, and concerns this one all the same.
    await reserve(db, shop, 'total');
    expect(await refundOfCharge(db, shop.merchantId, 'chg_1')).toMatchObject({ refundId: 'total', amountMinor: 9_900, receipt: null });
    await reserve(db, shop, 'refused', { chargeId: 'chg_1', amountMinor: 5 });
    expect(await refundOfCharge(db, shop.merchantId, 'chg_1')).toMatchObject({ refundId: 'total' });
    expect(await refundOfCharge(db, shop.merchantId, 'chg_1', { refundId: 'refused' })).toMatchObject({ refundId: 'refused', status: 'rejected', amountMinor: 5 });
    for (const named of ['first', 're_1']) expect(await refundOfCharge(db, shop.merchantId, 'chg_1', { refundId: named })).toEqual(first);
    for (const [merchantId, chargeId, named] of [[shop.merchantId, 'chg_2', 'first'], ['mer_other', 'chg_1', 'first'], [shop.merchantId, 'chg_1', 'nobody']] as const) expect(await refundOfCharge(db, merchantId, chargeId, { refundId: named })).toBeNull();
  });

  it('should know where a charge was paid: from the books before what passed by, and per merchant', async () => {
    const db = database();
    const shop = await openShop(db);
    const other = `${shop.merchantId}_other`;
    await saveMerchant(db, { merchantId: other, name: 'Otra', provider: PROVIDER });
    await rememberCharges(db, shop.merchantId, { provider: 'passed', orderId: 'ord_passed', currency: 'MXN' }, ['chg_1', 'chg_9']);
    await rememberCharges(db, shop.merchantId, { provider: 'passed', orderId: 'ord_later', currency: 'MXN' }, ['chg_9']);
    await rememberCharges(db, shop.merchantId, { provider: 'passed', orderId: 'ord_none', currency: 'MXN' }, []);
    expect(await findCharge(db, shop.merchantId, 'chg_1')).toEqual({ provider: PROVIDER, orderId: shop.orderId, currency: 'MXN' });
    expect(await findCharge(db, shop.merchantId, 'chg_9')).toEqual({ provider: 'passed', orderId: 'ord_passed', currency: 'MXN' });
    expect(await findCharge(db, other, 'chg_9')).toBeNull();
  });
});

describeOnEachDatabase('a refund that was executed twice under one reference', (database) => {
  const twin = (providerRefundId: string, reference: string): ListedRefund => ({ ...listed(providerRefundId, 1_000), reference });

  it('should be ours once: while it is looked for the first, then the one it was settled as; the other takes from what remains (M2)', async () => {
    const db = database();
    const shop = await openShop(db);
    const save = (second: number, ...refunds: readonly ListedRefund[]): Promise<void> => saveOrder(db, shop.merchantId, PROVIDER, orderSnapshot([{ refunds }]), atSecond(second));
    await reserve(db, shop, 'r', { amountMinor: 1_000, gated: false });
    const leg = legOf(shop, 'r');
    await begin(db, leg, 1, { gated: false });
    await save(6, twin('re_1', leg.legId));
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 0 });
    await save(7, twin('re_1', leg.legId), twin('re_2', leg.legId));
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 1_000 });
    await settleLeg(db, actingFor('r'), leg, { kind: 'succeeded', providerRefundId: 're_2', seen: { order: orderSnapshot([{ refunds: [twin('re_1', leg.legId), twin('re_2', leg.legId)] }]), seenAt: atSecond(8) } });
    expect(await chargeRow(db, shop)).toMatchObject({ held_minor: 1_000, external_minor: 1_000 });
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([['contradiction', 'open']]);
    expect(await reserve(db, shop, 'rest')).toMatchObject({ legs: [{ amountMinor: 8_000 }] });
  });

  it('should be no matter for a person when the other one came to nothing, or is another leg\'s', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 1_000, gated: false });
    const leg = legOf(shop, 'r');
    await begin(db, leg, 1, { gated: false });
    const refunds: readonly ListedRefund[] = [{ ...twin('re_0', leg.legId), state: 'failed' }, twin('re_1', leg.legId), twin('re_2', 'other:chg_1')];
    await settleLeg(db, actingFor('r'), leg, { kind: 'succeeded', providerRefundId: 're_1', seen: { order: orderSnapshot([{ refunds }]), seenAt: atSecond(8) } });
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([]);
    expect(await chargeRow(db, shop)).toMatchObject({ external_minor: 1_000 });
  });
});
