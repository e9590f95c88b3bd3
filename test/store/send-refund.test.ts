import { expect, it } from 'vitest';

import { cancelRefund } from '../../src/store/refunds/cancel.ts';
import { readRefund } from '../../src/store/refunds/read.ts';
import { fenceSend, markNotSent, markUnknown, readLeg } from '../../src/store/refunds/send.ts';
import { settleLeg, standingLeg } from '../../src/store/refunds/settle.ts';
import { describeOnEachDatabase } from '../support/database.ts';
import { actingFor, begin, books, history, holds, legOf, legRow, movements, openShop, orderSnapshot, REFUSED, reserve, success, told } from './refund-records.ts';

describeOnEachDatabase('beginSend', (database) => {
  it('should commit `sending` with the list from before, and move the refund once (S4, I6)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    const key = legOf(shop, 'r');
    expect(await begin(db, key, 1, { refundsBefore: ['re_old'] })).toEqual({ kind: 'go' });
    expect(await readLeg(db, key)).toMatchObject({ status: 'sending', refundsBefore: ['re_old'], amountMinor: 10_000 });
    await markNotSent(db, key, 1, 'reserved');
    expect(await begin(db, key, 2)).toEqual({ kind: 'go' });
    expect((await history(db, shop.merchantId, 'r')).map((step) => [step.to, ...step.events])).toEqual([['pending', 'refund.pending'], ['in_process', 'refund.in_process']]);
  });

  it('should give one permit per send number, however many ask at once (S4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    const asked = await Promise.all(Array.from({ length: 10 }, () => begin(db, legOf(shop, 'r'), 1)));
    expect(asked.filter((permit) => permit.kind === 'go')).toHaveLength(1);
    expect(asked.filter((permit) => permit.kind === 'fenced')).toHaveLength(9);
  });

  it('should never give a permit to a send that was given up, before or after it began (S4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    const key = legOf(shop, 'r');
    expect(await fenceSend(db, key, 1, { afterPermitMs: 0, afterCallMs: 0 })).toEqual({ kind: 'never_sent' });
    expect(await begin(db, key, 1)).toEqual({ kind: 'fenced' });
    expect(await begin(db, key, 2)).toEqual({ kind: 'go' });
    expect(await fenceSend(db, key, 2, { afterPermitMs: 0, afterCallMs: 0 })).toEqual({ kind: 'unknown' });
    expect(await begin(db, key, 2)).toEqual({ kind: 'fenced' });
    expect(await begin(db, key, 3)).toEqual({ kind: 'go' });
  });

  it('should conclude nothing while the call of a lost worker may still take effect (S4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    const key = legOf(shop, 'r');
    await begin(db, key, 1);
    const early = await fenceSend(db, key, 1, { afterPermitMs: 60_000, afterCallMs: 0 });
    expect(early.kind).toBe('too_early');
    expect(early.kind === 'too_early' && early.waitMs > 0 && early.waitMs <= 60_000).toBe(true);
    expect((await legRow(db, key)).status).toBe('sending');
    await db.updateTable('legs').set({ sent_at: new Date(Date.now() - 120_000) }).where('merchant_id', '=', shop.merchantId).execute();
    expect(await fenceSend(db, key, 1, { afterPermitMs: 60_000, afterCallMs: 0 })).toEqual({ kind: 'unknown' });
    expect((await legRow(db, key)).status).toBe('unknown');
  });

  it('should wait from the end of the call, once the worker itself said that it has ended (S4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await begin(db, legOf(shop, 'r'), 1);
    await markUnknown(db, legOf(shop, 'r'), 1);
    expect((await fenceSend(db, legOf(shop, 'r'), 1, { afterPermitMs: 0, afterCallMs: 60_000 })).kind).toBe('too_early');
    expect(await fenceSend(db, legOf(shop, 'r'), 1, { afterPermitMs: 60_000, afterCallMs: 0 })).toEqual({ kind: 'unknown' });
    // The next send starts the clock anew: the end of the last call says nothing about this one.
    await begin(db, legOf(shop, 'r'), 2);
    expect((await fenceSend(db, legOf(shop, 'r'), 2, { afterPermitMs: 60_000, afterCallMs: 0 })).kind).toBe('too_early');
  });

  it('should not lower the fence when an older look comes late (S4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    await fenceSend(db, legOf(shop, 'r'), 3, { afterPermitMs: 0, afterCallMs: 0 });
    await fenceSend(db, legOf(shop, 'r'), 1, { afterPermitMs: 0, afterCallMs: 0 });
    expect(await begin(db, legOf(shop, 'r'), 3)).toEqual({ kind: 'fenced' });
  });

  it('should give no permit to a leg whose charge\'s gate is another\'s (S5)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'a', { amountMinor: 1 });
    await reserve(db, shop, 'b', { amountMinor: 1 });
    expect(await begin(db, legOf(shop, 'b'))).toEqual({ kind: 'fenced' });
    expect(await readRefund(db, shop.merchantId, 'b')).toMatchObject({ status: 'pending' });
  });

  it('should never send a leg again that succeeded, was refused or was called off (S4)', async () => {
    const db = database();
    const shop = await openShop(db);
    for (const refundId of ['won', 'lost', 'off']) await reserve(db, shop, refundId, { amountMinor: 1, gated: false });
    await begin(db, legOf(shop, 'won'), 1, { gated: false });
    await settleLeg(db, actingFor('won'), legOf(shop, 'won'), success('re_1'));
    await begin(db, legOf(shop, 'lost'), 1, { gated: false });
    await settleLeg(db, actingFor('lost'), legOf(shop, 'lost'), REFUSED);
    await cancelRefund(db, actingFor('off'), shop.merchantId, 'off');
    for (const refundId of ['won', 'lost', 'off']) {
      expect(await begin(db, legOf(shop, refundId), 9)).toEqual({ kind: 'settled' });
      expect(await fenceSend(db, legOf(shop, refundId), 9, { afterPermitMs: 0, afterCallMs: 0 })).toEqual({ kind: 'settled' });
    }
  });
});

