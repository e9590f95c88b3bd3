import { describe, expect, it } from 'vitest';
import { FACE_NAMES, readAnswer } from '../support/refund-faces.ts';
import type { FaceName, RefundAnswer } from '../support/refund-faces.ts';
import type { ChargeEvidence, OrderEvidence, RefundEvidence } from './fault-evidence.ts';
import { judge } from './fault-verdict.ts';

const ORDER = 'ord_1';
const REFUND_ID = 'rfd_1';

/** Answers of a face as the tests need them: what it says of a refund that is done or under way, and where it sends its caller. */
const DIALECTS = {
  conekta: { done: { status: 200, body: { object: 'order', id: ORDER } }, underWay: { status: 202, body: { object: 'order', id: ORDER } }, location: `/orders/${ORDER}` },
  gateway: {
    done: { status: 200, body: { id: REFUND_ID, status: 'refunded', status_detail: 'refunded', reference: ORDER } },
    underWay: { status: 200, body: { id: REFUND_ID, status: 'in_process', status_detail: 'verifying', reference: ORDER } }, location: `/api/v2/pagos/devolucion/${ORDER}?refund_id=${REFUND_ID}`,
  },
} as const;

/** What a run shows of one refund over a face, and the answers it may be doctored with. */
function evidenceOf(face: FaceName) {
  const { done, underWay, location } = DIALECTS[face];
  const answer = (status: number, body: unknown, at?: string): RefundAnswer => readAnswer(face, { status, header: () => at, text: '', body });
  const error = (status: number, code: string): RefundAnswer => answer(status, { object: 'error', details: [{ code: `${face}.errors.${code}` }] });
  const answers = {
    done: answer(done.status, done.body), underWay: answer(underWay.status, underWay.body, location), withoutLocation: answer(underWay.status, underWay.body), empty: answer(200, null),
    ofAnother: answer(done.status, { ...done.body, id: 'ord_2', reference: 'ord_2' }), refused: error(402, 'processing.charge_operations.refund.declined'), unavailable: error(503, 'api.system.unavailable'),
    inNoDialect: answer(402, { object: 'error', details: [{ code: 'other.errors.processing' }] }),
  };
  const refund: RefundEvidence = {
    refundId: REFUND_ID, firstAnswer: answers.underWay, lastAnswer: answers.done, status: 'refunded', ending: 'refunded',
    transitions: [{ from: null, to: 'pending' }, { from: 'pending', to: 'in_process' }, { from: 'in_process', to: 'refunded' }],
  };
  /** The rules that are broken in a run which differs from a good one by this much. */
  const brokenIn = (charge: Partial<ChargeEvidence>, doctored: Partial<RefundEvidence> = {}): readonly string[] => {
    const order: OrderEvidence = {
      orderId: ORDER, charges: [{ ...CHARGE, ...charge }], refunds: [{ ...refund, ...doctored }],
      planned: { name: 'as planned', face, charges: [], refundsMinor: [500], ending: 'refunded', part: 'calm' },
    };
    return judge([order]).map(({ rule }) => rule);
  };
  return { answers, refund, brokenIn };
}

const MOVED = { kind: 'refund', amount: 500 };
const BOOKED = { ...MOVED, providerId: 'ref_1' };
const LISTED = { chargeId: 'chg_1', id: 'ref_1', amount: 500 };
const CHARGE: ChargeEvidence = { chargeId: 'chg_1', capturedMinor: 900, journal: [MOVED], books: [BOOKED], listed: [LISTED], legsMinor: [500] };

describe.each(FACE_NAMES)('judge, of a run over the face of %s', (face) => {
  const { answers, refund: good, brokenIn } = evidenceOf(face);

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
    ['an acknowledged refund that is nowhere', { status: null, ending: null, transitions: [], lastAnswer: answers.underWay }, ['I3', 'ending']],
    ['a refund that left a final state', { transitions: [...good.transitions, { from: 'refunded', to: 'in_process' }, { from: 'in_process', to: 'refunded' }] }, ['I4']],
    ['a transition that does not follow from the one before', { transitions: [{ from: null, to: 'pending' }, { from: 'in_process', to: 'refunded' }] }, ['I4']],
    ['a status without its transition', { transitions: good.transitions.slice(0, 2), lastAnswer: answers.underWay }, ['I4', 'answer']],
    ['a 5xx', { firstAnswer: answers.unavailable }, ['answer']],
    ['a refund under way, and no word where to look', { firstAnswer: answers.withoutLocation }, ['answer']],
    ['an answer that tells of nothing', { firstAnswer: answers.empty }, ['answer']],
    ['an answer that tells of something else', { lastAnswer: answers.ofAnother }, ['answer']],
    ['an error in no dialect', { status: 'rejected', ending: 'rejected', firstAnswer: answers.inNoDialect, lastAnswer: answers.refused, transitions: [...good.transitions, { from: 'refunded', to: 'rejected' }] }, ['answer', 'ending']],
    ['a refusal of what was refunded', { firstAnswer: answers.refused }, ['answer']],
    ['an ending that is not the one due', { status: 'rejected', ending: 'rejected', lastAnswer: answers.refused, transitions: [...good.transitions, { from: 'refunded', to: 'rejected' }] }, ['ending']],
  ])('should find %s (I3, I4, R10)', (_, refund, rules) => {
    expect(brokenIn({}, refund)).toEqual(rules);
  });
});
