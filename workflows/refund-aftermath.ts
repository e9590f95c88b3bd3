import { ActivityFailure, ApplicationFailure, allHandlersFinished, CancellationScope, condition, isCancellation, setHandler, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import type { Named, RefundRef } from '../activities/contracts.ts';
import * as activities from './activity-options.ts';
import { NO_ANSWER_BEFORE_CASE, noAnswerPauseMs } from './backoff.ts';
import { showDetails } from './details.ts';
import { ACT_REFUSED, acknowledgeLateFailureUpdate, refundFactSignal } from './messages.ts';
import type { ActRefusal, OperatorAct } from './messages.ts';
import { isCompleteAct } from './acts.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** Names a refund whose Workflow has ended. */
export interface AftermathRequest {
  readonly merchantId: string;
  readonly refundId: string;
  readonly orderId: string;
}

interface AftermathRun {
  /** Somebody has doubts that were not looked into yet. */
  isNews: boolean;
  failedLate: boolean;
  /** Who takes note, and whether that is on record. */
  note: { readonly act: OperatorAct; isDone: boolean } | null;
}

/**
 * What happens to a refund after its end (R9): news of its order made somebody doubt it, so the provider is asked. If a refund failed
 * there after it had succeeded, that is booked, and the Workflow waits until an operator has taken note of it. Otherwise it ends at once.
 */
export async function refundAftermathWorkflow(request: AftermathRequest): Promise<void> {
  const ref = { merchantId: request.merchantId, refundId: request.refundId };
  const run: AftermathRun = { isNews: true, failedLate: false, note: null };
  setHandler(refundFactSignal, () => { run.isNews = true; });
  setHandler(acknowledgeLateFailureUpdate, async (act) => {
    run.note ??= { act, isDone: false };
    const { note } = run;
    await CancellationScope.nonCancellable(() => condition(() => note.isDone));
  }, { validator: (act) => requireAct(act, run.failedLate) });
  show(request, false);
  // A cancellation of the Workflow from outside ends nothing: its case would stay open with nobody to take note of.
  await CancellationScope.nonCancellable(() => lookAfter(run, ref, request));
}

async function lookAfter(run: AftermathRun, ref: Named<RefundRef>, request: AftermathRequest): Promise<void> {
  while (run.isNews || run.failedLate) {
    if (run.isNews) {
      run.isNews = false;
      run.failedLate = await review(ref, request);
      show(request, run.failedLate);
    } else if (run.note === null) {
      await condition(() => run.isNews || run.note !== null);
    } else {
      await takeNote(run, ref, run.note);
      show(request, false);
    }
  }
  await condition(allHandlersFinished);
}

async function takeNote(run: AftermathRun, ref: Named<RefundRef>, note: NonNullable<AftermathRun['note']>): Promise<void> {
  const { actor, reason } = note.act;
  await activities.closeCase({ ...ref, actor, reason, caseKind: 'late_failure' });
  note.isDone = true;
  run.note = null;
  run.failedLate = false;
}

function requireAct(act: OperatorAct, failedLate: boolean): void {
  const isComplete = isCompleteAct(act);
  if (isComplete && failedLate) return;
  const why: ActRefusal = isComplete ? 'not_awaited' : 'malformed';
  throw ApplicationFailure.create({ type: ACT_REFUSED, nonRetryable: true, details: [null, why], message: isComplete ? 'no late failure is known (yet)' : 'an actor and a reason are needed' });
}

/** Asks until the provider answers: the doubt does not go away by itself. */
async function review(ref: Named<RefundRef>, { orderId }: AftermathRequest): Promise<boolean> {
  for (let unanswered = 1; ; unanswered += 1) {
    try {
      const { failedLate } = await activities.reviewRefund.executeWithOptions({ summary: 'did the provider take the refund back?' }, [{ ...ref, orderId }]);
      if (unanswered > NO_ANSWER_BEFORE_CASE) await activities.closeCase({ ...ref, actor: 'reintegro', reason: 'the provider answers again', caseKind: 'unreadable_answer' });
      return failedLate;
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    }
    if (unanswered === NO_ANSWER_BEFORE_CASE) await activities.openCase({ ...ref, kind: 'unreadable_answer' });
    await sleep(noAnswerPauseMs(unanswered), { summary: 'the provider does not answer: ask again' });
  }
}

function show(request: AftermathRequest, failedLate: boolean): void {
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.needsAttention, value: failedLate }]);
  showDetails({
    title: `After refund ${request.refundId} of ${request.orderId}`,
    status: failedLate ? 'failed late' : 'being looked into',
    lines: failedLate ? ['the provider took the refund back; the amount is refundable again'] : [],
    waitsFor: failedLate ? 'an operator to take note' : 'the provider',
    unblockedBy: failedLate ? 'an operator: update acknowledgeLateFailure' : null,
  });
}
