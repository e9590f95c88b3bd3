import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { CaseKind } from '../../src/domain/case.ts';
import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import { listCases, openCase } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { memoryDatabase } from '../support/database.ts';
import { letCallsEnd, registerPayoutOrder, type RegisteredPayoutOrder } from './activity-scene.ts';
import { casesOf, failing, givenUpOnce, recordOf, REFUSAL, standingAt, tell } from './payout-scene.ts';

/** By hand from O1 and P6: what asks what became of it, and what says that provider and books differ. */
const ENDED_BY_OUTCOME: readonly CaseKind[] = ['outcome_unknown', 'unreadable_answer', 'waited_too_long', 'workflow_gone'];
const STAYING: readonly CaseKind[] = ['contradiction', 'late_reversal'];

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
});
afterAll(() => db.destroy());

async function openCases({ scene, key }: RegisteredPayoutOrder, kinds: readonly CaseKind[]): Promise<void> {
  for (const kind of kinds) await scene.payouts.openCase({ ...key, kind });
}

function follow({ scene, key }: RegisteredPayoutOrder, cause: 'fact' | 'window_ended' = 'fact') {
  return scene.payouts.followPayoutOrder({ ...key, cause, actor: 'rail' });
}

/** Each way a payout order may come to an outcome. */
const OUTCOMES: readonly (readonly [string, PayoutOrderStatus, (order: RegisteredPayoutOrder) => Promise<unknown>])[] = [
  ['a withdrawal that begins', 'pending', (order) => {
    tell(order, 'pending_confirmation');
    return follow(order);
  }],
  ['a confirmation', 'pending_confirmation', (order) => {
    tell(order, 'withdrawn');
    return follow(order);
  }],
  ['the end of the window', 'pending_confirmation', (order) => follow(order, 'window_ended')],
  ['a reversal', 'pending_confirmation', (order) => {
    tell(order, 'reversed');
    return follow(order);
  }],
  ['a cancellation', 'pending', ({ scene, key }) => scene.payouts.voidReference({ ...key, cause: 'cancel', actor: 'key_test' })],
  ['an expiry', 'pending', ({ scene, key }) => scene.payouts.voidReference({ ...key, cause: 'expiry', actor: 'expiry' })],
];

