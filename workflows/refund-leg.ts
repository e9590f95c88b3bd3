import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { FollowOutcome, LegPlan, NotFound, Settled } from '../activities/contracts.ts';
import { formatMoney } from '../src/domain/money.ts';
import type { RefundState } from '../src/domain/refund.ts';
import { canRefundMove, isFinalRefundStatus } from '../src/domain/refund-status.ts';
import * as activities from './activity-options.ts';
import { followPauseMs, FOLLOWS_BEFORE_CASE } from './backoff.ts';
import { overtakeInterventions } from './refund-decisions.ts';
import { pauseLeg } from './refund-pauses.ts';
import type { Resolved } from './refund-pauses.ts';
import { apply, isFinal, legRef, openCase, publish, setDetail, show } from './refund-run.ts';
import type { RefundRun, Reserved } from './refund-run.ts';
import { announceTurn, turnOf } from './refund-turns.ts';
import { sendOnce } from './send-once.ts';
import type { PauseFor } from './send-once.ts';

/** The outcome of a leg: from the provider's answer, from a look at it, or from a human. */
type LegOutcome = ({ readonly kind: 'accepted' | 'declined' | 'found' } & Settled) | Resolved;

/** What people read about a pause. */
const WAITS_FOR = {
  verifying: 'the settle delay, then a look at the provider', look_unanswered: 'the provider to show what became of the request', provider_unavailable: 'the provider to take the request',
} as const satisfies Record<PauseFor, string>;

/** From here on cancelling is over (R4). */
export function beginSending(run: RefundRun): void {
  if (run.sending) return;
  run.sending = true;
  apply(run, { type: 'sent' });
}

/** One leg, from its turn to its end. */
export async function giveBack(run: RefundRun, leg: LegPlan, reserved: Reserved): Promise<void> {
  const turn = await turnOf(run, leg, leg.hasTurn || (await asksForTurn(run, leg, reserved)));
  if (turn === 'called_off') return;
  if (turn !== 'has_turn') return settled(run, leg, turn);
  // No `await` stands between the question and this line: one winner (R4).
  beginSending(run);
  const outcome = await sendLeg(run, leg, reserved);
  await settled(run, leg, outcome);
  if (isUnderWay(outcome)) await follow(run, leg);
}

/** A refund that stopped at a checkpoint has no place in line yet (S5). */
async function asksForTurn(run: RefundRun, leg: LegPlan, { checkpoints = [] }: Reserved): Promise<boolean> {
  if (checkpoints.length === 0 || run.cancelRequested !== null) return false;
  return (await activities.takeTurn(legRef(run, leg))).hasTurn;
}

/** Sends by the send protocol; after a case, again and again as an operator has it retried, until the outcome is known. */
async function sendLeg(run: RefundRun, leg: LegPlan, { protocol, currency }: Reserved): Promise<LegOutcome> {
  const ref = legRef(run, leg);
  const money = formatMoney({ amountMinor: leg.amountMinor, currency });
  for (let lastSend = leg.lastSend ?? 0; ;) {
    const outcome = await sendOnce<LegOutcome>({
      protocol,
      send: (sendNumber) => activities.submitRefund.executeWithOptions({ summary: `send ${sendNumber}: ${money} of charge ${leg.chargeId}` }, [{ ...ref, sendNumber }]),
      find: (sendNumber) => find(run, leg, sendNumber),
      pause: ({ why, ms, summary }) => {
        if (why !== 'provider_unavailable') setDetail(run, run.cases.has(leg.legId) ? 'needs_attention' : 'verifying');
        return pauseLeg(run, leg, { waitsFor: WAITS_FOR[why], ms, summary, mayHurry: why !== 'verifying' });
      },
      openCase: (kind) => openCase(run, kind, leg),
    }, lastSend);
    if (outcome.kind !== 'gave_up') return outcome;
    // What can be asked of no provider cannot be tried again either (S6): only a human can tell.
    const resolved = await pauseLeg(run, leg, { waitsFor: 'a decision on its case', ms: null, summary: '', mayHurry: protocol.idempotency !== 'none' });
    if (resolved !== null) return resolved;
    ({ lastSend } = outcome);
  }
}

/** Looks at the provider; callers are answered meanwhile. */
async function find(run: RefundRun, leg: LegPlan, sendNumber: number): Promise<LegOutcome | NotFound> {
  run.working.delete(leg.legId);
  try {
    return await activities.findRefund.executeWithOptions({ summary: `was send ${sendNumber} executed? charge ${leg.chargeId}` }, [{ ...legRef(run, leg), sendNumber }]);
  } finally {
    run.working.add(leg.legId);
  }
}

