import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerOf, READING } from '../access.ts';
import { bodyBytes } from '../json-body.ts';
import { pathId } from '../path-id.ts';
import { RecordsUnavailableError } from '../records.ts';
import { ownBaseUrl } from './conekta-context.ts';
import type { ConektaContext } from './conekta-context.ts';
import { CONEKTA_MEDIA_TYPE } from './media-type.ts';
import type { OrderAnswer } from './order-source.ts';
import { PROVIDER } from './provider-name.ts';
import { rewritePageUrls } from './page-urls.ts';

/** Registers the orders, which are passed through to the provider (A1): request and answer as they are, page addresses apart. */
export function registerOrderRoutes(app: FastifyInstance, context: ConektaContext): void {
  app.get('/orders', { config: { access: READING } }, (request, reply) => passOn(context, request, reply, '/orders'));
  app.post('/orders', { config: { access: ['refunds'] } }, (request, reply) => passOn(context, request, reply, '/orders'));
  app.get<{ Params: { id: string } }>('/orders/:id', { config: { access: READING } }, (request, reply) => {
    return passOn(context, request, reply, `/orders/${pathId('Order', request.params.id)}`);
  });
}

/** Reads an order at the provider; `null` when it does not give one. @throws ApiError 503 */
export async function readLiveOrder(context: ConektaContext, request: FastifyRequest, orderId: string): Promise<object | null> {
  const answer = await context.orders.call(callerOf(request), { method: 'GET', pathAndQuery: `/orders/${orderId}`, headers: { accept: CONEKTA_MEDIA_TYPE }, body: null });
  if (answer.status !== 200) return null;
  const order = JSON.parse(answer.body.toString('utf8')) as { object?: unknown; id?: unknown } | null;
  return order?.object === 'order' && order.id === orderId ? order : null;
}

async function passOn(context: ConektaContext, request: FastifyRequest, reply: FastifyReply, path: string): Promise<FastifyReply> {
  const url = request.raw.url ?? '';
  const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  const isPost = request.method === 'POST';
  const answer = await context.orders.call(callerOf(request), {
    method: isPost ? 'POST' : 'GET', pathAndQuery: `${path}${query}`, headers: forwardedHeaders(request), body: isPost ? bodyBytes(request) : null,
  });
  // A list shows the same orders again, page by page: only what is made or read by itself is looked into.
  if (answer.status === 200 && (isPost || path !== '/orders')) await rememberCharges(context, request, answer);
  if (answer.retryAfter !== undefined) void reply.header('retry-after', answer.retryAfter);
  const isJson = /json/i.test(answer.contentType ?? '');
  const body = isJson && answer.body.includes('_page_url"') ? Buffer.from(rewritePageUrls(answer.body.toString('utf8'), context.ordersBaseUrl, ownBaseUrl(request))) : answer.body;
  return reply.status(answer.status).header('content-type', answer.contentType ?? CONEKTA_MEDIA_TYPE).send(body);
}

const orderSchema = z.looseObject({ object: z.literal('order'), id: z.string(), currency: z.string(), charges: z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) }) });

/** Remembers the charges of an order that passes by, so that they can be named alone on the gateway face (CONTRACT §7). The answer does not depend on it. */
async function rememberCharges(context: ConektaContext, request: FastifyRequest, answer: OrderAnswer): Promise<void> {
  try {
    const order = orderSchema.safeParse(JSON.parse(answer.body.toString('utf8')));
    if (order.success) await context.records.rememberCharges(callerOf(request).merchantId, { provider: PROVIDER, orderId: order.data.id, currency: order.data.currency }, order.data.charges.data.map(({ id }) => id));
  } catch (error) {
    if (!(error instanceof RecordsUnavailableError || error instanceof SyntaxError)) throw error;
    request.log.warn({ errorName: error.name }, 'the charges of an order could not be remembered');
  }
}

function forwardedHeaders(request: FastifyRequest): Record<string, string> {
  const names = ['accept', 'accept-language', 'x-child-company-id', ...(request.method === 'POST' ? ['content-type'] : [])];
  const given = names.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return { accept: CONEKTA_MEDIA_TYPE, ...(Object.fromEntries(given) as Record<string, string>) };
}
