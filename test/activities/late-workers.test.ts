import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { ProviderError } from '../../src/providers/provider-error.ts';
import { MAX_PAUSE_BEFORE_SEND_MS } from '../../src/providers/registry.ts';
import type { Database } from '../../src/store/database.ts';
import { readPayoutOrder } from '../../src/store/payout-orders/read.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { memoryDatabase } from '../support/database.ts';
import { holds } from '../store/refund-records.ts';
import { booked, hold, interrupted, letCallsEnd, openScene, registerPayoutOrder, reserveLeg, type Death } from './activity-scene.ts';

/** The settle delay of the scene's provider. */
const SETTLE_DELAY_MS = 1000;

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());
afterEach(() => vi.restoreAllMocks());

/** The process sleeps: its clock jumps. */
function sleep(ms: number): void {
  const realNow = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + ms);
}

function timeOut(): never {
  throw new ProviderError('unknown', 'timeout');
}

function decline(): never {
  throw new ProviderError('declined', 'refused', { providerCode: 'card_closed' });
}

describe('a process that sleeps while it waits for the permit', () => {
  const moments: readonly Death['moment'][] = ['before', 'inside', 'after'];

  it.each(moments)('should not ask for the refund any more when it slept %s the commit (S4, I1)', async (moment) => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    const asleep = scene.on(interrupted(db, { transaction: 1, moment }, () => sleep(MAX_PAUSE_BEFORE_SEND_MS + 1000)));
    expect(await asleep.refunds.submitRefund(input)).toEqual({ kind: 'not_sent', retryAfterMs: null });
    expect(scene.provider.calls.submitRefund).toBe(0);
    vi.restoreAllMocks();
    expect(await scene.refunds.submitRefund({ ...input, sendNumber: 2 })).toMatchObject({ kind: 'accepted' });
  });

  it.each(moments)('should not ask for the reference any more when it slept %s the commit (S4, I1)', async (moment) => {
    const { scene, send } = await registerPayoutOrder(db);
    const asleep = scene.on(interrupted(db, { transaction: 1, moment }, () => sleep(MAX_PAUSE_BEFORE_SEND_MS + 1000)));
    expect(await asleep.payouts.issueReference(send)).toEqual({ kind: 'not_sent', retryAfterMs: null });
    expect(scene.provider.calls.createPayoutOrder).toBe(0);
    vi.restoreAllMocks();
    expect(await scene.payouts.issueReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'settled', status: 'pending' });
  });
});

describe('a worker whose call ends long after it was given up', () => {
  it('should make the look wait for the settle delay from the end of that call (S4)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    const held = hold(scene.provider, 'submitRefund', timeOut);
    const late = scene.refunds.submitRefund(input);
    await held.reached;
    expect((await scene.refunds.findRefund(input)).kind).toBe('too_early');
    await letCallsEnd(scene);
    held.letGo();
    expect(await late).toEqual({ kind: 'unknown' });
    const early = await scene.refunds.findRefund(input);
    expect(early).toMatchObject({ kind: 'too_early' });
    expect(early.kind === 'too_early' && early.waitMs > 0 && early.waitMs <= SETTLE_DELAY_MS).toBe(true);
    expect(scene.provider.calls.getOrder).toBe(1);
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
  });

  it('should make the look for a reference wait for the settle delay from the end of that call (S4)', async () => {
    const { scene, send } = await registerPayoutOrder(db);
    const held = hold(scene.provider, 'createPayoutOrder', timeOut);
    const late = scene.payouts.issueReference(send);
    await held.reached;
    expect((await scene.payouts.findReference(send)).kind).toBe('too_early');
    await letCallsEnd(scene);
    held.letGo();
    expect(await late).toEqual({ kind: 'unknown' });
    const early = await scene.payouts.findReference(send);
    expect(early.kind === 'too_early' && early.waitMs > 0 && early.waitMs <= SETTLE_DELAY_MS).toBe(true);
    await letCallsEnd(scene);
    expect(await scene.payouts.findReference(send)).toEqual({ kind: 'absent' });
  });
});

