import { expect, it } from 'vitest';

import type { Checkpoint, CheckpointKind } from '../../src/domain/checkpoint.ts';
import type { Database } from '../../src/store/database.ts';
import { readMerchant, saveRefundPolicy } from '../../src/store/merchants.ts';
import { enterCheckpoint, passCheckpoint, recordAct } from '../../src/store/refunds/checkpoints.ts';
import { takeTurn } from '../../src/store/refunds/turns.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, audit, begin, books, history, holds, legOf, legRow, NO_POLICY, openShop, operatorFor, refundRow, reserve, type Shop } from './refund-records.ts';

const EXECUTE_AT = '2099-01-01T00:00:00.000Z';
const VALIDATE: Checkpoint = { kind: 'validate', expiresAfterMs: 2_000 };
const REVIEW: Checkpoint = { kind: 'review', expiresAfterMs: 1_000 };
const DEFERRED: Checkpoint = { kind: 'deferred', executeAt: EXECUTE_AT, windowMs: 5_000 };
/** What brings about all three of them. */
const ALL = { policy: { ...NO_POLICY, reviewThresholdMinor: 1_000, requirePayerConfirmation: true, cancellationWindowMs: 5_000 }, demands: { executeAt: EXECUTE_AT } };

/** A shop with a refund of 4,000 that has all three checkpoints ahead. */
async function shopWithStops(db: Database): Promise<Shop> {
  const shop = await openShop(db);
  await reserve(db, shop, 'r', { amountMinor: 4_000, ...ALL });
  return shop;
}

function keyOf({ merchantId }: Shop, refundId = 'r') {
  return { merchantId, refundId };
}

function enter(db: Database, shop: Shop, checkpoint: CheckpointKind): Promise<boolean> {
  return enterCheckpoint(db, actingFor('r'), keyOf(shop), checkpoint);
}

describeOnEachDatabase('reserveRefund with checkpoints', (database) => {
  it('should write down what policy and request demand, and answer it (R3, R5)', async () => {
    const db = database();
    const shop = await openShop(db);
    expect(await reserve(db, shop, 'r', { amountMinor: 4_000, ...ALL })).toMatchObject({ kind: 'reserved', checkpoints: [VALIDATE, REVIEW, DEFERRED], alreadySent: false, fingerprint: 'f' });
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'pending', status_detail: 'reserved', checkpoints: [VALIDATE, REVIEW, DEFERRED] });
    expect(await reserve(db, shop, 'small', { amountMinor: 999, policy: { ...NO_POLICY, reviewThresholdMinor: 1_000 } })).toMatchObject({ checkpoints: [] });
    expect(await reserve(db, shop, 'asked', { amountMinor: 1, demands: { requireReview: true } })).toMatchObject({ checkpoints: [REVIEW] });
  });

  it('should hold the amount and not the charge\'s gate while a checkpoint is ahead: another refund goes first (M2, S5)', async () => {
    const db = database();
    const shop = await shopWithStops(db);
    expect((await legRow(db, legOf(shop, 'r'))).ticket).toBeNull();
    expect(await holds(db, shop)).toEqual([{ held: 4_000, ofLegs: 4_000 }]);
    expect(await reserve(db, shop, 'big', { amountMinor: 6_001 })).toMatchObject({ kind: 'refused', refusal: 'amount_exceeds_remaining' });
    expect(await reserve(db, shop, 'other', { amountMinor: 6_000 })).toMatchObject({ kind: 'reserved', legs: [{ hasTurn: true }] });
    expect(await begin(db, legOf(shop, 'r'))).toEqual({ kind: 'fenced' });
    expect(await takeTurn(db, legOf(shop, 'r'))).toMatchObject({ hasTurn: false, holder: { refundId: 'other' } });
    expect(await begin(db, legOf(shop, 'other'))).toEqual({ kind: 'go' });
  });

  it('should reserve nothing for a demand that cannot be read (R5)', async () => {
    const db = database();
    const shop = await openShop(db);
    const before = await books(db, shop.merchantId);
    await expect(reserve(db, shop, 'r', { demands: { executeAt: 'tomorrow' } })).rejects.toThrow('"executeAt" is not a time');
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should not let a policy that is changed later touch refunds on record (R3)', async () => {
    const db = database();
    const shop = await openShop(db);
    await saveRefundPolicy(db, shop.merchantId, { reviewThresholdMinor: 5_000, reviewExpiryMs: 1_000 });
    const reserveByPolicy = async (refundId: string) => reserve(db, shop, refundId, { amountMinor: 4_000, policy: (await readMerchant(db, shop.merchantId)).policy });
    expect(await reserveByPolicy('before')).toMatchObject({ checkpoints: [] });
    await saveRefundPolicy(db, shop.merchantId, { reviewThresholdMinor: 4_000 });
    expect(await reserveByPolicy('after')).toMatchObject({ checkpoints: [REVIEW] });
    await saveRefundPolicy(db, shop.merchantId, { reviewThresholdMinor: null, reviewExpiryMs: 9 });
    expect(await reserveByPolicy('before')).toMatchObject({ checkpoints: [] });
    expect(await reserveByPolicy('after')).toMatchObject({ checkpoints: [REVIEW] });
  });
});

