import { allHandlersFinished, ApplicationFailure, CancellationScope, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { NotFound } from '../activities/contracts.ts';
import type { AskCause, PayoutOrderPlan, PayoutOrderRequest, PayoutOrderStanding, PayoutOutcome } from '../activities/payout-contracts.ts';
import * as activities from './activity-options.ts';
import type { PayoutOrderView } from './messages.ts';
import { beginsAnew, followsFactsHeardWhileIssuing } from './patches.ts';
import { answerForLastFacts, follow, hasLastFacts, retryNow, voidFor } from './payout-order-asking.ts';
import { openPayoutOrderRun } from './payout-order-handlers.ts';
import { issue } from './payout-order-issuing.ts';
import { answerEverybody, isFinal, moveTo, publish, show, startExpiryTimer, startWindowTimer, viewOf } from './payout-order-run.ts';
import type { CarriedOver, PayoutOrderRun } from './payout-order-run.ts';

/**
 * One payout order (PRODUCT §6): register, issue the reference, then wait for what comes first: a fact from the
 * provider, a cancel request, the end of the window, the expiry. A timer or a fact says when; the provider says what (P2).
 */
export async function payoutOrderWorkflow(request: PayoutOrderRequest, carriedOver: CarriedOver = {}): Promise<PayoutOrderView> {
  const run = openPayoutOrderRun(request, carriedOver);
  return CancellationScope.nonCancellable(async () => {
    const plan = await activities.registerPayoutOrder(request);
    run.plan = plan;
    if (plan.fingerprint !== request.fingerprint) return refuseOtherRequest(run);
    if (plan.standing === undefined) startedOnce(run, await issue(run, plan));
    else goOn(run, plan.standing);
    while (run.status === 'pending' || run.status === 'pending_confirmation') {
      // Who was answered just now has yet to be told; what came meanwhile comes first.
      if (workflowInfo().continueAsNewSuggested) await condition(() => allHandlersFinished() || happens(run));
      // Long histories cost whoever replays them; the records hold all that the next run needs (P8).
      if (isLong(run) && beginsAnew()) await continueAsNew<typeof payoutOrderWorkflow>(request, ...(run.reversalTold ? [{ reversalTold: true }] : []));
      if (run.status === 'pending_confirmation') startWindowTimer(run, plan);
      await actUpon(run, plan, await nextHappening(run, plan));
    }
    do {
      if (hasLastFacts(run)) await answerForLastFacts(run);
      answerEverybody(run);
      await condition(allHandlersFinished);
    } while (hasLastFacts(run));
    return viewOf(run);
  });
}

/** The key stands for another request (R8): whoever started this Workflow learns it, and it fails without having done anything. */
async function refuseOtherRequest(run: PayoutOrderRun): Promise<never> {
  run.answerable = true;
  answerEverybody(run);
  await condition(allHandlersFinished);
  throw ApplicationFailure.nonRetryable('the idempotency key stands for another request', 'OtherRequest');
}

function startedOnce(run: PayoutOrderRun, outcome: PayoutOutcome | NotFound): void {
  run.answerable = true;
  if (outcome.kind === 'settled') {
    startExpiryTimer(run);
    moveTo(run, outcome.status);
    // The answer may be older than what was told meanwhile: the provider is asked once more.
    if (run.heardWhileIssuing && !isFinal(run) && followsFactsHeardWhileIssuing()) run.factArrived = true;
    return;
  }
  run.statusDetail = outcome.kind === 'declined' ? 'refused_by_provider' : 'never_issued';
  run.needsAttention = false;
  show(run);
  publish(run);
}

/** An earlier run had its reference: this one begins where the records stand, and asks what it may have missed. */
function goOn(run: PayoutOrderRun, { status, needsAttention }: PayoutOrderStanding): void {
  run.answerable = true;
  moveTo(run, status);
  if (isFinal(run)) return;
  startExpiryTimer(run);
  run.factArrived = true;
  if (!needsAttention) return;
  run.needsAttention = true;
  show(run);
  publish(run);
}

/** Whether a new run should take over: the server suggests it, and nobody waits for an answer of this one. */
function isLong(run: PayoutOrderRun): boolean {
  return workflowInfo().continueAsNewSuggested && run.cancels.length === 0 && run.claims.size === 0 && allHandlersFinished();
}

/** Whether there is something to act upon. */
function happens(run: PayoutOrderRun): boolean {
  return run.factArrived || run.cancels.length > 0 || run.retries.length > 0 || run.windowDue || (run.expiryDue && run.status === 'pending');
}

/** Waits for the first thing to act upon. A cancel comes before the clock; a fact before both, since it may decide them. */
async function nextHappening(run: PayoutOrderRun, { pollMs }: PayoutOrderPlan): Promise<AskCause> {
  const isDue = (): boolean => happens(run);
  const isWoken = pollMs === undefined ? await condition(isDue).then(() => true) : await condition(isDue, pollMs, { summary: 'a look at a provider that sends no webhooks' });
  if (!isWoken) return 'poll';
  if (run.factArrived) {
    run.factArrived = false;
    return 'fact';
  }
  if (run.cancels.length > 0) return 'cancel';
  if (run.retries.length > 0) return 'retry';
  if (run.windowDue) {
    run.windowDue = false;
    return 'window_ended';
  }
  run.expiryDue = false;
  return 'expiry';
}

async function actUpon(run: PayoutOrderRun, plan: PayoutOrderPlan, happening: AskCause): Promise<void> {
  if (happening === 'cancel' || happening === 'expiry') await voidFor(run, plan, happening);
  else if (happening === 'retry') await retryNow(run, plan);
  else await follow(run, happening);
}
