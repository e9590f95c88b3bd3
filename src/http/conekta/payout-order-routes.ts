import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NewPayoutOrder } from '../../client/reintegro-client.ts';
import { payoutIdOf } from '../../store/payout-orders/payout-id.ts';
import { callerOf, READING } from '../access.ts';
import { cancelPayoutOrder } from '../cancel-payout-order.ts';
import { takeIdempotencyKey } from '../idempotency-key.ts';
import { readMoneyRequest } from '../json-body.ts';
import { parseRequest } from '../parse-request.ts';
import { notFound, pathId } from '../path-id.ts';
import { askPayoutOrder, isBeingIssued, knownPayoutOrder } from './ask-payout-order.ts';
import type { AskedPayoutOrder } from './ask-payout-order.ts';
import { ownBaseUrl, sendAnswer } from './conekta-context.ts';
import type { ConektaContext } from './conekta-context.ts';
import { parseListing } from './list-request.ts';
import { payoutOrderRequestSchema, requireFuture } from './payout-order-request.ts';
import { renderPayoutOrder, renderPayoutOrderPage } from './render-payout-order.ts';

/** Registers payout orders (CONTRACT §3). */
export function registerPayoutOrderRoutes(app: FastifyInstance, context: ConektaContext): void {
  app.post('/payout_orders', { config: { access: ['payouts'] } }, (request, reply) => createPayoutOrder(context, request, reply));

  app.get('/payout_orders', { config: { access: READING } }, async (request, reply) => {
    const listing = parseListing(request.query);
    const page = await context.records.listPayoutOrders(callerOf(request).merchantId, listing);
    return sendAnswer(reply, 200, renderPayoutOrderPage(page, listing, `${ownBaseUrl(request)}/payout_orders`));
  });

  app.get<{ Params: { id: string } }>('/payout_orders/:id', { config: { access: READING } }, async (request, reply) => {
    const id = pathId('PayoutOrder', request.params.id);
    const record = await context.records.readPayoutOrder(callerOf(request).merchantId, id);
    if (record === null) throw notFound('PayoutOrder', id);
    return sendAnswer(reply, 200, renderPayoutOrder(record));
  });

  app.put<{ Params: { id: string } }>('/payout_orders/:id/cancel', { config: { access: ['payouts'] } }, async (request, reply) => {
    const { isDecided, record } = await cancelPayoutOrder(context, callerOf(request), pathId('PayoutOrder', request.params.id));
    return sendAnswer(reply, isDecided ? 200 : 202, renderPayoutOrder(record));
  });
}

async function createPayoutOrder(context: ConektaContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { key, isGiven } = takeIdempotencyKey(request, reply);
  const body = parseRequest(payoutOrderRequestSchema, readMoneyRequest(request));
  const { merchantId, keyPrefix } = callerOf(request);
  const order: NewPayoutOrder = {
    merchantId, amountMinor: body.amount, currency: body.currency, allowedPayoutMethods: body.allowed_payout_methods, payoutMethodType: body.payout.payout_method.type,
    customerId: body.customer_info.customer_id, reason: body.reason, expiresAt: new Date(body.expires_at * 1000), metadata: body.metadata ?? {},
    idempotencyKey: key, requestedBy: keyPrefix,
  };
  const known = isGiven ? await knownPayoutOrder(context.records, order) : null;
  // A repeated request is answered even after its reference ran out: it asks for nothing new.
  if (known === null) requireFuture(body, Date.now());
  const isSettled = known !== null && known.record !== null && !isBeingIssued(known.record);
  const asked = isSettled ? known : await askPayoutOrder(context, order, isGiven, known);
  if (asked.isReplay) void reply.header('Idempotent-Replayed', 'true');
  return answerCreation(reply, order, asked);
}

function answerCreation(reply: FastifyReply, order: NewPayoutOrder, { payoutOrderId, record }: AskedPayoutOrder): FastifyReply {
  if (record !== null && !isBeingIssued(record)) return sendAnswer(reply, 200, renderPayoutOrder(record));
  void reply.header('Location', `/payout_orders/${payoutOrderId}`);
  if (record !== null) return sendAnswer(reply, 202, renderPayoutOrder(record));
  const now = new Date();
  return sendAnswer(reply, 202, renderPayoutOrder({ ...order, metadata: order.metadata ?? {}, payoutOrderId, payoutId: payoutIdOf(payoutOrderId), status: 'open', createdAt: now, updatedAt: now }));
}
