import { describe, expect, it } from 'vitest';
import { allocateRefund, remainingMinor } from '../../../src/domain/allocation.ts';
import type { ChargeBalance } from '../../../src/domain/allocation.ts';

function charge(over: Partial<ChargeBalance> = {}): ChargeBalance {
  return { chargeId: 'chg_1', capturedMinor: 40_000, heldMinor: 0, externalMinor: 0, disputedMinor: 0, paid: true, ...over };
}

const SPLIT = [charge({ chargeId: 'chg_1', capturedMinor: 30_000 }), charge({ chargeId: 'chg_2', capturedMinor: 10_000 })];

describe('remainingMinor', () => {
  it('should subtract our legs, refunds made without us and chargebacks from what was captured (M2)', () => {
    expect(remainingMinor(charge())).toBe(40_000);
    expect(remainingMinor(charge({ heldMinor: 15_000 }))).toBe(25_000);
    expect(remainingMinor(charge({ externalMinor: 15_000 }))).toBe(25_000);
    expect(remainingMinor(charge({ disputedMinor: 15_000 }))).toBe(25_000);
    expect(remainingMinor(charge({ heldMinor: 1, externalMinor: 2, disputedMinor: 3 }))).toBe(39_994);
  });

  it('should never be below zero, and zero for an unpaid charge (M2)', () => {
    expect(remainingMinor(charge({ heldMinor: 40_000, externalMinor: 1 }))).toBe(0);
    expect(remainingMinor(charge({ heldMinor: Number.MAX_SAFE_INTEGER, externalMinor: Number.MAX_SAFE_INTEGER }))).toBe(0);
    expect(remainingMinor(charge({ paid: false }))).toBe(0);
  });
});

describe('allocateRefund on an order of one charge', () => {
  it('should refund what remains when nothing is named (R1, M5)', () => {
    expect(allocateRefund([charge({ heldMinor: 15_000 })], {})).toEqual({ legs: [{ chargeId: 'chg_1', amountMinor: 25_000 }] });
  });

  it('should refund what remains of the charge that is named (R1, M5)', () => {
    expect(allocateRefund([charge({ heldMinor: 15_000 })], { chargeId: 'chg_1' })).toEqual({ legs: [{ chargeId: 'chg_1', amountMinor: 25_000 }] });
  });

  it('should take an amount with or without the charge (CONTRACT §5)', () => {
    const legs = [{ chargeId: 'chg_1', amountMinor: 15_000 }];
    expect(allocateRefund([charge()], { amountMinor: 15_000 })).toEqual({ legs });
    expect(allocateRefund([charge()], { chargeId: 'chg_1', amountMinor: 15_000 })).toEqual({ legs });
  });

  it('should refuse a minor unit more than what remains, and allow exactly that (R1, M2)', () => {
    expect(allocateRefund([charge({ heldMinor: 15_000 })], { amountMinor: 25_001 })).toEqual({ refusal: 'amount_exceeds_remaining' });
    expect(allocateRefund([charge({ heldMinor: 15_000 })], { amountMinor: 25_000 })).toEqual({ legs: [{ chargeId: 'chg_1', amountMinor: 25_000 }] });
  });

  it.each([
    ['unpaid', charge({ paid: false })],
    ['with nothing left', charge({ heldMinor: 40_000 })],
    ['disputed in part', charge({ disputedMinor: 1 })],
  ] as const)('should call a charge %s not returnable (R1)', (_, balance) => {
    expect(allocateRefund([balance], {})).toEqual({ refusal: 'order_not_returnable' });
    expect(allocateRefund([balance], { amountMinor: 1 })).toEqual({ refusal: 'order_not_returnable' });
    expect(allocateRefund([balance], { chargeId: 'chg_1' })).toEqual({ refusal: 'order_not_returnable' });
  });

  it('should refuse a charge that is not of this order, whatever the amount (R1)', () => {
    expect(allocateRefund([charge()], { chargeId: 'chg_other' })).toEqual({ refusal: 'charge_not_found' });
    expect(allocateRefund([charge()], { chargeId: 'chg_other', amountMinor: 1 })).toEqual({ refusal: 'charge_not_found' });
  });

  it('should call an order without charges not returnable (R1)', () => {
    expect(allocateRefund([], {})).toEqual({ refusal: 'order_not_returnable' });
    expect(allocateRefund([], { chargeId: 'chg_1' })).toEqual({ refusal: 'charge_not_found' });
  });

  it.each([0, -1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1])('should never make a leg of %s (M1, M2)', (amountMinor) => {
    expect(allocateRefund([charge()], { amountMinor })).toEqual({ refusal: 'amount_exceeds_remaining' });
    expect(allocateRefund(SPLIT, { amountMinor })).toEqual({ refusal: 'amount_exceeds_remaining' });
    expect(allocateRefund(SPLIT, { chargeId: 'chg_1', amountMinor })).toEqual({ refusal: 'amount_exceeds_remaining' });
  });
});

