import { describe, expect, it } from 'vitest';
import { IDEMPOTENCY_CAPABILITIES, recogniseRefund } from '../../../src/domain/send-protocol.ts';

const listed = (...entries: readonly (readonly [id: string, amountMinor: number])[]): { providerRefundId: string; amountMinor: number }[] =>
  entries.map(([providerRefundId, amountMinor]) => ({ providerRefundId, amountMinor }));

describe('recogniseRefund', () => {
  it('should find nothing on a charge without refunds (S5)', () => {
    expect(recogniseRefund([], 100, [], [])).toBeNull();
  });

  it('should take the one refund of our amount that was not there before the send (S5)', () => {
    expect(recogniseRefund(listed(['old', 100], ['new', 100]), 100, ['old'], [])).toEqual({ providerRefundId: 'new', amountMinor: 100 });
  });

  it('should not take a refund that was there before the send, nor one of another leg of ours (S5)', () => {
    expect(recogniseRefund(listed(['old', 100]), 100, ['old'], [])).toBeNull();
    expect(recogniseRefund(listed(['theirs', 100]), 100, [], ['theirs'])).toBeNull();
  });

  it('should not take a new refund of another amount (S5)', () => {
    expect(recogniseRefund(listed(['new', 99], ['newer', 101]), 100, [], [])).toBeNull();
  });

  it('should count an equal refund made meanwhile by hand as ours: never twice (S5)', () => {
    expect(recogniseRefund(listed(['by_hand', 100], ['ours', 100]), 100, [], [])).not.toBeNull();
  });
});

describe('IDEMPOTENCY_CAPABILITIES', () => {
  it('should be the four an adapter may declare (S1)', () => {
    expect([...IDEMPOTENCY_CAPABILITIES]).toEqual(['key', 'reference', 'balance', 'none']);
  });
});
