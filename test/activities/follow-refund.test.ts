import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SubmitRefundInput } from '../../activities/contracts.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { chargeRow, history, holds, legRow } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { ACCEPT_FAILED, ACCEPT_LATER, ACCEPT_ON_ITS_WAY, createFakeProvider, LOST_AFTER_ACCEPT, type FakeProvider, type RefundScript } from '../support/fake-provider.ts';
import { booked, letCallsEnd, openScene, reserveLeg, type Scene } from './activity-scene.ts';
import { altered } from './altered-provider.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const CHARGES = [{ chargeId: 'chg_1', amountMinor: 10_000 }];
const AMOUNT_MINOR = 4_000;

/** How a provider accepts without being done, and what the records say then. */
const ACCEPTED = [
  ['authorized', ACCEPT_LATER, 'accepted_by_provider'],
  ['approved', ACCEPT_ON_ITS_WAY, 'executed_by_provider'],
] as const satisfies readonly (readonly [string, RefundScript, string])[];

interface Accepted {
  readonly scene: Scene;
  readonly provider: FakeProvider;
  readonly leg: SubmitRefundInput;
  readonly shop: { readonly merchantId: string; readonly orderId: string };
}

async function reserved(...scripts: readonly RefundScript[]): Promise<Accepted> {
  const provider = createFakeProvider(CHARGES);
  const scene = await openScene(db, CHARGES, provider);
  provider.refundScripts.push(...scripts);
  return { scene, provider, leg: await reserveLeg(scene, 'r', AMOUNT_MINOR), shop: { merchantId: scene.merchantId, orderId: 'ord_1' } };
}

/** A leg that the provider accepted, and is not done with. */
async function accepted(script: RefundScript = ACCEPT_LATER): Promise<Accepted> {
  const made = await reserved(script);
  expect(await made.scene.refunds.submitRefund(made.leg)).toMatchObject({ kind: 'accepted' });
  return made;
}

async function expectUnderWay({ scene, shop }: Accepted, status: string): Promise<void> {
  expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  expect(await holds(db, shop)).toEqual([{ held: AMOUNT_MINOR, ofLegs: AMOUNT_MINOR }]);
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status });
}

async function expectPaid({ scene, shop }: Accepted): Promise<void> {
  expect(await booked(scene)).toEqual({ count: 1, totalMinor: AMOUNT_MINOR });
  expect(await holds(db, shop)).toEqual([{ held: AMOUNT_MINOR, ofLegs: AMOUNT_MINOR }]);
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'refunded', statusDetail: 'complete' });
}

async function expectFailed({ scene, shop }: Accepted): Promise<void> {
  expect(await booked(scene)).toEqual({ count: 0, totalMinor: 0 });
  expect(await holds(db, shop)).toEqual([{ held: 0, ofLegs: 0 }]);
  expect(await chargeRow(db, shop)).toMatchObject({ external_minor: 0, gate_leg_id: null });
  expect(await readRefund(db, scene.merchantId, 'r')).toMatchObject({ status: 'rejected', statusDetail: 'failed_at_provider' });
}

async function statuses({ merchantId }: Scene): Promise<readonly string[]> {
  return (await history(db, merchantId, 'r')).map((step) => [step.to, ...step.events].join(' '));
}

describe('submitRefund to a provider that is not done at once', () => {
  it.each(ACCEPTED)('should accept what is %s: no movement, the hold kept, the gate passed on (R6, S5, M7)', async (status, script, statusDetail) => {
    const made = await reserved(script);
    const second = await reserveLeg(made.scene, 'second', 100);
    expect(await made.scene.refunds.submitRefund(made.leg)).toEqual({
      kind: 'accepted', refundStatus: status, statusDetail, legStatus: status, nextTurn: { workflowId: 'refund:second', legId: 'second:chg_1' },
    });
    expect(await legRow(db, made.leg)).toMatchObject({ status, provider_refund_id: 're_1' });
    expect(await booked(made.scene)).toEqual({ count: 0, totalMinor: 0 });
    expect(await holds(db, made.shop)).toEqual([{ held: AMOUNT_MINOR + 100, ofLegs: AMOUNT_MINOR + 100 }]);
    expect(await made.scene.refunds.submitRefund(second)).toMatchObject({ kind: 'accepted', legStatus: 'succeeded' });
    expect(await booked(made.scene)).toEqual({ count: 1, totalMinor: 100 });
  });

  it('should not take an accepted refund of an equal leg for its own (S5, I2)', async () => {
    const made = await reserved(ACCEPT_LATER, LOST_AFTER_ACCEPT);
    const second = await reserveLeg(made.scene, 'second', AMOUNT_MINOR);
    await made.scene.refunds.submitRefund(made.leg);
    expect(await made.scene.refunds.submitRefund(second)).toEqual({ kind: 'unknown' });
    await letCallsEnd(made.scene);
    expect(await made.scene.refunds.findRefund(second)).toMatchObject({ kind: 'found', legStatus: 'authorized' });
    expect((await legRow(db, second)).provider_refund_id).toBe('re_2');
  });

  it('should decline what the provider shows as failed, and give its hold back (R6, M4)', async () => {
    const made = await reserved(ACCEPT_FAILED);
    expect(await made.scene.refunds.submitRefund(made.leg)).toEqual({ kind: 'declined', refundStatus: 'rejected', statusDetail: 'failed_at_provider', legStatus: 'refused', nextTurn: null });
    await expectFailed(made);
  });

  it('should have a lost answer found, and settled as it stands (R6, S4)', async () => {
    const made = await reserved(LOST_AFTER_ACCEPT);
    expect(await made.scene.refunds.submitRefund(made.leg)).toEqual({ kind: 'unknown' });
    await letCallsEnd(made.scene);
    const found = await made.scene.refunds.findRefund(made.leg);
    expect(found).toMatchObject({ kind: 'found', refundStatus: 'authorized', legStatus: 'authorized' });
    expect(await made.scene.refunds.findRefund(made.leg)).toEqual(found);
    await expectUnderWay(made, 'authorized');
    made.provider.setState('re_1', 'succeeded');
    expect(await made.scene.refunds.followRefund(made.leg)).toMatchObject({ kind: 'known', legStatus: 'succeeded' });
    await expectPaid(made);
  });
});

