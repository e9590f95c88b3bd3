import { allHandlersFinished, CancellationScope, condition, getExternalWorkflowHandle, isCancellation, log } from '@temporalio/workflow';
import type { CaseKind, LegPlan, LegRef, NextTurn, RefundRequest, ReserveRefundResult, Settled } from '../activities/contracts.ts';
import { formatMoney } from '../src/domain/money.ts';
import { INITIAL_REFUND_STATE } from '../src/domain/refund.ts';
import type { RefundState } from '../src/domain/refund.ts';
import * as activities from './activity-options.ts';
import { NOT_SENT_BEFORE_CASE, notSentPauseMs, ROUNDS_BEFORE_CASE } from './backoff.ts';
import { turnSignal } from './messages.ts';
import type { RefundView } from './messages.ts';
import { apply, isFinal, openRefundRun, parked, publish, show, viewOf } from './refund-run.ts';
import type { RefundRun } from './refund-run.ts';
import { sendOnce } from './send-once.ts';

type Reserved = Extract<ReserveRefundResult, { kind: 'reserved' }>;

/** How long a leg waits for the announcement of its turn before it looks for itself: at first, and at most. */
const FIRST_TURN_CHECK_MS = 10_000;
const LAST_TURN_CHECK_MS = 3_600_000;

/**
 * One refund (PRODUCT §5): reserve, wait for each charge's turn, send each leg once, conclude.
 * Started by update-with-start; ends when the refund is final. Amounts in minor units.
 */
export async function refundWorkflow(request: RefundRequest): Promise<RefundView> {
  const run = openRefundRun(request);
  return CancellationScope.nonCancellable(async () => {
    const reserved = await reserve(run);
    if (reserved === null) {
      await callOff(run);
    } else if (reserved.kind === 'refused') {
      run.refusal = reserved.refusal;
      apply(run, { type: 'rejected', reason: reserved.refusal });
    } else if (reserved.kind === 'concluded') {
      run.state = { status: reserved.status, statusDetail: reserved.statusDetail } as RefundState;
      run.fingerprint = reserved.fingerprint;
    } else {
      run.plan = reserved;
      if (reserved.alreadySent) beginSending(run);
      reserved.legs.forEach((leg) => run.working.add(leg.legId));
      show(run);
      await Promise.all(reserved.legs.map((leg) => giveBack(run, leg, reserved)));
      if (!run.sending) await callOff(run);
    }
    if (isFinal(run)) run.needsAttention = false;
    publish(run);
    await condition(() => isFinal(run));
    await condition(allHandlersFinished);
    return viewOf(run);
  });
}

/** Reserves, as soon as the provider shows the order; `null` when the refund is called off before. */
async function reserve(run: RefundRun): Promise<Exclude<ReserveRefundResult, { kind: 'not_yet' }> | null> {
  for (let tries = 1; ; tries += 1) {
    const reserved = await activities.reserveRefund({ ...run.request, workflowId: run.workflowId, runId: run.runId });
    run.orderUnreadable = reserved.kind === 'not_yet';
    run.waitsFor = reserved.kind === 'not_yet' ? 'the provider to show the order' : null;
    if (reserved.kind !== 'not_yet') {
      run.state = INITIAL_REFUND_STATE;
      return reserved;
    }
    run.state = { status: 'pending', statusDetail: 'order_unreadable' };
    if (tries === NOT_SENT_BEFORE_CASE) await openCase(run, 'waited_too_long');
    show(run);
    publish(run);
    if (await condition(() => run.cancelRequested !== null, notSentPauseMs(tries, reserved.retryAfterMs), { summary: 'the provider does not show the order: read it again' })) return null;
  }
}

/** From here on cancelling is over (R4). */
function beginSending(run: RefundRun): void {
  if (run.sending) return;
  run.sending = true;
  apply(run, { type: 'sent' });
}

async function openCase(run: RefundRun, kind: CaseKind, leg?: LegPlan): Promise<void> {
  run.needsAttention = true;
  setDetail(run, 'needs_attention');
  show(run);
  publish(run);
  await activities.openCase({
    workflowId: run.workflowId, runId: run.runId, merchantId: run.request.merchantId, kind, refundId: run.request.refundId, ...(leg === undefined ? {} : { legId: leg.legId }),
  });
}

