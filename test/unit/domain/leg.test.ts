import { describe, expect, it } from 'vitest';
import { LEG_STATUSES, canLegMove, holdsAmount, legId } from '../../../src/domain/leg.ts';
import type { LegStatus } from '../../../src/domain/leg.ts';

const ORDER: readonly LegStatus[] = ['reserved', 'sending', 'unknown', 'authorized', 'approved', 'succeeded', 'refused', 'released', 'failed_late'];

/** Row may become column, by hand from M4, M7, S4, R4, R6 and R9. */
const EXPECTED: Readonly<Record<LegStatus, string>> = {
  //            rs se un au ap su rf rl fl
  reserved:    '.  x  .  .  .  .  x  x  .',
  sending:     'x  .  x  x  x  x  x  .  .',
  unknown:     'x  x  .  x  x  x  x  .  .',
  authorized:  '.  .  .  .  x  x  x  x  .',
  approved:    '.  .  .  .  .  x  x  .  .',
  succeeded:   '.  .  .  .  .  .  .  .  x',
  refused:     '.  .  .  .  .  .  .  .  .',
  released:    '.  .  .  .  .  .  .  .  .',
  failed_late: '.  .  .  .  .  .  .  .  .',
};

const PAIRS = ORDER.flatMap((from) => {
  const cells = EXPECTED[from].split(/\s+/);
  return ORDER.map((to, column) => [from, to, cells[column] === 'x'] as const);
});

describe('canLegMove', () => {
  it('should be tested on every pair', () => {
    expect([...LEG_STATUSES]).toEqual([...ORDER]);
    expect(PAIRS).toHaveLength(81);
  });

  it.each(PAIRS)('should answer for %s → %s: %s (M4, S4, R9)', (from, to, expected) => {
    expect(canLegMove(from, to)).toBe(expected);
  });

  it('should never release or call off a leg whose call may have been executed (M4, S4)', () => {
    expect(canLegMove('sending', 'released')).toBe(false);
    expect(canLegMove('unknown', 'released')).toBe(false);
  });
});

describe('holdsAmount', () => {
  it.each([
    ['reserved', true], ['sending', true], ['unknown', true], ['authorized', true], ['approved', true], ['succeeded', true],
    ['refused', false], ['released', false], ['failed_late', false],
  ] as const)('should count a leg in %s against its charge: %s (M2, R9)', (status, holds) => {
    expect(holdsAmount(status)).toBe(holds);
  });
});

describe('legId', () => {
  it('should depend on the refund and the charge alone (S2)', () => {
    expect(legId('ref_1', 'chg_1')).toBe('ref_1:chg_1');
    expect(legId('ref_1', 'chg_1')).toBe(legId('ref_1', 'chg_1'));
    expect(new Set([legId('ref_1', 'chg_1'), legId('ref_1', 'chg_2'), legId('ref_2', 'chg_1')]).size).toBe(3);
  });
});
