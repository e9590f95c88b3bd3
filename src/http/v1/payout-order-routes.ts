import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { PayoutOrderPage, PayoutOrderListing, PayoutOrderRecord } from '../../store/payout-orders/read.ts';
import { callerOf, READING } from '../access.ts';
import type { ApiContext } from '../api-context.ts';
import { cancelPayoutOrder } from '../cancel-payout-order.ts';
import { ApiError } from '../errors.ts';
import { readMoneyRequest } from '../json-body.ts';
import { parseRequest } from '../parse-request.ts';
import { notFound, pathId } from '../path-id.ts';
import { parsePayoutOrderListing } from './payout-order-list-request.ts';
import { RAIL_FACTS, railFactSchema, reportRailFact } from './rail-fact.ts';
import { renderNativePayoutOrder, renderOpenCases } from './render-payout-order.ts';

interface OnePayoutOrder { Params: { id: string } }

const nothingSchema = z.strictObject({});

/** Registers payout orders of the native face (A3), and what rails report of them (P6). */
export function registerNativePayoutOrders(app: FastifyInstance, context: ApiContext): void {
  app.get('/v1/payout_orders', { config: { access: READING } }, async (request) => {
    const { merchantId } = callerOf(request);
    const listing = parsePayoutOrderListing(request.query);
    const page = await context.records.listPayoutOrders(merchantId, listing);
    await requireKnownCursor(context, merchantId, listing, page);
    return { data: page.items.map(renderNativePayoutOrder), next_cursor: page.hasMore ? page.items.at(-1)?.payoutOrderId ?? null : null };
  });

  app.get<OnePayoutOrder>('/v1/payout_orders/:id', { config: { access: READING } }, async (request) => {
    const id = pathId('PayoutOrder', request.params.id);
    const { merchantId } = callerOf(request);
    const record = await context.records.readPayoutOrder(merchantId, id);
    if (record === null) throw notFound('PayoutOrder', id);
    const cases = await context.records.listCases(merchantId, { payoutOrderId: id });
    return { ...renderNativePayoutOrder(record), cases: renderOpenCases(cases) };
  });

  app.post<OnePayoutOrder>('/v1/payout_orders/:id/cancel', { config: { access: ['payouts'] } }, async (request, reply) => {
    const id = pathId('PayoutOrder', request.params.id);
    parseRequest(nothingSchema, readMoneyRequest(request));
    const { isDecided, record } = await cancelPayoutOrder(context, callerOf(request), id);
    return answer(reply, isDecided, record);
  });

  for (const fact of RAIL_FACTS) {
    app.post<OnePayoutOrder>(`/v1/payout_orders/:id/${fact}`, { config: { access: ['rail'] } }, async (request, reply) => {
      const payoutOrderId = pathId('PayoutOrder', request.params.id);
      const { event_id: eventId } = parseRequest(railFactSchema, readMoneyRequest(request));
      const { isOnRecord, record } = await reportRailFact(context, { merchantId: callerOf(request).merchantId, payoutOrderId, fact, eventId });
      return answer(reply, isOnRecord, record);
    });
  }
}

/** 200 when what was asked for has come about, 202 with the place to look while it is out. */
function answer(reply: FastifyReply, isDone: boolean, record: PayoutOrderRecord): FastifyReply {
  if (!isDone) void reply.header('Location', `/v1/payout_orders/${record.payoutOrderId}`);
  return reply.status(isDone ? 200 : 202).send(renderNativePayoutOrder(record));
}

/** An empty page after a cursor that names nothing would read like the end of the list. @throws ApiError 422 */
async function requireKnownCursor({ records }: ApiContext, merchantId: string, { next }: PayoutOrderListing, page: PayoutOrderPage): Promise<void> {
  if (next === undefined || page.items.length > 0) return;
  if ((await records.readPayoutOrder(merchantId, next)) === null) throw new ApiError({ code: 'param_invalid', param: 'cursor' });
}