/** One leg, from its turn to its outcome (R2: legs run side by side). */
async function giveBack(run: RefundRun, leg: LegPlan, { protocol, currency }: Reserved): Promise<void> {
  if (!(await turnOf(run, leg))) return;
  // No `await` stands between the question and this line: one winner (R4).
  beginSending(run);
  const ref = legRef(run, leg);
  const money = formatMoney({ amountMinor: leg.amountMinor, currency });
  const outcome = await sendOnce<{ kind: 'accepted' | 'declined' | 'found' } & Settled>({
    protocol,
    send: (sendNumber) => activities.submitRefund.executeWithOptions({ summary: `send ${sendNumber}: ${money} of charge ${leg.chargeId}` }, [{ ...ref, sendNumber }]),
    find: (sendNumber) => activities.findRefund.executeWithOptions({ summary: `was send ${sendNumber} executed? charge ${leg.chargeId}` }, [{ ...ref, sendNumber }]),
    parked: (why, wait) => {
      if (why === 'verifying') setDetail(run, 'verifying');
      return parked(run, leg, why === 'verifying' ? 'the settle delay, then a look at the provider' : 'the provider to take the request', wait);
    },
    openCase: (kind) => openCase(run, kind, leg),
  });
  if (outcome.kind === 'gave_up') {
    await parked(run, leg, 'a decision on its case', () => condition(() => false));
    return;
  }
  run.working.delete(leg.legId);
  conclude(run, outcome);
  if (outcome.nextTurn !== null) await announceTurn(outcome.nextTurn);
}

/** Waits until the charge's gate is this leg's (S5), or until the refund is called off before anything was sent. */
async function turnOf(run: RefundRun, leg: LegPlan): Promise<boolean> {
  const calledOff = (): boolean => run.cancelRequested !== null && !run.sending;
  const waitsFor = `its turn: another refund of charge ${leg.chargeId} is under way`;
  const wait = (waits: number): Promise<boolean> =>
    condition(() => calledOff() || run.turns.has(leg.legId), Math.min(FIRST_TURN_CHECK_MS * 2 ** waits, LAST_TURN_CHECK_MS), { summary: waitsFor });
  let hasTurn = leg.hasTurn;
  for (let waits = 0; !hasTurn && !calledOff(); waits += 1) {
    if (waits === ROUNDS_BEFORE_CASE) await openCase(run, 'waited_too_long', leg);
    await (waits === 0 ? wait(waits) : parked(run, leg, waitsFor, () => wait(waits)));
    // An announcement may be lost with the Workflow that owed it: the database is asked again, less and less often.
    if (!calledOff()) ({ hasTurn } = await activities.takeTurn(legRef(run, leg)));
  }
  return hasTurn && !calledOff();
}

async function callOff(run: RefundRun): Promise<void> {
  const { nextTurns } = await activities.cancelRefund({ workflowId: run.workflowId, runId: run.runId, merchantId: run.request.merchantId, refundId: run.request.refundId, actor: run.cancelRequested?.requestedBy ?? 'unknown' });
  run.working.clear();
  apply(run, { type: 'cancelled', cause: 'by_request' });
  for (const next of nextTurns) await announceTurn(next);
}

/** Tells the next leg of the charge that the gate is its own. */
async function announceTurn(next: NextTurn): Promise<void> {
  try {
    await getExternalWorkflowHandle(next.workflowId).signal(turnSignal, { legId: next.legId });
  } catch (error) {
    // The Workflow told may be gone by now (terminated by hand). That is no failure of this refund, and a live one looks for itself.
    if (isCancellation(error)) throw error;
    log.warn('the next leg of the charge could not be told', { workflowId: next.workflowId });
  }
}

/** Takes over the status that the settling transaction computed from all legs (R2). */
function conclude(run: RefundRun, settled: Settled): void {
  // Two legs may have settled before either was reported: both then carry the final status.
  if (isFinal(run)) return;
  if (settled.refundStatus !== 'in_process') run.needsAttention = false;
  switch (settled.refundStatus) {
    case 'refunded': return apply(run, { type: 'refunded', partial: settled.statusDetail === 'partial' });
    case 'rejected': return apply(run, { type: 'rejected', reason: settled.statusDetail });
    case 'authorized': return apply(run, { type: 'authorized' });
    case 'approved': return apply(run, { type: 'approved' });
    case 'in_process': return;
    case 'pending': case 'validate': case 'review': case 'deferred': case 'cancelled': case 'dismissed':
      throw new Error(`a settled leg cannot leave its refund ${settled.refundStatus}`);
    default: return settled.refundStatus satisfies never;
  }
}

function setDetail(run: RefundRun, statusDetail: Extract<RefundState, { status: 'in_process' }>['statusDetail']): void {
  if (run.state.status === 'in_process') run.state = { status: 'in_process', statusDetail };
}

function legRef(run: RefundRun, leg: LegPlan): LegRef {
  return { workflowId: run.workflowId, runId: run.runId, merchantId: run.request.merchantId, refundId: run.request.refundId, legId: leg.legId };
}
