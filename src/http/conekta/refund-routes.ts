import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NotCancellableError, NotRunningError } from '../../client/client-errors.ts';
import type { NewRefund } from '../../client/reintegro-client.ts';
import { isCancellableRefundStatus } from '../../domain/refund-status.ts';
import type { RefundRecord } from '../../store/refunds/read.ts';
import { callerOf } from '../access.ts';
import { ApiError } from '../errors.ts';
import { takeIdempotencyKey } from '../idempotency-key.ts';
import { readMoneyRequest } from '../json-body.ts';
import { parseRequest } from '../parse-request.ts';
import { notFound, pathId } from '../path-id.ts';
import { RecordsUnavailableError } from '../records.ts';
import { askRefund } from './ask-refund.ts';
import type { AskedRefund } from './ask-refund.ts';
import { sendAnswer } from './conekta-context.ts';
import type { ConektaContext } from './conekta-context.ts';
import { showOrder } from './order-answer.ts';
import { outcomeOf } from './refund-outcome.ts';
import { refundRequestSchema } from './refund-request.ts';
import { renderUntouchedOrder } from './render-order.ts';

/** Registers refunds of orders (CONTRACT §5): every answer is the whole order. */
export function registerRefundRoutes(app: FastifyInstance, context: ConektaContext): void {
  app.post<{ Params: { id: string } }>('/orders/:id/refunds', { config: { access: ['refunds'] } }, async (request, reply) => {
    const refund = readRefund(request, reply, pathId('Order', request.params.id));
    const asked = await askRefund(context, refund, request.headers['idempotency-key'] !== undefined);
    if (asked.isReplay) void reply.header('Idempotent-Replayed', 'true');
    // The id by which a refund that is under way can be called off; the dialect's answer is the order and does not show it.
    void reply.header('Reintegro-Refund-Id', asked.refundId);
    return answerRefund(context, request, reply, refund, asked);
  });

  app.delete<{ Params: { id: string; refundId: string } }>('/orders/:id/refunds/:refundId', { config: { access: ['refunds'] } }, async (request, reply) => {
    const orderId = pathId('Order', request.params.id);
    const refundId = pathId('Refund', request.params.refundId);
    const record = await context.records.findRefundOfOrder(callerOf(request).merchantId, orderId, refundId);
    if (record === null) throw notFound('Refund', refundId);
    const status = await cancelRefund(context, request, record);
    const { order } = await showOrder(context, request, orderId);
    return sendAnswer(reply, status, order);
  });
}

function readRefund(request: FastifyRequest, reply: FastifyReply, orderId: string): NewRefund {
  const { key } = takeIdempotencyKey(request, reply);
  const body = parseRequest(refundRequestSchema, readMoneyRequest(request));
  const { merchantId, keyPrefix } = callerOf(request);
  return { merchantId, orderId, chargeId: body.charge_id, amountMinor: body.amount, reason: body.reason, idempotencyKey: key, requestedBy: keyPrefix };
}

async function answerRefund(context: ConektaContext, request: FastifyRequest, reply: FastifyReply, refund: NewRefund, asked: AskedRefund): Promise<FastifyReply> {
  const outcome = outcomeOf(asked.standing, refund.orderId, refund.chargeId);
  if (outcome.kind === 'error') throw new ApiError(outcome.problem, { data: await errorData(context, request, refund.orderId, outcome.shows) });
  const { order, isWhole } = await showOrder(context, request, refund.orderId);
  if (outcome.kind === 'done' && isWhole) return sendAnswer(reply, 200, order);
  void reply.header('Location', `/orders/${refund.orderId}`);
  return sendAnswer(reply, 202, order);
}

/** The order that goes with an error; none when it is not on record. */
async function errorData(context: ConektaContext, request: FastifyRequest, orderId: string, shows: 'nothing' | 'untouched_order' | 'order'): Promise<object | undefined> {
  if (shows === 'nothing') return undefined;
  if (shows === 'order') {
    const shown = await showOrder(context, request, orderId);
    return shown.isWhole ? shown.order : undefined;
  }
  try {
    const record = await context.records.readOrder(callerOf(request).merchantId, orderId);
    return record === null ? undefined : renderUntouchedOrder(record);
  } catch (error) {
    // The refusal stands and says all that matters.
    if (error instanceof RecordsUnavailableError) return undefined;
    throw error;
  }
}

/** Calls a refund off (R4). Answers 200 when it is cancelled, 202 while the verdict is out. @throws ApiError 428 when it is too late */
async function cancelRefund(context: ConektaContext, request: FastifyRequest, record: RefundRecord): Promise<200 | 202> {
  if (record.status === 'cancelled') return 200;
  if (!isCancellableRefundStatus(record.status)) throw notCancellable(record.status);
  const { merchantId, keyPrefix } = callerOf(request);
  try {
    const view = await context.client.cancelRefund(merchantId, record.refundId, keyPrefix, { waitMs: context.syncWaitMs });
    return view?.status === 'cancelled' ? 200 : 202;
  } catch (error) {
    if (!(error instanceof NotCancellableError || error instanceof NotRunningError)) throw error;
    const now = (await context.records.readRefund(merchantId, record.refundId))?.status ?? record.status;
    if (now === 'cancelled') return 200;
    // Its Workflow is gone and the records wait for it: nothing can be said before someone has looked.
    if (error instanceof NotRunningError && isCancellableRefundStatus(now)) throw new ApiError({ code: 'unavailable' }, { cause: error, retryAfterSeconds: 1 });
    throw notCancellable(error instanceof NotCancellableError && isCancellableRefundStatus(now) ? error.view?.status ?? now : now);
  }
}

function notCancellable(status: string): ApiError {
  return new ApiError({ code: 'refund_not_cancellable', values: { status } });
}
