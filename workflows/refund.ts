import { allHandlersFinished, ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import type { RefundStart, ReserveRefundResult } from '../activities/contracts.ts';
import { legId } from '../src/domain/leg.ts';
import { INITIAL_REFUND_STATE } from '../src/domain/refund.ts';
import type { RefundState } from '../src/domain/refund.ts';
import * as activities from './activity-options.ts';
import { NOT_SENT_BEFORE_CASE, notSentPauseMs } from './backoff.ts';
import { passCheckpoints } from './checkpoints.ts';
import type { Ending } from './checkpoints.ts';
import { toldRefund } from './messages.ts';
import type { RefundEnd, ToldRefund } from './messages.ts';
import { overtakeDecisions, overtakeInterventions, takeIntervention } from './refund-decisions.ts';
import { beginSending, giveBack } from './refund-leg.ts';
import { announceTurn } from './refund-turns.ts';
import { openRefundRun } from './refund-handlers.ts';
import { apply, isFinal, openCase, publish, refundRef, show, viewOf } from './refund-run.ts';
import type { RefundRun, Reserved } from './refund-run.ts';

/** The end of a refund that somebody called off. */
const BY_REQUEST = { status: 'cancelled', statusDetail: 'by_request' } as const;

/**
 * One refund (PRODUCT §5): reserve, pass the checkpoints, wait for each charge's turn, send each leg once, follow it to its end.
 * Started by update-with-start; ends when the refund is final. Amounts in minor units.
 */
export async function refundWorkflow(start: RefundStart): Promise<ToldRefund<RefundEnd>> {
  const run = openRefundRun(start);
  return CancellationScope.nonCancellable(async () => {
    const reserved = await reserveOrEnd(run);
    if (reserved?.kind === 'other_request') return refuseOtherRequest(run);
    if (reserved?.kind === 'refused') {
      run.refusal = reserved.refusal;
      apply(run, { type: 'rejected', reason: reserved.refusal });
    } else if (reserved?.kind === 'concluded') {
      run.state = { status: reserved.status, statusDetail: reserved.statusDetail } as RefundState;
    } else if (reserved !== null) {
      await giveAllBack(run, reserved);
    }
    if (isFinal(run)) run.needsAttention = false;
    publish(run);
    if (!isFinal(run)) await condition(() => isFinal(run));
    if (!allHandlersFinished()) await condition(allHandlersFinished);
    const { fingerprint: _asked, ...end } = viewOf(run);
    return toldRefund<RefundEnd>(end);
  });
}

/** What a reservation came to. */
type Reservation = Reserved | Exclude<ReserveRefundResult, { kind: 'not_yet' | 'reserved' }>;

/** Reserves; `null` when the refund was called off before that. */
async function reserveOrEnd(run: RefundRun): Promise<Reservation | null> {
  for (;;) {
    const reserved = await reserve(run);
    if (reserved !== null || (await end(run, null))) return reserved;
  }
}

/**
 * The key stands for another request, which is not over (R8): whoever started this Workflow learns it, and the Workflow fails without having done
 * anything, so that the right request can begin it again.
 */
async function refuseOtherRequest(run: RefundRun): Promise<never> {
  run.orderUnreadable = true;
  // Nothing can be called off or retried here either: whoever asks is refused, and does not wait for ever.
  run.sending = true;
  await condition(allHandlersFinished);
  throw ApplicationFailure.nonRetryable('the idempotency key stands for another request', 'OtherRequest');
}

/** Reserves, as soon as the provider shows the order; `null` when the refund is called off before. */
async function reserve(run: RefundRun): Promise<Reservation | null> {
  for (let tries = 1; ; tries += 1) {
    const reserved = await activities.reserveRefund(run.request);
    run.orderUnreadable = reserved.kind === 'not_yet';
    run.waitsFor = reserved.kind === 'not_yet' ? 'the provider to show the order' : null;
    if (reserved.kind !== 'not_yet') {
      run.state = INITIAL_REFUND_STATE;
      run.needsAttention = false;
      run.fingerprint = reserved.fingerprint ?? run.fingerprint;
      overtakeInterventions(run, null);
      return reserved.kind === 'reserved' ? { ...reserved, legs: reserved.legs.map((leg) => ({ ...leg, legId: leg.legId ?? legId(run.request.refundId, leg.chargeId) })) } : reserved;
    }
    run.state = { status: 'pending', statusDetail: 'order_unreadable' };
    if (tries === NOT_SENT_BEFORE_CASE) await openCase(run, 'waited_too_long');
    show(run);
    publish(run);
    const isAsked = (): boolean => run.cancelRequested !== null || run.interventions.length > 0;
    await condition(isAsked, notSentPauseMs(tries, reserved.retryAfterMs), { summary: 'the provider does not show the order: read it again' });
    if (run.cancelRequested !== null) return null;
    await retryAsAsked(run);
  }
}

/** Writes down who wanted the order read again now (O3). */
async function retryAsAsked(run: RefundRun): Promise<void> {
  const asked = takeIntervention(run, null);
  if (asked === undefined) return;
  await activities.recordAct({ ...refundRef(run), act: 'retried', actor: asked.actor, reason: asked.reason });
  asked.verdict = 'done';
}

/** The legs side by side (R2), once every stop before the send is passed. */
async function giveAllBack(run: RefundRun, reserved: Reserved): Promise<void> {
  run.plan = reserved;
  if (reserved.alreadySent === true) beginSending(run);
  const checkpoints = reserved.checkpoints ?? [];
  show(run);
  if (!run.sending && checkpoints.length > 0) {
    const passage = await passCheckpoints(run, checkpoints);
    if (passage !== 'passed' && (await end(run, passage === 'called_off' ? null : passage))) return;
  }
  do {
    reserved.legs.forEach((leg) => run.working.add(leg.legId));
    await Promise.all(reserved.legs.map((leg) => giveBack(run, leg, reserved)));
  } while (!run.sending && !(await end(run, null)));
}

/**
 * Ends a refund that was never sent: as a checkpoint says, or else because it was called off (R4, M4). Answers whether it did: if the records
 * know of a send, of a run before this one, cancelling is over.
 */
async function end(run: RefundRun, ending: Ending | null): Promise<boolean> {
  const { nextTurns, isTooLate = false } = ending === null
    ? await activities.cancelRefund({ ...refundRef(run), actor: run.cancelRequested?.requestedBy ?? 'unknown' })
    : await activities.cancelRefund({ ...refundRef(run), actor: ending.actor, ending: { status: ending.status, statusDetail: ending.statusDetail, ...(ending.reason === undefined ? {} : { reason: ending.reason }) } });
  run.working.clear();
  if (isTooLate) {
    run.cancelRequested = null;
    if (run.plan !== null) beginSending(run);
  } else {
    const { status, statusDetail } = ending ?? BY_REQUEST;
    if (status === 'cancelled') apply(run, { type: 'cancelled', cause: statusDetail === 'expired' ? 'expired' : 'by_request' });
    else apply(run, status === 'dismissed' ? { type: 'contested' } : { type: 'rejected', reason: statusDetail });
    if (ending !== null && ending.decision !== null) ending.decision.verdict = 'done';
    for (const { legId } of run.plan?.legs ?? []) overtakeInterventions(run, legId);
    overtakeInterventions(run, null);
  }
  if (ending !== null && ending.decision !== null && isTooLate) ending.decision.verdict = 'overtaken';
  overtakeDecisions(run);
  for (const next of nextTurns) await announceTurn(run, next);
  return !isTooLate;
}
