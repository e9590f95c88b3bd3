import { expect, it } from 'vitest';

import { CASE_ACTIONS, type CaseAction, type CaseKind } from '../../src/domain/case.ts';
import { closeCase, closeCases, closeCasesOfOutcome, listCases, openCase } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { registerPayoutOrder } from '../../src/store/payout-orders/register.ts';
import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, audit, begin, casesOf, history, legOf, openShop, operatorFor, PROVIDER, refundRow, reserve, type Shop } from './refund-records.ts';

/** What may be done about an open case of each kind, by hand from O1 and O2. */
const ACTIONS: readonly (readonly [CaseKind, readonly CaseAction[]])[] = [
  ['outcome_unknown', ['resolve', 'retry']], ['unreadable_answer', ['resolve', 'retry']], ['waited_too_long', ['resolve', 'retry', 'cancel']],
  ['late_failure', ['acknowledge']], ['late_reversal', []], ['contradiction', []], ['workflow_gone', ['ask_again']],
];
const KINDS = ACTIONS.map(([kind]) => kind);

/** A shop with a refund of 4,000 that was sent. */
async function shopWithSentRefund(db: Database): Promise<Shop> {
  const shop = await openShop(db);
  await reserve(db, shop, 'r', { amountMinor: 4_000 });
  await begin(db, legOf(shop, 'r'));
  return shop;
}

/** Opens a case about a leg on `chg_1`, or about the refund as a whole. */
function open(db: Database, { merchantId }: Shop, kind: CaseKind, refundId = 'r', legId: string | undefined = `${refundId}:chg_1`): Promise<void> {
  return openCase(db, { merchantId, refundId, kind, legId });
}

function wholeOf(db: Database, { merchantId }: Shop, kind: CaseKind): Promise<void> {
  return openCase(db, { merchantId, refundId: 'r', kind });
}

describeOnEachDatabase('openCase of every kind', (database) => {
  it('should be open once per subject and kind, and may be opened again after it was closed (O1)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    await Promise.all([open(db, shop, 'late_failure'), open(db, shop, 'late_failure'), open(db, shop, 'contradiction'), wholeOf(db, shop, 'late_failure')]);
    expect((await listCases(db, shop.merchantId, { refundId: 'r' })).map((one) => `${one.kind} of ${one.legId}`).toSorted()).toEqual(['contradiction of r:chg_1', 'late_failure of null', 'late_failure of r:chg_1']);
    await closeCase(db, operatorFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, 'late_failure');
    for (const _ of [1, 2]) await open(db, shop, 'late_failure');
    expect((await casesOf(db, shop.merchantId, 'r')).filter(([kind]) => kind === 'late_failure')).toEqual([['late_failure', 'resolved'], ['late_failure', 'resolved'], ['late_failure', 'open']]);
  });

  it('should be open for a refund that is not on record, without an amount (O1)', async () => {
    const db = database();
    const shop = await openShop(db);
    await openCase(db, { merchantId: shop.merchantId, refundId: 'gone', kind: 'workflow_gone' });
    expect(await listCases(db, shop.merchantId, { refundId: 'gone' })).toMatchObject([{ kind: 'workflow_gone', amountMinor: null, currency: null }]);
  });
});

describeOnEachDatabase('openCase of a Workflow that is gone', (database) => {
  it('should open none for a refund that is over: there is nothing left to go on with (O1)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await cancelRefund(db, actingFor('r'), shop.merchantId, 'r');
    await open(db, shop, 'workflow_gone');
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([]);
    expect((await refundRow(db, shop.merchantId, 'r')).needs_attention).toBe(false);
  });
});

describeOnEachDatabase('listCases', (database) => {
  it('should tell oldest first what each is about and what may be done, and nothing any more once it is closed (O1)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    for (const kind of KINDS) await open(db, shop, kind);
    expect(Object.keys(CASE_ACTIONS).toSorted()).toEqual(KINDS.toSorted());
    const listed = await listCases(db, shop.merchantId, { refundId: 'r' });
    expect(listed.map((one) => [one.kind, one.actions])).toEqual(ACTIONS);
    for (const one of listed) expect(one).toMatchObject({ status: 'open', refundId: 'r', payoutOrderId: null, legId: 'r:chg_1', amountMinor: 4_000, currency: 'MXN', resolution: null, resolvedBy: null, openedAt: expect.any(Date) });
    await closeCase(db, operatorFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, 'outcome_unknown');
    expect((await listCases(db, shop.merchantId, { refundId: 'r' }))[0]).toMatchObject({ kind: 'outcome_unknown', status: 'resolved', actions: [], resolution: 'acknowledged', resolvedBy: 'key_operator' });
    expect(await listCases(db, 'mer_other', { refundId: 'r' })).toEqual([]);
  });
});

