import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NewRefund } from '../../client/reintegro-client.ts';
import { callerOf } from '../access.ts';
import { ApiError } from '../errors.ts';
import { takeIdempotencyKey } from '../idempotency-key.ts';
import { readMoneyRequest } from '../json-body.ts';
import { parseRequest } from '../parse-request.ts';
import { notFound, pathId } from '../path-id.ts';
import { RecordsUnavailableError } from '../records.ts';
import { askRefund } from '../refunds/ask-refund.ts';
import type { AskedRefund } from '../refunds/ask-refund.ts';
import { cancelRefund } from '../refunds/cancel-refund.ts';
import { outcomeOf } from '../refunds/refund-outcome.ts';
import { PROVIDER } from './provider-name.ts';
import { elsewhere } from '../refunds/elsewhere.ts';
import { sendAnswer } from './conekta-context.ts';
import type { ConektaContext } from './conekta-context.ts';
import { showOrder } from './order-answer.ts';
import { refundRequestSchema } from './refund-request.ts';
import { renderUntouchedOrder } from './render-order.ts';

/** Registers refunds of orders (CONTRACT §5): every answer is the whole order. */
export function registerRefundRoutes(app: FastifyInstance, context: ConektaContext): void {
  app.post<{ Params: { id: string } }>('/orders/:id/refunds', { config: { access: ['refunds'] } }, async (request, reply) => {
    const refund = readRefund(request, reply, pathId('Order', request.params.id));
    const asked = await askRefund(context, { refund, isKeyGiven: request.headers['idempotency-key'] !== undefined, own: callerOf(request).provider });
    if (asked.isReplay) void reply.header('Idempotent-Replayed', 'true');
    // The id by which a refund that is under way can be called off; the dialect's answer is the order and does not show it.
    void reply.header('Reintegro-Refund-Id', asked.refundId);
    return answerRefund(context, request, reply, refund, asked);
  });

  app.delete<{ Params: { id: string; refundId: string } }>('/orders/:id/refunds/:refundId', { config: { access: ['refunds'] } }, async (request, reply) => {
    const orderId = pathId('Order', request.params.id);
    const refundId = pathId('Refund', request.params.refundId);
    const record = await context.records.findRefundOfOrder(callerOf(request).merchantId, PROVIDER, orderId, refundId);
    if (record === null) throw notFound('Refund', refundId);
    const status = await cancelRefund(context, callerOf(request), record);
    const { order } = await showOrder(context, request, orderId);
    return sendAnswer(reply, status, order);
  });
}

function readRefund(request: FastifyRequest, reply: FastifyReply, orderId: string): NewRefund {
  const { key } = takeIdempotencyKey(request, reply);
  const body = parseRequest(refundRequestSchema, readMoneyRequest(request));
  const caller = callerOf(request);
  const { merchantId, keyPrefix } = caller;
  return { merchantId, provider: elsewhere(caller, PROVIDER), orderId, chargeId: body.charge_id, amountMinor: body.amount, reason: body.reason, idempotencyKey: key, requestedBy: keyPrefix };
}

async function answerRefund(context: ConektaContext, request: FastifyRequest, reply: FastifyReply, refund: NewRefund, asked: AskedRefund): Promise<FastifyReply> {
  const outcome = outcomeOf(asked.standing, {
    order: { object: 'Order', id: refund.orderId }, charge: { object: 'Charge', id: refund.chargeId ?? '' }, notReturnable: 'order_not_returnable',
  });
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
    const record = await context.records.readOrder(callerOf(request).merchantId, PROVIDER, orderId);
    return record === null ? undefined : renderUntouchedOrder(record);
  } catch (error) {
    // The refusal stands and says all that matters.
    if (error instanceof RecordsUnavailableError) return undefined;
    throw error;
  }
}
