import { describe, expect, it } from 'vitest';
import { connect, openBench, refundOf, startFront } from '../bench.ts';
import type { ProviderUnderTest } from '../provider-under-test.ts';

/** What an adapter reads of an order, and when it must not believe what it reads. */
export function describeReads(provider: ProviderUnderTest): void {
  describe('getOrder', () => {
    it('should read what was paid, to the minor unit, in its currency (M1)', async () => {
      const bench = await openBench(provider);
      for (const amountMinor of [1, 99, 100, 12_345, 1_000_000_007]) {
        const paid = await bench.pay(amountMinor);
        const charge = await bench.charge(paid);
        expect(charge).toMatchObject({ amountMinor, currency: paid.currency, paid: true, disputedMinor: 0, refunds: [] });
        expect(charge.providerStatus).not.toBe('');
      }
    });

    it('should keep the answer as plain JSON, which survives the way into the records', async () => {
      const bench = await openBench(provider);
      const { orderId } = await bench.pay(10_000);
      const order = await bench.adapter.getOrder(bench.call, orderId);
      expect(JSON.parse(JSON.stringify(order))).toEqual(order);
    });

    it.each(['never-made', 'a/b?c=d#e', '..%2f', 'ñ', ' '])('should be not_found for %j, which the provider does not know', async (orderId) => {
      const bench = await openBench(provider);
      expect((await bench.failureOf(bench.adapter.getOrder(bench.call, orderId))).kind).toBe('not_found');
    });

    it('should be not_found for what another merchant was paid', async () => {
      const bench = await openBench(provider);
      const { orderId } = await bench.pay(10_000);
      expect((await bench.failureOf(bench.adapter.getOrder({ credential: provider.credentials.other }, orderId))).kind).toBe('not_found');
    });

    it.each(['', '.', '..', '\ud800'])('should be not_found for %j, which is no path segment, and never another address', async (orderId) => {
      const bench = await openBench(provider);
      expect((await bench.failureOf(bench.adapter.getOrder(bench.call, orderId))).kind).toBe('not_found');
      expect((await bench.failureOf(bench.adapter.getOrder(bench.call, orderId, 'sought'))).kind).toBe('not_found');
    });

    it.each(provider.strangers)('should be unknown when it meets a word that nobody knows: of $title (S7)', async ({ rewrite }) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.adapter.submitRefund(bench.call, refundOf(paid, 400));
      let changed = 0;
      const url = await startFront(bench.imitation, (body) => {
        const rewritten = rewrite(body);
        changed += Number(rewritten !== body);
        return rewritten;
      });
      const failure = await bench.failureOf(connect(provider, url).getOrder(bench.call, paid.orderId));
      expect(changed).toBeGreaterThan(0);
      expect(failure.kind).toBe('unknown');
      expect(failure.message).not.toContain('perhaps');
    });
  });
}
