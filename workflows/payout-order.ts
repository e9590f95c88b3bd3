import { ActivityFailure, allHandlersFinished, ApplicationFailure, CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { AskCause, NotFound, PayoutOrderPlan, PayoutOrderRequest, PayoutOutcome } from '../activities/contracts.ts';
import type { CaseKind } from '../src/domain/case.ts';
import * as activities from './activity-options.ts';
import { ROUNDS_BEFORE_CASE } from './backoff.ts';
import type { PayoutOrderView } from './messages.ts';
import {
  askAgainLater, isFinal, moveTo, openPayoutOrderRun, parkCancels, payoutOrderViewOf, publish, refOf, refuseCancels, show, startExpiryTimer, startWindowTimer,
} from './payout-order-run.ts';
import type { PayoutOrderRun } from './payout-order-run.ts';
import { sendOnce } from './send-once.ts';
import type { GaveUp } from './send-once.ts';

/**
 * One payout order (PRODUCT §6): register, issue the reference, then wait for what comes first: a fact from the
 * provider, a cancel request, the end of the window, the expiry. A timer or a fact says when; the provider says what (P2).
 */
export async function payoutOrderWorkflow(request: PayoutOrderRequest): Promise<PayoutOrderView> {
  const run = openPayoutOrderRun(request);
  return CancellationScope.nonCancellable(async () => {
    const plan = await activities.registerPayoutOrder({ ...request, workflowId: run.workflowId, runId: run.runId });
    run.plan = plan;
    if (plan.fingerprint !== request.fingerprint) return refuseOtherRequest(run);
    startedOnce(run, await issue(run, plan));
    while (run.status === 'pending' || run.status === 'pending_confirmation') {
      if (run.status === 'pending_confirmation') startWindowTimer(run, plan);
      const happening = await nextHappening(run);
      if (happening === 'cancel' || happening === 'expiry') await voidFor(run, plan, happening);
      else await follow(run, happening);
    }
    await condition(allHandlersFinished);
    return payoutOrderViewOf(run);
  });
}

/** The key stands for another request (R8): whoever started this Workflow learns it, and it fails without having done anything. */
async function refuseOtherRequest(run: PayoutOrderRun): Promise<never> {
  run.answerable = true;
  await condition(allHandlersFinished);
  throw ApplicationFailure.nonRetryable('the idempotency key stands for another request', 'OtherRequest');
}

/** Asks for the reference by the send protocol; our id in the provider's metadata finds it again after a lost answer. */
async function issue(run: PayoutOrderRun, plan: PayoutOrderPlan): Promise<PayoutOutcome | NotFound> {
  const ref = refOf(run);
  const outcome = await sendOnce<PayoutOutcome>({
    protocol: plan.protocol,
    send: (sendNumber) => activities.issueReference.executeWithOptions({ summary: `ask for the reference, send ${sendNumber}` }, [{ ...ref, sendNumber }]),
    find: (sendNumber) => activities.findReference.executeWithOptions({ summary: `was send ${sendNumber} executed?` }, [{ ...ref, sendNumber }]),
    pause: async ({ why, ms, summary }) => {
      run.answerable = true;
      run.waitsFor = why === 'provider_unavailable' ? 'the provider to take the request' : 'the settle delay, then a look at the provider';
      show(run);
      await sleep(ms, { summary });
      return null;
    },
    openCase: (kind) => openCase(run, kind),
  }, plan.lastSend);
  run.waitsFor = null;
  return isOutcome(outcome) ? outcome : awaitLateReference(run);
}

/** The outcome of issuing stayed unknown: a reference may exist. Facts and the expiry make us look again; nothing is sent (S4). */
async function awaitLateReference(run: PayoutOrderRun): Promise<PayoutOutcome | NotFound> {
  startExpiryTimer(run);
  for (;;) {
    await condition(() => run.factArrived || run.expiryDue);
    run.factArrived = false;
    const isLast = run.expiryDue;
    run.expiryDue = false;
    const found = await look(() => activities.findReference.executeWithOptions({ summary: 'is there a reference after all?' }, [{ ...refOf(run), sendNumber: Number.MAX_SAFE_INTEGER, isLast }]));
    if (found === null || found.kind === 'too_early') askAgainLater(run, isLast ? 'expiry' : 'fact');
    else if (found.kind === 'settled' || isLast) return found;
  }
}

function startedOnce(run: PayoutOrderRun, outcome: PayoutOutcome | NotFound): void {
  run.answerable = true;
  if (outcome.kind === 'settled') {
    startExpiryTimer(run);
    moveTo(run, outcome.status);
    return;
  }
  run.statusDetail = outcome.kind === 'declined' ? 'refused_by_provider' : 'never_issued';
  show(run);
  publish(run);
}

/** Waits for the first thing to act upon. A cancel comes before the clock; a fact before both, since it may decide them. */
async function nextHappening(run: PayoutOrderRun): Promise<AskCause> {
  const expiryActs = (): boolean => run.expiryDue && run.status === 'pending';
  await condition(() => run.factArrived || run.cancels.length > 0 || run.windowDue || expiryActs());
  if (run.factArrived) {
    run.factArrived = false;
    return 'fact';
  }
  if (run.cancels.length > 0) return 'cancel';
  if (run.windowDue) {
    run.windowDue = false;
    return 'window_ended';
  }
  run.expiryDue = false;
  return 'expiry';
}

/** Asks the provider to void the reference, and believes only its verified answer (P2, P4). */
async function voidFor(run: PayoutOrderRun, plan: PayoutOrderPlan, cause: 'cancel' | 'expiry'): Promise<void> {
  const ref = refOf(run);
  const actor = cause === 'cancel' ? run.cancels[0]?.by ?? 'unknown' : 'expiry';
  const outcome = await sendOnce<PayoutOutcome>({
    protocol: plan.protocol,
    send: () => activities.voidReference.executeWithOptions({ summary: `void the reference: ${cause}` }, [{ ...ref, cause, actor }]),
    // Voiding twice does no harm: a reference that the look finds unchanged is simply asked to be voided again.
    find: async () => {
      const seen = await activities.followPayoutOrder.executeWithOptions({ summary: 'was the reference voided?' }, [{ ...ref, cause, actor }]);
      return seen.kind === 'settled' && seen.status === run.status ? { kind: 'absent' } : seen;
    },
    pause: async ({ why, ms, summary }) => {
      parkCancels(run);
      const isOver = sleep(ms, { summary });
      // A fact that arrives meanwhile says that the provider is back: the void is asked again at once, then the fact is followed.
      await (why === 'provider_unavailable' && !run.factArrived ? Promise.race([isOver, condition(() => run.factArrived)]) : isOver);
      return null;
    },
    openCase: (kind) => openCase(run, kind),
  });
  run.voidParked = false;
  if (isOutcome(outcome) && outcome.kind === 'settled') return moveTo(run, outcome.status);
  if (outcome.kind === 'declined') await follow(run, cause);
  else if (outcome.kind === 'contradiction') await openCase(run, 'contradiction');
  else if (outcome.kind === 'gave_up' && cause === 'expiry') await again(run, 'expiry');
  if (!isFinal(run)) refuseCancels(run);
}

/** Reads the provider's state and follows it (P2: if it says otherwise, it is right). */
async function follow(run: PayoutOrderRun, cause: AskCause): Promise<void> {
  const seen = await look(() => activities.followPayoutOrder.executeWithOptions({ summary: `what does the provider say? ${cause}` }, [{ ...refOf(run), cause, actor: cause }]));
  if (seen === null) return again(run, cause);
  if (seen.kind === 'settled') moveTo(run, seen.status);
  if (seen.kind === 'contradiction') await openCase(run, 'contradiction');
  // The clock says that it is over and the provider is not done: the same question again in a while, anything else meanwhile.
  if (cause === 'expiry' && run.status === 'pending') await again(run, 'expiry');
  if (cause === 'window_ended' && run.status === 'pending_confirmation') await again(run, 'window_ended');
}

async function again(run: PayoutOrderRun, cause: AskCause): Promise<void> {
  if (run.rounds + 1 === ROUNDS_BEFORE_CASE) await openCase(run, 'waited_too_long');
  askAgainLater(run, cause);
}

/** A look at the provider, or `null` when it does not answer for a minute: then other things may be more urgent. */
async function look<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ActivityFailure && !isCancellation(error)) return null;
    throw error;
  }
}

async function openCase(run: PayoutOrderRun, kind: CaseKind): Promise<void> {
  run.needsAttention = true;
  show(run);
  publish(run);
  await activities.openCase({ workflowId: run.workflowId, runId: run.runId, merchantId: run.request.merchantId, kind, payoutOrderId: run.request.payoutOrderId });
}

function isOutcome(answer: PayoutOutcome | GaveUp): answer is PayoutOutcome {
  return answer.kind !== 'gave_up';
}
