import { describe, expect, it } from 'vitest';
import { IDEMPOTENCY_CAPABILITIES, PROVIDER_REFUND_STATES, countsAgainstCharge, recogniseRefund } from '../../../src/domain/send-protocol.ts';
import type { ListedRefund, ProviderRefundState, SoughtRefund } from '../../../src/domain/send-protocol.ts';

const OURS = 'ref_1:chg_1';

function refund(providerRefundId: string, changes: Partial<ListedRefund> = {}): ListedRefund {
  return { providerRefundId, amountMinor: 100, state: 'succeeded', reference: null, ...changes };
}

function sought(changes: Partial<SoughtRefund> = {}): SoughtRefund {
  return { reference: OURS, amountMinor: 100, before: [], others: [], ...changes };
}

describe('recogniseRefund', () => {
  it.each(IDEMPOTENCY_CAPABILITIES)('should find nothing on a charge without refunds: %s (S4)', (capability) => {
    expect(recogniseRefund(capability, [], sought())).toBeNull();
  });

  describe('with balance', () => {
    const find = (listed: readonly ListedRefund[], changes?: Partial<SoughtRefund>): string | null => recogniseRefund('balance', listed, sought(changes))?.providerRefundId ?? null;

    it('should take the one refund of our amount that was not there before the send, as it is listed (S5)', () => {
      const ours = refund('new', { state: 'authorized' });
      expect(recogniseRefund('balance', [refund('old'), ours], sought({ before: ['old'] }))).toBe(ours);
    });

    it('should not take a refund that was there before the send, nor one of another leg of ours (S5)', () => {
      expect(find([refund('old')], { before: ['old'] })).toBeNull();
      expect(find([refund('theirs')], { others: ['theirs'] })).toBeNull();
      expect(find([refund('old'), refund('theirs'), refund('ours')], { before: ['old'], others: ['theirs'] })).toBe('ours');
    });

    it('should not take a new refund of another amount (S5)', () => {
      expect(find([refund('new', { amountMinor: 99 }), refund('newer', { amountMinor: 101 })])).toBeNull();
    });

    it('should count an equal refund made meanwhile by hand as ours: never twice (S5)', () => {
      expect(find([refund('by_hand'), refund('ours')])).toBe('by_hand');
    });

    it.each<ProviderRefundState>(['authorized', 'approved', 'succeeded'])('should take one that is %s before one that failed, however they are listed (S5)', (state) => {
      expect(find([refund('failed', { state: 'failed' }), refund('counting', { state })])).toBe('counting');
      expect(find([refund('counting', { state }), refund('failed', { state: 'failed' })])).toBe('counting');
    });

    it('should take one that failed when no other is new: the send is known to have moved nothing (S5)', () => {
      expect(find([refund('old'), refund('failed', { state: 'failed' })], { before: ['old'] })).toBe('failed');
    });

    it('should not take one that counts in place of a failed one when it was there before (S5)', () => {
      expect(find([refund('old'), refund('failed', { state: 'failed' })], { others: ['old'] })).toBe('failed');
      expect(find([refund('old', { state: 'failed' })], { before: ['old'] })).toBeNull();
    });

    it('should not look at references, which such a provider does not keep (S5)', () => {
      expect(find([refund('old', { reference: OURS })], { before: ['old'] })).toBeNull();
    });
  });

  describe.each(['key', 'reference', 'none'] as const)('with %s', (capability) => {
    it('should take the refund that carries our reference, in whatever state it is (S1, S4)', () => {
      for (const state of PROVIDER_REFUND_STATES) {
        const ours = refund('ours', { reference: OURS, state });
        expect(recogniseRefund(capability, [refund('by_hand'), refund('theirs', { reference: 'ref_2:chg_1' }), ours], sought())).toBe(ours);
      }
    });

    it('should not take a refund without our reference, however alike (S1, S6)', () => {
      expect(recogniseRefund(capability, [refund('by_hand'), refund('theirs', { reference: 'ref_2:chg_1' })], sought())).toBeNull();
    });

    it('should take ours although it was listed before this send: an earlier send made it (S2, S4)', () => {
      const ours = refund('ours', { reference: OURS });
      expect(recogniseRefund(capability, [ours], sought({ before: ['ours'] }))).toBe(ours);
    });
  });
});

describe('countsAgainstCharge', () => {
  it.each<[ProviderRefundState, boolean]>([['authorized', true], ['approved', true], ['succeeded', true], ['failed', false]])('should answer for %s: %s (M2)', (state, counts) => {
    expect(countsAgainstCharge(refund('re_1', { state }))).toBe(counts);
  });
});

describe('PROVIDER_REFUND_STATES', () => {
  it('should be the four in which a provider may show a refund (R6)', () => {
    expect([...PROVIDER_REFUND_STATES]).toEqual(['authorized', 'approved', 'succeeded', 'failed']);
  });
});

describe('IDEMPOTENCY_CAPABILITIES', () => {
  it('should be the four an adapter may declare (S1)', () => {
    expect([...IDEMPOTENCY_CAPABILITIES]).toEqual(['key', 'reference', 'balance', 'none']);
  });
});
