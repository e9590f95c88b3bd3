import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RefundReceipt } from '../../src/domain/refund-receipt.ts';
import type { ListedRefund, ProviderRefundState } from '../../src/domain/send-protocol.ts';
import type { Database } from '../../src/store/database.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { chargeRow, holds, legRow } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider, LOST_AFTER, LOST_BEFORE, type FakeProvider } from '../support/fake-provider.ts';
import { booked, letCallsEnd, openScene, reserveLeg, type Scene } from './activity-scene.ts';
import { altered } from './altered-provider.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const CHARGES = [{ chargeId: 'chg_1', amountMinor: 10_000 }];

/** A scene at a provider that keeps our reference and answers a send with the refund alone, changed on the way. */
function openAt(change: (refund: ListedRefund) => ListedRefund = (refund) => refund, provider: FakeProvider = createFakeProvider(CHARGES, 'reference')): Promise<Scene> {
  return openScene(db, CHARGES, altered(provider, { refund: change }));
}

function receipt(providerStatus: string): RefundReceipt {
  return { providerStatus, type: 'online', transactionId: 'tx_1', authorizationCode: null, ticketNumber: null, fees: [] };
}

/** Notes what references are sought in reads of the order. */
function seeking(provider: FakeProvider): { readonly provider: FakeProvider; readonly sought: (string | undefined)[] } {
  const sought: (string | undefined)[] = [];
  const { adapter } = provider;
  return { sought, provider: { ...provider, adapter: { ...adapter, getOrder: (call, orderId, reference) => {
    sought.push(reference);
    return adapter.getOrder(call, orderId, reference);
  } } } };
}

describe('a send that is answered with the refund alone (S1)', () => {
  it('should be settled by our reference, with its receipt, and leave the charge as it was read', async () => {
    const scene = await openAt((refund) => ({ ...refund, receipt: receipt('refunded') }));
    const leg = await reserveLeg(scene, 'r', 4_000);
    const before = await chargeRow(db, { merchantId: scene.merchantId, orderId: 'ord_1' });
    expect(await scene.refunds.submitRefund(leg)).toMatchObject({ kind: 'accepted', refundStatus: 'refunded', legStatus: 'succeeded' });
    expect(await legRow(db, leg)).toMatchObject({ provider_refund_id: 're_1', receipt: receipt('refunded') });
    expect(await chargeRow(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toMatchObject({ external_minor: 0, updated_at: before.updated_at, held_minor: 4_000 });
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 4_000 });
  });

  it.each<[string, (refund: ListedRefund) => ListedRefund]>([
    ['another reference', (refund) => ({ ...refund, reference: 'other:chg_1' })], ['no reference', (refund) => ({ ...refund, reference: null })], ['another amount', (refund) => ({ ...refund, amountMinor: 4_001 })],
  ])('should stay unknown when the refund answered has %s, and nothing is booked (S4, S7)', async (_, change) => {
    const scene = await openAt(change);
    const leg = await reserveLeg(scene, 'r', 4_000);
    expect(await scene.refunds.submitRefund(leg)).toEqual({ kind: 'unknown' });
    expect(await legRow(db, leg)).toMatchObject({ status: 'unknown', provider_refund_id: null });
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  });

  it.each<[ProviderRefundState, string, object]>([
    ['authorized', 'review', { kind: 'accepted', refundStatus: 'authorized' }], ['approved', 'approved', { kind: 'accepted', refundStatus: 'approved' }],
    ['failed', 'rejected', { kind: 'declined', refundStatus: 'rejected', statusDetail: 'failed_at_provider' }],
    ['failed', 'dismissed', { kind: 'declined', refundStatus: 'rejected', statusDetail: 'dismissed_at_provider' }],
    ['failed', 'cancelled', { kind: 'declined', refundStatus: 'rejected', statusDetail: 'cancelled_at_provider' }],
  ])('should be taken as it stands: %s, in the provider\'s word %s (R6)', async (state, word, outcome) => {
    const scene = await openAt((refund) => ({ ...refund, state, receipt: receipt(word) }));
    const leg = await reserveLeg(scene, 'r', 4_000);
    expect(await scene.refunds.submitRefund(leg)).toMatchObject(outcome);
    expect(await legRow(db, leg)).toMatchObject({ receipt: receipt(word) });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([state === 'failed' ? { held: 0, ofLegs: 0 } : { held: 4_000, ofLegs: 4_000 }]);
  });
});

describe('a reference that can be asked for (S1, S4)', () => {
  it('should be sought in every look, and before a send only when an earlier one may have been executed', async () => {
    const { provider, sought } = seeking(createFakeProvider(CHARGES, 'reference'));
    const scene = await openAt(undefined, provider);
    const leg = await reserveLeg(scene, 'r', 4_000);
    sought.length = 0;
    provider.refundScripts.push(LOST_BEFORE, LOST_AFTER);
    expect(await scene.refunds.submitRefund(leg)).toEqual({ kind: 'unknown' });
    expect(sought).toEqual([undefined]);
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(leg)).toEqual({ kind: 'absent' });
    expect(await scene.refunds.submitRefund({ ...leg, sendNumber: 2 })).toEqual({ kind: 'unknown' });
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund({ ...leg, sendNumber: 2 })).toMatchObject({ kind: 'found', refundStatus: 'refunded' });
    expect(sought).toEqual([undefined, leg.legId, leg.legId, leg.legId]);
    expect(provider.movedMinor('chg_1')).toBe(4_000);
  });

  it('should leave the outcome unknown when the question for it fails, however clear the list looks (S4)', async () => {
    const fake = createFakeProvider(CHARGES, 'reference');
    const provider: FakeProvider = { ...fake, adapter: { ...fake.adapter, getOrder: async (call, orderId, reference) => {
      if (reference !== undefined) throw new ProviderError('unknown', 'the address was not found');
      return fake.adapter.getOrder(call, orderId);
    } } };
    const scene = await openAt(undefined, provider);
    const leg = await reserveLeg(scene, 'r', 4_000);
    fake.refundScripts.push(LOST_AFTER);
    await scene.refunds.submitRefund(leg);
    await letCallsEnd(scene);
    await expect(scene.refunds.findRefund(leg)).rejects.toThrow();
    expect(await scene.refunds.submitRefund({ ...leg, sendNumber: 2 })).toMatchObject({ kind: 'not_sent' });
    expect(fake.journal).toHaveLength(1);
  });
});
