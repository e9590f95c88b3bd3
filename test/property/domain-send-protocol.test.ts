import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROVIDER_REFUND_STATES, recogniseRefund } from '../../src/domain/send-protocol.ts';
import type { ListedRefund, SoughtRefund } from '../../src/domain/send-protocol.ts';

const id = fc.integer({ min: 1, max: 12 }).map((number) => `re_${number}`);
const amountMinor = fc.integer({ min: 1, max: 4 });
const reference = fc.constantFrom('a:chg', 'b:chg', 'c:chg');
const state = fc.constantFrom(...PROVIDER_REFUND_STATES);

/** What a provider lists that keeps no reference, and one that does: at most one refund per reference. */
const unnamed: fc.Arbitrary<readonly ListedRefund[]> = fc.uniqueArray(fc.record({ providerRefundId: id, amountMinor, state, reference: fc.constant(null) }), { selector: (refund) => refund.providerRefundId });
const named: fc.Arbitrary<readonly ListedRefund[]> = fc.uniqueArray(fc.record({ providerRefundId: id, amountMinor, state, reference: fc.option(reference) }), {
  comparator: (one, other) => one.providerRefundId === other.providerRefundId || (one.reference !== null && one.reference === other.reference),
});
const sought: fc.Arbitrary<SoughtRefund> = fc.record({ reference, amountMinor, before: fc.array(id), others: fc.array(id) });

/** Those that may be ours by what `balance` can know. */
function candidates(listed: readonly ListedRefund[], { amountMinor: amount, before, others }: SoughtRefund): readonly ListedRefund[] {
  return listed.filter((refund) => refund.amountMinor === amount && !before.includes(refund.providerRefundId) && !others.includes(refund.providerRefundId));
}

describe('recogniseRefund with balance', () => {
  it('should never claim a refund that was there before, nor one of another leg, nor of another amount (S5)', () => {
    fc.assert(fc.property(unnamed, sought, (listed, leg) => {
      const found = recogniseRefund('balance', listed, leg);
      if (found === null) return;
      expect(listed).toContain(found);
      expect(found.amountMinor).toBe(leg.amountMinor);
      expect(leg.before).not.toContain(found.providerRefundId);
      expect(leg.others).not.toContain(found.providerRefundId);
    }));
  });

  it('should find one whenever there is one to find: absence is what allows a second send (S4, S5)', () => {
    fc.assert(fc.property(unnamed, sought, (listed, leg) => {
      expect(recogniseRefund('balance', listed, leg) === null).toBe(candidates(listed, leg).length === 0);
    }));
  });

  it('should never call a send failed while a refund that may be ours counts, in any order of the list (S5)', () => {
    const shuffled = unnamed.chain((list) => fc.shuffledSubarray([...list], { minLength: list.length }));
    fc.assert(fc.property(shuffled, sought, (listed, leg) => {
      const mayBeOurs = candidates(listed, leg);
      const found = recogniseRefund('balance', listed, leg);
      expect(found?.state === 'failed').toBe(mayBeOurs.length > 0 && mayBeOurs.every((refund) => refund.state === 'failed'));
    }));
  });

  it('should give legs of one charge that take turns a refund each, and none twice (S5)', () => {
    fc.assert(fc.property(unnamed, amountMinor, fc.array(id), (listed, amount, before) => {
      const others: string[] = [];
      for (const turn of ['a:chg', 'b:chg', 'c:chg']) {
        const found = recogniseRefund('balance', listed, { reference: turn, amountMinor: amount, before, others });
        if (found !== null) others.push(found.providerRefundId);
      }
      expect(new Set(others).size).toBe(others.length);
      expect(others).toHaveLength(Math.min(3, candidates(listed, { reference: '', amountMinor: amount, before, others: [] }).length));
    }));
  });
});

describe.each(['key', 'reference', 'none'] as const)('recogniseRefund with %s', (capability) => {
  it('should find the one that carries our reference and no other, whatever else is listed or known (S1, S4)', () => {
    fc.assert(fc.property(named, sought, (listed, leg) => {
      const ours = listed.filter((refund) => refund.reference === leg.reference);
      expect(recogniseRefund(capability, listed, leg)).toBe(ours[0] ?? null);
    }));
  });

  it('should never claim anything where the provider keeps no reference: nothing is guessed (S6)', () => {
    fc.assert(fc.property(unnamed, sought, (listed, leg) => {
      expect(recogniseRefund(capability, listed, leg)).toBeNull();
    }));
  });
});
