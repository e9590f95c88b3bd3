import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SubmitRefundInput } from '../../activities/contracts.ts';
import type { Database } from '../../src/store/database.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { chargeRow, history, holds } from '../store/refund-records.ts';
import { memoryDatabase } from '../support/database.ts';
import { ACCEPT_LATER, LOST_AFTER_ACCEPT } from '../support/fake-provider.ts';
import { booked, interrupted, letCallsEnd, openScene, reserveLeg, type Death, type Scene } from './activity-scene.ts';

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

const AMOUNT_MINOR = 4_000;
const MOMENTS: readonly Death['moment'][] = ['before', 'inside', 'after'];

async function reserved(): Promise<{ readonly scene: Scene; readonly leg: SubmitRefundInput }> {
  const scene = await openScene(db);
  return { scene, leg: await reserveLeg(scene, 'r', AMOUNT_MINOR) };
}

/** Runs an Activity on a database that dies, and once more on one that lives. */
async function dieOnce<T>(scene: Scene, death: Death, call: (alive: Scene) => Promise<T>): Promise<T> {
  await expect(call(scene.on(interrupted(db, death)))).rejects.toThrow('killed');
  return call(scene);
}

interface End {
  readonly status: string;
  readonly movedMinor: number;
  readonly heldMinor: number;
  readonly steps: readonly string[];
}

async function expectEnd({ db: books, merchantId, provider }: Scene, end: End): Promise<void> {
  expect(provider.movedMinor('chg_1')).toBe(end.movedMinor);
  expect(await booked({ db: books, merchantId } as Scene)).toEqual({ count: end.movedMinor > 0 ? 1 : 0, totalMinor: end.movedMinor });
  expect(await holds(books, { merchantId, orderId: 'ord_1' })).toEqual([{ held: end.heldMinor, ofLegs: end.heldMinor }]);
  expect(await chargeRow(books, { merchantId, orderId: 'ord_1' })).toMatchObject({ gate_leg_id: null });
  expect(await readRefund(books, merchantId, 'r')).toMatchObject({ status: end.status });
  expect((await history(books, merchantId, 'r')).map((step) => [step.to, ...step.events].join(' '))).toEqual(['pending refund.pending', 'in_process refund.in_process', ...end.steps]);
}

const AUTHORIZED = 'authorized refund.authorized';

describe('a refund that its provider accepts and whose worker dies', () => {
  const inSend: readonly Death[] = [1, 2].flatMap((transaction) => MOMENTS.map((moment) => ({ transaction, moment })));
  /** After the answer the worker may die only where the answer is settled. */
  const answered = (death: Death): boolean => death.transaction === 2;

  it.each(inSend)('should be sent once, be found as authorized, and hold its amount: $moment transaction $transaction of the send (R6, I1, I6)', async (death) => {
    const { scene, leg } = await reserved();
    scene.provider.refundScripts.push(ACCEPT_LATER);
    await expect(scene.on(interrupted(db, death)).refunds.submitRefund(leg)).rejects.toThrow('killed');
    await letCallsEnd(scene);
    const found = await scene.refunds.findRefund(leg);
    if (answered(death)) expect(found).toMatchObject({ kind: 'found', legStatus: 'authorized' });
    else expect(await scene.refunds.submitRefund({ ...leg, sendNumber: 2 })).toMatchObject({ kind: 'accepted', legStatus: 'authorized' });
    expect(scene.provider.calls.submitRefund).toBe(1);
    await expectEnd(scene, { status: 'authorized', movedMinor: 0, heldMinor: AMOUNT_MINOR, steps: [AUTHORIZED] });
  });

  it.each(['authorized', 'approved'] as const)('should be recognised as %s when it dies in the call, after the provider accepted (R6, S4)', async (state) => {
    const { scene, leg } = await reserved();
    scene.provider.refundScripts.push((work) => {
      work.execute(state);
      throw new Error('killed');
    });
    await expect(scene.refunds.submitRefund(leg)).rejects.toThrow('killed');
    await letCallsEnd(scene);
    expect(await scene.refunds.findRefund(leg)).toMatchObject({ kind: 'found', legStatus: state });
    await expectEnd(scene, { status: state, movedMinor: 0, heldMinor: AMOUNT_MINOR, steps: [`${state} refund.${state}`] });
  });

  it.each(inSend)('should be recognised and settled once: $moment transaction $transaction of the look (R6, S4, I6)', async (death) => {
    const { scene, leg } = await reserved();
    scene.provider.refundScripts.push(LOST_AFTER_ACCEPT);
    await scene.refunds.submitRefund(leg);
    await letCallsEnd(scene);
    expect(await dieOnce(scene, death, (alive) => alive.refunds.findRefund(leg))).toMatchObject({ kind: 'found', legStatus: 'authorized' });
    await expectEnd(scene, { status: 'authorized', movedMinor: 0, heldMinor: AMOUNT_MINOR, steps: [AUTHORIZED] });
  });

  it.each(MOMENTS.flatMap((moment) => [
    { moment, state: 'approved', end: { status: 'approved', movedMinor: 0, heldMinor: AMOUNT_MINOR, steps: [AUTHORIZED, 'approved refund.approved'] } },
    { moment, state: 'succeeded', end: { status: 'refunded', movedMinor: AMOUNT_MINOR, heldMinor: AMOUNT_MINOR, steps: [AUTHORIZED, 'refunded refund.refunded'] } },
    { moment, state: 'failed', end: { status: 'rejected', movedMinor: 0, heldMinor: 0, steps: [AUTHORIZED, 'rejected refund.rejected'] } },
  ] as const))('should be followed to $state once: $moment the transaction that settles it (R6, M4, M7, I6)', async ({ moment, state, end }) => {
    const { scene, leg } = await reserved();
    scene.provider.refundScripts.push(ACCEPT_LATER);
    await scene.refunds.submitRefund(leg);
    scene.provider.setState('re_1', state);
    expect(await dieOnce(scene, { transaction: 1, moment }, (alive) => alive.refunds.followRefund(leg))).toMatchObject({ kind: 'known', refundStatus: end.status });
    await expectEnd(scene, end);
  });

  it('should let the next leg of the charge go on, whoever died before telling it (S5)', async () => {
    const { scene, leg } = await reserved();
    const second = await reserveLeg(scene, 'second', 100);
    scene.provider.refundScripts.push(ACCEPT_LATER);
    await expect(scene.on(interrupted(db, { transaction: 2, moment: 'after' })).refunds.submitRefund(leg)).rejects.toThrow('killed');
    expect(await scene.refunds.takeTurn(second)).toEqual({ hasTurn: true, holder: null });
    expect(await scene.refunds.submitRefund(second)).toMatchObject({ kind: 'accepted', legStatus: 'succeeded' });
  });
});
