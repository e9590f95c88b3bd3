import { currencyExponent } from '../../domain/money.ts';
import type { ProviderAdapter, ProviderCall, ProviderOrder, ProviderRefundRequest, SubmittedRefund } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import { createWireClient } from '../wire/client.ts';
import type { WireClient, WireClientOptions, WireRequest } from '../wire/client.ts';
import { assertAmount, assertOurs, pathSegment } from '../wire/request.ts';
import type { RequestPurpose } from '../wire/request.ts';
import { LABEL, gatewayAnswers } from './answers.ts';
import { minorOf, toListedRefund, toRefundBody } from './map.ts';
import { readMessage, readPayment, toWholeOrder } from './payment.ts';
import type { GatewayMessageDto } from './schemas.ts';

/** The adapter of the gateway dialect: close it when the worker stops. */
export interface GatewayAdapter extends ProviderAdapter {
  /** Waits for what is in flight and closes all connections. */
  close(): Promise<void>;
}

/** One call of the adapter: all its requests share a deadline. */
interface Asking {
  readonly client: WireClient;
  readonly call: ProviderCall;
  readonly deadlineAtMs: number;
}

async function ask({ client, call, deadlineAtMs }: Asking, purpose: RequestPurpose, request: Pick<WireRequest, 'method' | 'path' | 'body'>): Promise<unknown> {
  const answer = await client.send({ ...request, credential: call.credential, deadlineAtMs });
  return gatewayAnswers.read(answer, purpose);
}

/** The latest refund that carries the reference; `null` only when the gateway says that there is none. Every failure stays one. */
async function findByReference(asking: Asking, paymentId: string, reference: string): Promise<GatewayMessageDto | null> {
  const query = new URLSearchParams({ external_reference: reference }).toString();
  try {
    const json = await ask(asking, 'read', { method: 'GET', path: `/pagos/devolucion/${pathSegment(LABEL, paymentId, 'read')}?${query}` });
    return readMessage(json, paymentId, reference);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not_found') return null;
    throw error;
  }
}

async function getOrder(asking: Asking, paymentId: string, sought: string | undefined): Promise<ProviderOrder> {
  const payment = readPayment(await ask(asking, 'read', { method: 'GET', path: `/pagos/${pathSegment(LABEL, paymentId, 'read')}` }), paymentId);
  return toWholeOrder(payment, sought === undefined ? null : await findByReference(asking, paymentId, sought));
}

/** What the dialect cannot say is not sent: another charge than the payment, or minor units that are not hundredths. */
function assertSayable({ orderId, chargeId, currency, amountMinor }: ProviderRefundRequest): void {
  assertAmount(LABEL, amountMinor);
  if (chargeId !== orderId) throw new ProviderError('declined', `${LABEL}: a payment is its own and only charge`);
  if (currencyExponent(currency) !== 2) throw new ProviderError('declined', `${LABEL}: a currency whose minor units are not hundredths`);
}

async function submitRefund(asking: Asking, request: ProviderRefundRequest): Promise<SubmittedRefund> {
  assertSayable(request);
  const path = `/pagos/devolucion/${pathSegment(LABEL, request.orderId, 'refund')}`;
  const json = await ask(asking, 'refund', { method: 'POST', path, body: toRefundBody(request) });
  const message = readMessage(json, request.orderId, request.reference);
  assertOurs(LABEL, minorOf(message.amount) === request.amountMinor, 'this amount');
  return { kind: 'refund', refund: toListedRefund(message) };
}

/** The dialect knows no payout orders: nothing is sent, so that it is refused for good and stays `open` (P1). */
async function refusePayoutOrder(): Promise<never> {
  throw new ProviderError('declined', `${LABEL}: no payout orders`, { providerCode: 'no_payout_orders' });
}

/**
 * The adapter for a provider that speaks the gateway dialect (docs/gateway-dialect.md). It keeps our reference, need not keep it unique, and can
 * be asked for it: `reference` (S1). A payment is an order with one charge of the same id. No request is ever retried; failures are classified as
 * PRODUCT S4 says. Throws `TypeError` when the base URL is unusable.
 */
export function createGatewayAdapter(options: WireClientOptions): GatewayAdapter {
  const client = createWireClient({ label: LABEL, accept: 'application/json' }, options);
  const asking = (call: ProviderCall): Asking => ({ client, call, deadlineAtMs: client.deadlineAtMs() });
  return {
    name: 'gateway',
    idempotency: 'reference',
    getOrder: async (call, paymentId, sought) => getOrder(asking(call), paymentId, sought),
    submitRefund: async (call, request) => submitRefund(asking(call), request),
    createPayoutOrder: refusePayoutOrder,
    getPayoutOrder: refusePayoutOrder,
    // None was ever sent, so there surely is none.
    findPayoutOrder: async () => null,
    cancelPayoutOrder: refusePayoutOrder,
    close: () => client.close(),
  };
}
