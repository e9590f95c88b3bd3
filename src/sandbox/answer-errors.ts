import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { ConektaError, languageOf, renderError } from './conekta-error.ts';
import { malformedRequest, systemFailure } from './conekta-refusals.ts';
import type { Dialect } from './dialect.ts';

/** Answers what is thrown in a scope with the error body of a dialect; `failure` is what it says when the sandbox itself broke. */
export function answerErrors(scope: FastifyInstance, dialect: Dialect, failure: () => ConektaError = systemFailure): void {
  scope.setErrorHandler((error: FastifyError | ConektaError, request, reply) => {
    const { content } = error instanceof ConektaError ? error : translateError(error, request, failure);
    if (content.retryAfterSeconds !== undefined) void reply.header('Retry-After', String(content.retryAfterSeconds));
    return reply.status(content.status).type(dialect.mediaType)
      .send(renderError(content, languageOf(request.headers['accept-language']), Date.now(), dialect));
  });
}

function translateError(error: FastifyError, request: FastifyRequest, failure: () => ConektaError): ConektaError {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return malformedRequest(status);
  request.log.error({ err: error }, 'request failed');
  return failure();
}
