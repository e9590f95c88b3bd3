import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound, readDeclined } from './conekta-refusals.ts';
import { GATEWAY } from './dialect.ts';
import { scheduleWork } from './due-work.ts';
import { runCall, type FaultableCall } from './fault-call.ts';
import { devolucionDeclined, gatewayFailure } from './gateway-refusals.ts';
import {
  devolucionQuerySchema, devolucionRequestSchema, paymentRequestSchema, type DevolucionQuery, type DevolucionRequest,
} from './gateway-requests.ts';
import type { HeldReplies } from './held-replies.ts';
import { parseRequest } from './parse-request.ts';
import { createPayment, requirePayment, type Payment } from './payment-records.ts';
import { renderMessage, renderPayment } from './payment-view.ts';
import { devolucionAmount, refundPayment } from './refund-payment.ts';
import type { SandboxContext } from './sandbox-context.ts';
import { sendOutcome } from './send-outcome.ts';

interface PaymentRoute { Params: { id: string } }

/** Registers the gateway's payments and their refunds (docs/gateway-dialect.md) below the address that is registered; bodies come parsed by `parseExactJson`. */
export function registerGatewayRoutes(app: FastifyInstance, context: SandboxContext, held: HeldReplies): void {
  const { db } = context;
  const answer = (request: FastifyRequest<PaymentRoute>, reply: FastifyReply, callOn: (payment: Payment) => FaultableCall): FastifyReply => {
    const outcome = db.transaction(() => runCall(db, callOn(requirePayment(db, request.params.id, request.keyHash)), request.nowMs));
    return sendOutcome(reply, held, outcome, GATEWAY);
  };

  app.post('/', (request, reply) => {
    const payment = createPayment(db, request.keyHash, parseRequest(paymentRequestSchema, request.body), request.nowMs);
    return reply.type(GATEWAY.mediaType).send(GATEWAY.write(renderPayment(payment)));
  });

  app.get<PaymentRoute>('/:id', (request, reply) => answer(request, reply, (payment) => readCall('order.get', payment, () => renderPayment(payment))));

  app.get<PaymentRoute>('/devolucion/:id', (request, reply) => {
    const query = parseRequest(devolucionQuerySchema, request.query);
    return answer(request, reply, (payment) => readCall('refund.find', payment, () => findMessage(payment, query)));
  });

  app.post<PaymentRoute>('/devolucion/:id', (request, reply) => {
    const refund = parseRequest(devolucionRequestSchema, request.body ?? {});
    return answer(request, reply, (payment) => refundCall(context, payment, refund, request.nowMs));
  });
}

function refundCall(context: SandboxContext, payment: Payment, request: DevolucionRequest, nowMs: number): FaultableCall {
  const { id } = payment.order;
  return {
    operations: ['refund'],
    chargeIds: [id],
    payoutIds: [],
    magic: { scope: `refund:${id}`, amountMinor: devolucionAmount(payment, request) },
    declined: devolucionDeclined,
    broken: gatewayFailure,
    execute: (course) => {
      const made = refundPayment(context, payment, request, course, nowMs);
      return renderMessage(made.payment, made.message);
    },
    executeLater: (dueAtMs) => scheduleWork(context.db, { kind: 'devolucion.execute', paymentId: id, request }, dueAtMs),
  };
}

function readCall(operation: 'order.get' | 'refund.find', { order }: Payment, execute: () => unknown): FaultableCall {
  return { operations: [operation], chargeIds: [order.id], payoutIds: [], declined: readDeclined, broken: gatewayFailure, execute };
}

/** The latest refund that is asked for. */
function findMessage(payment: Payment, { refund_id: refundId, external_reference: reference }: DevolucionQuery): Record<string, unknown> {
  const found = payment.messages.findLast((message) => (refundId === undefined || message.id === refundId)
    && (reference === undefined || message.external_reference === reference));
  if (found === undefined) throw notFound('Refund', refundId ?? reference ?? payment.order.id);
  return renderMessage(payment, found);
}
