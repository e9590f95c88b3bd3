import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { condition, getExternalWorkflowHandle, isCancellation, log, startChild } from '@temporalio/workflow';
import type { LegPlan, NextTurn, TurnHolder } from '../activities/contracts.ts';
import * as activities from './activity-options.ts';
import { ROUNDS_BEFORE_CASE } from './backoff.ts';
import { turnAwaitedSignal, turnSignal } from './messages.ts';
import { pauseLeg } from './refund-pauses.ts';
import type { Resolved } from './refund-pauses.ts';
import { legRef, openCase } from './refund-run.ts';
import type { RefundRun } from './refund-run.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** How long a leg waits for the announcement of its turn before it looks for itself: at first, and at most. */
const FIRST_TURN_CHECK_MS = 10_000;
const LAST_TURN_CHECK_MS = 3_600_000;

/** Whether the refund was called off before anything of it was sent. */
function isCalledOff(run: RefundRun): boolean {
  return run.cancelRequested !== null && !run.sending;
}

/**
 * Waits until the charge's gate is this leg's (S5), or until the refund is called off before anything was sent. A Workflow that holds
 * the gate and is gone does not block the charge for ever: whoever waits finds that out.
 */
export async function turnOf(run: RefundRun, leg: LegPlan, hasTurn: boolean): Promise<'has_turn' | 'called_off' | Resolved> {
  const waitsFor = `its turn: another refund of charge ${leg.chargeId} is under way`;
  let mine = hasTurn;
  for (let waits = 0; !mine && !isCalledOff(run); waits += 1) {
    if (waits === ROUNDS_BEFORE_CASE) await openCase(run, 'waited_too_long', leg);
    const resolved = await awaitTurn(run, leg, waitsFor, Math.min(FIRST_TURN_CHECK_MS * 2 ** waits, LAST_TURN_CHECK_MS), waits === 0);
    if (resolved !== null) return resolved;
    run.turns.delete(leg.legId);
    if (isCalledOff(run)) break;
    // An announcement may be lost with the Workflow that owed it: the database is asked again, less and less often.
    const turn = await activities.takeTurn(legRef(run, leg));
    mine = turn.hasTurn;
    if (!mine && turn.holder && waits > 0) await checkHolder(run, turn.holder);
  }
  return mine && !isCalledOff(run) ? 'has_turn' : 'called_off';
}

/** The first wait is short: callers wait along. */
async function awaitTurn(run: RefundRun, leg: LegPlan, waitsFor: string, ms: number, isFirst: boolean): Promise<Resolved | null> {
  const isOver = (): boolean => isCalledOff(run) || run.turns.has(leg.legId);
  if (!isFirst) return pauseLeg(run, leg, { waitsFor, ms, summary: waitsFor, mayHurry: true, isOver });
  await condition(isOver, ms, { summary: waitsFor });
  return null;
}

/**
 * Finds out whether the Workflow that holds the gate still exists. If it is gone, its case is put before a human; a leg that was never sent
 * loses the gate, and keeps its hold; one that was sent must be verified before anybody else may be sent, so its Workflow is begun
 * again where the records stand: it looks before it sends.
 */
async function checkHolder(run: RefundRun, holder: TurnHolder): Promise<void> {
  if (await isThere(holder.workflowId)) return;
  const { merchantId } = run.request;
  const theirs = { merchantId, refundId: holder.refundId, legId: holder.legId };
  await activities.openCase({ ...theirs, kind: 'workflow_gone' });
  if (!holder.wasSent) {
    const { nextTurn } = await activities.loseTurn(theirs);
    if (nextTurn !== null) await announceTurn(run, nextTurn);
    return;
  }
  try {
    await startChild('refundWorkflow', {
      workflowId: holder.workflowId, args: [holder.request], parentClosePolicy: 'ABANDON', workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      memo: { fingerprint: holder.request.fingerprint }, staticSummary: `Refund · ${holder.request.orderId}`,
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.merchant, value: merchantId }, { key: SEARCH_ATTRIBUTES.order, value: holder.request.orderId },
        { key: SEARCH_ATTRIBUTES.status, value: 'pending' }, { key: SEARCH_ATTRIBUTES.needsAttention, value: true },
      ],
    });
  } catch (error) {
    // Somebody else who waits was faster, or the refund has just come to its end.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

async function isThere(workflowId: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(turnAwaitedSignal);
    return true;
  } catch (error) {
    // Only the server's word that there is no such Workflow counts: a signal can fail for other reasons.
    if (error instanceof ApplicationFailure && /because it was not found/.test(error.message)) return false;
    if (isCancellation(error)) throw error;
    return true;
  }
}

/** Tells the next leg of the charge that the gate is its own; it may be one of this refund. */
export async function announceTurn(run: RefundRun, next: NextTurn): Promise<void> {
  if (next.workflowId === run.workflowId) return void run.turns.add(next.legId);
  try {
    await getExternalWorkflowHandle(next.workflowId).signal(turnSignal, { legId: next.legId });
  } catch (error) {
    // The Workflow told may be gone by now (terminated by hand). That is no failure of this refund, and a live one looks for itself.
    if (isCancellation(error)) throw error;
    log.warn('the next leg of the charge could not be told', { workflowId: next.workflowId });
  }
}
