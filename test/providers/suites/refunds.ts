import { describe, expect, it } from 'vitest';
import { countsAgainstCharge } from '../../../src/domain/send-protocol.ts';
import type { ListedRefund } from '../../../src/domain/send-protocol.ts';
import type { SubmittedRefund } from '../../../src/providers/provider.ts';
import { advanceClock } from '../../sandbox/start-sandbox.ts';
import { openBench, refundOf } from '../bench.ts';
import type { Paid, ProviderUnderTest } from '../provider-under-test.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;

/** The refunds that an answer to a send shows of the charge it is about. */
function shownBy(submitted: SubmittedRefund, { chargeId }: Paid): readonly ListedRefund[] {
  if (submitted.kind === 'refund') return [submitted.refund];
  return submitted.order.charges.find((charge) => charge.chargeId === chargeId)?.refunds ?? [];
}

/** What a send does when nothing goes wrong, and what becomes of it. */
export function describeRefunds(provider: ProviderUnderTest): void {
  describe('submitRefund', () => {
    it.each([1, 700, 12_345, 30_000])('should move %d minor units exactly once, and show it in answer and order alike (M1)', async (amountMinor) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(30_000);
      const answer = shownBy(await bench.adapter.submitRefund(bench.call, refundOf(paid, amountMinor)), paid);
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', amountMinor]]);
      const { refunds } = await bench.charge(paid);
      expect(refunds).toMatchObject([{ amountMinor, state: 'succeeded' }]);
      expect(answer.map(({ providerRefundId }) => providerRefundId)).toEqual(refunds.map(({ providerRefundId }) => providerRefundId));
      expect(answer[0]).toMatchObject({ amountMinor, state: 'succeeded' });
      expect(answer[0]?.receipt).toEqual(refunds[0]?.receipt);
    });

    it('should move a large amount to the minor unit (M1)', async () => {
      const bench = await openBench(provider);
      const paid = await bench.pay(1_000_000_000_007);
      await bench.adapter.submitRefund(bench.call, refundOf(paid, 999_999_999_999));
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', 999_999_999_999]]);
      expect((await bench.charge(paid)).refunds).toMatchObject([{ amountMinor: 999_999_999_999 }]);
    });

    it('should list every refund of a charge, equal ones by ids of their own', async () => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      for (const [index, amountMinor] of [2000, 2000, 500].entries()) await bench.adapter.submitRefund(bench.call, refundOf(paid, amountMinor, `leg_${index}`));
      const { refunds } = await bench.charge(paid);
      expect(refunds.map(({ amountMinor }) => amountMinor).toSorted((a, b) => a - b)).toEqual([500, 2000, 2000]);
      expect(new Set(refunds.map(({ providerRefundId }) => providerRefundId)).size).toBe(3);
    });

    it('should be declined as "nothing left" when it asks for more than remains, and when nothing remains (S4, M2)', async () => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.adapter.submitRefund(bench.call, refundOf(paid, 4000, 'leg_1'));
      const tooMuch = await bench.failureOf(bench.adapter.submitRefund(bench.call, refundOf(paid, 6001, 'leg_2')));
      expect(tooMuch).toMatchObject({ kind: 'declined', details: { saysNothingLeft: true } });
      await bench.adapter.submitRefund(bench.call, refundOf(paid, 6000, 'leg_3'));
      const nothing = await bench.failureOf(bench.adapter.submitRefund(bench.call, refundOf(paid, 1, 'leg_4')));
      expect(nothing).toMatchObject({ kind: 'declined', details: { saysNothingLeft: true } });
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', 4000], ['refund', 6000]]);
    });

    it.each([NaN, Infinity, 0, -1, 1.5, 2 ** 53])('should be declined for an amount of %d, and move nothing (M1)', async (amountMinor) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      expect((await bench.failureOf(bench.adapter.submitRefund(bench.call, refundOf(paid, amountMinor)))).kind).toBe('declined');
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([]);
    });

    it.each(['', '.', '..', '\ud800', 'never-made'])('should be declined for %j, which names nothing', async (orderId) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      expect((await bench.failureOf(bench.adapter.submitRefund(bench.call, { ...refundOf(paid, 100), orderId, chargeId: orderId }))).kind).toBe('declined');
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([]);
    });
  });

  describe('a refund that takes its time', () => {
    it.each([
      ['async', ['authorized', 'approved'], 'succeeded'],
      ['async_failure', ['authorized', 'approved'], 'failed'],
      ['late_failure', ['succeeded'], 'failed'],
    ])('should be listed under one id from %s on, first as one of %j, at last as %s (R6, R9)', async (mode, first, last) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.imitation.arm({ operation: 'refund', mode, delay_ms: DELAY_MS });
      const [answer] = shownBy(await bench.adapter.submitRefund(bench.call, refundOf(paid, 10_000)), paid);
      const [before] = (await bench.charge(paid)).refunds;
      expect(first).toContain(before?.state);
      expect(answer).toEqual(before);
      advanceClock(2 * DELAY_MS);
      const after = await bench.charge(paid);
      expect(after.refunds).toMatchObject([{ providerRefundId: before?.providerRefundId, amountMinor: 10_000, state: last }]);
      expect(after.refunds.filter(countsAgainstCharge)).toHaveLength(last === 'failed' ? 0 : 1);
    });

    it('should leave room again when it failed (M2)', async () => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.imitation.arm({ operation: 'refund', mode: 'late_failure', delay_ms: DELAY_MS });
      await bench.adapter.submitRefund(bench.call, refundOf(paid, 10_000, 'leg_1'));
      advanceClock(2 * DELAY_MS);
      await bench.adapter.submitRefund(bench.call, refundOf(paid, 10_000, 'leg_2'));
      expect((await bench.charge(paid)).refunds.map(({ state }) => state).toSorted()).toEqual(['failed', 'succeeded']);
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', 10_000], ['refund_failed', 10_000], ['refund', 10_000]]);
    });
  });
}
