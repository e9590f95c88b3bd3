import type { ProviderAdapter, ProviderCall, ProviderOrder, ProviderPayoutOrder, ProviderPayoutOrderRequest, ProviderRefundRequest } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import { checkAnswer, isSend, readAnswer } from './classify.ts';
import type { RequestPurpose } from './classify.ts';
import { createConektaClient } from './client.ts';
import type { ConektaClient, ConektaClientOptions, ConektaRequest } from './client.ts';
import { findPayoutOrder } from './find-payout-order.ts';
import { toPayoutOrderBody, toProviderOrder, toProviderPayoutOrder, toRefundBody } from './map.ts';
import { orderSchema, payoutOrderSchema } from './schemas.ts';
import type { ConektaOrderDto, ConektaPayoutOrderDto } from './schemas.ts';

/** The Conekta adapter: close it when the worker stops. */
export interface ConektaAdapter extends ProviderAdapter {
  /** Waits for what is in flight and closes all connections. */
  close(): Promise<void>;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** An id as one path segment. An id that cannot be one names nothing, and must not turn into another address. */
function pathSegment(id: string, purpose: RequestPurpose): string {
  if (id === '' || id === '.' || id === '..' || LONE_SURROGATE.test(id)) {
    throw new ProviderError(isSend(purpose) ? 'declined' : 'not_found', 'Conekta: not an id');
  }
  return encodeURIComponent(id);
}

/** Without this, an amount that is not a number would leave as `null` and mean "all of it". */
function assertAmount(amountMinor: number): void {
  if (!Number.isSafeInteger(amountMinor) || amountMinor <= 0) throw new ProviderError('declined', 'Conekta: the amount is not a positive integer');
}

function assertOurs(condition: boolean, what: string): void {
  if (!condition) throw new ProviderError('unknown', `Conekta: the answer is not about ${what}`);
}

type Ask = Pick<ConektaRequest, 'method' | 'path' | 'body'>;

async function ask(client: ConektaClient, call: ProviderCall, purpose: RequestPurpose, request: Ask): Promise<unknown> {
  const answer = await client.send({ ...request, credential: call.credential, deadlineAtMs: client.deadlineAtMs() });
  return readAnswer(answer, purpose);
}

function readOrder(json: unknown, orderId: string): ConektaOrderDto {
  const order = checkAnswer(orderSchema, json);
  assertOurs(order.id === orderId, 'this order');
  return order;
}

function readPayoutOrder(json: unknown, id: string): ConektaPayoutOrderDto {
  const payoutOrder = checkAnswer(payoutOrderSchema, json);
  assertOurs(payoutOrder.id === id, 'this payout order');
  return payoutOrder;
}

async function getOrder(client: ConektaClient, call: ProviderCall, orderId: string): Promise<ProviderOrder> {
  const json = await ask(client, call, 'read', { method: 'GET', path: `/orders/${pathSegment(orderId, 'read')}` });
  return toProviderOrder(readOrder(json, orderId));
}

async function submitRefund(client: ConektaClient, call: ProviderCall, request: ProviderRefundRequest): Promise<ProviderOrder> {
  assertAmount(request.amountMinor);
  const path = `/orders/${pathSegment(request.orderId, 'refund')}/refunds`;
  const json = await ask(client, call, 'refund', { method: 'POST', path, body: toRefundBody(request) });
  const order = toProviderOrder(readOrder(json, request.orderId));
  const charge = order.charges.find(({ chargeId }) => chargeId === request.chargeId);
  assertOurs(charge?.currency === request.currency, 'this charge in this currency');
  return order;
}

async function createPayoutOrder(client: ConektaClient, call: ProviderCall, request: ProviderPayoutOrderRequest): Promise<ProviderPayoutOrder> {
  assertAmount(request.amountMinor);
  const json = await ask(client, call, 'send', { method: 'POST', path: '/payout_orders', body: toPayoutOrderBody(request) });
  const dto = checkAnswer(payoutOrderSchema, json);
  assertOurs(dto.amount === request.amountMinor && dto.currency === request.currency, 'this amount');
  const payoutOrder = toProviderPayoutOrder(dto);
  assertOurs(payoutOrder.reference === request.reference, 'this reference');
  return payoutOrder;
}

async function getPayoutOrder(client: ConektaClient, call: ProviderCall, id: string): Promise<ProviderPayoutOrder> {
  const json = await ask(client, call, 'read', { method: 'GET', path: `/payout_orders/${pathSegment(id, 'read')}` });
  return toProviderPayoutOrder(readPayoutOrder(json, id));
}

async function cancelPayoutOrder(client: ConektaClient, call: ProviderCall, id: string): Promise<ProviderPayoutOrder> {
  const json = await ask(client, call, 'send', { method: 'PUT', path: `/payout_orders/${pathSegment(id, 'send')}/cancel` });
  return toProviderPayoutOrder(readPayoutOrder(json, id));
}

/**
 * The adapter for Conekta (API 2.3.0). Conekta keeps no key of ours and can only be asked for the refunds of a charge:
 * `balance` (S1). Each call is one request, except for the pages of a look, and is never retried; failures are classified as PRODUCT S4 says.
 * Throws `TypeError` when the base URL is unusable.
 */
export function createConektaAdapter(options: ConektaClientOptions): ConektaAdapter {
  const client = createConektaClient(options);
  return {
    name: 'conekta',
    idempotency: 'balance',
    getOrder: (call, orderId) => getOrder(client, call, orderId),
    submitRefund: (call, request) => submitRefund(client, call, request),
    createPayoutOrder: (call, request) => createPayoutOrder(client, call, request),
    getPayoutOrder: (call, id) => getPayoutOrder(client, call, id),
    findPayoutOrder: (call, reference, createdAfter) => findPayoutOrder(client, call, reference, createdAfter),
    cancelPayoutOrder: (call, id) => cancelPayoutOrder(client, call, id),
    close: () => client.close(),
  };
}
