import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NewRefund } from '../../client/reintegro-client.ts';
import type { OnBehalfOf, Requester } from '../../domain/refund-details.ts';
import type { KeyHolder } from '../../store/merchants.ts';
import { callerOf, READING } from '../access.ts';
import type { ApiContext } from '../api-context.ts';
import { ApiError } from '../errors.ts';
import { takeIdempotencyKey } from '../idempotency-key.ts';
import { readMoneyRequest } from '../json-body.ts';
import { parseRequest } from '../parse-request.ts';
import { notFound, pathId } from '../path-id.ts';
import { RecordsUnavailableError } from '../records.ts';
import { askRefund } from '../refunds/ask-refund.ts';
import type { AskedRefund } from '../refunds/ask-refund.ts';
import { cancelRefund } from '../refunds/cancel-refund.ts';
import { elsewhere } from '../refunds/elsewhere.ts';
import { outcomeOf } from '../refunds/refund-outcome.ts';
import { PROVIDER } from './provider-name.ts';
import { DECIMAL_FIELDS, devolucionQuerySchema, devolucionRequestSchema } from './devolucion-request.ts';
import { renderDevolucion } from './render-devolucion.ts';
import type { ShownRefund } from './render-devolucion.ts';

/** What the routes of the gateway face work with. */
export interface GatewayContext extends ApiContext {
  /** Whether this deployment has the gateway provider at all. */
  readonly isConfigured: boolean;
}

const PATHS = ['/api/v2/pagos/devolucion/:id', '/pagos/devolucion/:id'] as const;

type PaymentRoute = { Params: { id: string } };

/** Registers the gateway face (A2, seed 003): every answer is the message of a refund. */
export function registerDevolucionRoutes(app: FastifyInstance, context: GatewayContext): void {
  for (const path of PATHS) {
    app.post<PaymentRoute>(path, { config: { access: ['refunds'] } }, (request, reply) => createDevolucion(context, request, reply, pathId('Payment', request.params.id)));
    app.get<PaymentRoute>(path, { config: { access: READING } }, async (request, reply) => {
      return sendMessage(reply, 200, await readDevolucion(context, request, pathId('Payment', request.params.id)));
    });
    app.delete<PaymentRoute>(path, { config: { access: ['refunds'] } }, (request, reply) => cancelDevolucion(context, request, reply, pathId('Payment', request.params.id)));
  }
}

async function createDevolucion(context: GatewayContext, request: FastifyRequest, reply: FastifyReply, paymentId: string): Promise<FastifyReply> {
  const isKeyGiven = request.headers['idempotency-key'] !== undefined;
  const caller = callerOf(request);
  const refund = await readRefund(context, request, reply, paymentId);
  const asked = await askRefund(context, { refund, isKeyGiven, own: caller.provider });
  if (asked.isReplay) void reply.header('Idempotent-Replayed', 'true');
  void reply.header('Reintegro-Refund-Id', asked.refundId);
  const payment = { object: 'Payment', id: paymentId } as const;
  const outcome = outcomeOf(asked.standing, { order: payment, charge: payment, notReturnable: 'payment_not_refundable' });
  if (outcome.kind === 'error' && outcome.shows !== 'order') throw new ApiError(outcome.problem);
  const shown = await showRefund(context, caller, refund, asked);
  if (outcome.kind === 'error') throw new ApiError(outcome.problem, { data: renderDevolucion(shown) });
  if (outcome.kind === 'under_way') void reply.header('Location', `${request.url.split('?', 1)[0]}?refund_id=${asked.refundId}`);
  return sendMessage(reply, 200, shown);
}

async function readRefund(context: GatewayContext, request: FastifyRequest, reply: FastifyReply, paymentId: string): Promise<NewRefund> {
  const { key } = takeIdempotencyKey(request, reply);
  const body = parseRequest(devolucionRequestSchema, readMoneyRequest(request, DECIMAL_FIELDS));
  const caller = callerOf(request);
  const charge = await context.records.findCharge(caller.merchantId, paymentId);
  if (charge === null && !context.isConfigured) throw new ApiError({ code: 'gateway_not_configured' });
  return {
    merchantId: caller.merchantId, provider: elsewhere(caller, charge?.provider ?? PROVIDER), orderId: charge?.orderId ?? paymentId, chargeId: paymentId,
    amountMinor: body.amount, reason: body.reason, refundType: body.type, externalReference: body.external_reference, metadata: body.metadata,
    onBehalfOf: beneficiaryOf(body.source), requestedAs: requesterOf(caller), idempotencyKey: key, requestedBy: caller.keyPrefix,
  };
}

function beneficiaryOf(source: { readonly type: 'customer' | 'system'; readonly id: string } | undefined): OnBehalfOf | undefined {
  return source === undefined ? undefined : { type: source.type === 'customer' ? 'payer' : 'timer', id: source.id };
}

/** Whose key it is, by what it may do. */
function requesterOf({ scopes }: KeyHolder): Requester {
  if (scopes.includes('operator')) return 'operator';
  return scopes.includes('rail') ? 'provider' : 'merchant';
}

/** The refund as it stands on record; while the records are out of reach, as it was asked for: its caller must not read that it failed. */
async function showRefund(context: GatewayContext, caller: KeyHolder, refund: NewRefund, { refundId, standing }: AskedRefund): Promise<ShownRefund> {
  const asked: ShownRefund = {
    refundId, provider: refund.provider ?? caller.provider, chargeId: refund.chargeId ?? refund.orderId, merchantId: caller.merchantId, merchantName: null,
    status: standing.status, statusDetail: standing.statusDetail, amountMinor: refund.amountMinor ?? null, reason: refund.reason ?? null, requestedBy: refund.requestedBy,
    details: refund, receipt: null,
  };
  try {
    return (await context.records.refundOfCharge(caller.merchantId, asked.chargeId, refundId)) ?? asked;
  } catch (error) {
    if (error instanceof RecordsUnavailableError) return asked;
    throw error;
  }
}

/** The refund that the query names, or the last one of the payment. @throws ApiError 404 */
async function readDevolucion(context: GatewayContext, request: FastifyRequest, paymentId: string): Promise<ShownRefund> {
  const { refund_id: named } = parseRequest(devolucionQuerySchema, request.query);
  const refundId = named === undefined ? undefined : pathId('Refund', named);
  const refund = await context.records.refundOfCharge(callerOf(request).merchantId, paymentId, refundId);
  if (refund === null) throw refundId === undefined ? notFound('Payment', paymentId) : notFound('Refund', refundId);
  return refund;
}

/** Calls a refund off (R4); which one must be said. */
async function cancelDevolucion(context: GatewayContext, request: FastifyRequest, reply: FastifyReply, paymentId: string): Promise<FastifyReply> {
  const { refund_id: refundId } = parseRequest(devolucionQuerySchema, request.query);
  if (refundId === undefined) throw new ApiError({ code: 'param_missing', param: 'refund_id' });
  const status = await cancelRefund(context, callerOf(request), await readDevolucion(context, request, paymentId));
  return sendMessage(reply, status, await readDevolucion(context, request, paymentId));
}

function sendMessage(reply: FastifyReply, status: number, refund: ShownRefund): FastifyReply {
  return reply.status(status).type('application/json; charset=utf-8').send(renderDevolucion(refund));
}
