import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NewRefund } from '../../client/reintegro-client.ts';
import type { OnBehalfOf, Requester } from '../../domain/refund-details.ts';
import type { KeyHolder } from '../../store/merchants.ts';
import { refundOperation } from '../../store/refunds/reserve.ts';
import { callerOf, READING } from '../access.ts';
import type { ApiContext } from '../api-context.ts';
import { ApiError } from '../errors.ts';
import { takeIdempotencyKey } from '../idempotency-key.ts';
import { readMoneyRequest } from '../json-body.ts';
import { parseRequest } from '../parse-request.ts';
import { pathId } from '../path-id.ts';
import { RecordsUnavailableError } from '../records.ts';
import { askRefund } from '../refunds/ask-refund.ts';
import type { AskedRefund } from '../refunds/ask-refund.ts';
import { cancelRefund } from '../refunds/cancel-refund.ts';
import { elsewhere } from '../refunds/elsewhere.ts';
import { outcomeOf } from '../refunds/refund-outcome.ts';
import { GATEWAY_MEDIA_TYPE } from './media-type.ts';
import { PROVIDER } from './provider-name.ts';
import { DECIMAL_FIELDS, devolucionQuerySchema, devolucionRequestSchema, noQuerySchema } from './devolucion-request.ts';
import { findDevolucion, isSayable } from './find-devolucion.ts';
import type { SoughtRefund } from './find-devolucion.ts';
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
      const { refundId, externalReference } = askedFor(request);
      return sendMessage(reply, 200, await findDevolucion(context, callerOf(request), pathId('Payment', request.params.id), { refundId, externalReference }));
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
  const shown = await showRefund(context, caller, refund, asked);
  // Judged by what is shown: it may be newer than what the Workflow answered, and the two must not contradict each other.
  const outcome = outcomeOf(shown, { order: payment, charge: payment, notReturnable: 'payment_not_refundable' });
  if (outcome.kind === 'error') throw new ApiError(outcome.problem, outcome.shows === 'order' ? { data: renderDevolucion(shown) } : {});
  if (outcome.kind === 'under_way') void reply.header('Location', `${request.url.split('?', 1)[0]}?refund_id=${asked.refundId}`);
  return sendMessage(reply, 200, shown);
}

async function readRefund(context: GatewayContext, request: FastifyRequest, reply: FastifyReply, paymentId: string): Promise<NewRefund> {
  parseRequest(noQuerySchema, request.query);
  const { key, isGiven } = takeIdempotencyKey(request, reply);
  const body = parseRequest(devolucionRequestSchema, readMoneyRequest(request, DECIMAL_FIELDS));
  const caller = callerOf(request);
  const { provider, orderId } = await placeOf(context, caller, paymentId, isGiven ? key : null);
  return {
    merchantId: caller.merchantId, provider: elsewhere(caller, provider), orderId, chargeId: paymentId,
    amountMinor: body.amount, reason: body.reason, refundType: body.type, externalReference: body.external_reference, metadata: body.metadata,
    onBehalfOf: beneficiaryOf(body.source), requestedAs: requesterOf(caller), idempotencyKey: key, requestedBy: caller.keyPrefix,
  };
}

/**
 * Where a payment was made: at the gateway, unless it is a charge that is known from another provider. A key that was used for the payment while
 * it was not known from elsewhere stays with the gateway, or the same request would be another refund (R8).
 * @throws ApiError 503 without a gateway, 422 in a currency that this dialect cannot say
 */
async function placeOf({ records, isConfigured }: GatewayContext, { merchantId }: KeyHolder, paymentId: string, key: string | null): Promise<{ readonly provider: string; readonly orderId: string }> {
  const isUsed = key !== null && (await records.findKey(merchantId, refundOperation(paymentId), key)) !== null;
  const charge = isUsed ? null : await records.findCharge(merchantId, paymentId);
  if (charge !== null && !isSayable(charge.currency)) throw new ApiError({ code: 'currency_not_supported' });
  if (charge === null && !isConfigured) throw new ApiError({ code: 'gateway_not_configured' });
  return charge ?? { provider: PROVIDER, orderId: paymentId };
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
    return (await context.records.refundOfCharge(caller.merchantId, asked.chargeId, { refundId })) ?? asked;
  } catch (error) {
    if (error instanceof RecordsUnavailableError) return asked;
    throw error;
  }
}

/** Calls a refund off (R4); which one must be said. */
async function cancelDevolucion(context: GatewayContext, request: FastifyRequest, reply: FastifyReply, paymentId: string): Promise<FastifyReply> {
  const { refundId, externalReference } = askedFor(request);
  if (externalReference !== undefined) throw new ApiError({ code: 'param_not_allowed', param: 'external_reference' });
  if (refundId === undefined) throw new ApiError({ code: 'param_missing', param: 'refund_id' });
  const caller = callerOf(request);
  const status = await cancelRefund(context, caller, await findDevolucion(context, caller, paymentId, { refundId }));
  return sendMessage(reply, status, await findDevolucion(context, caller, paymentId, { refundId }));
}

/** The refund that the query asks for, if it asks for one. */
function askedFor(request: FastifyRequest): SoughtRefund {
  const { refund_id: named, external_reference: externalReference } = parseRequest(devolucionQuerySchema, request.query);
  return { refundId: named === undefined ? undefined : pathId('Refund', named), externalReference };
}

function sendMessage(reply: FastifyReply, status: number, refund: ShownRefund): FastifyReply {
  return reply.status(status).type(GATEWAY_MEDIA_TYPE).send(renderDevolucion(refund));
}
