import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IDEMPOTENCY_CAPABILITIES } from '../../src/domain/send-protocol.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { Database } from '../../src/store/database.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider, LATE_COMMIT } from '../support/fake-provider.ts';
import { booked, letCallsEnd, openScene, payoutRequest, registerPayoutOrder, reserveLeg } from './activity-scene.ts';

const CHARGES = [{ chargeId: 'chg_1', amountMinor: 10_000 }];
const ACT = { actor: 'ana', reason: 'told on the phone' };

let db: Database;

beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

describe('a Workflow that began again', () => {
  it.each(IDEMPOTENCY_CAPABILITIES)('should not have what its run sends refused by sight by the worker of the run before (%s: S4, I2)', async (capability) => {
    const provider = createFakeProvider(CHARGES, capability);
    const scene = await openScene(db, CHARGES, provider);
    const leg = await reserveLeg(scene, 'r', 10_000);
    let letGo = (): void => undefined;
    const released = new Promise<void>((resolve) => { letGo = resolve; });
    const reached = new Promise<void>((resolve) => {
      provider.before.getOrder.push(async () => {
        resolve();
        await released;
      });
    });
    const before = scene.refunds.submitRefund(leg);
    await reached;
    // The provider has executed the new run's send, and its answer is on the way when the old worker reads the order.
    provider.after.submitRefund.push(async () => {
      letGo();
      await before;
    });
    expect(await scene.refunds.submitRefund({ ...leg, runId: 'run_2' })).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(await before).toEqual({ kind: 'unknown' });
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 10_000 });
    expect(provider.movedMinor('chg_1')).toBe(10_000);
  });

  it('should name who asked for the refund on record, whoever asks again (R3)', async () => {
    const provider = createFakeProvider(CHARGES);
    const scene = await openScene(db, [], provider);
    const ask = (requestedBy: string) => scene.refunds.reserveRefund({
      workflowId: 'refund:x', runId: 'run', merchantId: scene.merchantId, refundId: 'x', orderId: 'ord_1', chargeId: 'chg_1', amountMinor: 20_000, idempotencyKey: 'x', fingerprint: 'f', requestedBy,
    });
    provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'down'); });
    expect(await ask('key_a')).toEqual({ kind: 'not_yet', retryAfterMs: null });
    await db.updateTable('charges').set({ captured_minor: 30_000 }).where('merchant_id', '=', scene.merchantId).execute();
    expect(await ask('key_b')).toMatchObject({ kind: 'reserved', requestedBy: 'key_a' });
  });

  it('should be told the last send of a payout order, and look for it before it sends the next (S4, P1)', async () => {
    const { scene, key, send } = await registerPayoutOrder(db);
    for (const sendNumber of [1, 2]) {
      scene.provider.before.createPayoutOrder.push(() => { throw new ProviderError('not_sent', 'too many requests'); });
      expect(await scene.payouts.issueReference({ ...send, sendNumber })).toMatchObject({ kind: 'not_sent' });
    }
    expect(await scene.payouts.registerPayoutOrder({ ...payoutRequest(scene), ...key })).toMatchObject({ lastSend: 2 });
    await letCallsEnd(scene);
    expect(await scene.payouts.findReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'absent' });
    expect(await scene.payouts.issueReference({ ...send, sendNumber: 3 })).toMatchObject({ kind: 'settled', status: 'pending' });
    expect(scene.provider.payoutOrders).toHaveLength(1);
  });
});

describe('resolveLeg with a word of failed', () => {
  it('should not trust a list that was read while the call could still take effect (O2, M4)', async () => {
    const provider = createFakeProvider(CHARGES);
    const scene = await openScene(db, CHARGES, provider);
    const leg = await reserveLeg(scene, 'r', 4_000);
    provider.refundScripts.push(LATE_COMMIT);
    expect(await scene.refunds.submitRefund(leg)).toEqual({ kind: 'unknown' });
    // Committed after the list was read, and quiet by the time that the word would be written down.
    provider.after.getOrder.push(async () => {
      provider.commitLate();
      await letCallsEnd(scene);
    });
    const word = { ...leg, ...ACT, resolution: { outcome: 'failed' as const } };
    expect(await scene.refunds.resolveLeg(word)).toEqual({ kind: 'refused', why: 'too_early' });
    provider.commitLate();
    await letCallsEnd(scene);
    provider.after.getOrder.splice(0);
    expect(await scene.refunds.resolveLeg(word)).toEqual({ kind: 'refused', why: 'provider_says_otherwise' });
    expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  });
});
