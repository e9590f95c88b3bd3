import fastify, { type FastifyInstance } from 'fastify';
import { acceptBodies, acceptExactBodies } from './accept-bodies.ts';
import { Alarm } from './alarm.ts';
import { answerErrors } from './answer-errors.ts';
import { authenticate } from './authenticate.ts';
import { routeNotFound } from './conekta-refusals.ts';
import { CONEKTA, GATEWAY } from './dialect.ts';
import { gatewayFailure } from './gateway-refusals.ts';
import { registerGatewayRoutes } from './gateway-routes.ts';
import { HeldReplies } from './held-replies.ts';
import { registerOrderRoutes } from './order-routes.ts';
import { registerPayoutRoutes } from './payout-routes.ts';
import type { SandboxContext } from './sandbox-context.ts';
import { SandboxDatabase } from './sandbox-database.ts';
import { registerSandboxRoutes } from './sandbox-routes.ts';
import { nextDueAtMs, settleDue } from './settle-due.ts';
import { WebhookDispatcher, type WebhookTarget } from './webhook-dispatcher.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the caller's key; empty on the sandbox's own endpoints. */
    keyHash: string;
    /** The one instant at which the request happens, unix milliseconds: everything due by then is settled. */
    nowMs: number;
  }
}

/** How a sandbox is set up. */
export interface SandboxOptions {
  /** The file that holds all state, or `:memory:`. */
  readonly databasePath: string;
  /** How long a withdrawal may be reversed, milliseconds. */
  readonly confirmationWindowMs: number;
  /** Where changes of refunds and payout orders are announced. Without it they are not. */
  readonly webhook?: WebhookTarget | undefined;
  /** Where changes of the gateway's refunds are announced. Without it they are not. */
  readonly gatewayWebhook?: WebhookTarget | undefined;
  readonly logger?: boolean;
}

const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * Builds the server that imitates Conekta and the gateway (PRODUCT §9); it does not listen. Closing it stops timers and deliveries, drops held
 * connections and closes the file. Throws when the file cannot be opened.
 */
export async function createSandboxApp(options: SandboxOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: options.logger ?? false,
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    routerOptions: { ignoreDuplicateSlashes: true, ignoreTrailingSlash: true },
  });
  const db = new SandboxDatabase(options.databasePath);
  const context: SandboxContext = {
    db, confirmationWindowMs: options.confirmationWindowMs, notifies: { conekta: options.webhook !== undefined, gateway: options.gatewayWebhook !== undefined },
  };
  const held = new HeldReplies();

  acceptBodies(app);
  answerErrors(app, CONEKTA);
  app.decorateRequest('keyHash', '');
  app.decorateRequest('nowMs', 0);
  // Only now, when the body is there: a slow one must not be judged by an older clock.
  app.addHook('preHandler', async (request) => {
    request.nowMs = Date.now();
    settleDue(context, request.nowMs);
  });
  await app.register(async (scope) => registerSandboxRoutes(scope, context));
  await app.register(async (scope) => {
    requireKey(scope);
    registerOrderRoutes(scope, context, held);
    registerPayoutRoutes(scope, context, held);
  });
  for (const prefix of ['/pagos', '/api/v2/pagos']) {
    await app.register(async (scope) => {
      acceptExactBodies(scope);
      answerErrors(scope, GATEWAY, gatewayFailure);
      requireKey(scope);
      registerGatewayRoutes(scope, context, held);
    }, { prefix });
  }
  runInBackground(app, context, held, options);
  return app;
}

/** Lets in whoever has a key, also to addresses that are none. */
function requireKey(scope: FastifyInstance): void {
  scope.addHook('onRequest', async (request) => { request.keyHash = authenticate(request.headers.authorization); });
  scope.setNotFoundHandler(() => { throw routeNotFound(); });
}

function runInBackground(app: FastifyInstance, context: SandboxContext, held: HeldReplies, { webhook, gatewayWebhook }: SandboxOptions): void {
  const { db } = context;
  const clock = new Alarm(() => nextDueAtMs(context), () => settleDue(context, Date.now()));
  const dispatchers = [
    ...(webhook === undefined ? [] : [new WebhookDispatcher(db, 'conekta', webhook, app.log)]),
    ...(gatewayWebhook === undefined ? [] : [new WebhookDispatcher(db, 'gateway', gatewayWebhook, app.log)]),
  ];
  const wake = (): void => {
    clock.set();
    for (const dispatcher of dispatchers) dispatcher.wake();
  };
  db.onCommit(wake);
  app.addHook('onReady', async () => wake());
  app.addHook('preClose', async () => held.releaseAll());
  app.addHook('onClose', async () => {
    clock.stop();
    await Promise.all(dispatchers.map(async (dispatcher) => dispatcher.close()));
    db.close();
  });
}
