import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateRefund, remainingMinor } from '../../src/domain/allocation.ts';
import type { Allocation, ChargeBalance, RefundRequestShape } from '../../src/domain/allocation.ts';
import { REFUND_REFUSALS } from '../../src/domain/rejections.ts';

const CHARGE_IDS = ['chg_1', 'chg_2', 'chg_3', 'chg_4'];
const minor = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 1_000_000_000_000 }));

function balanceOf(chargeId: string): fc.Arbitrary<ChargeBalance> {
  return fc.record({
    chargeId: fc.constant(chargeId),
    capturedMinor: minor,
    heldMinor: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, minor),
    externalMinor: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, minor),
    disputedMinor: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, minor),
    paid: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.boolean()),
  });
}

const charges = fc.subarray(CHARGE_IDS, { minLength: 0 }).chain((ids) => fc.tuple(...ids.map(balanceOf)));
const sumOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Requests that often hit the borders: exactly what remains, the total, one more, one less, and amounts that are none. */
function requestFor(balances: readonly ChargeBalance[]): fc.Arbitrary<RefundRequestShape> {
  const borders = [...balances.map(remainingMinor), sumOf(balances.map(remainingMinor)), sumOf(balances.map((charge) => charge.capturedMinor))];
  const near = fc.tuple(fc.constantFrom(...borders), fc.constantFrom(-1, 0, 1)).map(([border, step]) => border + step);
  const amountMinor = fc.oneof(fc.constant(undefined), near, minor, fc.integer(), fc.double());
  return fc.record({ chargeId: fc.option(fc.constantFrom(...CHARGE_IDS), { nil: undefined }), amountMinor });
}

const cases = charges.chain((balances) => fc.tuple(fc.constant(balances as readonly ChargeBalance[]), requestFor(balances)));

function legsOf(balances: readonly ChargeBalance[], request: RefundRequestShape): readonly Allocation[] {
  const result = allocateRefund(balances, request);
  if ('legs' in result) return result.legs;
  expect(REFUND_REFUSALS).toContain(result.refusal);
  return [];
}

describe('allocateRefund', () => {
  it('should answer every request with legs or a known refusal, and leave its input alone (R1)', () => {
    fc.assert(fc.property(cases, ([balances, request]) => {
      const before = structuredClone({ balances, request });
      const result = allocateRefund(balances, request);
      expect('legs' in result ? result.legs.length > 0 : REFUND_REFUSALS.includes(result.refusal)).toBe(true);
      expect({ balances, request }).toEqual(before);
    }));
  });

  it('should never take more from a charge than remains of it, nor a leg of zero, nor one charge twice (M2)', () => {
    fc.assert(fc.property(cases, ([balances, request]) => {
      const legs = legsOf(balances, request);
      expect(new Set(legs.map((leg) => leg.chargeId)).size).toBe(legs.length);
      for (const leg of legs) {
        const charge = balances.find((candidate) => candidate.chargeId === leg.chargeId);
        expect(charge).toBeDefined();
        if (charge === undefined) continue;
        expect(Number.isSafeInteger(leg.amountMinor)).toBe(true);
        expect(leg.amountMinor).toBeGreaterThanOrEqual(1);
        expect(charge.paid).toBe(true);
        expect(leg.amountMinor + charge.heldMinor + charge.externalMinor + charge.disputedMinor).toBeLessThanOrEqual(charge.capturedMinor);
      }
    }));
  });

  it('should add up to the amount asked for, to the minor unit (M1, M5)', () => {
    fc.assert(fc.property(cases, ([balances, request]) => {
      const legs = legsOf(balances, request);
      if (legs.length === 0) return;
      const named = balances.filter((charge) => request.chargeId === undefined || charge.chargeId === request.chargeId);
      expect(sumOf(legs.map((leg) => leg.amountMinor))).toBe(request.amountMinor ?? sumOf(named.map(remainingMinor)));
    }));
  });

  it('should name no charge but the one asked for (R1)', () => {
    fc.assert(fc.property(cases, ([balances, request]) => {
      fc.pre(request.chargeId !== undefined);
      for (const leg of legsOf(balances, request)) expect(leg.chargeId).toBe(request.chargeId);
    }));
  });

  it('should leave every charge at zero after a total refund, and refuse the second one (R1, M2)', () => {
    fc.assert(fc.property(charges, (balances) => {
      const legs = legsOf(balances, {});
      fc.pre(legs.length > 0);
      const after = balances.map((charge) => {
        const taken = sumOf(legs.filter((leg) => leg.chargeId === charge.chargeId).map((leg) => leg.amountMinor));
        return { ...charge, heldMinor: charge.heldMinor + taken };
      });
      expect(after.map(remainingMinor)).toEqual(after.map(() => 0));
      expect(allocateRefund(after, {})).toEqual({ refusal: 'order_not_returnable' });
    }));
  });

  it('should keep Σ legs within what was captured under any sequence of requests (M2, I5)', () => {
    const requests = fc.array(fc.record({
      chargeId: fc.option(fc.constantFrom(...CHARGE_IDS), { nil: undefined }),
      amountMinor: fc.option(fc.oneof(fc.integer({ min: -50, max: 400 }), fc.double({ min: -10, max: 400 })), { nil: undefined }),
    }), { maxLength: 30 });
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 4 }), requests, (captured, sequence) => {
      let balances: readonly ChargeBalance[] = captured.map((capturedMinor, index) => (
        { chargeId: CHARGE_IDS[index] ?? '', capturedMinor, heldMinor: 0, externalMinor: 0, disputedMinor: 0, paid: true }));
      for (const request of sequence) {
        const legs = legsOf(balances, request);
        balances = balances.map((charge) => (
          { ...charge, heldMinor: charge.heldMinor + sumOf(legs.filter((leg) => leg.chargeId === charge.chargeId).map((leg) => leg.amountMinor)) }));
        for (const charge of balances) expect(charge.heldMinor).toBeLessThanOrEqual(charge.capturedMinor);
      }
    }));
  });
});

describe('remainingMinor', () => {
  it('should be a safe integer between zero and what was captured for any balances (M2)', () => {
    const huge = fc.maxSafeNat();
    const any = fc.record({ chargeId: fc.constant('chg_1'), capturedMinor: huge, heldMinor: huge, externalMinor: huge, disputedMinor: huge, paid: fc.boolean() });
    fc.assert(fc.property(any, (charge) => {
      const exact = BigInt(charge.capturedMinor) - BigInt(charge.heldMinor) - BigInt(charge.externalMinor) - BigInt(charge.disputedMinor);
      expect(BigInt(remainingMinor(charge))).toBe(charge.paid && exact > 0n ? exact : 0n);
    }));
  });
});
