import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recogniseRefund } from '../../src/domain/send-protocol.ts';

const id = fc.integer({ min: 1, max: 12 }).map((number) => `re_${number}`);
const amountMinor = fc.integer({ min: 1, max: 4 });
const listing = fc.uniqueArray(fc.record({ providerRefundId: id, amountMinor }), { selector: (refund) => refund.providerRefundId });

describe('recogniseRefund', () => {
  it('should never claim a refund that was there before, nor one of another leg, nor of another amount (S5)', () => {
    fc.assert(fc.property(listing, amountMinor, fc.array(id), fc.array(id), (listed, amount, before, others) => {
      const found = recogniseRefund(listed, amount, before, others);
      if (found === null) return;
      expect(listed).toContainEqual(found);
      expect(found.amountMinor).toBe(amount);
      expect(before).not.toContain(found.providerRefundId);
      expect(others).not.toContain(found.providerRefundId);
    }));
  });

  it('should find one whenever there is one to find: absence is what allows a second send (S4, S5)', () => {
    fc.assert(fc.property(listing, amountMinor, fc.array(id), fc.array(id), (listed, amount, before, others) => {
      const candidates = listed.filter((refund) => refund.amountMinor === amount && !before.includes(refund.providerRefundId) && !others.includes(refund.providerRefundId));
      expect(recogniseRefund(listed, amount, before, others) === null).toBe(candidates.length === 0);
    }));
  });

  it('should give two legs of one charge that take turns two different refunds (S5)', () => {
    fc.assert(fc.property(listing, amountMinor, fc.array(id), (listed, amount, before) => {
      const first = recogniseRefund(listed, amount, before, []);
      fc.pre(first !== null);
      const second = recogniseRefund(listed, amount, before, first === null ? [] : [first.providerRefundId]);
      if (second !== null) expect(second.providerRefundId).not.toBe(first?.providerRefundId);
    }));
  });
});
