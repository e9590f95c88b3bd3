import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Alarm } from './alarm.ts';
import { authenticate } from './authenticate.ts';
import { ConektaError, languageOf, renderError } from './conekta-error.ts';
import { malformedRequest, routeNotFound, systemFailure } from './conekta-refusals.ts';
import { HeldReplies } from './held-replies.ts';
import { registerOrderRoutes } from './order-routes.ts';
import { registerPayoutRoutes } from './payout-routes.ts';
import type { SandboxContext } from './sandbox-context.ts';
import { SandboxDatabase } from './sandbox-database.ts';
import { registerSandboxRoutes } from './sandbox-routes.ts';
import { CONEKTA_MEDIA_TYPE } from './send-outcome.ts';
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
  readonly logger?: boolean;
}

const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * Builds the server that imitates Conekta (PRODUCT §9); it does not listen. Closing it stops timers and deliveries, drops held
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
  const context: SandboxContext = { db, confirmationWindowMs: options.confirmationWindowMs, notifies: options.webhook !== undefined };
  const held = new HeldReplies();

  acceptBodies(app);
  app.setErrorHandler(answerError);
  app.decorateRequest('keyHash', '');
  app.decorateRequest('nowMs', 0);
  // Only now, when the body is there: a slow one must not be judged by an older clock.
  app.addHook('preHandler', async (request) => {
    request.nowMs = Date.now();
    settleDue(context, request.nowMs);
  });
  await app.register(async (scope) => registerSandboxRoutes(scope, context));
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => { request.keyHash = authenticate(request.headers.authorization); });
    registerOrderRoutes(scope, context, held);
    registerPayoutRoutes(scope, context, held);
    scope.setNotFoundHandler(() => { throw routeNotFound(); });
  });
  runInBackground(app, context, held, options.webhook);
  return app;
}

/** Body-less requests come with any content type, and must not fail for it (CONTRACT §1). */
function acceptBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.+-]+\+)?json\b/i, { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') done(null, undefined);
    else done(malformedRequest(415), undefined);
  });
}

function answerError(error: FastifyError | ConektaError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { content } = error instanceof ConektaError ? error : translateError(error, request);
  if (content.retryAfterSeconds !== undefined) void reply.header('Retry-After', String(content.retryAfterSeconds));
  return reply.status(content.status).type(CONEKTA_MEDIA_TYPE)
    .send(renderError(content, languageOf(request.headers['accept-language']), Date.now()));
}

function translateError(error: FastifyError, request: FastifyRequest): ConektaError {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return malformedRequest(status);
  request.log.error({ err: error }, 'request failed');
  return systemFailure();
}

function runInBackground(app: FastifyInstance, context: SandboxContext, held: HeldReplies, target: WebhookTarget | undefined): void {
  const { db } = context;
  const clock = new Alarm(() => nextDueAtMs(context), () => settleDue(context, Date.now()));
  const dispatcher = target === undefined ? undefined : new WebhookDispatcher(db, target, app.log);
  const wake = (): void => {
    clock.set();
    dispatcher?.wake();
  };
  db.onCommit(wake);
  app.addHook('onReady', async () => wake());
  app.addHook('preClose', async () => held.releaseAll());
  app.addHook('onClose', async () => {
    clock.stop();
    await dispatcher?.close();
    db.close();
  });
}
