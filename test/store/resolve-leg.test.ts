import { expect, it } from 'vitest';

import type { LegResolution } from '../../src/domain/case.ts';
import type { LegStatus } from '../../src/domain/leg.ts';
import { listCases, openCase } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { enterCheckpoint } from '../../src/store/refunds/checkpoints.ts';
import { recordLateFailure } from '../../src/store/refunds/late-failure.ts';
import { resolveLeg, type ResolvedLeg, type Word } from '../../src/store/refunds/resolve.ts';
import { markUnknown } from '../../src/store/refunds/send.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, atSecond, audit, begin, books, chargeRow, history, holds, legOf, legRow, listed, movements, openShop, operatorFor, orderSnapshot, refundRow, REFUSED, reserve, told, type Shop } from './refund-records.ts';

const SUCCEEDED: LegResolution = { outcome: 'succeeded', providerRefundId: 're_1' };
const FAILED: LegResolution = { outcome: 'failed' };

function resolve(db: Database, shop: Shop, resolution: LegResolution, over: Partial<Word> = {}, key = legOf(shop, 'r')): Promise<ResolvedLeg> {
  return resolveLeg(db, operatorFor(key.refundId), key, { resolution, accepted: 'succeeded', seen: null, quiet: { afterPermitMs: 0, afterCallMs: 0 }, ...over });
}

/** How a leg `r` of 4,000 on `chg_1` gets to each status. */
const WAYS = {
  reserved: async () => undefined,
  sending: sent(async () => undefined),
  unknown: sent((db, shop) => markUnknown(db, legOf(shop, 'r'), 1)),
  authorized: sent((db, shop) => settleLeg(db, actingFor('r'), legOf(shop, 'r'), told('authorized', 're_1'))),
  approved: sent((db, shop) => settleLeg(db, actingFor('r'), legOf(shop, 'r'), told('approved', 're_1'))),
  succeeded: sent((db, shop) => settleLeg(db, actingFor('r'), legOf(shop, 'r'), told('succeeded', 're_1'))),
  refused: sent((db, shop) => settleLeg(db, actingFor('r'), legOf(shop, 'r'), REFUSED)),
  released: (db: Database, shop: Shop) => cancelRefund(db, actingFor('r'), shop.merchantId, 'r'),
  failed_late: sent(async (db, shop) => {
    await settleLeg(db, actingFor('r'), legOf(shop, 'r'), told('succeeded', 're_1'));
    await recordLateFailure(db, actingFor('r'), legOf(shop, 'r'), { order: orderSnapshot(), seenAt: atSecond(5) });
  }),
} as const satisfies Record<LegStatus, (db: Database, shop: Shop) => Promise<unknown>>;

function sent(then: (db: Database, shop: Shop) => Promise<unknown>) {
  return async (db: Database, shop: Shop): Promise<unknown> => {
    await begin(db, legOf(shop, 'r'), 1, { refundsBefore: ['re_old'] });
    return then(db, shop);
  };
}

async function shopAt(db: Database, status: LegStatus): Promise<Shop> {
  const shop = await openShop(db);
  await reserve(db, shop, 'r', { amountMinor: 4_000 });
  await WAYS[status](db, shop);
  expect((await legRow(db, legOf(shop, 'r'))).status).toBe(status);
  return shop;
}

/** What a human's word makes of a leg, by hand from O2: leg, refund, what is held and what has moved after it. */
const TAKEN: readonly (readonly [from: LegStatus, said: LegResolution, leg: LegStatus, refund: string, detail: string, held: number, moved: number])[] = [
  ['reserved', FAILED, 'refused', 'rejected', 'resolved_as_failed', 0, 0],
  ['sending', SUCCEEDED, 'succeeded', 'refunded', 'complete', 4_000, 1],
  ['sending', FAILED, 'refused', 'rejected', 'resolved_as_failed', 0, 0],
  ['unknown', SUCCEEDED, 'succeeded', 'refunded', 'complete', 4_000, 1],
  ['unknown', FAILED, 'refused', 'rejected', 'resolved_as_failed', 0, 0],
  ['authorized', SUCCEEDED, 'succeeded', 'refunded', 'complete', 4_000, 1],
  ['authorized', FAILED, 'refused', 'rejected', 'resolved_as_failed', 0, 0],
  ['approved', SUCCEEDED, 'succeeded', 'refunded', 'complete', 4_000, 1],
  ['approved', FAILED, 'refused', 'rejected', 'resolved_as_failed', 0, 0],
];
const SETTLED: readonly LegStatus[] = ['succeeded', 'refused', 'released', 'failed_late'];

