import { sleep, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { Named, WorkflowRef } from '../activities/contracts.ts';
import type { AskCause, PayoutOrderPlan, PayoutOrderRef, PayoutOrderRequest } from '../activities/payout-contracts.ts';
import { formatMoney } from '../src/domain/money.ts';
import { isFinalPayoutOrderStatus } from '../src/domain/payout-order.ts';
import type { PayoutClaim, PayoutOrderStatus } from '../src/domain/payout-order.ts';
import { notSentPauseMs } from './backoff.ts';
import { showDetails } from './details.ts';
import type { OperatorAct, PayoutOrderView } from './messages.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** A request to cancel, and what became of it. */
export interface CancelAsked {
  readonly by: string;
  verdict: 'open' | 'cancelled' | 'refused' | 'verifying';
}

/** A fact whose teller waits until the provider was asked. */
export interface FactReported {
  isAsked: boolean;
}

/** An operator's wish to have things tried now, and what became of it. */
export interface RetryAsked extends OperatorAct {
  verdict: 'open' | 'done' | 'overtaken';
}

/** The live state of one payout order Workflow: what handlers and timers enqueue, what the story decides. */
export interface PayoutOrderRun extends WorkflowRef {
  readonly request: PayoutOrderRequest;
  status: PayoutOrderStatus;
  statusDetail: string;
  plan: PayoutOrderPlan | null;
  readonly cancels: CancelAsked[];
  readonly reports: FactReported[];
  readonly retries: RetryAsked[];
  /** Something happened at the provider since it was last asked (facts are coalesced: one question answers all). */
  factArrived: boolean;
  /** A fact was heard while the reference was being looked for. That look may be answered from the records, which know nothing of it. */
  heardWhileIssuing: boolean;
  /** What facts said and the provider has not shown yet. */
  readonly claims: Set<PayoutClaim>;
  /** How often they were looked for again. */
  claimLooks: number;
  claimTimerRuns: boolean;
  /** A reversal was told, shown or not: the end of the window decides nothing against it. */
  reversalTold: boolean;
  expiryDue: boolean;
  windowDue: boolean;
  windowRuns: boolean;
  windowEnded: boolean;
  /** Issuing is over, one way or the other, or takes longer than callers should wait. */
  answerable: boolean;
  /** A void is being verified, or waits for the provider: whoever asks to cancel now is answered with the state as it is. */
  voidParked: boolean;
  /** The settle delay runs, which nobody may cut short. */
  settling: boolean;
  /** Rounds of asking the provider for the same thing. */
  rounds: number;
  needsAttention: boolean;
  /** The provider said something that the records exclude: that stays before a human whatever comes next. */
  contradicted: boolean;
  waitsFor: string | null;
  /** The story is told: nothing that comes now is acted upon. */
  isOver: boolean;
}

/** What a new run takes over from the one before, besides what the records hold. */
export interface CarriedOver {
  readonly reversalTold?: boolean;
}

/** The state of a run that has only just begun. */
export function newPayoutOrderRun(request: PayoutOrderRequest, { reversalTold = false }: CarriedOver): PayoutOrderRun {
  const { workflowId, runId } = workflowInfo();
  return {
    request, workflowId, runId, status: 'open', statusDetail: 'registered', plan: null, cancels: [], reports: [], retries: [],
    factArrived: false, heardWhileIssuing: false, claims: new Set(), claimLooks: 0, claimTimerRuns: false, reversalTold, expiryDue: false, windowDue: false, windowRuns: false, windowEnded: false,
    answerable: false, voidParked: false, settling: false, rounds: 0, needsAttention: false, contradicted: false, waitsFor: null, isOver: false,
  };
}

/** Starts the timer of `expires_at` (P2). It is never cancelled: a payout order that ends sooner simply ends with it. */
export function startExpiryTimer(run: PayoutOrderRun): void {
  const remainingMs = Math.max(0, Date.parse(run.request.expiresAt) - Date.now());
  void sleep(remainingMs, { summary: `the reference expires at ${run.request.expiresAt}` }).then(() => { run.expiryDue = true; });
}

/** Starts the timer of the confirmation window, once (P2); where a Workflow began again, only the rest of it. */
export function startWindowTimer(run: PayoutOrderRun, { confirmationWindowMs, standing }: PayoutOrderPlan): void {
  if (run.windowRuns) return;
  run.windowRuns = true;
  const begunAt = standing?.withdrawalBegunAt ?? null;
  const remainingMs = begunAt === null ? confirmationWindowMs : Math.max(0, Date.parse(begunAt) + confirmationWindowMs - Date.now());
  void sleep(remainingMs, { summary: 'confirmation window: the rail may still reverse the withdrawal' }).then(() => {
    run.windowEnded = true;
    run.windowDue = true;
  });
}

/** Makes the same question due once more, after a pause that grows from about a minute to an hour; anything else may happen meanwhile. */
export function askAgainLater(run: PayoutOrderRun, cause: AskCause): void {
  run.rounds += 1;
  // These are asked again by themselves, or by whoever asked.
  if (cause === 'poll' || cause === 'retry') return;
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
  run.needsAttention = run.contradicted;
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

/** Tells those whose facts the provider was asked about, or cannot be asked about at present. */
export function answerReports(run: PayoutOrderRun, reports: readonly FactReported[] = [...run.reports]): void {
  for (const report of reports) {
    report.isAsked = true;
    const index = run.reports.indexOf(report);
    if (index !== -1) run.reports.splice(index, 1);
  }
}

/** The story is over: whoever still waits for something is told. */
export function answerEverybody(run: PayoutOrderRun): void {
  run.isOver = true;
  answerReports(run);
  for (const asked of run.retries.splice(0)) asked.verdict = 'overtaken';
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

/** Whether the reference has run out by the clock. */
export function isPastExpiry(run: PayoutOrderRun): boolean {
  return Date.now() >= Date.parse(run.request.expiresAt);
}

/** Names the payout order in calls of Activities. */
export function refOf(run: PayoutOrderRun): Named<PayoutOrderRef> {
  return { merchantId: run.request.merchantId, payoutOrderId: run.request.payoutOrderId };
}

/** The payout order as callers see it. */
export function viewOf(run: PayoutOrderRun): PayoutOrderView {
  return {
    payoutOrderId: run.request.payoutOrderId, status: run.status, statusDetail: run.statusDetail,
    fingerprint: run.plan?.fingerprint ?? run.request.fingerprint, needsAttention: run.needsAttention,
  };
}
