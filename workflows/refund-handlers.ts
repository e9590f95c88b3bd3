import { ApplicationFailure, CancellationScope, condition, setHandler } from '@temporalio/workflow';
import type { RefundStart } from '../activities/contracts.ts';
import { isCancellableRefundStatus } from '../src/domain/refund-status.ts';
import * as messages from './messages.ts';
import type { CancelRequest } from './messages.ts';
import { handleDecisions } from './refund-decisions.ts';
import { isFinal, isParked, newRefundRun, show, viewOf } from './refund-run.ts';
import type { RefundRun } from './refund-run.ts';

/** Opens the run and sets every handler before the first `await`. */
export function openRefundRun(start: RefundStart): RefundRun {
  const run = newRefundRun(start);
  setHandler(messages.refundStateQuery, () => viewOf(run));
  setHandler(messages.turnSignal, ({ legId }) => void run.turns.add(legId));
  setHandler(messages.turnAwaitedSignal, () => undefined);
  setHandler(messages.refundFactSignal, () => { run.factsTold += 1; });
  handleDecisions(run);
  setHandler(messages.cancelRefundSignal, (asked: CancelRequest) => askToCancel(run, asked));
  setHandler(messages.refundOutcomeUpdate, async () => {
    await CancellationScope.nonCancellable(() => condition(() => isFinal(run) || isParked(run)));
    const { orderId: _known, ...told } = messages.toldRefund(viewOf(run));
    return told;
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