describe('allocateRefund on a split order', () => {
  it('should refund every charge in full when nothing is named (R1)', () => {
    const legs = [{ chargeId: 'chg_1', amountMinor: 30_000 }, { chargeId: 'chg_2', amountMinor: 10_000 }];
    expect(allocateRefund(SPLIT, {})).toEqual({ legs });
    expect(allocateRefund(SPLIT, { amountMinor: 40_000 })).toEqual({ legs });
  });

  it('should take what remains of each charge when one was refunded in part (R1, M5)', () => {
    const charges = [charge({ chargeId: 'chg_1', capturedMinor: 30_000, heldMinor: 5_000 }), charge({ chargeId: 'chg_2', capturedMinor: 10_000 })];
    expect(allocateRefund(charges, {})).toEqual({ legs: [{ chargeId: 'chg_1', amountMinor: 25_000 }, { chargeId: 'chg_2', amountMinor: 10_000 }] });
    expect(allocateRefund(charges, { amountMinor: 40_000 })).toEqual({ refusal: 'amount_exceeds_remaining' });
  });

  it('should ask for the charge when the amount is below the total (CONTRACT §5)', () => {
    expect(allocateRefund(SPLIT, { amountMinor: 39_999 })).toEqual({ refusal: 'charge_id_required' });
    expect(allocateRefund(SPLIT, { amountMinor: 1 })).toEqual({ refusal: 'charge_id_required' });
  });

  it('should refuse an amount above the total (R1)', () => {
    expect(allocateRefund(SPLIT, { amountMinor: 40_001 })).toEqual({ refusal: 'amount_exceeds_remaining' });
  });

  it('should touch the named charge alone (R1)', () => {
    expect(allocateRefund(SPLIT, { chargeId: 'chg_2' })).toEqual({ legs: [{ chargeId: 'chg_2', amountMinor: 10_000 }] });
    expect(allocateRefund(SPLIT, { chargeId: 'chg_2', amountMinor: 10_001 })).toEqual({ refusal: 'amount_exceeds_remaining' });
  });

  it.each([
    ['unpaid', charge({ chargeId: 'chg_2', paid: false })],
    ['already refunded', charge({ chargeId: 'chg_2', heldMinor: 40_000 })],
    ['disputed', charge({ chargeId: 'chg_2', disputedMinor: 40_000 })],
  ] as const)('should refuse the whole when one charge is %s, and still refund the other alone (R1, CONTRACT §8.18)', (_, spoiled) => {
    const charges = [charge({ chargeId: 'chg_1' }), spoiled];
    expect(allocateRefund(charges, {})).toEqual({ refusal: 'order_not_returnable' });
    expect(allocateRefund(charges, { chargeId: 'chg_1', amountMinor: 100 })).toEqual({ legs: [{ chargeId: 'chg_1', amountMinor: 100 }] });
  });
});
