import { isGrpcServiceError, ServiceError, WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { UpdateDefinition } from '@temporalio/common';
import { NOT_CANCELLABLE } from '../../workflows/messages.ts';
import type { PayoutOrderView, RefundView } from '../../workflows/messages.ts';
import { NotCancellableError, NotRunningError, TemporalUnavailableError } from './client-errors.ts';

/** What became of a request within the time its caller waits. */
export type Answer<View> =
  /** The Workflow answered: final, or parked with the state it has. */
  | { readonly kind: 'answered'; readonly view: View }
  /** Taken in for good; no answer within the wait (R10). */
  | { readonly kind: 'accepted' }
  /** Taken in before, and over: the records say how it ended. */
  | { readonly kind: 'closed' };

/** How long after the wait the server is asked whether it took the request in, milliseconds. */
const CONFIRM_MS = 3000;

/**
 * Starts a Workflow and waits for its first answer, in one call to the server. The start is durable before the answer, so
 * a caller that dies or stops waiting loses nothing.
 * @throws TemporalUnavailableError when it is not known whether the request was taken in.
 */
export async function startAndWait<View>(client: Client, workflowType: string, options: WorkflowStartOptions & { workflowId: string; args: unknown[] }, update: UpdateDefinition<View, []>, waitMs: number): Promise<Answer<View>> {
  const { workflowId } = options;
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, { ...options, workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'REJECT_DUPLICATE' });
  try {
    const view = await client.withDeadline(Date.now() + waitMs, () => client.workflow.executeUpdateWithStart(update, { updateId: workflowId, startWorkflowOperation }));
    return { kind: 'answered', view };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'closed' };
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isServiceError(error)) return confirmTaken(client, workflowId, error);
    throw error;
  }
}

async function confirmTaken(client: Client, workflowId: string, cause: unknown): Promise<{ readonly kind: 'accepted' }> {
  try {
    await client.withDeadline(Date.now() + CONFIRM_MS, () => client.workflow.getHandle(workflowId).describe());
    return { kind: 'accepted' };
  } catch (error) {
    if (isServiceError(error) || error instanceof WorkflowNotFoundError) throw new TemporalUnavailableError('the Temporal server did not confirm the request', { cause });
    throw error;
  }
}

/**
 * Sends an update and waits for its verdict.
 * @throws NotCancellableError, NotRunningError, TemporalUnavailableError
 */
export async function updateAndWait<View extends RefundView | PayoutOrderView, Arg>(client: Client, workflowId: string, update: UpdateDefinition<View, [Arg]>, arg: Arg, waitMs: number): Promise<View | null> {
  const deadline = Date.now() + waitMs;
  let isTaken = false;
  try {
    // In two steps: an update that no Worker has accepted is not in the history, and forgotten when the server dies.
    const asked = await client.withDeadline(deadline, () => client.workflow.getHandle(workflowId).startUpdate(update, { args: [arg], waitForStage: 'ACCEPTED' }));
    isTaken = true;
    return await client.withDeadline(deadline, () => asked.result());
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure && error.cause.type === NOT_CANCELLABLE) {
      throw new NotCancellableError(error.cause.message, (error.cause.details?.[0] ?? null) as View | null);
    }
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      if (isTaken) return null;
      throw new TemporalUnavailableError('the Temporal server did not confirm the request', { cause: error });
    }
    throw toClientError(error, workflowId);
  }
}

/** Runs a call to one Workflow and translates what may go wrong. @throws NotRunningError, TemporalUnavailableError */
export async function callWorkflow<T>(workflowId: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toClientError(error, workflowId);
  }
}

function toClientError(error: unknown, workflowId: string): unknown {
  if (error instanceof WorkflowNotFoundError) return new NotRunningError(`no running Workflow ${workflowId}`, { cause: error });
  if (isServiceError(error)) return new TemporalUnavailableError('the Temporal server did not answer', { cause: error });
  return error;
}

function isServiceError(error: unknown): boolean {
  return error instanceof ServiceError || isGrpcServiceError(error);
}
