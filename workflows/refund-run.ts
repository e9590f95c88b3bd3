import { ApplicationFailure, CancellationScope, condition, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { LegPlan, RefundRequest, ReserveRefundResult, WorkflowRef } from '../activities/contracts.ts';
import { formatMoney } from '../src/domain/money.ts';
import { applyRefundEvent, INITIAL_REFUND_STATE } from '../src/domain/refund.ts';
import type { RefundEvent, RefundState } from '../src/domain/refund.ts';
import { isRefused } from '../src/domain/rejections.ts';
import type { RefundRefusal } from '../src/domain/rejections.ts';
import { isCancellableRefundStatus, isFinalRefundStatus } from '../src/domain/refund-status.ts';
import { showDetails } from './details.ts';
import * as messages from './messages.ts';
import type { CancelRequest, RefundView } from './messages.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** The live state of one refund Workflow: what handlers enqueue, what the story decides. */
export interface RefundRun extends WorkflowRef {
  readonly request: RefundRequest;
  state: RefundState;
  refusal: RefundRefusal | null;
  plan: Extract<ReserveRefundResult, { kind: 'reserved' }> | null;
  /** Legs whose turn a signal announced (S5). */
  readonly turns: Set<string>;
  /** Somebody asked to cancel; acted upon by the story, never by the handler. */
  cancelRequested: CancelRequest | null;
  /** Something was sent, or is about to be: cancelling is over (R4). */
  sending: boolean;
  /** Legs at work in an Activity; zero while reserved means parked. */
  readonly working: Set<string>;
  /** The provider would not show the order: callers are answered, the Workflow tries on. */
  orderUnreadable: boolean;
  needsAttention: boolean;
  waitsFor: string | null;
  /** Of the request on record (R8). */
  fingerprint: string;
  /** The search attributes as last written. */
  published: string;
}

/** Opens the run and sets every handler before the first `await`. */
export function openRefundRun(request: RefundRequest): RefundRun {
  const { workflowId, runId } = workflowInfo();
  const run: RefundRun = {
    request, workflowId, runId, state: INITIAL_REFUND_STATE, refusal: null, plan: null, turns: new Set(),
    cancelRequested: null, sending: false, working: new Set(), orderUnreadable: false, needsAttention: false, waitsFor: null,
    fingerprint: request.fingerprint, published: '',
  };
  setHandler(messages.refundStateQuery, () => viewOf(run));
  setHandler(messages.turnSignal, ({ legId }) => void run.turns.add(legId));
  setHandler(messages.cancelRefundSignal, (asked: CancelRequest) => askToCancel(run, asked));
  setHandler(messages.refundOutcomeUpdate, async () => {
    await CancellationScope.nonCancellable(() => condition(() => isFinal(run) || isParked(run)));
    return viewOf(run);
  });
  setHandler(messages.cancelRefundUpdate, async (asked: CancelRequest) => {
    askToCancel(run, asked);
    await CancellationScope.nonCancellable(() => condition(() => isFinal(run) || run.sending));
    if (run.state.status !== 'cancelled') throw notCancellable(run);
    return viewOf(run);
  }, { validator: (_asked: CancelRequest) => {
    if (run.state.status !== 'cancelled' && (run.sending || !isCancellableRefundStatus(run.state.status))) throw notCancellable(run);
  } });
  // Callers are answered even after a cancellation of the Workflow: hence `nonCancellable` in the handlers.
  // A cancellation from the Temporal Web UI or CLI is a request like any other: it never tears a send apart.
  void CancellationScope.current().cancelRequested.catch(() => askToCancel(run, { requestedBy: 'temporal' }));
  show(run);
  return run;
}

function askToCancel(run: RefundRun, asked: CancelRequest): void {
  if (!run.sending && isCancellableRefundStatus(run.state.status)) run.cancelRequested ??= asked;
}

function notCancellable(run: RefundRun): ApplicationFailure {
  return ApplicationFailure.create({
    type: messages.NOT_CANCELLABLE, nonRetryable: true, details: [viewOf(run)],
    message: `the refund is ${run.state.status} and can no longer be cancelled`,
  });
}

/** Applies an event; one the machine refuses is a defect and stops the Workflow Task for a fix. */
export function apply(run: RefundRun, event: RefundEvent): void {
  const next = applyRefundEvent(run.state, event);
  if (isRefused(next)) throw new Error(`refund machine refused ${next.event} in ${next.from}`);
  run.state = next;
  show(run);
}

/** Runs a wait during which callers are answered with the state as it is. */
export async function parked<T>(run: RefundRun, leg: LegPlan, waitsFor: string, wait: () => Promise<T>): Promise<T> {
  run.working.delete(leg.legId);
  run.waitsFor = waitsFor;
  show(run);
  publish(run);
  try {
    return await wait();
  } finally {
    run.working.add(leg.legId);
    run.waitsFor = null;
    show(run);
  }
}

/** Writes the search attributes when they have changed; call it only in a task that happens anyway (one history event). */
export function publish(run: RefundRun): void {
  const published = `${run.state.status} ${run.needsAttention} ${run.plan !== null}`;
  if (published === run.published) return;
  run.published = published;
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.status, value: run.state.status },
    ...(run.plan === null ? [] : [
      { key: SEARCH_ATTRIBUTES.provider, value: run.plan.provider },
      { key: SEARCH_ATTRIBUTES.amount, value: run.plan.amountMinor },
      { key: SEARCH_ATTRIBUTES.currency, value: run.plan.currency },
    ]),
    { key: SEARCH_ATTRIBUTES.needsAttention, value: run.needsAttention },
  ]);
}

/** Shows the run on the Workflow's page. */
export function show(run: RefundRun): void {
  const { plan, request } = run;
  showDetails({
    title: `Refund ${plan === null ? '' : `${formatMoney(plan)} `}of ${request.orderId}`,
    status: `${run.state.status} (${run.state.statusDetail})`,
    lines: plan === null ? [] : plan.legs.map((leg) => `charge ${leg.chargeId}: ${formatMoney({ amountMinor: leg.amountMinor, currency: plan.currency })}`),
    waitsFor: run.waitsFor,
    unblockedBy: run.needsAttention ? 'an operator: see the case of this refund' : null,
  });
}

/** Whether the refund rests for good. */
export function isFinal(run: RefundRun): boolean {
  return isFinalRefundStatus(run.state.status);
}

function isParked(run: RefundRun): boolean {
  return run.orderUnreadable || (run.plan !== null && run.working.size === 0);
}

/** The refund as callers see it. */
export function viewOf(run: RefundRun): RefundView {
  return {
    refundId: run.request.refundId, orderId: run.request.orderId, status: run.state.status, statusDetail: run.state.statusDetail,
    refusal: run.refusal, amountMinor: run.plan?.amountMinor ?? null, currency: run.plan?.currency ?? null,
    fingerprint: run.fingerprint, needsAttention: run.needsAttention,
  };
}