describe('a refusal of a send that was given up', () => {
  it('should change nothing while the next send is under way, whose success is booked (S4, I2)', async () => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    const [first, second] = [hold(scene.provider, 'submitRefund', decline), hold(scene.provider, 'submitRefund')];
    const late = scene.refunds.submitRefund(input);
    await first.reached;
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
    const next = scene.refunds.submitRefund({ ...input, sendNumber: 2 });
    await second.reached;
    first.letGo();
    expect(await late).toEqual({ kind: 'unknown' });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 4_000, ofLegs: 4_000 }]);
    expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'in_process' });
    second.letGo();
    expect(await next).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 4_000 });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 4_000, ofLegs: 4_000 }]);
  });

  it.each([
    ['nobody sent again yet', 'in_process', 0],
    ['the next send succeeded', 'refunded', 1],
  ] as const)('should change nothing when %s (S4, I2)', async (_, status, count) => {
    const scene = await openScene(db);
    const input = await reserveLeg(scene, 'r', 4_000);
    const first = hold(scene.provider, 'submitRefund', decline);
    const late = scene.refunds.submitRefund(input);
    await first.reached;
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(input)).toEqual({ kind: 'absent' });
    if (count > 0) await scene.refunds.submitRefund({ ...input, sendNumber: 2 });
    first.letGo();
    expect(await late).toEqual({ kind: 'unknown' });
    expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status });
    expect(await booked(scene)).toEqual({ count, totalMinor: count * 4_000 });
    expect(await holds(db, { merchantId: scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 4_000, ofLegs: 4_000 }]);
  });
});

describe('a reference that was refused, never issued, or issued twice', () => {
  it('should never be asked for again by a new run once it was refused for good (P1)', async () => {
    const { scene, send, status } = await registerPayoutOrder(db);
    scene.provider.before.createPayoutOrder.push(decline);
    expect(await scene.payouts.issueReference(send)).toEqual({ kind: 'declined', status: 'open' });
    for (const sendNumber of [1, 2]) expect(await scene.payouts.issueReference({ ...send, runId: 'run_2', sendNumber })).toEqual({ kind: 'declined', status: 'open' });
    expect(scene.provider.calls.createPayoutOrder).toBe(1);
    expect(await status()).toBe('open');
  });

  it('should be settled as never issued by the last look that finds nothing, and not asked for again (P1)', async () => {
    const { scene, key, send } = await registerPayoutOrder(db);
    scene.provider.before.createPayoutOrder.push(timeOut);
    await scene.payouts.issueReference(send);
    await letCallsEnd(scene);
    expect(await scene.payouts.findReference(send)).toEqual({ kind: 'absent' });
    expect((await readPayoutOrder(db, key.merchantId, key.payoutOrderId))?.statusDetail).toBe('verifying');
    expect(await scene.payouts.findReference({ ...send, isLast: true })).toEqual({ kind: 'declined', status: 'open' });
    expect(await readPayoutOrder(db, key.merchantId, key.payoutOrderId)).toMatchObject({ status: 'open', statusDetail: 'never_issued' });
    expect(await scene.payouts.issueReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'declined', status: 'open' });
    expect(scene.provider.calls.createPayoutOrder).toBe(1);
  });

  it('should be taken over by the last look that finds it after all (P1)', async () => {
    const { scene, send } = await registerPayoutOrder(db);
    scene.provider.after.createPayoutOrder.push(timeOut);
    await scene.payouts.issueReference(send);
    await letCallsEnd(scene);
    expect(await scene.payouts.findReference({ ...send, isLast: true })).toEqual({ kind: 'settled', status: 'pending' });
  });

  it('should be a contradiction that changes nothing when another reference came later than its settle delay (P2, O1)', async () => {
    const { scene, key, send } = await registerPayoutOrder(db);
    const held = hold(scene.provider, 'createPayoutOrder');
    const late = scene.payouts.issueReference(send);
    await held.reached;
    await letCallsEnd(scene);
    expect(await scene.payouts.findReference(send)).toEqual({ kind: 'absent' });
    expect(await scene.payouts.issueReference({ ...send, sendNumber: 2 })).toEqual({ kind: 'settled', status: 'pending' });
    const before = await readPayoutOrder(db, key.merchantId, key.payoutOrderId);
    held.letGo();
    expect(await late).toEqual({ kind: 'contradiction', status: 'pending' });
    expect(scene.provider.payoutOrders).toHaveLength(2);
    expect(await readPayoutOrder(db, key.merchantId, key.payoutOrderId)).toEqual(before);
  });
});
