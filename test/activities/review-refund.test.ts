import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RefundRef } from '../../activities/contracts.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { listCases } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { history, holds, movements } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { createFakeProvider, DECLINE, type FakeProvider } from '../support/fake-provider.ts';
import { interrupted, openScene, reserveLeg, type Death, type Scene } from './activity-scene.ts';
import { altered } from './altered-provider.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const AMOUNT_MINOR = 4_000;

interface Done {
  readonly scene: Scene;
  readonly provider: FakeProvider;
  readonly review: RefundRef & { readonly orderId: string };
}

/** A refund that succeeded, of one charge. */
async function refunded(): Promise<Done> {
  const charges = [{ chargeId: 'chg_1', amountMinor: 10_000 }];
  const provider = createFakeProvider(charges);
  const scene = await openScene(db, charges, provider);
  const { sendNumber: _, legId: __, ...ref } = await reserveLeg(scene, 'r', AMOUNT_MINOR);
  expect(await scene.refunds.submitRefund({ ...ref, legId: 'r:chg_1', sendNumber: 1 })).toMatchObject({ refundStatus: 'refunded' });
  return { scene, provider, review: { ...ref, orderId: 'ord_1' } };
}

/** A total refund of two charges: the first is `re_1`, of 4,000, the second `re_2`, of 6,000, or refused. */
async function refundedOnTwo(refusesSecond = false): Promise<Done> {
  const charges = [{ chargeId: 'chg_1', amountMinor: AMOUNT_MINOR }, { chargeId: 'chg_2', amountMinor: 6_000 }];
  const provider = createFakeProvider(charges);
  const scene = await openScene(db, charges, provider);
  const ref = { workflowId: 'refund:r', runId: 'run_1', merchantId: scene.merchantId, refundId: 'r' };
  await scene.refunds.reserveRefund({ ...ref, orderId: 'ord_1', idempotencyKey: 'r', fingerprint: 'f', requestedBy: 'key_test' });
  await scene.refunds.submitRefund({ ...ref, legId: 'r:chg_1', sendNumber: 1 });
  if (refusesSecond) provider.refundScripts.push(DECLINE);
  await scene.refunds.submitRefund({ ...ref, legId: 'r:chg_2', sendNumber: 1 });
  return { scene, provider, review: { ...ref, orderId: 'ord_1' } };
}

async function books({ scene }: Done): Promise<readonly string[]> {
  return (await movements(db, scene)).map((row) => `${row.kind} ${row.provider_id} ${row.amount_minor}`);
}

async function lastSteps({ scene }: Done): Promise<readonly string[]> {
  return (await history(db, scene.merchantId, 'r')).slice(2).map((step) => [step.to, step.detail, ...step.events].join(' '));
}

async function openCases({ scene }: Done): Promise<readonly (readonly [string, string | null])[]> {
  return (await listCases(db, scene.merchantId, { refundId: 'r' })).filter((matter) => matter.status === 'open').map((matter) => [matter.kind, matter.legId] as const);
}

const REFUNDED = 'refunded complete refund.refunded';

async function expectFailedLateOnce(done: Done): Promise<void> {
  const { merchantId } = done.scene;
  expect(await books(done)).toEqual(['refund re_1 4000', 'refund_failed re_1 4000']);
  expect(await holds(db, { merchantId, orderId: 'ord_1' })).toEqual([{ held: 0, ofLegs: 0 }]);
  expect(await readRefund(db, merchantId, 'r')).toMatchObject({ status: 'rejected', statusDetail: 'failed_late' });
  expect(await lastSteps(done)).toEqual([REFUNDED, 'rejected failed_late refund.rejected']);
  expect(await openCases(done)).toEqual([['late_failure', 'r:chg_1']]);
}

async function expectNothing(done: Done): Promise<void> {
  expect(await books(done)).toEqual(['refund re_1 4000']);
  expect(await readRefund(db, done.scene.merchantId, 'r')).toMatchObject({ status: 'refunded', statusDetail: 'complete' });
  expect(await lastSteps(done)).toEqual([REFUNDED]);
  expect(await openCases(done)).toEqual([]);
}