describeOnEachDatabase('closeCase', (database) => {
  it('should close one kind alone, with who and why and one event, and change no status (O2, O3, I6)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    for (const kind of ['late_failure', 'contradiction'] as const) await open(db, shop, kind);
    await closeCase(db, operatorFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, 'late_failure');
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([['late_failure', 'resolved'], ['contradiction', 'open']]);
    const row = await db.selectFrom('cases').selectAll().where('merchant_id', '=', shop.merchantId).where('kind', '=', 'late_failure').executeTakeFirstOrThrow();
    expect(row).toMatchObject({ resolution: 'acknowledged', resolved_by: 'key_operator', resolution_reason: 'seen at the bank', resolved_at: expect.any(Date) });
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'in_process', needs_attention: true });
    expect((await audit(db, shop.merchantId, 'r')).at(-1)).toMatchObject({ from_status: 'in_process', to_status: 'in_process', actor: 'key_operator', reason: 'seen at the bank' });
    expect((await history(db, shop.merchantId, 'r')).at(-1)?.events).toEqual(['refund.acknowledged']);
  });

  it('should write the act down once, though it is repeated after its commit (O3, I6)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    await open(db, shop, 'late_failure');
    const close = () => closeCase(db, operatorFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, 'late_failure');
    await Promise.all([close(), close()]);
    expect((await history(db, shop.merchantId, 'r')).filter((step) => step.events.includes('refund.acknowledged'))).toHaveLength(1);
  });

  it('should take the mark away with the last open case, and not before (O1)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    for (const kind of ['late_failure', 'contradiction'] as const) await open(db, shop, kind);
    const marks: unknown[] = [];
    for (const kind of ['late_failure', 'contradiction'] as const) {
      await closeCase(db, operatorFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, kind);
      const { needs_attention, status_detail } = await refundRow(db, shop.merchantId, 'r');
      marks.push([needs_attention, status_detail]);
    }
    expect(marks).toEqual([[true, 'needs_attention'], [false, 'sent']]);
  });
});

describeOnEachDatabase('closeCases', (database) => {
  it('should close what it names of this leg and of the refund, and nothing of other legs, refunds and merchants (O1)', async () => {
    const db = database();
    const [shop, other] = [await shopWithSentRefund(db), await shopWithSentRefund(db)];
    await reserve(db, shop, 'q', { amountMinor: 1 });
    for (const kind of ['outcome_unknown', 'contradiction'] as const) await open(db, shop, kind);
    await open(db, shop, 'outcome_unknown', 'r', 'r:chg_2');
    await wholeOf(db, shop, 'workflow_gone');
    await open(db, shop, 'outcome_unknown', 'q');
    await open(db, other, 'outcome_unknown');
    await db.transaction().execute((tx) => closeCases(tx, { merchantId: shop.merchantId, refundId: 'r', legId: 'r:chg_1', kinds: ['outcome_unknown', 'workflow_gone'], resolution: 'x', resolvedBy: 'y' }));
    expect((await listCases(db, shop.merchantId, { refundId: 'r' })).map((one) => [one.kind, one.legId, one.status])).toEqual([
      ['outcome_unknown', 'r:chg_1', 'resolved'], ['contradiction', 'r:chg_1', 'open'], ['outcome_unknown', 'r:chg_2', 'open'], ['workflow_gone', null, 'resolved'],
    ]);
    expect(await casesOf(db, shop.merchantId, 'q')).toEqual([['outcome_unknown', 'open']]);
    expect(await casesOf(db, other.merchantId, 'r')).toEqual([['outcome_unknown', 'open']]);
    for (const [{ merchantId }, refundId] of [[shop, 'r'], [shop, 'q'], [other, 'r']] as const) expect((await refundRow(db, merchantId, refundId)).needs_attention).toBe(true);
  });

  it('should not rewrite what a case was closed with (O3)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    await open(db, shop, 'outcome_unknown');
    const close = (by: string) => db.transaction().execute((tx) => closeCasesOfOutcome(tx, by, { merchantId: shop.merchantId, refundId: 'r' }, `reason of ${by}`));
    await close('first');
    await close('second');
    expect(await db.selectFrom('cases').select(['resolution', 'resolved_by', 'resolution_reason']).where('merchant_id', '=', shop.merchantId).execute())
      .toEqual([{ resolution: 'outcome_known', resolved_by: 'first', resolution_reason: 'reason of first' }]);
  });

  it('should close by a known outcome the cases that ask for it, and leave the others (O1)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    for (const kind of KINDS) await open(db, shop, kind);
    await db.transaction().execute((tx) => closeCasesOfOutcome(tx, 'reintegro', { merchantId: shop.merchantId, refundId: 'r', legId: 'r:chg_1' }));
    expect((await casesOf(db, shop.merchantId, 'r')).filter(([, status]) => status === 'open').map(([kind]) => kind)).toEqual(['late_failure', 'late_reversal', 'contradiction']);
  });
});

describeOnEachDatabase('cases of payout orders', (database) => {
  it('should stay what they are when a refund of the same id has its cases closed (O1, P6)', async () => {
    const db = database();
    const shop = await shopWithSentRefund(db);
    await registerPayoutOrder(db, actingFor('r'), {
      merchantId: shop.merchantId, payoutOrderId: 'r', payoutId: 'payout_r', provider: PROVIDER, amountMinor: 3_000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash',
      customerId: 'cus_1', reason: 'Referencia', expiresAt: atSecond(86_400), metadata: {}, idempotencyKey: 'key-p', fingerprint: 'f',
    });
    for (const kind of ['late_reversal', 'outcome_unknown'] as const) await openCase(db, { merchantId: shop.merchantId, payoutOrderId: 'r', kind });
    await open(db, shop, 'outcome_unknown');
    await db.transaction().execute((tx) => closeCases(tx, { merchantId: shop.merchantId, refundId: 'r', kinds: KINDS, resolution: 'x', resolvedBy: 'y' }));
    expect(await casesOf(db, shop.merchantId, 'r')).toEqual([['outcome_unknown', 'resolved']]);
    expect(await listCases(db, shop.merchantId, { payoutOrderId: 'r' })).toMatchObject([
      { kind: 'late_reversal', status: 'open', refundId: null, payoutOrderId: 'r', amountMinor: 3_000, actions: [] },
      { kind: 'outcome_unknown', status: 'open', refundId: null, payoutOrderId: 'r', amountMinor: 3_000 },
    ]);
    expect(await db.selectFrom('payout_orders').select('needs_attention').where('merchant_id', '=', shop.merchantId).executeTakeFirst()).toEqual({ needs_attention: true });
  });
});
