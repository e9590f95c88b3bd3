import type { Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { formatMoney } from '../domain/money.ts';
import type { RefundDetails } from '../domain/refund-details.ts';
import { isFinalRefundStatus } from '../domain/refund-status.ts';
import { payoutOrderWorkflowId, refundAftermathWorkflowId, refundWorkflowId, TASK_QUEUE } from '../../workflows/ids.ts';
import * as messages from '../../workflows/messages.ts';
import type { LegAct, OperatorAct, PayoutFact, PayoutOrderView, RefundEnd, RefundView, ResolveAct } from '../../workflows/messages.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts';
import type { payoutOrderWorkflow } from '../../workflows/payout-order.ts';
import type { refundAftermathWorkflow } from '../../workflows/refund-aftermath.ts';
import type { refundWorkflow } from '../../workflows/refund.ts';
import { checkRefund } from './check-request.ts';
export { ActRefusedError, InvalidRequestError, KeyReusedError, NotCancellableError, NotRunningError, TemporalUnavailableError } from './client-errors.ts';
import { NotRunningError } from './client-errors.ts';
import { deriveRefundId, fingerprintOf } from './identifiers.ts';
import { createPayoutOrder, revivePayoutOrder } from './payout-order-start.ts';
import type { PayoutOrderAnswer } from './payout-order-start.ts';
import { startAttributes } from './start-attributes.ts';
import { callWorkflow, startAndWait, updateAndWait } from './temporal-calls.ts';
import type { NewPayoutOrder, NewRefund, RecordedPayoutOrder, RequestOptions } from './requests.ts';
import type { Answer } from './temporal-calls.ts';

export { payoutOrderFingerprint } from './payout-order-start.ts';
export type { PayoutOrderAnswer } from './payout-order-start.ts';
export type { NewPayoutOrder, NewRefund, RecordedPayoutOrder, RequestOptions } from './requests.ts';
export type { ActRefusal, LegAct, OperatorAct, PayoutFact, PayoutOrderView, RefundEnd, RefundView, ResolveAct } from '../../workflows/messages.ts';

/** A refund's id with what is known of it. */
export type RefundAnswer = Answer<RefundView> & { readonly refundId: string };

/** The typed library for backends that speak Temporal (A4). Amounts in minor units; all methods may throw `TemporalUnavailableError`. */
export interface ReintegroClient {
  /** Starts a refund, or finds the one its key stands for, and waits for an answer (R10). @throws InvalidRequestError; KeyReusedError for another request under the same key */
  requestRefund(refund: NewRefund, options?: RequestOptions): Promise<RefundAnswer>;
  /** The refund's state. @throws NotRunningError when Temporal knows no such refund (any more) */
  getRefund(merchantId: string, refundId: string): Promise<RefundView>;
  /** The order of a refund that was taken in and is not over, whatever is on record of it: asked of the Temporal server alone, no Worker needs to run. @throws NotRunningError */
  orderOfRefund(merchantId: string, refundId: string): Promise<string | null>;
  /** Waits until the refund is final. @throws NotRunningError when Temporal knows no such refund (any more) */
  waitForRefund(merchantId: string, refundId: string): Promise<RefundEnd>;
  /** Calls a refund off and learns the verdict (R4). @throws NotCancellableError, NotRunningError */
  cancelRefund(merchantId: string, refundId: string, requestedBy: string, options?: RequestOptions): Promise<RefundView | null>;
  /** Calls a refund off without waiting. @throws NotRunningError */
  signalCancelRefund(merchantId: string, refundId: string, requestedBy: string): Promise<void>;
  /** A second person approves a refund in review (R3). Like the acts below: `null` when the verdict takes longer than the wait. @throws ActRefusedError, NotRunningError */
  approveRefund(merchantId: string, refundId: string, act: OperatorAct, options?: RequestOptions): Promise<RefundView | null>;
  /** A second person refuses it. */
  rejectRefund(merchantId: string, refundId: string, act: OperatorAct, options?: RequestOptions): Promise<RefundView | null>;
  /** The payer confirms a refund that waits for that. */
  confirmRefund(merchantId: string, refundId: string, act: OperatorAct, options?: RequestOptions): Promise<RefundView | null>;
  /** The payer contests it. */
  contestRefund(merchantId: string, refundId: string, act: OperatorAct, options?: RequestOptions): Promise<RefundView | null>;
  /** Says what became of a leg that has an open case (O2). */
  resolveRefund(merchantId: string, refundId: string, act: ResolveAct, options?: RequestOptions): Promise<RefundView | null>;
  /** Has what a leg waits for tried again now (O2); the settle delay is never cut short. */
  retryRefund(merchantId: string, refundId: string, act: LegAct, options?: RequestOptions): Promise<RefundView | null>;
  /** Tells a refund that something happened to it at its provider: it asks there (R6). @throws NotRunningError */
  signalRefundFact(merchantId: string, refundId: string, eventId: string): Promise<void>;
  /** Has a refund looked at whose Workflow has ended: its provider may have taken it back (R9). */
  reviewRefund(merchantId: string, refundId: string, orderId: string, eventId: string): Promise<void>;
  /** Takes note of a late failure (R9). @throws ActRefusedError, NotRunningError */
  acknowledgeLateFailure(merchantId: string, refundId: string, act: OperatorAct, options?: RequestOptions): Promise<void>;
  /** Creates a payout order, or finds the one its key stands for. @throws InvalidRequestError; KeyReusedError for another request under the same key */
  createPayoutOrder(order: NewPayoutOrder, options?: RequestOptions): Promise<PayoutOrderAnswer>;
  getPayoutOrder(merchantId: string, payoutOrderId: string): Promise<PayoutOrderView>;
  waitForPayoutOrder(merchantId: string, payoutOrderId: string): Promise<PayoutOrderView>;
  /** Calls a payout order off; the provider has the last word (P4). `null`: the verdict takes longer than the wait. @throws NotCancellableError, NotRunningError */
  cancelPayoutOrder(merchantId: string, payoutOrderId: string, requestedBy: string, options?: RequestOptions): Promise<PayoutOrderView | null>;
  signalCancelPayoutOrder(merchantId: string, payoutOrderId: string, requestedBy: string): Promise<void>;
  /** Tells a payout order that something happened at the provider: it asks there (P2, P6). @throws NotRunningError */
  signalPayoutFact(merchantId: string, payoutOrderId: string, fact: PayoutFact): Promise<void>;
  /**
   * The same, and waits until the provider was asked, or does not answer: the state as it then is. `null` when that takes longer than the wait;
   * the fact is taken in then, too. @throws NotRunningError
   */
  reportPayoutFact(merchantId: string, payoutOrderId: string, fact: PayoutFact, options?: RequestOptions): Promise<PayoutOrderView | null>;
  /** Has the provider asked again now, and what waits for it tried again (O2). `null` when that takes longer than the wait. @throws ActRefusedError, NotRunningError */
  retryPayoutOrder(merchantId: string, payoutOrderId: string, act: OperatorAct, options?: RequestOptions): Promise<PayoutOrderView | null>;
  /** Begins the Workflow of a recorded payout order again if it was ended by hand; it asks the provider and goes on where the records stand. `false` when it came to its end. */
  revivePayoutOrder(order: RecordedPayoutOrder): Promise<boolean>;
}

const DEFAULT_WAIT_MS = 10_000;

/** Makes the typed client over a plain `@temporalio/client` connection. The HTTP faces use the same. */
export function createReintegroClient({ client, taskQueue = TASK_QUEUE }: { client: Client; taskQueue?: string }): ReintegroClient {
  const refundHandle = (merchantId: string, refundId: string) => client.workflow.getHandle<typeof refundWorkflow>(refundWorkflowId(merchantId, refundId));
  const payoutHandle = (merchantId: string, id: string) => client.workflow.getHandle<typeof payoutOrderWorkflow>(payoutOrderWorkflowId(merchantId, id));
  const act = <Arg extends OperatorAct>(update: UpdateDefinition<RefundView, [Arg]>) => (merchantId: string, id: string, arg: Arg, options?: RequestOptions) =>
    updateAndWait(client, refundWorkflowId(merchantId, id), update, arg, options?.waitMs ?? DEFAULT_WAIT_MS);
  return {
    approveRefund: act(messages.approveRefundUpdate),
    rejectRefund: act(messages.rejectRefundUpdate),
    confirmRefund: act(messages.confirmRefundUpdate),
    contestRefund: act(messages.contestRefundUpdate),
    resolveRefund: act(messages.resolveRefundUpdate),
    retryRefund: act(messages.retryRefundUpdate),
    signalRefundFact: (merchantId, id, eventId) => callWorkflow(id, () => refundHandle(merchantId, id).signal(messages.refundFactSignal, { eventId })),
    reviewRefund: (merchantId, id, orderId, eventId) => callWorkflow(id, () => startAftermath(client, taskQueue, { merchantId, refundId: id, orderId }, eventId)),
    acknowledgeLateFailure: async (merchantId, id, arg, options) => {
      await updateAndWait(client, refundAftermathWorkflowId(merchantId, id), messages.acknowledgeLateFailureUpdate, arg, options?.waitMs ?? DEFAULT_WAIT_MS);
    },
    requestRefund: (refund, options) => requestRefund(client, taskQueue, refund, options ?? {}),
    getRefund: (merchantId, id) => callWorkflow(id, () => refundHandle(merchantId, id).query(messages.refundStateQuery)),
    orderOfRefund: (merchantId, id) => callWorkflow(id, () => orderOfRunning(client, refundWorkflowId(merchantId, id))),
    waitForRefund: (merchantId, id) => callWorkflow(id, async () => messages.wholeRefund<RefundEnd>(await refundHandle(merchantId, id).result(), { refundId: id })),
    cancelRefund: (merchantId, id, requestedBy, options) => updateAndWait(client, refundWorkflowId(merchantId, id), messages.cancelRefundUpdate, { requestedBy }, options?.waitMs ?? DEFAULT_WAIT_MS),
    signalCancelRefund: (merchantId, id, requestedBy) => callWorkflow(id, () => refundHandle(merchantId, id).signal(messages.cancelRefundSignal, { requestedBy })),
    createPayoutOrder: (order, options) => createPayoutOrder(client, taskQueue, order, { waitMs: DEFAULT_WAIT_MS, ...options }),
    getPayoutOrder: (merchantId, id) => callWorkflow(id, () => payoutHandle(merchantId, id).query(messages.payoutOrderStateQuery)),
    waitForPayoutOrder: (merchantId, id) => callWorkflow(id, () => payoutHandle(merchantId, id).result()),
    cancelPayoutOrder: (merchantId, id, requestedBy, options) => updateAndWait(client, payoutOrderWorkflowId(merchantId, id), messages.cancelPayoutOrderUpdate, { requestedBy }, options?.waitMs ?? DEFAULT_WAIT_MS),
    signalCancelPayoutOrder: (merchantId, id, requestedBy) => callWorkflow(id, () => payoutHandle(merchantId, id).signal(messages.cancelPayoutOrderSignal, { requestedBy })),
    signalPayoutFact: (merchantId, id, fact) => callWorkflow(id, () => payoutHandle(merchantId, id).signal(messages.payoutFactSignal, fact)),
    reportPayoutFact: (merchantId, id, fact, options) => updateAndWait(client, payoutOrderWorkflowId(merchantId, id), messages.reportPayoutFactUpdate, fact, options?.waitMs ?? DEFAULT_WAIT_MS),
    retryPayoutOrder: (merchantId, id, arg, options) => updateAndWait(client, payoutOrderWorkflowId(merchantId, id), messages.retryPayoutOrderUpdate, arg, options?.waitMs ?? DEFAULT_WAIT_MS),
    revivePayoutOrder: (order) => callWorkflow(order.payoutOrderId, () => revivePayoutOrder(client, taskQueue, order)),
  };
}

async function requestRefund(client: Client, taskQueue: string, refund: NewRefund, options: RequestOptions): Promise<RefundAnswer> {
  checkRefund(refund);
  const { merchantId, provider, orderId, chargeId, amountMinor, reason, requireReview, requirePayerConfirmation, executeAt, cancellationWindowSeconds, idempotencyKey, requestedBy } = refund;
  const demands = { requireReview, requirePayerConfirmation, executeAt: executeAt?.toISOString(), cancellationWindowSeconds };
  const refundId = deriveRefundId(merchantId, orderId, idempotencyKey);
  const fingerprint = refundFingerprint(refund);
  const shownProvider = provider ?? options.shownProvider;
  const money = options.shownMoney === undefined ? '' : `${formatMoney(options.shownMoney)} `;
  const start = {
    workflowId: refundWorkflowId(merchantId, refundId), taskQueue, staticSummary: `Refund ${money}· ${orderId}`,
    args: [{ merchantId, refundId, ...present({ provider }), orderId, ...present({ chargeId, amountMinor, reason, details: detailsOf(refund), ...demands }), idempotencyKey, requestedBy }],
    typedSearchAttributes: startAttributes('pending', merchantId, options.shownMoney, [
      { key: SEARCH_ATTRIBUTES.order, value: orderId },
      ...(shownProvider === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.provider, value: shownProvider }]),
    ]),
  };
  const answer = await startAndWait(client, {
    workflowType: 'refundWorkflow', start, outcome: messages.refundOutcomeUpdate, whole: (told) => messages.wholeRefund(told, { refundId, orderId }), state: messages.refundStateQuery, fingerprint,
    isFinal: ({ status }) => isFinalRefundStatus(status), firstAnswerSuffices: options.firstAnswerSuffices === true,
  }, options.waitMs ?? DEFAULT_WAIT_MS);
  return { ...answer, refundId };
}

