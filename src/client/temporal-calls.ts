import { isGrpcServiceError, ServiceError, WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { QueryDefinition, UpdateDefinition } from '@temporalio/common';
import { FINGERPRINT_MEMO } from '../../workflows/ids.ts';
import { ACT_REFUSED, NOT_CANCELLABLE } from '../../workflows/messages.ts';
import type { ActRefusal, PayoutOrderView, RefundView } from '../../workflows/messages.ts';
import { ActRefusedError, KeyReusedError, NotCancellableError, NotRunningError, TemporalUnavailableError } from './client-errors.ts';

/** What became of a request within the time its caller waits. */
export type Answer<View> =
  /** The Workflow answered: final, or parked with the state it has. */
  | { readonly kind: 'answered'; readonly view: View }
  /** Taken in for good; no answer within the wait (R10). */
  | { readonly kind: 'accepted' }
  /** Taken in before, and over: the records say how it ended. */
  | { readonly kind: 'closed' };

/** How long after the wait the server may still be asked what became of the request, milliseconds. */
const CONFIRM_MS = 3000;

/** How a Workflow ends that did not come to its end. */
const DEAD: ReadonlySet<string> = new Set(['TERMINATED', 'FAILED', 'CANCELLED', 'TIMED_OUT']);

/** The update id under which a Workflow gives its first answer. Short: a history repeats it five times. */
const FIRST_ANSWER_ID = 'first';

/** What all views of a request have in common. */
interface RequestView {
  /** Of the request that the key stands for (R8). */
  readonly fingerprint: string;
}

/** A request to take in: how its Workflow is started, asked for its first answer, and asked how it stands. */
export interface Asked<View extends RequestView, Told = View> {
  readonly workflowType: string;
  readonly start: WorkflowStartOptions & { workflowId: string; args: unknown[] };
  readonly outcome: UpdateDefinition<Told, []>;
  /** Makes a view of the first answer, from which histories leave out what is known here. */
  readonly whole: (told: Told) => View;
  readonly state: QueryDefinition<View>;
  readonly fingerprint: string;
  /** Whether nothing more is expected to happen to what the view shows. */
  isFinal(view: View): boolean;
  /** Whether the first answer may be handed out as it is, however old it may be by now. */
  readonly firstAnswerSuffices: boolean;
}

/**
 * Starts a Workflow and waits for its first answer, in one call to the server. The start is durable before the answer, so
 * a caller that dies or stops waiting loses nothing. A repeated request is given the first answer again, by the same update id; one
 * that time may have overtaken is replaced by the state as it is now.
 * @throws KeyReusedError when the Workflow was started for another request; TemporalUnavailableError when it is not known whether
 * the request was taken in.
 */
export async function startAndWait<View extends RequestView, Told>(client: Client, asked: Asked<View, Told>, waitMs: number): Promise<Answer<View>> {
  const deadline = Date.now() + waitMs;
  const answer = await firstAnswer(client, asked, deadline, FIRST_ANSWER_ID);
  if (answer.kind !== 'answered') return answer;
  requireSameRequest(answer.view.fingerprint, asked.fingerprint);
  if (asked.isFinal(answer.view)) return answer;
  const deadRunId = await deadRun(client, asked.start.workflowId);
  if (deadRunId !== null) return revive(client, asked, Math.max(deadline, Date.now() + CONFIRM_MS), deadRunId);
  return asked.firstAnswerSuffices ? answer : presentState(client, asked, deadline);
}

/** The run that was ended before what it was about was over; `null` when it goes on, came to its end, or nobody can tell at present. */
async function deadRun(client: Client, workflowId: string): Promise<string | null> {
  try {
    const { status, runId } = await client.withDeadline(Date.now() + CONFIRM_MS, () => client.workflow.getHandle(workflowId).describe());
    return DEAD.has(status.name) ? runId : null;
  } catch (error) {
    if (isServiceError(error) || error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/**
 * Begins a Workflow again that was ended by hand: its request was acknowledged (I3), and the records say where to go on. The first answer of
 * the dead run is known to the server by its update id, so that another one is needed to start a new run; the same one for all who ask.
 */
async function revive<View extends RequestView, Told>(client: Client, asked: Asked<View, Told>, deadline: number, deadRunId: string): Promise<Answer<View>> {
  const answer = await firstAnswer(client, asked, deadline, `${FIRST_ANSWER_ID}/${deadRunId}`);
  if (answer.kind === 'answered') requireSameRequest(answer.view.fingerprint, asked.fingerprint);
  return answer;
}

async function firstAnswer<View extends RequestView, Told>(client: Client, { workflowType, start, outcome, whole, fingerprint }: Asked<View, Told>, deadline: number, updateId: string): Promise<Answer<View>> {
  const { workflowId } = start;
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, {
    ...start, memo: { [FINGERPRINT_MEMO]: fingerprint }, workflowIdConflictPolicy: 'USE_EXISTING',
    // One that was ended by hand goes on where the records stand: its request was acknowledged (I3). One that came to its end never does.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
  });
  try {
    const told = await client.withDeadline(deadline, () => client.workflow.executeUpdateWithStart(outcome, { updateId, startWorkflowOperation }));
    return { kind: 'answered', view: whole(told) };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'closed' };
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isServiceError(error)) return confirmTaken(client, workflowId, fingerprint, error);
    throw error;
  }
}

/** Without a Worker nobody has compared the request with the one that started the Workflow: the server's note of that one tells. */
async function confirmTaken(client: Client, workflowId: string, fingerprint: string, cause: unknown): Promise<{ readonly kind: 'accepted' }> {
  let memo: Record<string, unknown> | undefined;
  let isDead: boolean;
  try {
    const described = await client.withDeadline(Date.now() + CONFIRM_MS, () => client.workflow.getHandle(workflowId).describe());
    ({ memo } = described);
    isDead = DEAD.has(described.status.name);
  } catch (error) {
    if (isServiceError(error) || error instanceof WorkflowNotFoundError) throw new TemporalUnavailableError('the Temporal server did not confirm the request', { cause });
    throw error;
  }
  // A run that was ended by hand has not taken this request in: it would begin again, had the server answered.
  if (isDead) throw new TemporalUnavailableError('the Temporal server did not confirm the request', { cause });
  // A Workflow started by an earlier version carries no note: it compares for itself as soon as a Worker runs it.
  requireSameRequest(memo?.[FINGERPRINT_MEMO] ?? fingerprint, fingerprint);
  return { kind: 'accepted' };
}

/** How the Workflow stands now, running or ended; when nobody can tell at present, only that it took the request in. */
async function presentState<View extends RequestView, Told>(client: Client, { start, state }: Asked<View, Told>, deadline: number): Promise<Answer<View>> {
  try {
    const view = await client.withDeadline(Math.max(deadline, Date.now() + CONFIRM_MS), () => client.workflow.getHandle(start.workflowId).query(state));
    return { kind: 'answered', view };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'closed' };
    if (isServiceError(error)) return { kind: 'accepted' };
    throw error;
  }
}

