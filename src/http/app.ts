import { randomBytes } from 'node:crypto';
import { fastify, LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ReintegroClient } from '../client/reintegro-client.ts';
import type { Database } from '../store/database.ts';
import { admit } from './access.ts';
import { answerError } from './answer-error.ts';
import { registerOrderRoutes } from './conekta/order-routes.ts';
import { createOrderSource } from './conekta/order-source.ts';
import type { OrderSourceSettings } from './conekta/order-source.ts';
import { registerPayoutOrderRoutes } from './conekta/payout-order-routes.ts';
import { registerRefundRoutes } from './conekta/refund-routes.ts';
import { ApiError } from './errors.ts';
import { registerDevolucionRoutes } from './gateway/devolucion-routes.ts';
import { createRecords } from './records.ts';
import { registerMoneyMovements } from './v1/money-movements.ts';
import { registerNativePayoutOrders } from './v1/payout-order-routes.ts';
import { registerConektaWebhook } from './webhooks/conekta-webhook.ts';
import { registerGatewayWebhook } from './webhooks/gateway-webhook.ts';
import { readWebhookKeys } from './webhooks/webhook-keys.ts';

/** What the HTTP API is made of. */
export interface ApiDeps {
  readonly db: Database;
  readonly client: ReintegroClient;
  /** Where orders are passed through to (A1). */
  readonly orders: OrderSourceSettings;
  /** Conekta's RSA public key, PEM, or several one after the other while it is changed; without any, every webhook is refused. */
  readonly webhookPublicKeyPem: string | undefined;
  /** The gateway provider: whether there is one, and its RSA public keys like Conekta's. */
  readonly gateway: { readonly isConfigured: boolean; readonly webhookPublicKeyPem: string | undefined };
  /** How long a request waits for its outcome, milliseconds (R10). */
  readonly syncWaitMs: number;
  /** Whether all that the API needs serves. */
  readonly isReady: () => Promise<boolean>;
  readonly logger: FastifyBaseLogger | false;
}

const BODY_LIMIT_BYTES = 64 * 1024;
/** Longer than any address Node takes, so that ids are judged by our own rule. */
const MAX_PARAM_LENGTH = 64 * 1024;

/** Builds the HTTP API with the Conekta face, the gateway's and the native one (A1, A2, A3, A8); it does not listen. @throws when the webhook keys are not RSA public keys */
export async function createApiApp(deps: ApiDeps): Promise<FastifyInstance> {
  const app = fastify({
    ...(deps.logger === false ? { logger: false } : { loggerInstance: deps.logger }),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'logId' }),
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: () => randomBytes(12).toString('hex'),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    rewriteUrl: (request) => (isDecodable(request.url ?? '/') ? request.url ?? '/' : '/'),
    routerOptions: { ignoreDuplicateSlashes: true, maxParamLength: MAX_PARAM_LENGTH },
  });
  const records = createRecords(deps.db);
  const orders = createOrderSource(deps.orders);
  app.addHook('onClose', () => orders.close());
  // Bodies stay bytes: signatures are over bytes, orders pass as they are, and an empty body is one of any content type (CONTRACT §1).
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(() => { throw new ApiError({ code: 'route_not_found' }); });
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('X-Content-Type-Options', 'nosniff');
    request.caller = await admit(records, request);
  });
  logRequests(app);
  registerHealth(app, deps.isReady);
  const context = { records, client: deps.client, orders, ordersBaseUrl: deps.orders.baseUrl, syncWaitMs: deps.syncWaitMs };
  registerOrderRoutes(app, context);
  registerRefundRoutes(app, context);
  registerPayoutOrderRoutes(app, context);
  registerDevolucionRoutes(app, { ...context, isConfigured: deps.gateway.isConfigured });
  registerMoneyMovements(app, records);
  registerNativePayoutOrders(app, context);
  registerConektaWebhook(app, { records, client: deps.client, publicKeys: readWebhookKeys('CONEKTA_WEBHOOK_PUBLIC_KEY', deps.webhookPublicKeyPem) });
  registerGatewayWebhook(app, { records, client: deps.client, publicKeys: readWebhookKeys('GATEWAY_WEBHOOK_PUBLIC_KEY', deps.gateway.webhookPublicKeyPem) });
  return app;
}

/** One line per request, an allow-list: no address, query, header or body (I7). */
function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    request.log.info({
      method: request.method, route: request.routeOptions.url ?? null, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime),
      merchantId: request.caller?.merchantId ?? null,
    }, 'request served');
  });
}

function registerHealth(app: FastifyInstance, isReady: () => Promise<boolean>): void {
  const options = { config: { access: 'public' }, logLevel: 'warn' } as const;
  app.get('/health/live', options, async () => ({ status: 'live' }));
  app.get('/health/ready', options, async (_request, reply) => {
    const ready = await isReady().catch(() => false);
    return reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not_ready' });
  });
}

/** An address that cannot be decoded names nothing, and is answered like any other unknown one: after the key was checked. */
function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
}
