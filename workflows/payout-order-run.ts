import { ApplicationFailure, CancellationScope, condition, setHandler, sleep, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { AskCause, PayoutOrderPlan, PayoutOrderRef, PayoutOrderRequest, WorkflowRef } from '../activities/contracts.ts';
import { formatMoney } from '../src/domain/money.ts';
import { isCancellablePayoutOrderStatus, isFinalPayoutOrderStatus } from '../src/domain/payout-order.ts';
import type { PayoutOrderStatus } from '../src/domain/payout-order.ts';
import { notSentPauseMs } from './backoff.ts';
import { showDetails } from './details.ts';
import * as messages from './messages.ts';
import type { CancelRequest, PayoutOrderView } from './messages.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** A request to cancel, and what became of it. */
export interface CancelAsked {
  readonly by: string;
  verdict: 'open' | 'cancelled' | 'refused' | 'verifying';
}

/** The live state of one payout order Workflow: what handlers and timers enqueue, what the story decides. */
export interface PayoutOrderRun extends WorkflowRef {
  readonly request: PayoutOrderRequest;
  status: PayoutOrderStatus;
  statusDetail: string;
  plan: PayoutOrderPlan | null;
  readonly cancels: CancelAsked[];
  /** Something happened at the provider since it was last asked (facts are coalesced: one question answers all). */
  factArrived: boolean;
  expiryDue: boolean;
  windowDue: boolean;
  windowRuns: boolean;
  /** Issuing is over, one way or the other, or takes longer than callers should wait. */
  answerable: boolean;
  /** A void is being verified, or waits for the provider: whoever asks to cancel now is answered with the state as it is. */
  voidParked: boolean;
  /** Rounds of asking the provider for the same thing. */
  rounds: number;
  needsAttention: boolean;
  waitsFor: string | null;
}

/** Opens the run and sets every handler before the first `await`. */
export function openPayoutOrderRun(request: PayoutOrderRequest): PayoutOrderRun {
  const { workflowId, runId } = workflowInfo();
  const run: PayoutOrderRun = {
    request, workflowId, runId, status: 'open', statusDetail: 'registered', plan: null, cancels: [], factArrived: false,
    expiryDue: false, windowDue: false, windowRuns: false, answerable: false, voidParked: false, rounds: 0, needsAttention: false, waitsFor: null,
  };
  setHandler(messages.payoutOrderStateQuery, () => viewOf(run));
  setHandler(messages.payoutFactSignal, () => { run.factArrived = true; });
  setHandler(messages.cancelPayoutOrderSignal, (asked: CancelRequest) => void askToCancel(run, asked));
  setHandler(messages.payoutOrderOutcomeUpdate, async () => {
    await CancellationScope.nonCancellable(() => condition(() => run.answerable));
    return viewOf(run);
  });
  setHandler(messages.cancelPayoutOrderUpdate, async (request: CancelRequest) => {
    const asked = askToCancel(run, request);
    await CancellationScope.nonCancellable(() => condition(() => asked.verdict !== 'open'));
    if (asked.verdict === 'refused') throw notCancellable(run);
    return viewOf(run);
  }, { validator: (_asked: CancelRequest) => {
    if (run.status !== 'cancelled' && !isCancellablePayoutOrderStatus(run.status)) throw notCancellable(run);
  } });
  // Callers are answered even after a cancellation of the Workflow: hence `nonCancellable` in the handlers.
  // A cancellation from the Temporal Web UI or CLI is a request like any other.
  void CancellationScope.current().cancelRequested.catch(() => askToCancel(run, { requestedBy: 'temporal' }));
  show(run);
  return run;
}

function askToCancel(run: PayoutOrderRun, request: CancelRequest): CancelAsked {
  const asked: CancelAsked = { by: request.requestedBy, verdict: run.status === 'cancelled' ? 'cancelled' : run.voidParked ? 'verifying' : 'open' };
  if (asked.verdict !== 'cancelled') run.cancels.push(asked);
  return asked;
}

function notCancellable(run: PayoutOrderRun): ApplicationFailure {
  return ApplicationFailure.create({
    type: messages.NOT_CANCELLABLE, nonRetryable: true, details: [viewOf(run)], message: `the payout order is ${run.status} and cannot be cancelled`,
  });
}

/** Starts the timer of `expires_at` (P2). It is never cancelled: a payout order that ends sooner simply ends with it. */
export function startExpiryTimer(run: PayoutOrderRun): void {
  const remainingMs = Math.max(0, Date.parse(run.request.expiresAt) - Date.now());
  void sleep(remainingMs, { summary: `the reference expires at ${run.request.expiresAt}` }).then(() => { run.expiryDue = true; });
}

/** Starts the timer of the confirmation window, once (P2). */
export function startWindowTimer(run: PayoutOrderRun, plan: PayoutOrderPlan): void {
  if (run.windowRuns) return;
  run.windowRuns = true;
  void sleep(plan.confirmationWindowMs, { summary: 'confirmation window: the rail may still reverse the withdrawal' }).then(() => { run.windowDue = true; });
}

/** Makes the same question due once more, after a pause that grows from about a minute to an hour; anything else may happen meanwhile. */
export function askAgainLater(run: PayoutOrderRun, cause: AskCause): void {
  run.rounds += 1;
  void sleep(notSentPauseMs(6 + run.rounds, null), { summary: 'the provider is to be asked again' }).then(() => {
    if (cause === 'expiry') run.expiryDue = true;
    else if (cause === 'window_ended') run.windowDue = true;
    else run.factArrived = true;
  });
}

/** Moves to the status that the settling transaction wrote down, and tells those who wait. */
export function moveTo(run: PayoutOrderRun, status: PayoutOrderStatus): void {
  if (status === run.status) return;
  run.rounds = 0;
  run.needsAttention = false;
  run.status = status;
  run.statusDetail = status;
  answerCancels(run);
  show(run);
  publish(run);
}

/** Gives every open cancel request the verdict that the status implies; in a status that still may be cancelled they stay open. */
function answerCancels(run: PayoutOrderRun): void {
  if (!isFinal(run)) return;
  for (const asked of run.cancels.splice(0)) asked.verdict = run.status === 'cancelled' ? 'cancelled' : 'refused';
}

/** The provider refused to void: every open cancel request is refused (P4). */
export function refuseCancels(run: PayoutOrderRun): void {
  for (const asked of run.cancels.splice(0)) asked.verdict = 'refused';
}

/** The outcome of a void is being verified: callers get the state as it is, the story goes on. */
export function parkCancels(run: PayoutOrderRun): void {
  run.voidParked = true;
  for (const asked of run.cancels) asked.verdict = 'verifying';
}

/** Writes the search attributes; call it only in a task that happens anyway (one history event). */
export function publish(run: PayoutOrderRun): void {
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.status, value: run.status },
    ...(run.plan === null ? [] : [{ key: SEARCH_ATTRIBUTES.provider, value: run.plan.provider }]),
    { key: SEARCH_ATTRIBUTES.needsAttention, value: run.needsAttention },
  ]);
}