/** Takes an outcome over, tells the next in line, and gives the acts about this leg their verdict. */
async function settled(run: RefundRun, leg: LegPlan, outcome: LegOutcome | ({ readonly kind: 'known' } & Settled)): Promise<void> {
  const isNews = !isUnderWay(outcome) || run.accepted.get(leg.legId) !== outcome.legStatus;
  if (isUnderWay(outcome)) run.accepted.set(leg.legId, outcome.legStatus);
  else run.working.delete(leg.legId);
  if (isNews) run.cases.delete(leg.legId);
  conclude(run, outcome);
  if (outcome.kind === 'resolved') outcome.asked.verdict = cameTrue(outcome) ? 'done' : 'overtaken';
  if (!isUnderWay(outcome)) overtakeInterventions(run, leg.legId);
  if (outcome.nextTurn !== null) await announceTurn(run, outcome.nextTurn);
}

/** Whether the provider accepted the leg and is not done with it (R6). */
function isUnderWay<Outcome extends Settled>(outcome: Outcome): outcome is Outcome & { readonly legStatus: 'authorized' | 'approved' } {
  return outcome.legStatus === 'authorized' || outcome.legStatus === 'approved';
}

/** Whether the leg is now what the human said it was: another answer may have come first. */
function cameTrue({ asked, legStatus }: Resolved): boolean {
  const failed = legStatus === 'refused' || legStatus === 'released' || legStatus === 'failed_late';
  return failed === (asked.resolution?.outcome === 'failed');
}

/**
 * Follows a leg that the provider accepted until it is done or failed (R6): on word from the provider, else by looks with growing pauses.
 * Callers are answered with the state as it is all the while.
 */
async function follow(run: RefundRun, leg: LegPlan): Promise<void> {
  const waitsFor = 'the provider to execute the refund';
  let told = run.factsTold;
  let { status } = run.state;
  for (let round = 0; ;) {
    if (round >= FOLLOWS_BEFORE_CASE && !run.cases.has(leg.legId)) await openCase(run, 'waited_too_long', leg);
    const before = told;
    const resolved = await pauseLeg(run, leg, { waitsFor, ms: followPauseMs(round), summary: 'how does the accepted refund stand?', mayHurry: true, isOver: () => run.factsTold > before });
    run.working.delete(leg.legId);
    told = run.factsTold;
    // Word from the provider is no round of waiting in vain.
    if (told === before) round += 1;
    const outcome = resolved ?? (await look(run, leg));
    if (outcome.kind === 'not_shown') continue;
    await settled(run, leg, outcome);
    publish(run);
    if (!isUnderWay(outcome)) return;
    // A step forward: the next one is looked for as eagerly as the first.
    if (run.state.status !== status) round = 0;
    ({ status } = run.state);
  }
}

async function look(run: RefundRun, leg: LegPlan): Promise<FollowOutcome> {
  const seen = await orNothing(() => activities.followRefund.executeWithOptions({ summary: `how does the refund of charge ${leg.chargeId} stand?` }, [legRef(run, leg)]));
  return seen ?? { kind: 'not_shown' };
}

/** What an Activity answers, or `null` when the provider does not answer it: asked again after a longer pause. */
async function orNothing<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ActivityFailure && !isCancellation(error)) return null;
    throw error;
  }
}

/** The last case is over: the refund goes on as before. */
function attended(run: RefundRun): void {
  run.needsAttention = false;
  if (run.state.statusDetail === 'needs_attention') setDetail(run, 'sent');
  show(run);
}

/**
 * Takes over the status that the settling transaction computed from all legs (R2): the records are the truth. A report that another has
 * overtaken (two legs settled before either was reported) says nothing new.
 */
function conclude(run: RefundRun, { refundStatus, statusDetail, legStatus }: Settled): void {
  if (isFinal(run)) return;
  // Answers of earlier versions have no leg status; their Workflows kept the mark until the refund was over.
  if (run.cases.size === 0 && (legStatus !== undefined || refundStatus !== 'in_process')) attended(run);
  if (!isFinalRefundStatus(refundStatus) && !canRefundMove(run.state.status, refundStatus)) return;
  run.state = { status: refundStatus, statusDetail } as RefundState;
  show(run);
}
