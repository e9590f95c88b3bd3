import { judge } from '../e2e/fault-verdict.ts';
import { MAX_SENDS } from './broken.ts';
import type { Broken } from './broken.ts';
import { isRefusedForAmount } from './evidence.ts';
import type { AskEvidence, ChaosOrderEvidence, PayoutEvidence } from './evidence.ts';
import { judgePayout } from './verdict-payouts.ts';

/** What a run left behind. */
export interface RunEvidence {
  readonly orders: readonly ChaosOrderEvidence[];
  readonly payouts: readonly PayoutEvidence[];
  /** What was still under way when everything should have been at rest. */
  readonly restless: readonly string[];
  /** Transitions without their one event, events that are there twice. */
  readonly eventsOutOfStep: readonly string[];
  /** Where canaries were found. */
  readonly canaries: readonly string[];
  /** Histories that do not replay, and how many there were of how many requests taken in; `null` where there is nothing to replay. */
  readonly histories: { readonly failures: readonly string[]; readonly replayed: number } | null;
  /** Answers that no caller should get. */
  readonly defects: readonly string[];
}

/** Holds the evidence of a run against I1 to I8, what callers were told, and how the plan lets things end. Pure. */
export function judgeRun(evidence: RunEvidence): readonly Broken[] {
  const ofRun = (rule: Broken['rule'], findings: readonly string[]): readonly Broken[] => findings.map((what) => ({ rule, subject: 'the run', what }));
  const taken = [...evidence.orders.flatMap(({ refunds }) => refunds.map(({ status }) => status)), ...evidence.payouts.map(({ record }) => record)].filter((one) => one !== null).length;
  const { histories } = evidence;
  return [
    ...evidence.orders.flatMap(judgeOrder),
    ...evidence.payouts.flatMap(judgePayout),
    ...ofRun('I3', evidence.restless.map((what) => `${what}, and does not come to rest`)),
    ...ofRun('I6', evidence.eventsOutOfStep),
    ...ofRun('I7', evidence.canaries),
    ...ofRun('I8', histories === null ? [] : histories.failures),
    ...ofRun('I8', histories !== null && histories.replayed < taken ? [`${histories.replayed} histories for ${taken} requests on record`] : []),
    ...ofRun('answer', evidence.defects),
  ];
}

function judgeOrder(order: ChaosOrderEvidence): readonly Broken[] {
  const { planned, orderId, charges, refunds } = order;
  // The judge of provider faults knows no cancellation, and no refusal for the amount: those are judged here.
  const plain = refunds.filter((refund) => !isCalledOff(refund) && !isRefusedForAmount(refund));
  const judged = judge([{ planned: { name: planned.name, face: planned.face, charges: [], refundsMinor: [], ending: null, part: 'calm' }, orderId, charges, refunds: plain }]);
  // Who is called off moves nothing at all (R4, M4).
  const movedForNobody = refunds.every(isCalledOff) ? charges.flatMap(({ journal }) => journal) : [];
  const findings: readonly Finding[] = [
    ...movedForNobody.map(({ kind, amount }): Finding => ({ rule: 'I1', what: `everything was called off, and the journal has ${kind} ${amount}` })),
    ...refunds.flatMap((refund) => judgeAsk(order, refund)),
  ];
  return [
    ...judged.map(({ rule, order: subject, what }) => ({ rule, subject, what })),
    ...findings.map((finding) => ({ ...finding, subject: `${planned.name} (${orderId})` })),
  ];
}

type Finding = Omit<Broken, 'subject'>;

function isCalledOff({ status }: AskEvidence): boolean {
  return status === 'cancelled';
}

function judgeAsk(order: ChaosOrderEvidence, refund: AskEvidence): readonly Finding[] {
  const findings: Finding[] = [];
  const find = (rule: Finding['rule'], what: string): unknown => findings.push({ rule, what: `refund ${refund.refundId}: ${what}` });
  const { status, statusDetail, asked, lastAnswer } = refund;
  if (!mayEndAs(order, refund)) find('ending', `is ${status ?? 'not on record'} (${statusDetail ?? '-'}), which the plan does not let it be: ${faultsInWords(order)}`);
  if (isRefusedForAmount(refund) && status !== null && status !== 'rejected') find('answer', `answered with ${lastAnswer.status}, it is ${status}`);
  if (isCalledOff(refund)) {
    if (lastAnswer.why !== 'processing.charge_operations.refund.cancelled') find('answer', `is cancelled, and in the end answered with ${lastAnswer.status} ${lastAnswer.why}`);
    if (refund.transitions.filter(({ to }) => to === 'cancelled').length !== 1 || refund.transitions.at(-1)?.to !== 'cancelled') find('I4', `is cancelled, after ${refund.transitions.map(({ to }) => to).join(', ')}`);
  }
  for (const { act, says } of asked.told) {
    const isTrue = act === 'cancel' ? (says === 'done') === (status === 'cancelled') : act !== 'reject' || says !== 'done' || status === 'rejected';
    if (!isTrue) find('told', `${act}: told ${says}, it is ${status}`);
  }
  const ids = [asked.answer, asked.twin].flatMap((answer) => answer?.header('reintegro-refund-id') ?? []);
  if (ids.some((id) => id !== refund.refundId)) find('told', `two posts of one key made ${ids.join(' and ')}`);
  for (const kind of refund.cases) if (!mayHaveCase(order, refund, kind)) find('case', `has a case ${kind} after ${refund.sends} sends: ${faultsInWords(order)}`);
  return findings;
}

/** Modes after which a refund may have failed for good. */
const FAILING: readonly string[] = ['decline', 'async_failure', 'late_failure'];

function hasMode({ planned }: ChaosOrderEvidence, modes: readonly string[]): boolean {
  return planned.faults.some(({ operation, mode }) => operation === 'refund' && modes.includes(mode));
}

/** How the plan lets a refund end. A case is judged by its kind. */
function mayEndAs(order: ChaosOrderEvidence, refund: AskEvidence): boolean {
  const { steering, shape } = order.planned;
  if (refund.waits && refund.status !== 'cancelled') return true;
  const { status } = refund;
  if (status === 'refunded') return ['none', 'approve', 'cancel_race'].includes(steering) && (refund.statusDetail !== 'partial' || (shape === 'split' && hasMode(order, FAILING)));
  if (status === 'rejected') return ['reject', 'reject_race'].includes(steering) || (shape === 'rivals' && isRefusedForAmount(refund)) || (steering !== 'cancel' && hasMode(order, FAILING));
  if (status === 'cancelled') return ['cancel', 'cancel_race', 'reject_race'].includes(steering);
  // Not on record: refused by what remains, before anything was written down.
  return status === null && shape === 'rivals' && isRefusedForAmount(refund);
}

function mayHaveCase(order: ChaosOrderEvidence, { sends }: AskEvidence, kind: string): boolean {
  if (kind === 'outcome_unknown') return sends >= MAX_SENDS;
  return kind === 'late_failure' && hasMode(order, ['late_failure']);
}

function faultsInWords({ planned }: ChaosOrderEvidence): string {
  return planned.faults.map(({ operation, mode, times }) => `${operation} ${mode}${times === 1 ? '' : ` × ${times}`}`).join(', ') || 'no fault';
}
