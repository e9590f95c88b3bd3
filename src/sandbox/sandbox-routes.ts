import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { payOrder } from './create-order.ts';
import { GATEWAY } from './dialect.ts';
import { faultRequestSchema } from './fault-modes.ts';
import { armFault, clearFaults, listFaults } from './faults.ts';
import { statusRequestSchema } from './gateway-requests.ts';
import { readJournal } from './journal.ts';
import type { OrderAggregate } from './order-records.ts';
import { renderOrder } from './order-view.ts';
import { parseRequest } from './parse-request.ts';
import { readPayment } from './payment-records.ts';
import { renderPayment } from './payment-view.ts';
import { actAtTill, TILL_ACTS, type TillAct } from './payout-lifecycle.ts';
import { requirePayoutOrderAtTill } from './payout-records.ts';
import { withdrawalRequestSchema } from './payout-requests.ts';
import { renderPayoutOrder } from './payout-view.ts';
import { actOnRefund, REFUND_ACTS, setRefundStatus, type RefundAct } from './refund-lifecycle.ts';
import type { SandboxContext } from './sandbox-context.ts';

const journalQuerySchema = z.strictObject({ charge_id: z.string().min(1).optional(), payout_id: z.string().min(1).optional() });

/** Registers the sandbox's own endpoints, which need no key: health, journal, faults, the shop, refunds by hand and the till (PRODUCT X3, X4, X5). */
export function registerSandboxRoutes(app: FastifyInstance, context: SandboxContext): void {
  const { db } = context;
  /** The order of a refund, or its payment in the gateway's dialect. */
  const answer = (reply: FastifyReply, aggregate: OrderAggregate): unknown => (aggregate.order.is_payment === 0
    ? renderOrder(aggregate)
    : reply.type(GATEWAY.mediaType).send(GATEWAY.write(renderPayment(readPayment(db, aggregate)))));

  app.get('/sandbox/health', () => ({ status: 'ok' }));

  app.get('/sandbox/journal', (request) => {
    const query = parseRequest(journalQuerySchema, request.query);
    return { data: readJournal(db, { chargeId: query.charge_id, payoutId: query.payout_id }) };
  });

  app.post('/sandbox/faults', (request) => armFault(db, parseRequest(faultRequestSchema, request.body)));
  app.get('/sandbox/faults', () => ({ data: listFaults(db) }));
  app.delete('/sandbox/faults', () => ({ cleared: clearFaults(db) }));

  app.post<{ Params: { id: string } }>('/sandbox/orders/:id/pay', (request) => renderOrder(payOrder(db, request.params.id, request.nowMs)));

  for (const act of Object.keys(REFUND_ACTS) as RefundAct[]) {
    app.post<{ Params: { id: string } }>(`/sandbox/refunds/:id/${act}`, (request, reply) => {
      return answer(reply, actOnRefund(context, request.params.id, act, request.nowMs));
    });
  }

  app.post<{ Params: { id: string } }>('/sandbox/refunds/:id/status', (request, reply) => {
    const { status } = parseRequest(statusRequestSchema, request.body);
    return answer(reply, setRefundStatus(context, request.params.id, status, request.nowMs));
  });

  for (const act of Object.keys(TILL_ACTS) as TillAct[]) {
    app.post<{ Params: { id: string } }>(`/sandbox/payout_orders/:id/${act}`, (request) => {
      const isVoidable = act === 'withdrawal' && parseRequest(withdrawalRequestSchema, request.body ?? {}).voidable;
      const record = requirePayoutOrderAtTill(db, request.params.id);
      return renderPayoutOrder(actAtTill(context, record, act, isVoidable, request.nowMs));
    });
  }
}