function requireSameRequest(started: unknown, asked: string): void {
  if (started !== asked) throw new KeyReusedError('the idempotency key stands for another request');
}

/**
 * Sends an update and waits for its verdict.
 * @throws NotCancellableError, ActRefusedError, NotRunningError, TemporalUnavailableError
 */
export async function updateAndWait<View extends RefundView | PayoutOrderView | void, Arg>(client: Client, workflowId: string, update: UpdateDefinition<View, [Arg]>, arg: Arg, waitMs: number): Promise<View | null> {
  const deadline = Date.now() + waitMs;
  let isTaken = false;
  try {
    // In two steps: an update that no Worker has accepted is not in the history, and forgotten when the server dies.
    const asked = await client.withDeadline(deadline, () => client.workflow.getHandle(workflowId).startUpdate(update, { args: [arg], waitForStage: 'ACCEPTED' }));
    isTaken = true;
    return await client.withDeadline(deadline, () => asked.result());
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) throw toRefusal(error.cause);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      if (isTaken) return null;
      throw new TemporalUnavailableError('the Temporal server did not confirm the request', { cause: error });
    }
    throw toClientError(error, workflowId);
  }
}

/** An update that was refused, in words of ours; any other failure is a defect and stays as it is. */
function toRefusal(failure: ApplicationFailure): Error {
  const [view = null, why = 'malformed'] = (failure.details ?? []) as [(RefundView | PayoutOrderView | null)?, ActRefusal?];
  if (failure.type === NOT_CANCELLABLE) return new NotCancellableError(failure.message, view);
  if (failure.type === ACT_REFUSED) return new ActRefusedError(failure.message, why, view);
  return failure;
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
