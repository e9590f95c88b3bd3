import type { Client } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import { formatMoney } from '../domain/money.ts';
import type { Money } from '../domain/money.ts';
import { isFinalPayoutOrderStatus } from '../domain/payout-order.ts';
import { isFinalRefundStatus } from '../domain/refund-status.ts';
import { payoutOrderWorkflowId, refundWorkflowId, TASK_QUEUE } from '../../workflows/ids.ts';
import * as messages from '../../workflows/messages.ts';
import type { PayoutFact, PayoutOrderView, RefundView } from '../../workflows/messages.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts';
import type { payoutOrderWorkflow } from '../../workflows/payout-order.ts';
import type { refundWorkflow } from '../../workflows/refund.ts';
import { checkPayoutOrder, checkRefund } from './check-request.ts';
export { InvalidRequestError, KeyReusedError, NotCancellableError, NotRunningError, TemporalUnavailableError } from './client-errors.ts';
import { derivePayoutOrderId, deriveRefundId, fingerprintOf } from './identifiers.ts';
import { callWorkflow, startAndWait, updateAndWait } from './temporal-calls.ts';
import type { NewPayoutOrder, NewRefund, RequestOptions } from './requests.ts';
import type { Answer } from './temporal-calls.ts';

export type { NewPayoutOrder, NewRefund, RequestOptions } from './requests.ts';
export type { PayoutFact, PayoutOrderView, RefundView } from '../../workflows/messages.ts';

/** A refund's id with what is known of it. */
export type RefundAnswer = Answer<RefundView> & { readonly refundId: string };
/** A payout order's id with what is known of it. */
export type PayoutOrderAnswer = Answer<PayoutOrderView> & { readonly payoutOrderId: string };

/** The typed library for backends that speak Temporal (A4). Amounts in minor units; all methods may throw `TemporalUnavailableError`. */
export interface ReintegroClient {
  /** Starts a refund, or finds the one its key stands for, and waits for an answer (R10). @throws InvalidRequestError; KeyReusedError for another request under the same key */
  requestRefund(refund: NewRefund, options?: RequestOptions): Promise<RefundAnswer>;
  /** The refund's state. @throws NotRunningError when Temporal knows no such refund (any more) */
  getRefund(merchantId: string, refundId: string): Promise<RefundView>;
  /** Waits until the refund is final. @throws NotRunningError when Temporal knows no such refund (any more) */
  waitForRefund(merchantId: string, refundId: string): Promise<RefundView>;
  /** Calls a refund off and learns the verdict (R4). @throws NotCancellableError, NotRunningError */
  cancelRefund(merchantId: string, refundId: string, requestedBy: string, options?: RequestOptions): Promise<RefundView | null>;
  /** Calls a refund off without waiting. @throws NotRunningError */
  signalCancelRefund(merchantId: string, refundId: string, requestedBy: string): Promise<void>;
  /** Creates a payout order, or finds the one its key stands for. @throws InvalidRequestError; KeyReusedError for another request under the same key */
  createPayoutOrder(order: NewPayoutOrder, options?: RequestOptions): Promise<PayoutOrderAnswer>;
  getPayoutOrder(merchantId: string, payoutOrderId: string): Promise<PayoutOrderView>;
  waitForPayoutOrder(merchantId: string, payoutOrderId: string): Promise<PayoutOrderView>;
  /** Calls a payout order off; the provider has the last word (P4). `null`: the verdict takes longer than the wait. @throws NotCancellableError, NotRunningError */
  cancelPayoutOrder(merchantId: string, payoutOrderId: string, requestedBy: string, options?: RequestOptions): Promise<PayoutOrderView | null>;
  signalCancelPayoutOrder(merchantId: string, payoutOrderId: string, requestedBy: string): Promise<void>;
  /** Tells a payout order that something happened at the provider: it asks there (P2, P6). @throws NotRunningError */
  signalPayoutFact(merchantId: string, payoutOrderId: string, fact: PayoutFact): Promise<void>;
}

const DEFAULT_WAIT_MS = 10_000;