describe('followRefund', () => {
  it('should follow the provider step by step, say the same when nothing changed, and book once (R6, M7, I6)', async () => {
    const made = await accepted();
    const { scene, provider, leg } = made;
    expect(await scene.refunds.followRefund(leg)).toMatchObject({ kind: 'known', refundStatus: 'authorized', legStatus: 'authorized' });
    provider.setState('re_1', 'approved');
    for (let round = 0; round < 2; round += 1) expect(await scene.refunds.followRefund(leg)).toMatchObject({ kind: 'known', refundStatus: 'approved', legStatus: 'approved', nextTurn: null });
    await expectUnderWay(made, 'approved');
    provider.setState('re_1', 'succeeded');
    const done = await scene.refunds.followRefund(leg);
    expect(done).toEqual({ kind: 'known', refundStatus: 'refunded', statusDetail: 'complete', legStatus: 'succeeded', nextTurn: null });
    const reads = provider.calls.getOrder;
    expect(await scene.refunds.followRefund(leg)).toEqual(done);
    expect(provider.calls.getOrder).toBe(reads);
    await expectPaid(made);
    expect(await statuses(scene)).toEqual(['pending refund.pending', 'in_process refund.in_process', 'authorized refund.authorized', 'approved refund.approved', 'refunded refund.refunded']);
  });

  it.each(ACCEPTED)('should refuse a leg that was %s and failed, and give its hold back, once (R6, M4)', async (_, script) => {
    const made = await accepted(script);
    made.provider.setState('re_1', 'failed');
    const failed = await made.scene.refunds.followRefund(made.leg);
    expect(failed).toMatchObject({ kind: 'known', refundStatus: 'rejected', statusDetail: 'failed_at_provider', legStatus: 'refused' });
    expect(await made.scene.refunds.followRefund(made.leg)).toEqual(failed);
    await expectFailed(made);
    expect(await made.scene.refunds.submitRefund(await reserveLeg(made.scene, 'next', 10_000))).toMatchObject({ kind: 'accepted', legStatus: 'succeeded' });
  });

  it('should never go back from approved to authorized (R6, I4)', async () => {
    const made = await accepted(ACCEPT_ON_ITS_WAY);
    const backwards = made.scene.at(altered(made.provider, { refund: (shown) => ({ ...shown, state: 'authorized' }) }));
    expect(await backwards.refunds.followRefund(made.leg)).toMatchObject({ kind: 'known', refundStatus: 'approved', legStatus: 'approved' });
    await expectUnderWay(made, 'approved');
  });

  it('should conclude nothing from a list that does not show it (R6)', async () => {
    const made = await accepted();
    const blind = made.scene.at(altered(made.provider, { refund: () => null }));
    expect(await blind.refunds.followRefund(made.leg)).toEqual({ kind: 'not_shown' });
    await expectUnderWay(made, 'authorized');
  });

  it.each(['approved', 'succeeded'] as const)('should conclude nothing from a refund that now has another amount and is %s (R6, S7, I2)', async (state) => {
    const made = await accepted();
    made.provider.setState('re_1', state);
    const other = made.scene.at(altered(made.provider, { refund: (shown) => ({ ...shown, amountMinor: shown.amountMinor - 1 }) }));
    await other.refunds.followRefund(made.leg).catch(() => undefined);
    await expectUnderWay(made, 'authorized');
  });

  it('should be retried, and change nothing, while the provider cannot be asked (R6)', async () => {
    const made = await accepted();
    made.provider.setState('re_1', 'succeeded');
    made.provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'timeout'); });
    await expect(made.scene.refunds.followRefund(made.leg)).rejects.toMatchObject({ type: 'Provider.unknown', nonRetryable: false });
    await expectUnderWay(made, 'authorized');
    await made.scene.refunds.followRefund(made.leg);
    await expectPaid(made);
  });

  it('should settle once when two ask at the same time (R6, M7, I6)', async () => {
    const made = await accepted();
    made.provider.setState('re_1', 'succeeded');
    const [first, second] = await Promise.all([made.scene.refunds.followRefund(made.leg), made.scene.refunds.followRefund(made.leg)]);
    expect(first).toEqual(second);
    await expectPaid(made);
    expect(await statuses(made.scene)).toHaveLength(4);
  });
});