describeOnEachDatabase('settleLeg', (database) => {
  it('should write one movement however often a success is settled (M7)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    const key = legOf(shop, 'r');
    await begin(db, key);
    const settled = await Promise.all(Array.from({ length: 5 }, () => settleLeg(db, actingFor('r'), key, success('re_1'))));
    for (const one of settled) expect(one).toMatchObject({ legStatus: 'succeeded', refundStatus: 'refunded', statusDetail: 'complete' });
    expect(await movements(db, shop)).toEqual([{ kind: 'refund', leg_id: key.legId, charge_id: 'chg_1', payout_order_id: null, amount_minor: 10_000, currency: 'MXN', provider_id: 're_1' }]);
    expect((await history(db, shop.merchantId, 'r')).map((step) => [step.to, ...step.events])).toEqual([
      ['pending', 'refund.pending'], ['in_process', 'refund.in_process'], ['refunded', 'refund.refunded'],
    ]);
  });

  it('should record the late answer of a send that was given up, once (S4, M7)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    const key = legOf(shop, 'r');
    await begin(db, key, 1);
    await fenceSend(db, key, 1, { afterPermitMs: 0, afterCallMs: 0 });
    await settleLeg(db, actingFor('r'), key, success('re_late'));
    expect(await standingLeg(db, actingFor('r'), key)).toMatchObject({ legStatus: 'succeeded', refundStatus: 'refunded' });
    expect(await movements(db, shop)).toHaveLength(1);
  });

  it('should not let a later refusal undo a success, nor a later success a refusal (I4)', async () => {
    const db = database();
    const shop = await openShop(db);
    for (const refundId of ['won', 'lost']) {
      await reserve(db, shop, refundId, { amountMinor: 100, gated: false });
      await begin(db, legOf(shop, refundId), 1, { gated: false });
    }
    await settleLeg(db, actingFor('won'), legOf(shop, 'won'), success('re_1'));
    expect(await settleLeg(db, actingFor('won'), legOf(shop, 'won'), REFUSED)).toMatchObject({ legStatus: 'succeeded', refundStatus: 'refunded' });
    await settleLeg(db, actingFor('lost'), legOf(shop, 'lost'), REFUSED);
    expect(await settleLeg(db, actingFor('lost'), legOf(shop, 'lost'), success('re_2'))).toMatchObject({ legStatus: 'refused', refundStatus: 'rejected', statusDetail: 'card_closed' });
    expect(await movements(db, shop)).toHaveLength(1);
    expect(await holds(db, shop)).toEqual([{ held: 100, ofLegs: 100 }]);
  });

  it('should put a second refund of a settled leg before a human, and write no second movement (M7, O1)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 100 });
    await begin(db, legOf(shop, 'r'));
    for (const id of ['re_1', 're_1', 're_2', 're_2']) await settleLeg(db, actingFor('r'), legOf(shop, 'r'), success(id));
    expect(await movements(db, shop)).toMatchObject([{ provider_id: 're_1' }]);
    expect(await db.selectFrom('cases').select(['kind', 'leg_id', 'amount_minor']).where('merchant_id', '=', shop.merchantId).execute()).toEqual([{ kind: 'contradiction', leg_id: 'r:chg_1', amount_minor: 100 }]);
  });

  it('should refuse to settle a success that was never sent, and write nothing (M7)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r', { amountMinor: 1 });
    const before = await books(db, shop.merchantId);
    for (const kind of ['authorized', 'approved', 'succeeded'] as const) await expect(settleLeg(db, actingFor('r'), legOf(shop, 'r'), told(kind, 're_1'))).rejects.toThrow(`cannot become ${kind}`);
    expect(await books(db, shop.merchantId)).toEqual(before);
  });

  it('should not count one refund of the provider for two legs (I1, M7)', async () => {
    const db = database();
    const shop = await openShop(db);
    for (const refundId of ['a', 'b']) {
      await reserve(db, shop, refundId, { amountMinor: 100, gated: false });
      await begin(db, legOf(shop, refundId), 1, { gated: false });
    }
    await settleLeg(db, actingFor('a'), legOf(shop, 'a'), success('re_same'));
    await expect(settleLeg(db, actingFor('b'), legOf(shop, 'b'), success('re_same'))).rejects.toThrow(/legs_by_provider_refund/);
    expect(await movements(db, shop)).toHaveLength(1);
    expect((await legRow(db, legOf(shop, 'b'))).status).toBe('sending');
  });

  it.each([
    ['both succeed', 'succeeded', 'succeeded', 'refunded', 'complete'],
    ['one is refused', 'succeeded', 'refused', 'refunded', 'partial'],
    ['both are refused', 'refused', 'refused', 'rejected', 'card_closed'],
  ] as const)('should compute the status from both legs settled at once when %s, with one final transition (R2, I6)', async (_, first, second, status, detail) => {
    const db = database();
    const charges = [{ chargeId: 'chg_1', amountMinor: 600 }, { chargeId: 'chg_2', amountMinor: 400 }];
    const results = { succeeded: (id: string) => success(id, orderSnapshot(charges)), refused: () => REFUSED };
    for (let round = 0; round < 5; round += 1) {
      const shop = await openShop(db, charges);
      await reserve(db, shop, 'r');
      const keys = [legOf(shop, 'r', 'chg_1'), legOf(shop, 'r', 'chg_2')] as const;
      for (const key of keys) await begin(db, key);
      await Promise.all([settleLeg(db, actingFor('r'), keys[0], results[first]('re_1')), settleLeg(db, actingFor('r'), keys[1], results[second]('re_2'))]);
      expect(await readRefund(db, shop.merchantId, 'r')).toMatchObject({ status, statusDetail: detail });
      expect((await history(db, shop.merchantId, 'r')).map((step) => [step.to, ...step.events])).toEqual([
        ['pending', 'refund.pending'], ['in_process', 'refund.in_process'], [status, `refund.${status}`],
      ]);
    }
  });
});

describeOnEachDatabase('markUnknown and markNotSent', (database) => {
  it('should say `verifying` while the outcome is unknown, and act on the current send alone (S4)', async () => {
    const db = database();
    const shop = await openShop(db);
    await reserve(db, shop, 'r');
    const key = legOf(shop, 'r');
    await begin(db, key, 1);
    await markUnknown(db, key, 1);
    expect(await readRefund(db, shop.merchantId, 'r')).toMatchObject({ status: 'in_process', statusDetail: 'verifying' });
    await begin(db, key, 2);
    await markNotSent(db, key, 1, 'reserved');
    await markUnknown(db, key, 1);
    expect((await legRow(db, key)).status).toBe('sending');
  });
});