describeOnEachDatabase('resolveLeg', (database) => {
  it.each(TAKEN)('should settle a leg that is %s by the word %j as %s, once, with who and why on record (O2, O3, M4, M7, I6)', async (from, said, leg, refund, detail, held, moved) => {
    const db = database();
    const shop = await shopAt(db, from);
    const before = await history(db, shop.merchantId, 'r');
    expect(await resolve(db, shop, said)).toEqual({ kind: 'settled', settled: { legStatus: leg, refundStatus: refund, statusDetail: detail, nextTurn: null } });
    expect(await legRow(db, legOf(shop, 'r'))).toMatchObject({ status: leg, ...(said.outcome === 'succeeded' ? { provider_refund_id: 're_1' } : {}) });
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: refund, status_detail: detail });
    expect(await holds(db, shop)).toEqual([{ held, ofLegs: held }]);
    expect(await movements(db, shop)).toHaveLength(moved);
    expect((await chargeRow(db, shop)).gate_leg_id).toBeNull();
    expect((await history(db, shop.merchantId, 'r')).slice(before.length)).toEqual([
      { to: refund, detail, events: [`refund.${refund}`] }, { to: refund, detail, events: [`refund.resolved_${said.outcome}`] },
    ]);
    for (const row of (await audit(db, shop.merchantId, 'r')).slice(before.length)) expect(row).toMatchObject({ actor: 'key_operator', reason: 'seen at the bank', workflow_id: 'refund:r', run_id: 'run_1' });
    const after = await books(db, shop.merchantId);
    expect(await begin(db, legOf(shop, 'r'), 9, { gated: false })).toEqual({ kind: 'settled' });
    await Promise.all([resolve(db, shop, said), resolve(db, shop, said)]);
    expect(await books(db, shop.merchantId)).toEqual(after);
  });

  it.each(SETTLED.flatMap((status) => [[status, SUCCEEDED], [status, FAILED]] as const))('should leave a leg that is %s as it is, whatever the word (%j) (O2, I4)', async (status, said) => {
    const db = database();
    const shop = await shopAt(db, status);
    const before = await books(db, shop.merchantId);
    expect(await resolve(db, shop, said)).toMatchObject({ kind: 'settled', settled: { legStatus: status, nextTurn: null } });
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should not believe that a leg which was never sent succeeded, and change nothing (O2)', async () => {
    const db = database();
    const shop = await shopAt(db, 'reserved');
    const before = await books(db, shop.merchantId);
    expect(await resolve(db, shop, SUCCEEDED)).toEqual({ kind: 'refused', why: 'never_sent' });
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it.each([['sending', 're_other'], ['unknown', 're_other'], ['unknown', 're_old'], ['authorized', 're_2'], ['approved', 're_old']] as const)('should not take for a leg that is %s the refund %s of another leg, from before the send, or other than the accepted one (O2, I1)', async (status, providerRefundId) => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'other', { amountMinor: 4_000 });
    await begin(db, legOf(shop, 'other'));
    await settleLeg(db, actingFor('other'), legOf(shop, 'other'), told('succeeded', 're_other'));
    await reserve(db, shop, 'r', { amountMinor: 4_000 });
    await WAYS[status](db, shop);
    const before = await books(db, shop.merchantId);
    expect(await resolve(db, shop, { outcome: 'succeeded', providerRefundId })).toEqual({ kind: 'refused', why: 'provider_refund_taken' });
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it.each(['pending', 'review', 'validate', 'deferred'] as const)('should end a refund that waits for its turn as %s, when it is said to have failed (O2, I3)', async (status) => {
    const db = database();
    const shop = await shopAt(db, 'reserved');
    if (status !== 'pending') await enterCheckpoint(db, actingFor('r'), { merchantId: shop.merchantId, refundId: 'r' }, status);
    expect(await resolve(db, shop, FAILED)).toMatchObject({ settled: { legStatus: 'refused', refundStatus: 'rejected' } });
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'rejected', status_detail: 'resolved_as_failed' });
  });

  it.each(['sending', 'unknown'] as const)('should not believe that a leg which is %s failed while its call may still take effect, and change nothing (O2, S4)', async (status) => {
    const db = database();
    const shop = await shopAt(db, status);
    const before = await books(db, shop.merchantId);
    expect(await resolve(db, shop, FAILED, { quiet: { afterPermitMs: 600_000, afterCallMs: 600_000 } })).toEqual({ kind: 'refused', why: 'too_early' });
    expect(await books(db, shop.merchantId)).toEqual(before);
    expect(await resolve(db, shop, SUCCEEDED, { quiet: { afterPermitMs: 600_000, afterCallMs: 600_000 } })).toMatchObject({ settled: { legStatus: 'succeeded' } });
  });

  it.each(['authorized', 'approved'] as const)('should book no money for a refund that the provider shows as %s: it is followed from there (O2, R6, M7)', async (accepted) => {
    const db = database();
    const shop = await shopAt(db, 'unknown');
    expect(await resolve(db, shop, SUCCEEDED, { accepted })).toMatchObject({ settled: { legStatus: accepted, refundStatus: accepted } });
    expect(await movements(db, shop)).toEqual([]);
    expect(await legRow(db, legOf(shop, 'r'))).toMatchObject({ status: accepted, provider_refund_id: 're_1' });
  });

  it('should keep the order that was seen with it, and pass the gate on (S5, M2)', async () => {
    const db = database();
    const shop = await shopAt(db, 'unknown');
    await reserve(db, shop, 'next', { amountMinor: 1_000 });
    const order = orderSnapshot([{ refunds: [listed('re_1', 4_000), listed('re_manual', 300)], raw: { seen: true } }]);
    expect(await resolve(db, shop, SUCCEEDED, { seen: { order, seenAt: atSecond(30) } })).toMatchObject({ settled: { nextTurn: { legId: 'next:chg_1', workflowId: 'refund:next' } } });
    expect(await chargeRow(db, shop)).toMatchObject({ external_minor: 300, held_minor: 5_000, raw: { seen: true }, gate_leg_id: 'next:chg_1' });
  });

  it('should count what the provider shows after all against the charge when a human said `failed` (M2)', async () => {
    const db = database();
    const shop = await shopAt(db, 'authorized');
    await resolve(db, shop, FAILED, { seen: { order: orderSnapshot([{ refunds: [listed('re_1', 4_000)] }]), seenAt: atSecond(30) } });
    expect(await chargeRow(db, shop)).toMatchObject({ external_minor: 4_000, held_minor: 0 });
  });

  it('should close the cases of its leg and of the refund, and keep the mark while a case is open (O1, O2)', async () => {
    const db = database();
    const shop = await openShop(db, [{ chargeId: 'chg_1', amountMinor: 600 }, { chargeId: 'chg_2', amountMinor: 400 }]);
    await reserve(db, shop, 'r');
    const keys = { first: legOf(shop, 'r', 'chg_1'), second: legOf(shop, 'r', 'chg_2') };
    for (const key of [keys.first, keys.second]) {
      await begin(db, key);
      await openCase(db, { ...key, kind: 'outcome_unknown' });
    }
    await openCase(db, { merchantId: shop.merchantId, refundId: 'r', kind: 'workflow_gone' });
    const open = async () => (await listCases(db, shop.merchantId, { refundId: 'r' })).filter((one) => one.status === 'open').map((one) => [one.kind, one.legId]);
    await resolve(db, shop, SUCCEEDED, {}, keys.first);
    expect(await open()).toEqual([['outcome_unknown', 'r:chg_2']]);
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'in_process', status_detail: 'needs_attention', needs_attention: true });
    await resolve(db, shop, FAILED, {}, keys.second);
    expect(await open()).toEqual([]);
    expect(await refundRow(db, shop.merchantId, 'r')).toMatchObject({ status: 'refunded', status_detail: 'partial', needs_attention: false });
    const closed = await db.selectFrom('cases').select(['status', 'resolution', 'resolved_by', 'resolution_reason']).where('merchant_id', '=', shop.merchantId).execute();
    expect(closed).toEqual(Array.from({ length: 3 }, () => ({ status: 'resolved', resolution: 'outcome_known', resolved_by: 'key_operator', resolution_reason: 'seen at the bank' })));
  });

  it('should leave a contradiction open: the outcome of the leg does not explain it (O1)', async () => {
    const db = database();
    const shop = await shopAt(db, 'unknown');
    for (const kind of ['contradiction', 'unreadable_answer'] as const) await openCase(db, { ...legOf(shop, 'r'), kind });
    await resolve(db, shop, SUCCEEDED);
    expect((await listCases(db, shop.merchantId, { refundId: 'r' })).map((one) => [one.kind, one.status])).toEqual([['contradiction', 'open'], ['unreadable_answer', 'resolved']]);
    expect((await refundRow(db, shop.merchantId, 'r')).needs_attention).toBe(true);
  });
});
