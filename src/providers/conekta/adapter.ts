import type { ProviderAdapter, ProviderCall, ProviderOrder, ProviderPayoutOrder, ProviderPayoutOrderRequest, ProviderRefundRequest, SubmittedRefund } from '../provider.ts';
import { createWireClient } from '../wire/client.ts';
import type { WireClient, WireClientOptions, WireRequest } from '../wire/client.ts';
import { assertAmount, assertOurs, pathSegment } from '../wire/request.ts';
import type { RequestPurpose } from '../wire/request.ts';
import { LABEL, conektaAnswers } from './answers.ts';
import { findPayoutOrder } from './find-payout-order.ts';
import { toPayoutOrderBody, toProviderOrder, toProviderPayoutOrder, toRefundBody } from './map.ts';
import { orderSchema, payoutOrderSchema } from './schemas.ts';
import type { ConektaOrderDto, ConektaPayoutOrderDto } from './schemas.ts';

/** The Conekta adapter: close it when the worker stops. */
export interface ConektaAdapter extends ProviderAdapter {
  /** Waits for what is in flight and closes all connections. */
  close(): Promise<void>;
}

type Ask = Pick<WireRequest, 'method' | 'path' | 'body'>;

async function ask(client: WireClient, call: ProviderCall, purpose: RequestPurpose, request: Ask): Promise<unknown> {
  const answer = await client.send({ ...request, credential: call.credential, deadlineAtMs: client.deadlineAtMs() });
  return conektaAnswers.read(answer, purpose);
}

function readOrder(json: unknown, orderId: string): ConektaOrderDto {
  const order = conektaAnswers.check(orderSchema, json);
  assertOurs(LABEL, order.id === orderId, 'this order');
  return order;
}

function readPayoutOrder(json: unknown, id: string): ConektaPayoutOrderDto {
  const payoutOrder = conektaAnswers.check(payoutOrderSchema, json);
  assertOurs(LABEL, payoutOrder.id === id, 'this payout order');
  return payoutOrder;
}

async function getOrder(client: WireClient, call: ProviderCall, orderId: string): Promise<ProviderOrder> {
  const json = await ask(client, call, 'read', { method: 'GET', path: `/orders/${pathSegment(LABEL, orderId, 'read')}` });
  return toProviderOrder(readOrder(json, orderId));
}

async function submitRefund(client: WireClient, call: ProviderCall, request: ProviderRefundRequest): Promise<SubmittedRefund> {
  assertAmount(LABEL, request.amountMinor);
  const path = `/orders/${pathSegment(LABEL, request.orderId, 'refund')}/refunds`;
  const json = await ask(client, call, 'refund', { method: 'POST', path, body: toRefundBody(request) });
  const order = toProviderOrder(readOrder(json, request.orderId));
  const charge = order.charges.find(({ chargeId }) => chargeId === request.chargeId);
  assertOurs(LABEL, charge?.currency === request.currency, 'this charge in this currency');
  return { kind: 'order', order };
}

async function createPayoutOrder(client: WireClient, call: ProviderCall, request: ProviderPayoutOrderRequest): Promise<ProviderPayoutOrder> {
  assertAmount(LABEL, request.amountMinor);
  const json = await ask(client, call, 'send', { method: 'POST', path: '/payout_orders', body: toPayoutOrderBody(request) });
  const dto = conektaAnswers.check(payoutOrderSchema, json);
  assertOurs(LABEL, dto.amount === request.amountMinor && dto.currency === request.currency, 'this amount');
  const payoutOrder = toProviderPayoutOrder(dto);
  assertOurs(LABEL, payoutOrder.reference === request.reference, 'this reference');
  return payoutOrder;
}

async function getPayoutOrder(client: WireClient, call: ProviderCall, id: string): Promise<ProviderPayoutOrder> {
  const json = await ask(client, call, 'read', { method: 'GET', path: `/payout_orders/${pathSegment(LABEL, id, 'read')}` });
  return toProviderPayoutOrder(readPayoutOrder(json, id));
}

async function cancelPayoutOrder(client: WireClient, call: ProviderCall, id: string): Promise<ProviderPayoutOrder> {
  const json = await ask(client, call, 'send', { method: 'PUT', path: `/payout_orders/${pathSegment(LABEL, id, 'send')}/cancel` });
  return toProviderPayoutOrder(readPayoutOrder(json, id));
}

/**
 * The adapter for Conekta (API 2.3.0). Conekta keeps no key of ours and can only be asked for the refunds of a charge:
 * `balance` (S1). Each call is one request, except for the pages of a look, and is never retried; failures are classified as PRODUCT S4 says.
 * Throws `TypeError` when the base URL is unusable.
 */
export function createConektaAdapter(options: WireClientOptions): ConektaAdapter {
  const client = createWireClient({ label: LABEL, accept: 'application/vnd.conekta-v2.3.0+json' }, options);
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
