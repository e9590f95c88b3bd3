import { ServiceError, WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it, vi } from 'vitest';
import { ActRefusedError, NotCancellableError, NotRunningError, TemporalUnavailableError } from '../../../src/client/client-errors.ts';
import { createReintegroClient } from '../../../src/client/reintegro-client.ts';
import type { NewRefund, ReintegroClient } from '../../../src/client/reintegro-client.ts';
import { ACT_REFUSED, NOT_CANCELLABLE } from '../../../workflows/messages.ts';
import type { RefundView } from '../../../workflows/messages.ts';

const VIEW: RefundView = { refundId: 'rfd_1', orderId: 'ord_1', status: 'review', statusDetail: 'awaiting_approval', refusal: null, amountMinor: 100, currency: 'MXN', fingerprint: 'f', needsAttention: false };
const ACT = { actor: 'ops:ana', reason: 'checked' };
const REFUND: NewRefund = { merchantId: 'm', orderId: 'ord_1', idempotencyKey: 'k', requestedBy: 'billing' };

/** What the client uses of a Temporal server. */
interface Server {
  startUpdate: (update: { readonly name: string }, options: object) => Promise<{ result: () => Promise<unknown> }>;
  signal: () => Promise<void>;
  query: () => Promise<unknown>;
  describe: () => Promise<{ memo?: Record<string, unknown> }>;
  signalWithStart: (workflow: string, options: object) => Promise<void>;
  executeUpdateWithStart: (update: { readonly name: string }, options: { readonly startWorkflowOperation: object }) => Promise<unknown>;
}

/** The client over a server that answers by script; a call without a script is a failure of the test. */
function clientOver(script: Partial<Server>) {
  const { signalWithStart, executeUpdateWithStart, ...handle } = script;
  const getHandle = vi.fn((_workflowId: string) => handle);
  const withDeadline = <T>(_deadline: number, call: () => Promise<T>): Promise<T> => call();
  const client = createReintegroClient({ client: { withDeadline, workflow: { getHandle, signalWithStart, executeUpdateWithStart } } as unknown as Client });
  return { client, getHandle };
}

const refusing = (failure: unknown) => clientOver({ startUpdate: async () => ({ result: async () => { throw failure; } }) }).client;
const refused = (type: string, details: unknown[], message = 'no') => new WorkflowUpdateFailedError('update failed', ApplicationFailure.create({ type, message, details, nonRetryable: true }));
const unavailable = () => new ServiceError('14 UNAVAILABLE');

/** Every act of a person, with the name of the update that it is. */
const ACTS: readonly (readonly [keyof ReintegroClient, string, (client: ReintegroClient) => Promise<unknown>])[] = [
  ['approveRefund', 'approveRefund', (client) => client.approveRefund('m', 'rfd_1', ACT)], ['rejectRefund', 'rejectRefund', (client) => client.rejectRefund('m', 'rfd_1', ACT)],
  ['confirmRefund', 'confirmRefund', (client) => client.confirmRefund('m', 'rfd_1', ACT)], ['contestRefund', 'contestRefund', (client) => client.contestRefund('m', 'rfd_1', ACT)],
  ['retryRefund', 'retryRefund', (client) => client.retryRefund('m', 'rfd_1', ACT)], ['resolveRefund', 'resolveRefund', (client) => client.resolveRefund('m', 'rfd_1', { ...ACT, outcome: 'failed' })],
  ['acknowledgeLateFailure', 'acknowledgeLateFailure', (client) => client.acknowledgeLateFailure('m', 'rfd_1', ACT)],
];

describe('an act of a person (R3, O2)', () => {
  it.each(ACTS)('%s should be one update of the refund\'s Workflow, with who and why', async (name, update, act) => {
    const startUpdate = vi.fn(async () => ({ result: async () => VIEW }));
    const { client, getHandle } = clientOver({ startUpdate });
    expect(await act(client)).toEqual(name === 'acknowledgeLateFailure' ? undefined : VIEW);
    expect(getHandle).toHaveBeenCalledWith(name === 'acknowledgeLateFailure' ? 'refund-aftermath:m:rfd_1' : 'refund:m:rfd_1');
    expect(startUpdate.mock.calls).toMatchObject([[{ name: update }, { args: [ACT], waitForStage: 'ACCEPTED' }]]);
  });

  it.each(ACTS)('%s should tell why it was refused, and how the refund stands', async (_, _update, act) => {
    const error = await act(refusing(refused(ACT_REFUSED, [VIEW, 'same_person'], 'another person must'))).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ActRefusedError);
    expect(error).toMatchObject({ why: 'same_person', view: VIEW, message: 'another person must' });
  });

  it('should tell a refusal without a view, where no refund is running', async () => {
    await expect(refusing(refused(ACT_REFUSED, [null, 'no_open_case'])).acknowledgeLateFailure('m', 'rfd_1', ACT)).rejects.toMatchObject({ name: 'ActRefusedError', why: 'no_open_case', view: null });
  });

  it.each(ACTS)('%s should say that nothing is running when the Workflow is not there, and that it is not known when the server is not', async (_, _update, act) => {
    const missing = clientOver({ startUpdate: async () => { throw new WorkflowNotFoundError('gone', 'refund:m:rfd_1', undefined); } }).client;
    await expect(act(missing)).rejects.toBeInstanceOf(NotRunningError);
    await expect(act(clientOver({ startUpdate: async () => { throw unavailable(); } }).client)).rejects.toBeInstanceOf(TemporalUnavailableError);
    await expect(act(clientOver({ startUpdate: async () => { throw new WorkflowUpdateRPCTimeoutOrCancelledError('late'); } }).client)).rejects.toBeInstanceOf(TemporalUnavailableError);
  });

  it('should answer null when it was taken and its verdict takes longer than the wait', async () => {
    const slow = refusing(new WorkflowUpdateRPCTimeoutOrCancelledError('late'));
    expect(await slow.approveRefund('m', 'rfd_1', ACT, { waitMs: 1 })).toBeNull();
    expect(await slow.cancelRefund('m', 'rfd_1', 'billing', { waitMs: 1 })).toBeNull();
  });

  it('should keep a refused cancellation what it was, and a failure of another kind a defect (R4)', async () => {
    await expect(refusing(refused(NOT_CANCELLABLE, [VIEW])).cancelRefund('m', 'rfd_1', 'billing')).rejects.toMatchObject({ name: 'NotCancellableError', view: VIEW });
    await expect(refusing(refused(NOT_CANCELLABLE, [])).cancelRefund('m', 'rfd_1', 'billing')).rejects.toBeInstanceOf(NotCancellableError);
    await expect(refusing(refused('SomethingElse', [VIEW])).approveRefund('m', 'rfd_1', ACT)).rejects.toMatchObject({ name: 'ApplicationFailure', type: 'SomethingElse' });
  });
});