describe('reviewRefund', () => {
  it('should book a late failure once: the opposite movement, the amount refundable again, a case, an event (R9, I4, I6)', async () => {
    const done = await refunded();
    done.provider.setState('re_1', 'failed');
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: true });
    await expectFailedLateOnce(done);
    await done.scene.refunds.reviewRefund(done.review);
    await expectFailedLateOnce(done);
    expect(await done.scene.refunds.submitRefund(await reserveLeg(done.scene, 'again', 10_000))).toMatchObject({ kind: 'accepted', legStatus: 'succeeded' });
    expect(done.provider.movedMinor('chg_1')).toBe(10_000);
  });

  it('should say each time that it failed late, also to a Workflow that did not hear it the first time (R9, O2)', async () => {
    const done = await refunded();
    done.provider.setState('re_1', 'failed');
    await done.scene.refunds.reviewRefund(done.review);
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: true });
  });

  it('should book nothing when the provider lists it as succeeded (R9)', async () => {
    const done = await refunded();
    for (let round = 0; round < 2; round += 1) expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: false });
    await expectNothing(done);
  });

  it('should book nothing when it is not listed at all, and put that before a human (R9, S7, O1)', async () => {
    const done = await refunded();
    for (let round = 0; round < 2; round += 1) expect(await done.scene.at(altered(done.provider, { refund: () => null })).refunds.reviewRefund(done.review)).toEqual({ failedLate: false });
    expect(await books(done)).toEqual(['refund re_1 4000']);
    expect(await lastSteps(done)).toEqual([REFUNDED]);
    expect(await openCases(done)).toEqual([['contradiction', 'r:chg_1']]);
  });

  it('should book nothing when it is listed as authorized: that is no failure (R9, S7)', async () => {
    const done = await refunded();
    const seen = done.scene.at(altered(done.provider, { refund: (shown) => ({ ...shown, state: 'authorized' }) }));
    expect(await seen.refunds.reviewRefund(done.review)).toEqual({ failedLate: false });
    await expectNothing(done);
  });

  it('should take no failed refund of others for its own (R9, I2)', async () => {
    const done = await refunded();
    done.provider.refundByHand('chg_1', AMOUNT_MINOR);
    done.provider.setState('re_2', 'failed');
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: false });
    await expectNothing(done);
  });

  it('should be retried, and book nothing, while the provider cannot be asked (R9)', async () => {
    const done = await refunded();
    done.provider.setState('re_1', 'failed');
    done.provider.before.getOrder.push(() => { throw new ProviderError('unknown', 'timeout'); });
    await expect(done.scene.refunds.reviewRefund(done.review)).rejects.toMatchObject({ type: 'Provider.unknown', nonRetryable: false });
    await expectNothing(done);
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: true });
    await expectFailedLateOnce(done);
  });

  it.each<Death['moment']>(['before', 'inside', 'after'])('should book it once when the worker dies %s the transaction (R9, M7, I6)', async (moment) => {
    const done = await refunded();
    done.provider.setState('re_1', 'failed');
    await expect(done.scene.on(interrupted(db, { transaction: 1, moment })).refunds.reviewRefund(done.review)).rejects.toThrow('killed');
    await done.scene.refunds.reviewRefund(done.review);
    await expectFailedLateOnce(done);
  });

  it('should book it once when two review at the same time (R9, M7)', async () => {
    const done = await refunded();
    done.provider.setState('re_1', 'failed');
    await Promise.all([done.scene.refunds.reviewRefund(done.review), done.scene.refunds.reviewRefund(done.review)]);
    await expectFailedLateOnce(done);
  });
});

describe('reviewRefund of two legs', () => {
  it('should say that the refund is partial when one failed, and rejected when the other failed, too (R2, R9)', async () => {
    const done = await refundedOnTwo();
    done.provider.setState('re_2', 'failed');
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: true });
    expect(await books(done)).toEqual(['refund re_1 4000', 'refund re_2 6000', 'refund_failed re_2 6000']);
    expect(await readRefund(db, done.scene.merchantId, 'r')).toMatchObject({ status: 'refunded', statusDetail: 'partial' });
    expect(await holds(db, { merchantId: done.scene.merchantId, orderId: 'ord_1' })).toEqual([{ held: 4_000, ofLegs: 4_000 }, { held: 0, ofLegs: 0 }]);
    done.provider.setState('re_1', 'failed');
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: true });
    expect(await books(done)).toEqual(['refund re_1 4000', 'refund re_2 6000', 'refund_failed re_2 6000', 'refund_failed re_1 4000']);
    expect(await readRefund(db, done.scene.merchantId, 'r')).toMatchObject({ status: 'rejected', statusDetail: 'failed_late' });
    expect(await lastSteps(done)).toEqual([REFUNDED, 'refunded partial refund.failed_late', 'rejected failed_late refund.rejected']);
    expect(await openCases(done)).toEqual([['late_failure', 'r:chg_2'], ['late_failure', 'r:chg_1']]);
  });

  it('should book both when both failed, also when the worker dies between them (R2, R9, M7)', async () => {
    const done = await refundedOnTwo();
    for (const id of ['re_1', 're_2']) done.provider.setState(id, 'failed');
    await expect(done.scene.on(interrupted(db, { transaction: 2, moment: 'before' })).refunds.reviewRefund(done.review)).rejects.toThrow('killed');
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: true });
    expect(await books(done)).toEqual(['refund re_1 4000', 'refund re_2 6000', 'refund_failed re_1 4000', 'refund_failed re_2 6000']);
    expect(await readRefund(db, done.scene.merchantId, 'r')).toMatchObject({ status: 'rejected' });
  });

  it('should reject the refund when the one leg that had succeeded failed (R2, R9)', async () => {
    const done = await refundedOnTwo(true);
    expect(await readRefund(db, done.scene.merchantId, 'r')).toMatchObject({ status: 'refunded', statusDetail: 'partial' });
    done.provider.setState('re_1', 'failed');
    expect(await done.scene.refunds.reviewRefund(done.review)).toEqual({ failedLate: true });
    expect(await books(done)).toEqual(['refund re_1 4000', 'refund_failed re_1 4000']);
    expect(await readRefund(db, done.scene.merchantId, 'r')).toMatchObject({ status: 'rejected', statusDetail: 'failed_late' });
  });
});