describeOnEachDatabase('readMerchant', (database) => {
  it('should answer a policy that demands nothing but 72 hours until a merchant says otherwise, and keep what was not named (R3, R5)', async () => {
    const db = database();
    const { merchantId } = await openShop(db);
    const HOURS_72_MS = 259_200_000;
    const standing = { reviewThresholdMinor: null, reviewExpiryMs: HOURS_72_MS, requirePayerConfirmation: false, payerConfirmationExpiryMs: HOURS_72_MS, cancellationWindowMs: 0 };
    expect((await readMerchant(db, merchantId)).policy).toEqual(standing);
    await saveRefundPolicy(db, merchantId, { cancellationWindowMs: 60_000 });
    expect((await readMerchant(db, merchantId)).policy).toEqual({ ...standing, cancellationWindowMs: 60_000 });
    await expect(saveRefundPolicy(db, 'mer_nobody', {})).rejects.toThrow('no merchant "mer_nobody"');
  });
});

/** From where a refund may arrive at which checkpoint, by hand from PRODUCT §5; everything else is refused. */
const ARRIVALS: readonly (readonly [path: readonly CheckpointKind[], detail: string])[] = [
  [['validate'], 'awaiting_payer'], [['review'], 'awaiting_approval'], [['deferred'], 'awaiting_execution_time'],
  [['validate', 'review'], 'awaiting_approval'], [['validate', 'deferred'], 'awaiting_execution_time'], [['review', 'deferred'], 'awaiting_execution_time'],
];

describeOnEachDatabase('enterCheckpoint', (database) => {
  it.each(ARRIVALS)('should write down the arrival by %j once, however often it is repeated (R3, R5, I6)', async (path, detail) => {
    const db = database();
    const shop = await shopWithStops(db);
    for (const checkpoint of path) expect(await Promise.all([enter(db, shop, checkpoint), enter(db, shop, checkpoint)])).toEqual([true, true]);
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: path.at(-1), status_detail: detail });
    expect((await history(db, shop.merchantId, 'r')).map((step) => [step.to, ...step.events])).toEqual(['pending', ...path].map((status) => [status, `refund.${status}`]));
  });

  it.each([['review', 'validate'], ['deferred', 'validate'], ['deferred', 'review']] as const)('should refuse the way back from %s to %s, and write nothing (PRODUCT §5)', async (from, to) => {
    const db = database();
    const shop = await shopWithStops(db);
    await enter(db, shop, from);
    const before = await books(db, shop.merchantId);
    expect(await enter(db, shop, to)).toBe(false);
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should refuse to stop what was sent (R4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await begin(db, legOf(shop, 'r'));
    const before = await books(db, shop.merchantId);
    for (const checkpoint of ['validate', 'review', 'deferred'] as const) expect(await enter(db, shop, checkpoint)).toBe(false);
    expect(await books(db, shop.merchantId)).toEqual(before);
  });
});

