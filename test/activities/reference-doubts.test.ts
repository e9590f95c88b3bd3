import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ListedRefund } from '../../src/domain/send-protocol.ts';
import type { Database } from '../../src/store/database.ts';
import type { ProviderOrder } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { listCases } from '../../src/store/cases.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { chargeRow, holds, legRow } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider, LATE_COMMIT, LOST_BEFORE, type FakeProvider, type RefundScript } from '../support/fake-provider.ts';
import { booked, hold, letCallsEnd, openScene, reserveLeg, type Scene } from './activity-scene.ts';
import { altered } from './altered-provider.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const CHARGES = [{ chargeId: 'chg_1', amountMinor: 10_000 }];
const shopOf = ({ merchantId }: Scene) => ({ merchantId, orderId: 'ord_1' });

function atReference(): FakeProvider {
  return createFakeProvider(CHARGES, 'reference');
}

/** A provider whose n-th answer to a send is a refund of ours that failed at once; `first` happens right before that answer. */
function rejecting(provider: FakeProvider, nth: number, first: () => unknown = () => undefined): FakeProvider {
  let sends = 0;
  return { ...provider, adapter: { ...provider.adapter, submitRefund: async (call, request) => {
    sends += 1;
    if (sends !== nth) return provider.adapter.submitRefund(call, request);
    await first();
    return { kind: 'refund', refund: { providerRefundId: 're_rejected', amountMinor: request.amountMinor, state: 'failed', reference: request.reference } };
  } } };
}

/** Executes, and says that it has not taken the request. */
const EXECUTED_UNTAKEN: RefundScript = (work) => {
  work.execute();
  throw new ProviderError('not_sent', 'too many requests');
};

describe('a send that is answered with a refund that failed (S4)', () => {
  it('should be no verdict while an earlier send may have been executed: what that one did is found (ADR 0016)', async () => {
    const provider = atReference();
    const scene = await openScene(db, CHARGES, rejecting(provider, 2, () => provider.commitLate()));
    const leg = await reserveLeg(scene, 'r', 5_000);
    provider.refundScripts.push(LATE_COMMIT);
    expect(await scene.refunds.submitRefund(leg)).toEqual({ kind: 'unknown' });
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(leg)).toEqual({ kind: 'absent' });
    expect(await scene.refunds.submitRefund({ ...leg, sendNumber: 2 })).toEqual({ kind: 'unknown' });
    expect(await holds(db, shopOf(scene))).toEqual([{ held: 5_000, ofLegs: 5_000 }]);
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund({ ...leg, sendNumber: 2 })).toMatchObject({ kind: 'found', refundStatus: 'refunded' });
    expect(provider.movedMinor('chg_1')).toBe(5_000);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 5_000 });
  });

  it('should be the word of that send alone: it says nothing once the send was given up and another one is under way', async () => {
    const provider = atReference();
    let [reached, letGo]: [() => void, () => void] = [() => undefined, () => undefined];
    const isReached = new Promise<void>((resolve) => { reached = resolve; });
    const isLetGo = new Promise<void>((resolve) => { letGo = resolve; });
    const scene = await openScene(db, CHARGES, rejecting(provider, 1, () => {
      reached();
      return isLetGo;
    }));
    const leg = await reserveLeg(scene, 'r', 6_000);
    const first = scene.refunds.submitRefund(leg);
    await isReached;
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(leg)).toEqual({ kind: 'absent' });
    const held = hold(provider, 'submitRefund');
    const second = scene.refunds.submitRefund({ ...leg, sendNumber: 2 });
    await held.reached;
    letGo();
    expect(await first).toEqual({ kind: 'unknown' });
    held.letGo();
    expect(await second).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: 6_000 });
    expect(await listCases(db, scene.merchantId, { refundId: 'r' })).toEqual([]);
  });

  it('should end a first send at once', async () => {
    const scene = await openScene(db, CHARGES, rejecting(atReference(), 1));
    const leg = await reserveLeg(scene, 'r', 6_000);
    expect(await scene.refunds.submitRefund(leg)).toMatchObject({ kind: 'declined', refundStatus: 'rejected', statusDetail: 'failed_at_provider' });
    expect(await holds(db, shopOf(scene))).toEqual([{ held: 0, ofLegs: 0 }]);
  });
});

