import { describe, expect, it } from 'vitest';
import type { ChargeEvidence, OrderEvidence, RefundEvidence } from './fault-evidence.ts';
import { judge } from './fault-verdict.ts';
import type { Answer } from './merchant-backend.ts';

const ORDER = 'ord_1';

function answer(status: number, location?: string): Answer {
  return { status, header: () => location, body: { object: 'order', id: ORDER } };
}

const REFUND: RefundEvidence = {
  refundId: 'rfd_1', firstAnswer: answer(202, `/orders/${ORDER}`), lastAnswer: answer(200), status: 'refunded', ending: 'refunded',
  transitions: [{ from: null, to: 'pending' }, { from: 'pending', to: 'in_process' }, { from: 'in_process', to: 'refunded' }],
};
const MOVED = { kind: 'refund', amount: 500 };
const BOOKED = { ...MOVED, providerId: 'ref_1' };
const LISTED = { chargeId: 'chg_1', id: 'ref_1', amount: 500 };
const CHARGE: ChargeEvidence = { chargeId: 'chg_1', capturedMinor: 900, journal: [MOVED], books: [BOOKED], listed: [LISTED], legsMinor: [500] };

/** The rules that are broken in a run which differs from a good one by this much. */
function brokenIn(charge: Partial<ChargeEvidence>, refund: Partial<RefundEvidence> = {}): readonly string[] {
  const order: OrderEvidence = {
    orderId: ORDER, charges: [{ ...CHARGE, ...charge }], refunds: [{ ...REFUND, ...refund }],
    planned: { name: 'as planned', charges: [], refundsMinor: [500], ending: 'refunded', part: 'calm' },
  };
  return judge([order]).map(({ rule }) => rule);
}

describe('judge', () => {
  it('should find nothing in a run that kept every promise', () => {
    expect(brokenIn({})).toEqual([]);
  });

  it('should find nothing in a refund that was taken back before anybody saw that it was made (I2)', () => {
    expect(brokenIn({ journal: [MOVED, { kind: 'refund_failed', amount: 500 }], books: [] })).toEqual([]);
  });

  it.each<[string, Partial<ChargeEvidence>, readonly string[]]>([
    ['a leg that moved twice', { journal: [MOVED, MOVED] }, ['I1', 'I2', 'I5']],
    ['a movement that is not in the books', { books: [] }, ['I2']],
    ['a booking of another amount', { books: [{ ...BOOKED, amount: 400 }] }, ['I2', 'I2']],
    ['a booking of a refund that the provider does not list', { listed: [] }, ['I2']],
    ['one refund of the provider booked for two legs', { capturedMinor: 1000, legsMinor: [500, 500], journal: [MOVED, MOVED], books: [BOOKED, BOOKED] }, ['I2']],
    ['a late failure that is in the journal alone', { journal: [MOVED, { kind: 'refund_failed', amount: 500 }] }, ['I2']],
    ['more given back than was captured', { capturedMinor: 499 }, ['I5']],
  ])('should find %s (I1, I2, I5)', (_, charge, rules) => {
    expect(brokenIn(charge)).toEqual(rules);
  });

  it.each<[string, Partial<RefundEvidence>, readonly string[]]>([
    ['an acknowledged refund that is nowhere', { status: null, ending: null, transitions: [], lastAnswer: answer(202, `/orders/${ORDER}`) }, ['I3', 'ending']],
    ['a refund that left a final state', { transitions: [...REFUND.transitions, { from: 'refunded', to: 'in_process' }, { from: 'in_process', to: 'refunded' }] }, ['I4']],
    ['a transition that does not follow from the one before', { transitions: [{ from: null, to: 'pending' }, { from: 'in_process', to: 'refunded' }] }, ['I4']],
    ['a status without its transition', { transitions: REFUND.transitions.slice(0, 2), lastAnswer: answer(202, `/orders/${ORDER}`) }, ['I4', 'answer']],
    ['a 5xx', { firstAnswer: answer(503) }, ['answer']],
    ['a 202 without Location', { firstAnswer: answer(202) }, ['answer']],
    ['a refusal of what was refunded', { firstAnswer: answer(402) }, ['answer']],
    ['an ending that is not the one due', { status: 'rejected', ending: 'rejected', lastAnswer: answer(402), transitions: [...REFUND.transitions, { from: 'refunded', to: 'rejected' }] }, ['ending']],
  ])('should find %s (I3, I4, R10)', (_, refund, rules) => {
    expect(brokenIn({}, refund)).toEqual(rules);
  });
});
