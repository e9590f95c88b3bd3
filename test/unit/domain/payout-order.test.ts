import { describe, expect, it } from 'vitest';
import {
  PAYOUT_ORDER_EVENTS, PAYOUT_ORDER_STATUSES, applyPayoutOrderEvent, followProvider, isCancellablePayoutOrderStatus, isFactShown, isFinalPayoutOrderStatus,
} from '../../../src/domain/payout-order.ts';
import type { PayoutClaim, PayoutOrderEvent, PayoutOrderStatus } from '../../../src/domain/payout-order.ts';

const STATUSES: readonly PayoutOrderStatus[] = ['open', 'pending', 'pending_confirmation', 'withdrawn', 'cancelled', 'expired', 'reversed'];
const EVENTS: readonly PayoutOrderEvent[] = ['reference_issued', 'withdrawal_begun', 'confirmed', 'reversed', 'cancelled', 'expired'];

/** Where each event leads from each status, by hand from the picture and rules of PRODUCT §6; `-` is refused. */
const EXPECTED: Readonly<Record<PayoutOrderStatus, readonly (PayoutOrderStatus | '-')[]>> = {
  //                     reference_issued, withdrawal_begun,       confirmed,   reversed,   cancelled,   expired
  open:                 ['pending',        '-',                    '-',         '-',        '-',         '-'],
  pending:              ['-',              'pending_confirmation', '-',         '-',        'cancelled', 'expired'],
  pending_confirmation: ['-',              '-',                    'withdrawn', 'reversed', 'cancelled', '-'],
  withdrawn:            ['-',              '-',                    '-',         '-',        '-',         '-'],
  cancelled:            ['-',              '-',                    '-',         '-',        '-',         '-'],
  expired:              ['-',              '-',                    '-',         '-',        '-',         '-'],
  reversed:             ['-',              '-',                    '-',         '-',        '-',         '-'],
};

const MATRIX = STATUSES.flatMap((status) => EVENTS.map((event, column) => [event, status, EXPECTED[status][column] ?? 'missing'] as const));

describe('applyPayoutOrderEvent', () => {
  it('should be tested on every status and event', () => {
    expect([...PAYOUT_ORDER_STATUSES]).toEqual([...STATUSES]);
    expect([...PAYOUT_ORDER_EVENTS]).toEqual([...EVENTS]);
    expect(MATRIX).toHaveLength(42);
  });

  it.each(MATRIX)('should answer %s in %s with %s (PRODUCT §6)', (event, status, next) => {
    expect(applyPayoutOrderEvent(status, event)).toEqual(next === '-' ? { refused: 'transition_not_allowed', from: status, event } : { status: next });
  });
});

describe('isFinalPayoutOrderStatus', () => {
  it('should rest for good in the four terminal ones; open merely admits nothing (P1, CONTRACT §3)', () => {
    expect(STATUSES.filter(isFinalPayoutOrderStatus)).toEqual(['withdrawn', 'cancelled', 'expired', 'reversed']);
  });
});

describe('isCancellablePayoutOrderStatus', () => {
  it('should admit a cancellation in pending and pending_confirmation alone (P4)', () => {
    expect(STATUSES.filter(isCancellablePayoutOrderStatus)).toEqual(['pending', 'pending_confirmation']);
  });
});

/**
 * In which statuses what is claimed shows, by hand from the picture of PRODUCT §6: a withdrawal wherever one must have begun; a reference that
 * ran out where it expired, or was voided for it.
 */
const SHOWN: Readonly<Record<PayoutClaim, readonly boolean[]>> = {
  //             open,  pending, pending_confirmation, withdrawn, cancelled, expired, reversed
  withdrawal:   [false, false,   true,                 true,      false,     false,   true],
  confirmation: [false, false,   false,                true,      false,     false,   false],
  reversal:     [false, false,   false,                false,     false,     false,   true],
  cancellation: [false, false,   false,                false,     true,      true,    false],
  expiry:       [false, false,   false,                false,     true,      true,    false],
};

/** As the table above has them. */
const SHOWN_COLUMNS: readonly PayoutOrderStatus[] = ['open', 'pending', 'pending_confirmation', 'withdrawn', 'cancelled', 'expired', 'reversed'];
const SHOWN_PAIRS = Object.entries(SHOWN).flatMap(([claim, row]) => SHOWN_COLUMNS.map((status, column) => [claim as PayoutClaim, status, row[column]] as const));

describe('isFactShown', () => {
  it('should be tested on every claim and status', () => {
    expect(SHOWN_PAIRS).toHaveLength(35);
    expect(SHOWN_COLUMNS).toEqual(STATUSES);
  });

  it.each(SHOWN_PAIRS)('should say whether a %s shows in %s: %s (P6)', (claim, status, isShown) => {
    expect(isFactShown(status, claim)).toBe(isShown);
  });
});

/** The events between two statuses by name, `=` for nothing to do, `!` for a contradiction a human must see. */
type Follow = string;

/** Ours in rows, the provider's in columns, by hand from P1, P2, P3 and P6. */
const FOLLOW: Readonly<Record<PayoutOrderStatus, readonly Follow[]>> = {
  open: [
    '=', 'reference_issued', 'reference_issued withdrawal_begun', 'reference_issued withdrawal_begun confirmed',
    'reference_issued cancelled', 'reference_issued expired', 'reference_issued withdrawal_begun reversed',
  ],
  pending: ['=', '=', 'withdrawal_begun', 'withdrawal_begun confirmed', 'cancelled', 'expired', 'withdrawal_begun reversed'],
  // Expiry acts only from `pending` (P3): a provider that expires a begun withdrawal contradicts us.
  pending_confirmation: ['=', '=', '=', 'confirmed', 'cancelled', '!', 'reversed'],
  // A reversal after the window is a case (P6); so is everything else that is final and not ours.
  withdrawn: ['=', '=', '=', '=', '!', '!', '!'],
  // After a cancel or an expiry the reference can never be withdrawn: a provider that still honours it is a case.
  cancelled: ['=', '!', '!', '!', '=', '!', '!'],
  // Voided because its time was over, which a provider calls cancelled.
  expired: ['=', '!', '!', '!', '=', '=', '!'],
  reversed: ['=', '=', '=', '!', '!', '!', '='],
};

const FOLLOW_PAIRS = STATUSES.flatMap((ours) => STATUSES.map((theirs, column) => [ours, theirs, FOLLOW[ours][column] ?? 'missing'] as const));

describe('followProvider', () => {
  it('should be tested on every pair', () => {
    expect(FOLLOW_PAIRS).toHaveLength(49);
  });

  it.each(FOLLOW_PAIRS)('should, with ours %s and theirs %s, do: %s (P2, P6)', (ours, theirs, expected) => {
    if (expected === '!') expect(followProvider(ours, theirs)).toEqual({ kind: 'contradiction' });
    else expect(followProvider(ours, theirs)).toEqual({ kind: 'path', events: expected === '=' ? [] : expected.split(' ') });
  });
});