describe('a send that the provider executed although it said that it had not taken it', () => {
  it.each([4_000, 6_000])('should be recognised before the next one, at %d of 10000, and settled instead of sent or refused (S1, M2)', async (amountMinor) => {
    const provider = atReference();
    const scene = await openScene(db, CHARGES, provider);
    const leg = await reserveLeg(scene, 'r', amountMinor);
    provider.refundScripts.push(EXECUTED_UNTAKEN);
    expect(await scene.refunds.submitRefund(leg)).toMatchObject({ kind: 'not_sent' });
    expect(await scene.refunds.submitRefund({ ...leg, sendNumber: 2 })).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(provider.movedMinor('chg_1')).toBe(amountMinor);
    expect(await booked(scene)).toEqual({ count: 1, totalMinor: amountMinor });
  });
});

describe('another leg\'s refund (S5, O2)', () => {
  it('should not be taken for this one by the word of an operator', async () => {
    const provider = atReference();
    const scene = await openScene(db, CHARGES, provider);
    const [mine, other] = [await reserveLeg(scene, 'mine', 4_000), await reserveLeg(scene, 'other', 4_000)];
    provider.refundScripts.push(LOST_BEFORE);
    await scene.refunds.submitRefund(mine);
    await letCallsEnd(scene);
    let letGo: () => void = () => undefined;
    const isLetGo = new Promise<void>((resolve) => { letGo = resolve; });
    const executed = new Promise<void>((resolve) => {
      provider.after.submitRefund.push(() => {
        resolve();
        return isLetGo;
      });
    });
    const answering = scene.refunds.submitRefund(other);
    await executed;
    const resolution = { outcome: 'succeeded' as const, providerRefundId: provider.orderAsIs().charges[0]?.refunds[0]?.providerRefundId ?? '' };
    expect(await scene.refunds.resolveLeg({ ...mine, actor: 'anna', reason: 'seen', resolution })).toEqual({ kind: 'refused', why: 'provider_refund_taken' });
    letGo();
    expect(await answering).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect(await legRow(db, mine)).toMatchObject({ status: 'unknown' });
  });
});

describe('what a provider tells besides', () => {
  it.each(['ticket \u0000', 'half \ud800'])('should stop no settlement, however odd: %j', async (odd) => {
    const receipt = { providerStatus: 'refunded', type: null, transactionId: odd, authorizationCode: null, ticketNumber: null, fees: [] };
    const scene = await openScene(db, CHARGES, altered(atReference(), { refund: (refund: ListedRefund) => ({ ...refund, receipt }) }));
    const leg = await reserveLeg(scene, 'r', 4_000);
    expect(await scene.refunds.submitRefund(leg)).toMatchObject({ kind: 'accepted', refundStatus: 'refunded' });
    expect((await legRow(db, leg)).receipt).toMatchObject({ transactionId: `${odd.slice(0, -1)}\ufffd` });
  });
});

describe('a charge that is in another currency than was reserved', () => {
  it('should get nothing sent (M1)', async () => {
    const provider = atReference();
    let currency = 'MXN';
    const inCurrency = (order: ProviderOrder): ProviderOrder => ({ ...order, charges: order.charges.map((charge) => ({ ...charge, currency })) });
    const scene = await openScene(db, CHARGES, { ...provider, adapter: { ...provider.adapter, getOrder: async (...asked) => inCurrency(await provider.adapter.getOrder(...asked)) } });
    const leg = await reserveLeg(scene, 'r', 4_000);
    currency = 'USD';
    expect(await scene.refunds.submitRefund(leg)).toMatchObject({ kind: 'not_sent' });
    expect(provider.calls.submitRefund).toBe(0);
    currency = 'MXN';
    expect(await scene.refunds.submitRefund({ ...leg, sendNumber: 2 })).toMatchObject({ kind: 'accepted' });
  });
});

describe('a provider that is not configured here', () => {
  it('should leave the refund waiting on record, which can be called off (O1, R4)', async () => {
    const scene = await openScene(db, CHARGES, atReference());
    const request = { workflowId: 'refund:typo', runId: 'run_1', merchantId: scene.merchantId, provider: 'gatewy', refundId: 'typo', orderId: 'ord_1', idempotencyKey: 'typo', fingerprint: 'f', requestedBy: 'key_test' };
    expect(await scene.refunds.reserveRefund(request)).toEqual({ kind: 'not_yet', retryAfterMs: null });
    expect(await scene.refunds.reserveRefund(request)).toEqual({ kind: 'not_yet', retryAfterMs: null });
    expect(await readRefund(db, scene.merchantId, 'typo')).toMatchObject({ provider: 'gatewy', status: 'pending', statusDetail: 'order_unreadable' });
    expect(await chargeRow(db, shopOf(scene))).toMatchObject({ held_minor: 0 });
    expect(await scene.refunds.cancelRefund({ workflowId: 'refund:typo', runId: 'run_1', merchantId: scene.merchantId, refundId: 'typo', actor: 'key_test' })).toEqual({ nextTurns: [] });
  });
});