/** Makes the typed client over a plain `@temporalio/client` connection. The HTTP faces use the same. */
export function createReintegroClient({ client, taskQueue = TASK_QUEUE }: { client: Client; taskQueue?: string }): ReintegroClient {
  const refundHandle = (merchantId: string, refundId: string) => client.workflow.getHandle<typeof refundWorkflow>(refundWorkflowId(merchantId, refundId));
  const payoutHandle = (merchantId: string, id: string) => client.workflow.getHandle<typeof payoutOrderWorkflow>(payoutOrderWorkflowId(merchantId, id));
  return {
    requestRefund: (refund, options) => requestRefund(client, taskQueue, refund, options ?? {}),
    getRefund: (merchantId, id) => callWorkflow(id, () => refundHandle(merchantId, id).query(messages.refundStateQuery)),
    waitForRefund: (merchantId, id) => callWorkflow(id, () => refundHandle(merchantId, id).result()),
    cancelRefund: (merchantId, id, requestedBy, options) => updateAndWait(client, refundWorkflowId(merchantId, id), messages.cancelRefundUpdate, { requestedBy }, options?.waitMs ?? DEFAULT_WAIT_MS),
    signalCancelRefund: (merchantId, id, requestedBy) => callWorkflow(id, () => refundHandle(merchantId, id).signal(messages.cancelRefundSignal, { requestedBy })),
    createPayoutOrder: (order, options) => createPayoutOrder(client, taskQueue, order, options ?? {}),
    getPayoutOrder: (merchantId, id) => callWorkflow(id, () => payoutHandle(merchantId, id).query(messages.payoutOrderStateQuery)),
    waitForPayoutOrder: (merchantId, id) => callWorkflow(id, () => payoutHandle(merchantId, id).result()),
    cancelPayoutOrder: (merchantId, id, requestedBy, options) => updateAndWait(client, payoutOrderWorkflowId(merchantId, id), messages.cancelPayoutOrderUpdate, { requestedBy }, options?.waitMs ?? DEFAULT_WAIT_MS),
    signalCancelPayoutOrder: (merchantId, id, requestedBy) => callWorkflow(id, () => payoutHandle(merchantId, id).signal(messages.cancelPayoutOrderSignal, { requestedBy })),
    signalPayoutFact: (merchantId, id, fact) => callWorkflow(id, () => payoutHandle(merchantId, id).signal(messages.payoutFactSignal, fact)),
  };
}

async function requestRefund(client: Client, taskQueue: string, refund: NewRefund, options: RequestOptions): Promise<RefundAnswer> {
  checkRefund(refund);
  const { merchantId, orderId, chargeId, amountMinor, reason, idempotencyKey, requestedBy } = refund;
  const refundId = deriveRefundId(merchantId, orderId, idempotencyKey);
  const fingerprint = refundFingerprint(refund);
  const money = options.shownMoney === undefined ? '' : `${formatMoney(options.shownMoney)} `;
  const start = {
    workflowId: refundWorkflowId(merchantId, refundId), taskQueue, staticSummary: `Refund ${money}· ${orderId}`,
    args: [{ merchantId, refundId, orderId, ...present({ chargeId, amountMinor, reason }), idempotencyKey, fingerprint, requestedBy }],
    typedSearchAttributes: startAttributes('pending', merchantId, options.shownMoney, [{ key: SEARCH_ATTRIBUTES.order, value: orderId }]),
  };
  const answer = await startAndWait(client, {
    workflowType: 'refundWorkflow', start, outcome: messages.refundOutcomeUpdate, state: messages.refundStateQuery, fingerprint,
    suffices: ({ status }) => options.firstAnswerSuffices === true || isFinalRefundStatus(status),
  }, options.waitMs ?? DEFAULT_WAIT_MS);
  return { ...answer, refundId };
}

async function createPayoutOrder(client: Client, taskQueue: string, order: NewPayoutOrder, options: RequestOptions): Promise<PayoutOrderAnswer> {
  checkPayoutOrder(order);
  const { merchantId, amountMinor, currency, expiresAt, idempotencyKey, requestedBy } = order;
  const payoutOrderId = derivePayoutOrderId(merchantId, idempotencyKey);
  const fingerprint = payoutOrderFingerprint(order);
  const start = {
    workflowId: payoutOrderWorkflowId(merchantId, payoutOrderId), taskQueue, staticSummary: `Payout order ${formatMoney({ amountMinor, currency })}`,
    args: [{ ...order, payoutOrderId, metadata: order.metadata ?? {}, expiresAt: expiresAt.toISOString(), fingerprint, requestedBy }],
    typedSearchAttributes: startAttributes('open', merchantId, { amountMinor, currency }, []),
  };
  const answer = await startAndWait(client, {
    workflowType: 'payoutOrderWorkflow', start, outcome: messages.payoutOrderOutcomeUpdate, state: messages.payoutOrderStateQuery, fingerprint,
    suffices: ({ status }) => options.firstAnswerSuffices === true || isFinalPayoutOrderStatus(status),
  }, options.waitMs ?? DEFAULT_WAIT_MS);
  return { ...answer, payoutOrderId };
}

/** What makes two refund requests the same (R8). */
export function refundFingerprint({ orderId, chargeId, amountMinor, reason }: NewRefund): string {
  return fingerprintOf({ orderId, chargeId, amountMinor, reason });
}

/** What makes two payout order requests the same (R8). */
export function payoutOrderFingerprint({ merchantId: _merchant, idempotencyKey: _key, requestedBy: _by, ...asked }: NewPayoutOrder): string {
  return fingerprintOf({ ...asked, expiresAt: asked.expiresAt.toISOString(), metadata: asked.metadata ?? {} });
}

function present<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function startAttributes(status: string, merchantId: string, money: Money | undefined, more: SearchAttributePair[]): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: SEARCH_ATTRIBUTES.status, value: status }, { key: SEARCH_ATTRIBUTES.merchant, value: merchantId }, { key: SEARCH_ATTRIBUTES.needsAttention, value: false },
    ...(money === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.amount, value: money.amountMinor }, { key: SEARCH_ATTRIBUTES.currency, value: money.currency }]),
    ...more,
  ]);
}