async function orderOfRunning(client: Client, workflowId: string): Promise<string | null> {
  const { status, typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
  if (status.name !== 'RUNNING') throw new NotRunningError(`no running Workflow ${workflowId}`);
  return typedSearchAttributes.get(SEARCH_ATTRIBUTES.order) ?? null;
}

/** Begins to look after a refund that has ended, or tells the Workflow that does so already. */
async function startAftermath(client: Client, taskQueue: string, request: { merchantId: string; refundId: string; orderId: string }, eventId: string): Promise<void> {
  const { merchantId, refundId, orderId } = request;
  await client.workflow.signalWithStart<typeof refundAftermathWorkflow, [{ readonly eventId: string }]>('refundAftermathWorkflow', {
    workflowId: refundAftermathWorkflowId(merchantId, refundId), taskQueue, args: [request], staticSummary: `After refund ${refundId} · ${orderId}`,
    typedSearchAttributes: startAttributes('refunded', merchantId, undefined, [{ key: SEARCH_ATTRIBUTES.order, value: orderId }]),
    signal: messages.refundFactSignal, signalArgs: [{ eventId }], workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });
}

/** What a caller says of a refund beside its money; `undefined` when that is nothing. */
function detailsOf({ refundType, externalReference, metadata, onBehalfOf, requestedAs }: NewRefund): RefundDetails | undefined {
  const details = present({ refundType, externalReference, metadata, onBehalfOf, requestedAs });
  return Object.keys(details).length === 0 ? undefined : details;
}

/** What makes two refund requests the same (R8): who asks is no part of it. */
export function refundFingerprint({ merchantId: _merchant, idempotencyKey: _key, requestedBy: _by, requestedAs: _as, ...asked }: NewRefund): string {
  return fingerprintOf({ ...asked, executeAt: asked.executeAt?.toISOString() });
}

function present<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
