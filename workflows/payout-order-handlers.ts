import { ApplicationFailure, CancellationScope, condition, setHandler } from '@temporalio/workflow';
import type { PayoutOrderRequest } from '../activities/payout-contracts.ts';
import { isCancellablePayoutOrderStatus, isFactShown } from '../src/domain/payout-order.ts';
import { isCompleteAct } from './acts.ts';
import * as messages from './messages.ts';
import type { ActRefusal, CancelRequest, OperatorAct, PayoutFact } from './messages.ts';
import { isFinal, newPayoutOrderRun, show, viewOf } from './payout-order-run.ts';
import type { CancelAsked, CarriedOver, FactReported, PayoutOrderRun, RetryAsked } from './payout-order-run.ts';

/** Opens the run and sets every handler before the first `await`. Handlers only enqueue: the story acts, and gives the verdict. */
export function openPayoutOrderRun(request: PayoutOrderRequest, carriedOver: CarriedOver): PayoutOrderRun {
  const run = newPayoutOrderRun(request, carriedOver);
  setHandler(messages.payoutOrderStateQuery, () => viewOf(run));
  setHandler(messages.payoutFactSignal, (fact: PayoutFact) => hear(run, fact));
  setHandler(messages.reportPayoutFactUpdate, async (fact: PayoutFact) => {
    const report: FactReported = { isAsked: run.isOver };
    hear(run, fact);
    if (!report.isAsked) run.reports.push(report);
    await waitFor(() => report.isAsked);
    return viewOf(run);
  });
  setHandler(messages.payoutOrderOutcomeUpdate, async () => {
    await waitFor(() => run.answerable);
    return viewOf(run);
  });
  setHandler(messages.cancelPayoutOrderSignal, (asked: CancelRequest) => void askToCancel(run, asked));
  setHandler(messages.cancelPayoutOrderUpdate, async (asking: CancelRequest) => {
    const asked = askToCancel(run, asking);
    await waitFor(() => asked.verdict !== 'open');
    if (asked.verdict === 'refused') throw notCancellable(run);
    return viewOf(run);
  }, { validator: (_asked: CancelRequest) => {
    if (run.status !== 'cancelled' && !isCancellablePayoutOrderStatus(run.status)) throw notCancellable(run);
  } });
  setHandler(messages.retryPayoutOrderUpdate, (act: OperatorAct) => retry(run, act), { validator: (act: OperatorAct) => {
    if (!isCompleteAct(act)) throw actRefused(run, 'malformed');
    if (run.isOver || isFinal(run) || run.settling || !run.answerable) throw actRefused(run, 'not_awaited');
  } });
  // A cancellation from the Temporal Web UI or CLI is a request like any other.
  void CancellationScope.current().cancelRequested.catch(() => askToCancel(run, { requestedBy: 'temporal' }));
  show(run);
  return run;
}

/** Callers are answered even after a cancellation of the Workflow. */
function waitFor(isOver: () => boolean): Promise<void> {
  return CancellationScope.nonCancellable(() => condition(isOver));
}

/** What a fact says is not believed, and not forgotten either: a provider may show it later than it announces it (P6). */
function hear(run: PayoutOrderRun, fact: PayoutFact): void {
  run.factArrived = true;
  run.reversalTold ||= fact.type === 'reversal';
  if (fact.type === 'changed' || isFactShown(run.status, fact.type) || run.claims.has(fact.type)) return;
  run.claims.add(fact.type);
  run.claimLooks = 0;
}

function askToCancel(run: PayoutOrderRun, request: CancelRequest): CancelAsked {
  const asked: CancelAsked = { by: request.requestedBy, verdict: run.status === 'cancelled' ? 'cancelled' : run.voidParked ? 'verifying' : 'open' };
  if (asked.verdict !== 'cancelled') run.cancels.push(asked);
  return asked;
}

async function retry(run: PayoutOrderRun, { actor, reason }: OperatorAct) {
  const asked: RetryAsked = { actor, reason, verdict: run.isOver ? 'overtaken' : 'open' };
  run.retries.push(asked);
  await waitFor(() => asked.verdict !== 'open');
  if (asked.verdict === 'overtaken') throw actRefused(run, 'overtaken');
  return viewOf(run);
}

function notCancellable(run: PayoutOrderRun): ApplicationFailure {
  return ApplicationFailure.create({
    type: messages.NOT_CANCELLABLE, nonRetryable: true, details: [viewOf(run)], message: `the payout order is ${run.status} and cannot be cancelled`,
  });
}

function actRefused(run: PayoutOrderRun, why: ActRefusal): ApplicationFailure {
  return ApplicationFailure.create({ type: messages.ACT_REFUSED, nonRetryable: true, details: [viewOf(run), why], message: `the payout order is ${run.status}: ${why}` });
}
