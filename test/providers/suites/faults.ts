import { describe, expect, it } from 'vitest';
import type { ProviderErrorKind } from '../../../src/providers/provider-error.ts';
import { advanceClock } from '../../sandbox/start-sandbox.ts';
import { openBench, refundOf } from '../bench.ts';
import type { Bench } from '../bench.ts';
import type { ProviderUnderTest } from '../provider-under-test.ts';

/** Far enough away that nothing falls due before the test moves the clock. */
const DELAY_MS = 600_000;

/** Written out from PRODUCT X4 and S4: what a send that meets the fault comes to, and whether money moved. */
const FAULTS: readonly (readonly [mode: string, kind: ProviderErrorKind, moved: boolean])[] = [
  ['decline', 'declined', false],
  ['unavailable', 'unknown', false],
  ['timeout', 'unknown', true],
  ['hang', 'unknown', false],
  ['error_after', 'unknown', true],
  ['reset', 'unknown', true],
  ['truncated', 'unknown', true],
  ['rate_limited', 'not_sent', false],
];
const SILENT = ['timeout', 'hang', 'late_commit'];

/** How a call ends that meets the fault; those that are never answered end with their deadline. */
function failureIn(bench: Bench, mode: string, call: () => Promise<unknown>) {
  return SILENT.includes(mode) ? bench.failureInSilence(call) : bench.failureOf(call());
}

/** What each fault of X4 comes to, with the journal as witness. */
export function describeFaults(provider: ProviderUnderTest): void {
  describe('a fault of the provider', () => {
    it.each(FAULTS)('should make a send that meets %s %s, asked once; money moved: %s (S4)', async (mode, kind, moved) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.imitation.arm({ operation: 'refund', mode });
      const failure = await failureIn(bench, mode, () => bench.adapter.submitRefund(bench.call, refundOf(paid, 700)));
      expect(failure.kind).toBe(kind);
      expect(failure.details.saysNothingLeft ?? false).toBe(false);
      expect((failure.details.retryAfterMs ?? 0) > 0).toBe(mode === 'rate_limited');
      expect(await bench.imitation.journal(paid.chargeId)).toEqual(moved ? [['refund', 700]] : []);
      // The adapter goes on: the next send is a send of its own.
      await bench.adapter.submitRefund(bench.call, refundOf(paid, 800, 'leg_2'));
      expect((await bench.imitation.journal(paid.chargeId)).at(-1)).toEqual(['refund', 800]);
      expect((await bench.charge(paid)).refunds).toHaveLength(moved ? 2 : 1);
    });

    it('should make a send that is committed late unknown; money moves afterwards (S4)', async () => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.imitation.arm({ operation: 'refund', mode: 'late_commit', delay_ms: DELAY_MS });
      const failure = await failureIn(bench, 'late_commit', () => bench.adapter.submitRefund(bench.call, refundOf(paid, 700)));
      expect(failure.kind).toBe('unknown');
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([]);
      expect((await bench.charge(paid, refundOf(paid, 700).reference)).refunds).toEqual([]);
      advanceClock(2 * DELAY_MS);
      expect((await bench.charge(paid, refundOf(paid, 700).reference)).refunds).toMatchObject([{ amountMinor: 700, state: 'succeeded' }]);
      expect(await bench.imitation.journal(paid.chargeId)).toEqual([['refund', 700]]);
    });

    it.each(FAULTS.filter(([mode]) => mode !== 'decline'))('should make a read that meets %s %s, and show nothing instead (S4, S7)', async (mode, kind) => {
      const bench = await openBench(provider);
      const paid = await bench.pay(10_000);
      await bench.imitation.arm({ operation: 'order.get', mode });
      expect((await failureIn(bench, mode, () => bench.adapter.getOrder(bench.call, paid.orderId))).kind).toBe(kind);
      expect((await bench.charge(paid)).refunds).toEqual([]);
    });
  });
}