describe('a fact about a refund (R6, R9)', () => {
  it('should be a signal, or say that nothing is running or that it is not known', async () => {
    const signal = vi.fn(async () => undefined);
    await clientOver({ signal }).client.signalRefundFact('m', 'rfd_1', 'event_1');
    expect(signal.mock.calls).toMatchObject([[{ name: 'refundFact' }, { eventId: 'event_1' }]]);
    await expect(clientOver({ signal: async () => { throw new WorkflowNotFoundError('gone', 'w', undefined); } }).client.signalRefundFact('m', 'rfd_1', 'e')).rejects.toBeInstanceOf(NotRunningError);
    await expect(clientOver({ signal: async () => { throw unavailable(); } }).client.signalRefundFact('m', 'rfd_1', 'e')).rejects.toBeInstanceOf(TemporalUnavailableError);
  });

  it('should begin to look after a refund that has ended, as often as there is reason', async () => {
    const signalWithStart = vi.fn(async () => undefined);
    await clientOver({ signalWithStart }).client.reviewRefund('m', 'rfd_1', 'ord_1', 'event_1');
    expect(signalWithStart.mock.calls).toMatchObject([['refundAftermathWorkflow', {
      workflowId: 'refund-aftermath:m:rfd_1', args: [{ merchantId: 'm', refundId: 'rfd_1', orderId: 'ord_1' }], signal: { name: 'refundFact' }, signalArgs: [{ eventId: 'event_1' }], workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    }]]);
    await expect(clientOver({ signalWithStart: async () => { throw unavailable(); } }).client.reviewRefund('m', 'rfd_1', 'ord_1', 'e')).rejects.toBeInstanceOf(TemporalUnavailableError);
  });
});

describe('requestRefund', () => {
  it('should join one that runs, begin one anew that was ended by hand, and never one that came to its end (R11, I3)', async () => {
    const executeUpdateWithStart = vi.fn(async (_update: { readonly name: string }, { startWorkflowOperation }: { readonly startWorkflowOperation: object }) => ({ ...VIEW, status: 'refunded', fingerprint: memoOf(startWorkflowOperation) }));
    await clientOver({ executeUpdateWithStart }).client.requestRefund(REFUND);
    const operation = executeUpdateWithStart.mock.calls[0]?.[1].startWorkflowOperation;
    expect(operation).toBeInstanceOf(WithStartWorkflowOperation);
    expect(operation).toMatchObject({ options: { workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY', workflowIdConflictPolicy: 'USE_EXISTING' } });
  });

  it('should carry what the request demands, and nothing that it does not (R3, R5)', async () => {
    const seen: object[] = [];
    const executeUpdateWithStart: Server['executeUpdateWithStart'] = async (_, { startWorkflowOperation }) => {
      seen.push((startWorkflowOperation as { options: { args: [object] } }).options.args[0]);
      return { ...VIEW, status: 'refunded', fingerprint: memoOf(startWorkflowOperation) };
    };
    const { client } = clientOver({ executeUpdateWithStart });
    await client.requestRefund(REFUND);
    await client.requestRefund({ ...REFUND, requireReview: true, requirePayerConfirmation: false, executeAt: new Date('2020-01-01T00:00:00Z'), cancellationWindowSeconds: 60 });
    for (const demand of ['requireReview', 'requirePayerConfirmation', 'executeAt', 'cancellationWindowSeconds']) expect(seen[0]).not.toHaveProperty(demand);
    expect(seen[1]).toMatchObject({ requireReview: true, requirePayerConfirmation: false, executeAt: '2020-01-01T00:00:00.000Z', cancellationWindowSeconds: 60 });
  });

  it('should start nothing for a demand that cannot be meant', async () => {
    await expect(clientOver({}).client.requestRefund({ ...REFUND, cancellationWindowSeconds: 0 })).rejects.toMatchObject({ name: 'InvalidRequestError', field: 'cancellationWindowSeconds' });
  });

  it('should say of one that came to its end that the records know how', async () => {
    const executeUpdateWithStart = async (): Promise<never> => { throw new WorkflowExecutionAlreadyStartedError('ended', 'refund:m:x', 'refundWorkflow'); };
    expect(await clientOver({ executeUpdateWithStart }).client.requestRefund(REFUND)).toMatchObject({ kind: 'closed' });
  });
});

function memoOf(operation: object): unknown {
  return (operation as { options: { memo: Record<string, unknown> } }).options.memo['fingerprint'];
}