/** Shows the run on the Workflow's page. */
export function show(run: PayoutOrderRun): void {
  const { request } = run;
  showDetails({
    title: `Payout order of ${formatMoney(request)}`,
    status: run.statusDetail === run.status ? run.status : `${run.status} (${run.statusDetail})`,
    lines: [`reference expires at ${request.expiresAt}`],
    waitsFor: run.waitsFor ?? (run.status === 'pending' ? 'somebody to collect the cash' : run.status === 'pending_confirmation' ? 'the confirmation window' : null),
    unblockedBy: run.needsAttention ? 'an operator: see the case of this payout order' : null,
  });
}

/** Whether the payout order rests for good. */
export function isFinal(run: PayoutOrderRun): boolean {
  return isFinalPayoutOrderStatus(run.status);
}

/** Names the payout order in calls of Activities. */
export function refOf(run: PayoutOrderRun): PayoutOrderRef {
  return { workflowId: run.workflowId, runId: run.runId, merchantId: run.request.merchantId, payoutOrderId: run.request.payoutOrderId };
}

function viewOf(run: PayoutOrderRun): PayoutOrderView {
  return {
    payoutOrderId: run.request.payoutOrderId, status: run.status, statusDetail: run.statusDetail,
    fingerprint: run.plan?.fingerprint ?? run.request.fingerprint, needsAttention: run.needsAttention,
  };
}

/** The payout order as callers see it. */
export { viewOf as payoutOrderViewOf };