describeOnEachDatabase('passCheckpoint', (database) => {
  it.each([['validate', 'confirmed'], ['review', 'reviewed']] as const)('should write down who let a refund pass %s, and why, once (R3, O3, I6)', async (checkpoint, passed) => {
    const db = database();
    const shop = await shopWithStops(db);
    await enter(db, shop, checkpoint);
    const pass = () => passCheckpoint(db, operatorFor('r'), keyOf(shop), checkpoint);
    await Promise.all([pass(), pass()]);
    await pass();
    expect((await history(db, shop.merchantId, 'r')).slice(1)).toMatchObject([{ to: checkpoint, events: [`refund.${checkpoint}`] }, { to: checkpoint, detail: passed, events: [`refund.${passed}`] }]);
    expect((await audit(db, shop.merchantId, 'r')).at(-1)).toMatchObject({ from_status: checkpoint, actor: 'key_operator', reason: 'seen at the bank', workflow_id: 'refund:r' });
    expect(await holds(db, shop)).toEqual([{ held: 4_000, ofLegs: 4_000 }]);
  });

  it.each(['validate', 'review'] as const)('should write nothing for a refund that is beyond %s (R3)', async (checkpoint) => {
    const db = database();
    const shop = await shopWithStops(db);
    await enter(db, shop, 'deferred');
    const before = await books(db, shop.merchantId);
    await passCheckpoint(db, operatorFor('r'), keyOf(shop), checkpoint);
    expect(await books(db, shop.merchantId)).toEqual(before);
  });
});

describeOnEachDatabase('recordAct', (database) => {
  it('should write an operator\'s act down with its reason and one event, and change no status (O3, I6)', async () => {
    const db = database();
    const shop = await shopWithStops(db);
    await enter(db, shop, 'review');
    const before = await refundRow(db, shop.merchantId, 'r');
    await recordAct(db, operatorFor('r'), keyOf(shop), 'retried');
    expect(await refundRow(db, shop.merchantId, 'r')).toEqual(before);
    expect((await audit(db, shop.merchantId, 'r')).at(-1)).toMatchObject({ from_status: 'review', to_status: 'review', status_detail: 'awaiting_approval', actor: 'key_operator', reason: 'seen at the bank' });
    expect((await history(db, shop.merchantId, 'r')).at(-1)?.events).toEqual(['refund.retried']);
  });
});

/** What a Workflow that begins again is told at each point of a refund with all three checkpoints, by hand from PRODUCT §5. */
type Step = 'validate' | 'confirmed' | 'review' | 'reviewed' | 'deferred' | 'turn' | 'sent';
const AHEAD: readonly (readonly [last: Step, ahead: readonly Checkpoint[], alreadySent: boolean, hasTurn: boolean])[] = [
  ['validate', [VALIDATE, REVIEW, DEFERRED], false, false],
  ['confirmed', [REVIEW, DEFERRED], false, false],
  ['review', [REVIEW, DEFERRED], false, false],
  ['reviewed', [DEFERRED], false, false],
  ['deferred', [DEFERRED], false, false],
  ['turn', [DEFERRED], false, true],
  ['sent', [], true, true],
];
const STEPS = AHEAD.map(([step]) => step);

async function take(db: Database, shop: Shop, step: Step): Promise<unknown> {
  if (step === 'confirmed' || step === 'reviewed') return passCheckpoint(db, operatorFor('r'), keyOf(shop), step === 'confirmed' ? 'validate' : 'review');
  if (step === 'turn') return takeTurn(db, legOf(shop, 'r'));
  return step === 'sent' ? begin(db, legOf(shop, 'r')) : enter(db, shop, step);
}

describeOnEachDatabase('reserveRefund after a reset', (database) => {
  it.each(AHEAD)('should answer what is still ahead after %s, whatever the policy says by then (R3, R4, R5, S5)', async (last, checkpoints, alreadySent, hasTurn) => {
    const db = database();
    const shop = await shopWithStops(db);
    for (const step of STEPS.slice(0, STEPS.indexOf(last) + 1)) await take(db, shop, step);
    const before = await books(db, shop.merchantId);
    expect(await reserve(db, shop, 'r', { amountMinor: 1 })).toEqual({
      kind: 'reserved', currency: 'MXN', fingerprint: 'f', requestedBy: 'key_test', alreadySent, checkpoints, legs: [{ legId: 'r:chg_1', chargeId: 'chg_1', amountMinor: 4_000, hasTurn, lastSend: alreadySent ? 1 : 0 }],
    });
    expect(await reserve(db, shop, 'r', { fingerprint: 'other' })).toEqual({ kind: 'other_request', fingerprint: 'f' });
    expect(await books(db, shop.merchantId)).toEqual(before);
  });
});
