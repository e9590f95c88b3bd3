import { isFinalRefundStatus } from '../../src/domain/refund-status.ts';
import type { RefundStatus } from '../../src/domain/refund-status.ts';
import { lacksOf } from '../support/refund-faces.ts';
import type { FaceName, RefundAnswer, RefundMeaning } from '../support/refund-faces.ts';
import type { ChargeEvidence, Moved, OrderEvidence, RefundEvidence } from './fault-evidence.ts';
import type { Ending } from './fault-plan.ts';

/** A broken promise: which, of what, and how it shows. */
export interface Violation {
  readonly rule: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'answer' | 'ending';
  readonly order: string;
  readonly what: string;
}

/** Holds a run's evidence against the invariants I1 to I5, against what callers were told, and against the endings of the plan. */
export function judge(evidence: readonly OrderEvidence[]): readonly Violation[] {
  return evidence.flatMap((order) => [
    ...order.charges.flatMap((charge) => judgeCharge(charge)),
    ...order.refunds.flatMap((refund) => judgeRefund(order, refund)),
  ].map((violation) => ({ ...violation, order: `${order.planned.name} (${order.orderId})` })));
}

type Finding = Omit<Violation, 'order'>;

function judgeCharge(charge: ChargeEvidence): readonly Finding[] {
  const findings: Finding[] = [];
  const find = (rule: Finding['rule'], what: string): unknown => findings.push({ rule, what: `charge ${charge.chargeId}: ${what}` });
  const executed = charge.journal.filter(({ kind }) => kind === 'refund').map(({ amount }) => amount);
  // Legs of one amount cannot be told apart in the journal: as many of them as there are may have moved, each once.
  for (const amount of new Set(executed)) {
    const [moves, legs] = [countOf(executed, amount), countOf(charge.legsMinor, amount)];
    if (moves > legs) find('I1', `${amount} moved ${moves} times for ${legs} legs`);
  }
  if (inWords(withoutUnseen(charge)) !== inWords(charge.books)) find('I2', `journal [${inWords(charge.journal)}], books [${inWords(charge.books)}]`);
  const booked = charge.books.filter(({ kind }) => kind === 'refund');
  if (new Set(booked.map(({ providerId }) => providerId)).size !== booked.length) find('I2', 'one refund of the provider is booked twice');
  for (const { providerId, amount } of booked) {
    if (!charge.listed.some((listed) => listed.id === providerId && listed.amount === amount)) find('I2', `the provider does not list ${providerId} of ${amount}`);
  }
  const netMinor = charge.journal.reduce((sum, { kind, amount }) => sum + (kind === 'refund' ? amount : -amount), 0);
  if (netMinor > charge.capturedMinor) find('I5', `${netMinor} given back of ${charge.capturedMinor}`);
  return findings;
}

function countOf(amounts: readonly number[], amount: number): number {
  return amounts.filter((candidate) => candidate === amount).length;
}

/**
 * The journal without refunds that were taken back before we ever saw that they were made, because their answer was lost: the provider shows
 * them as failed, and the books have neither the movement nor its opposite. Both together are nothing.
 */
function withoutUnseen({ journal, books }: ChargeEvidence): readonly Moved[] {
  const rest = [...journal];
  const isIn = (moved: readonly Moved[], kind: Moved['kind'], amount: number): number => moved.filter((one) => one.kind === kind && one.amount === amount).length;
  for (const amount of new Set(journal.map((one) => one.amount))) {
    const unseen = (['refund', 'refund_failed'] as const).map((kind) => isIn(journal, kind, amount) - isIn(books, kind, amount));
    for (let pair = 0; pair < Math.min(...unseen); pair += 1) {
      for (const kind of ['refund', 'refund_failed'] as const) rest.splice(rest.findIndex((one) => one.kind === kind && one.amount === amount), 1);
    }
  }
  return rest;
}

function inWords(moved: readonly Moved[]): string {
  return moved.map(({ kind, amount }) => `${kind} ${amount}`).toSorted().join(', ');
}

function judgeRefund({ orderId, planned }: OrderEvidence, refund: RefundEvidence): readonly Finding[] {
  const { refundId, firstAnswer, lastAnswer, status, ending, transitions } = refund;
  const findings: Finding[] = [];
  const find = (rule: Finding['rule'], what: string): unknown => findings.push({ rule, what: `refund ${refundId}: ${what}` });
  if (firstAnswer.status < 300 && ending === null) find('I3', `acknowledged with ${firstAnswer.status}, now ${status ?? 'not on record'}, no case`);
  for (const [index, { from, to }] of transitions.entries()) {
    const before = transitions[index - 1]?.to ?? null;
    if (from !== before) find('I4', `${from} → ${to} after ${before}`);
    // A row that stays where it is tells of an act, or of a leg that failed late beside others that stand (O3, R9).
    if (from !== null && from !== to && isFinalRefundStatus(from as RefundStatus) && !isLateFailure(from, to)) find('I4', `${from} is final, and became ${to}`);
  }
  if ((transitions.at(-1)?.to ?? null) !== status) find('I4', `is ${status}, its last transition says ${transitions.at(-1)?.to}`);
  for (const answer of [firstAnswer, lastAnswer]) {
    const problem = misleading(planned.face, answer, orderId, refund);
    if (problem !== null) find('answer', problem);
  }
  if (ending !== null && lastAnswer.meaning !== LAST_ANSWERS[ending]) find('answer', `is ${ending}, and in the end answered with ${lastAnswer.status}: ${lastAnswer.meaning}`);
  if (planned.ending !== null && ending !== planned.ending) find('ending', `${planned.ending} was due, it is ${ending ?? status ?? 'not on record'}`);
  return findings;
}

/** What a caller is told in the end who repeats the request (CONTRACT §5, docs/gateway-dialect.md). */
const LAST_ANSWERS = { refunded: 'done', partial: 'refused', rejected: 'refused', case: 'under_way' } as const satisfies Record<Ending, RefundMeaning>;

/** What R9 adds to a refund that is final already. */
function isLateFailure(from: string, to: string): boolean {
  return from === 'refunded' && to === 'rejected';
}

/** What is wrong with an answer: a fault of the provider's is never the caller's 5xx, what is not known is said to be under way, and no answer is a guess. */
function misleading(face: FaceName, answer: RefundAnswer, orderId: string, { ending, transitions }: RefundEvidence): string | null {
  const { meaning, status, why } = answer;
  if (meaning === 'refused' && status === 402) {
    if (why === null || !why.startsWith('processing.')) return `answered with 402 for ${why}`;
    return ending === 'rejected' || ending === 'partial' ? null : `answered as refused, it is ${ending}`;
  }
  if (meaning === 'refused' || meaning === 'unavailable') return `answered with ${status}`;
  const lack = lacksOf(face, answer, orderId);
  if (lack !== null || meaning === 'under_way') return lack;
  return transitions.some(({ to }) => to === 'refunded') ? null : `answered as refunded, it is ${ending}`;
}