describe('the cases of a payout order', () => {
  it.each(OUTCOMES)('should end with %s, and say so (O1)', async (_, from, comeTo) => {
    const order = await standingAt(db, from);
    await openCases(order, ENDED_BY_OUTCOME);
    expect((await recordOf(order)).needsAttention).toBe(true);
    await comeTo(order);
    expect((await recordOf(order)).status).not.toBe(from);
    expect(await casesOf(order)).toEqual(ENDED_BY_OUTCOME.map((kind) => `${kind} resolved`));
    expect((await recordOf(order)).needsAttention).toBe(false);
    const rows = await db.selectFrom('cases').select(['resolution', 'resolved_by', 'resolution_reason', 'resolved_at']).where('merchant_id', '=', order.key.merchantId).execute();
    for (const row of rows) expect(row).toEqual({ resolution: 'outcome_known', resolved_by: 'reintegro', resolution_reason: null, resolved_at: expect.any(Date) as Date });
  });

  it.each(STAYING)('should stay, and keep the mark, when the provider contradicted the books: %s (P6, O1)', async (kind) => {
    const order = await standingAt(db, 'pending_confirmation');
    await openCases(order, ['waited_too_long', kind]);
    expect(await follow(order, 'window_ended')).toEqual({ kind: 'settled', status: 'withdrawn' });
    expect(await casesOf(order)).toEqual(['waited_too_long resolved', `${kind} open`]);
    expect((await recordOf(order)).needsAttention).toBe(true);
  });

  it('should not end while nothing changes (O1)', async () => {
    const order = await standingAt(db, 'pending');
    await openCases(order, ENDED_BY_OUTCOME);
    expect(await follow(order)).toEqual({ kind: 'settled', status: 'pending' });
    tell(order, 'withdrawn');
    await order.scene.payouts.voidReference({ ...order.key, cause: 'cancel', actor: 'key_test' });
    expect(await casesOf(order)).toEqual(ENDED_BY_OUTCOME.map((kind) => `${kind} open`));
    expect((await recordOf(order)).needsAttention).toBe(true);
  });

  it('should end with a late reference, and with the word that there will be none (P1, O1)', async () => {
    const [found, refused, never] = [await givenUpOnce(db), await givenUpOnce(db), await givenUpOnce(db)];
    for (const order of [found, refused, never]) await openCases(order, ['outcome_unknown']);
    found.scene.provider.after.createPayoutOrder.push(failing('unknown'));
    await found.scene.payouts.issueReference({ ...found.send, sendNumber: 2 });
    await letCallsEnd(found.scene);
    await found.scene.payouts.findReference({ ...found.send, sendNumber: 2 });
    refused.scene.provider.before.createPayoutOrder.push(REFUSAL);
    await refused.scene.payouts.issueReference({ ...refused.send, sendNumber: 2 });
    await never.scene.payouts.findReference({ ...never.send, isLast: true });
    for (const [order, status] of [[found, 'pending'], [refused, 'open'], [never, 'open']] as const) {
      expect(await recordOf(order)).toMatchObject({ status, needsAttention: false });
      expect(await casesOf(order)).toEqual(['outcome_unknown resolved']);
    }
  });

  it('should keep a contradiction before a person although no reference will ever be issued (P1, P6)', async () => {
    const order = await givenUpOnce(db);
    await openCases(order, ['contradiction', 'outcome_unknown']);
    await order.scene.payouts.findReference({ ...order.send, isLast: true });
    expect(await recordOf(order)).toMatchObject({ status: 'open', statusDetail: 'never_issued', needsAttention: true });
    expect(await casesOf(order)).toEqual(['contradiction open', 'outcome_unknown resolved']);
  });

  it('should stay open when only a late worker heard a refusal: that is no outcome (S4)', async () => {
    const order = await registerPayoutOrder(db);
    order.scene.provider.before.createPayoutOrder.push(async () => {
      await letCallsEnd(order.scene);
      expect(await order.scene.payouts.findReference(order.send)).toEqual({ kind: 'absent' });
      REFUSAL();
    });
    await openCases(order, ['outcome_unknown']);
    expect(await order.scene.payouts.issueReference(order.send)).toEqual({ kind: 'unknown' });
    expect(await casesOf(order)).toEqual(['outcome_unknown open']);
    expect((await recordOf(order)).needsAttention).toBe(true);
  });

  it('should be its own alone: those of other payout orders, merchants and refunds stay (A1, O1)', async () => {
    const [order, other] = [await standingAt(db, 'pending'), await standingAt(db, 'pending')];
    const { scene, key } = order;
    const neighbour = { ...key, payoutOrderId: `${key.payoutOrderId}-2` };
    await scene.payouts.openCase({ ...neighbour, kind: 'outcome_unknown' });
    await openCase(db, { merchantId: key.merchantId, refundId: key.payoutOrderId, kind: 'unreadable_answer' });
    for (const each of [order, other]) await openCases(each, ['outcome_unknown']);
    await scene.payouts.voidReference({ ...key, cause: 'cancel', actor: 'key_test' });
    expect(await casesOf(order)).toEqual(['outcome_unknown resolved']);
    expect(await casesOf(other)).toEqual(['outcome_unknown open']);
    expect((await recordOf(other)).needsAttention).toBe(true);
    expect(await listCases(db, key.merchantId, { payoutOrderId: neighbour.payoutOrderId })).toMatchObject([{ status: 'open' }]);
    expect(await listCases(db, key.merchantId, { refundId: key.payoutOrderId })).toMatchObject([{ status: 'open' }]);
  });

  it('should offer to try again, and never to say what became of it: that is the provider\'s word alone (P2, O2)', async () => {
    const order = await standingAt(db, 'pending');
    await openCases(order, [...ENDED_BY_OUTCOME, ...STAYING]);
    const listed = await listCases(db, order.key.merchantId, { payoutOrderId: order.key.payoutOrderId });
    expect(listed.map(({ kind, actions }) => [kind, actions])).toEqual([
      ['outcome_unknown', ['retry']], ['unreadable_answer', ['retry']], ['waited_too_long', ['retry', 'cancel']], ['workflow_gone', ['ask_again']], ['contradiction', []], ['late_reversal', []],
    ]);
  });
});
