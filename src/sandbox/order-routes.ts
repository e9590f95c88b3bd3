import type { FastifyInstance } from 'fastify';
import { readDeclined, refundDeclined } from './conekta-refusals.ts';
import { createOrder } from './create-order.ts';
import { CONEKTA } from './dialect.ts';
import { scheduleWork } from './due-work.ts';
import { runCall, type FaultableCall } from './fault-call.ts';
import type { HeldReplies } from './held-replies.ts';
import { listQuerySchema, readPage, renderPage, type ListQuery } from './list-page.ts';
import { requireOrder, type OrderAggregate } from './order-records.ts';
import { orderRequestSchema, refundRequestSchema, type RefundRequest } from './order-requests.ts';
import { renderOrder } from './order-view.ts';
import { parseRequest } from './parse-request.ts';
import { refundOrder, targetAmount, targetCharges } from './refund-order.ts';
import type { SandboxContext } from './sandbox-context.ts';
import type { SandboxDatabase } from './sandbox-database.ts';
import { sendOutcome } from './send-outcome.ts';

/** Registers Conekta's orders and their refunds (CONTRACT §4, §5). */
export function registerOrderRoutes(app: FastifyInstance, context: SandboxContext, held: HeldReplies): void {
  const { db } = context;
  app.post('/orders', (request, reply) => {
    const order = createOrder(db, request.keyHash, parseRequest(orderRequestSchema, request.body), request.nowMs);
    return reply.type(CONEKTA.mediaType).send(renderOrder(order));
  });

  app.get('/orders', (request, reply) => {
    const query = parseRequest(listQuerySchema, request.query);
    const body = listOrders(db, request.keyHash, query, `${request.protocol}://${request.host}/orders`);
    return reply.type(CONEKTA.mediaType).send(body);
  });

  app.get<{ Params: { id: string } }>('/orders/:id', (request, reply) => {
    const outcome = db.transaction(() => runCall(db, readCall(requireOrder(db, request.params.id, request.keyHash)), request.nowMs));
    return sendOutcome(reply, held, outcome);
  });

  app.post<{ Params: { id: string } }>('/orders/:id/refunds', (request, reply) => {
    const refund = parseRequest(refundRequestSchema, request.body ?? {});
    const { nowMs } = request;
    const outcome = db.transaction(() => {
      const aggregate = requireOrder(db, request.params.id, request.keyHash);
      return runCall(db, refundCall(context, aggregate, refund, nowMs), nowMs);
    });
    return sendOutcome(reply, held, outcome);
  });
}

function refundCall(context: SandboxContext, aggregate: OrderAggregate, refund: RefundRequest, nowMs: number): FaultableCall {
  const chargeIds = targetCharges(aggregate, refund).map((charge) => charge.id);
  return {
    operations: ['refund'],
    chargeIds,
    payoutIds: [],
    magic: { scope: `refund:${chargeIds.join(',')}`, amountMinor: targetAmount(aggregate, refund) },
    declined: refundDeclined,
    execute: (course) => renderOrder(refundOrder(context, aggregate, refund, course, nowMs)),
    executeLater: (dueAtMs) => scheduleWork(context.db, { kind: 'refund.execute', orderId: aggregate.order.id, request: refund }, dueAtMs),
  };
}

function readCall(aggregate: OrderAggregate): FaultableCall {
  return {
    operations: ['refund.find', 'order.get'],
    chargeIds: aggregate.charges.map((charge) => charge.id),
    payoutIds: [],
    declined: readDeclined,
    execute: () => renderOrder(aggregate),
  };
}

function listOrders(db: SandboxDatabase, keyHash: string, query: ListQuery, address: string): Record<string, unknown> {
  const search = query.search?.toLowerCase() ?? null;
  const page = readPage(db, {
    table: 'orders',
    keyHash,
    condition: `id NOT IN (SELECT id FROM payments) AND (?2 IS NULL OR payment_status = ?2) AND (?3 IS NULL OR instr(lower(id), ?3) OR instr(lower(customer_info), ?3)
      OR EXISTS (SELECT 1 FROM json_tree(metadata) WHERE instr(lower(CAST(atom AS TEXT)), ?3)))`,
    parameters: [query.payment_status ?? null, search],
  }, query);
  const data = page.ids.map((id) => renderOrder(requireOrder(db, id)));
  return { ...renderPage(page, address, query, data), total: page.total };
}
