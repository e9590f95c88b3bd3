import { describe, expect, it } from 'vitest';
import {
  REFUND_STATUSES, REFUND_TRANSITIONS, canRefundMove, isCancellableRefundStatus, isFinalRefundStatus,
} from '../../../src/domain/refund-status.ts';
import type { RefundStatus } from '../../../src/domain/refund-status.ts';

/** The order of rows and columns below; the eleven statuses of seed 003. */
const ORDER: readonly RefundStatus[] = [
  'pending', 'validate', 'review', 'deferred', 'in_process', 'authorized', 'approved', 'refunded', 'rejected', 'cancelled', 'dismissed',
];

/** Row may become column, copied by hand from the table of PRODUCT §5. */
const EXPECTED: Readonly<Record<RefundStatus, string>> = {
  //           pe va re de ip au ap rf rj ca di
  pending:    '.  x  x  x  x  .  .  .  x  x  .',
  validate:   '.  .  x  x  x  .  .  .  .  x  x',
  review:     '.  .  .  x  x  .  .  .  x  x  .',
  deferred:   '.  .  .  .  x  .  .  .  .  x  .',
  in_process: '.  .  .  .  .  x  x  x  x  .  x',
  authorized: '.  .  .  .  .  .  x  x  x  x  .',
  approved:   '.  .  .  .  .  .  .  x  x  .  .',
  refunded:   '.  .  .  .  .  .  .  .  x  .  .',
  rejected:   '.  .  .  .  .  .  .  .  .  .  .',
  cancelled:  '.  .  .  .  .  .  .  .  .  .  .',
  dismissed:  '.  .  .  .  .  .  .  .  .  .  .',
};

const PAIRS = ORDER.flatMap((from) => {
  const cells = EXPECTED[from].split(/\s+/);
  return ORDER.map((to, column) => [from, to, cells[column] === 'x'] as const);
});

describe('REFUND_STATUSES', () => {
  it('should be the eleven of seed 003 and nothing else (PRODUCT §5)', () => {
    expect([...REFUND_STATUSES].toSorted()).toEqual([...ORDER].toSorted());
    expect(Object.keys(REFUND_TRANSITIONS).toSorted()).toEqual([...ORDER].toSorted());
    expect(PAIRS).toHaveLength(121);
  });
});

describe('canRefundMove', () => {
  it.each(PAIRS)('should answer for %s → %s: %s (PRODUCT §5)', (from, to, expected) => {
    expect(canRefundMove(from, to)).toBe(expected);
  });
});

describe('isFinalRefundStatus', () => {
  it.each([
    ['pending', false], ['validate', false], ['review', false], ['deferred', false], ['in_process', false], ['authorized', false], ['approved', false],
    ['refunded', true], ['rejected', true], ['cancelled', true], ['dismissed', true],
  ] as const)('should call %s final: %s (PRODUCT §5)', (status, final) => {
    expect(isFinalRefundStatus(status)).toBe(final);
  });
});

describe('isCancellableRefundStatus', () => {
  it.each([
    ['pending', true], ['validate', true], ['review', true], ['deferred', true], ['in_process', false], ['authorized', false], ['approved', false],
    ['refunded', false], ['rejected', false], ['cancelled', false], ['dismissed', false],
  ] as const)('should let a cancellation win in %s: %s (R4)', (status, wins) => {
    expect(isCancellableRefundStatus(status)).toBe(wins);
  });

  it('should only let a cancellation win where the machine has an edge to cancelled (R4)', () => {
    for (const status of ORDER.filter(isCancellableRefundStatus)) expect(canRefundMove(status, 'cancelled')).toBe(true);
  });
});
