import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { KeyReusedError, TemporalUnavailableError } from '../client/client-errors.ts';
import { CONEKTA_MEDIA_TYPE } from './conekta/media-type.ts';
import { renderError } from './render-error.ts';
import { ApiError } from './errors.ts';
import { isGateway } from './gateway/gateway-path.ts';
import { GATEWAY_MEDIA_TYPE } from './gateway/media-type.ts';
import { languageOf } from './language.ts';
import { RecordsUnavailableError } from './records.ts';
import { isNative } from './v1/native-path.ts';
import { PROBLEM_MEDIA_TYPE, renderProblemDetails } from './v1/render-problem.ts';

/** Answers any error: as problem+json on the native face, else in the dialect of the face. Nothing of what was thrown is shown, and only its kind is logged (I7). */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = toApiError(error);
  if (failure.status >= 500) request.log.error({ code: failure.problems[0].code, ...describe(error) }, 'request failed');
  if (failure.retryAfterSeconds !== undefined) void reply.header('Retry-After', String(failure.retryAfterSeconds));
  if (failure.status === 401) void reply.header('WWW-Authenticate', 'Bearer');
  if (isNative(request)) return reply.status(failure.nativeStatus).type(PROBLEM_MEDIA_TYPE).send(renderProblemDetails(failure, request.id));
  const language = languageOf(request.headers['accept-language']);
  if (isGateway(request)) return reply.status(failure.status).type(GATEWAY_MEDIA_TYPE).send(renderError(failure, 'gateway', language, request.id));
  return reply.status(failure.status).type(CONEKTA_MEDIA_TYPE).send(renderError(failure, 'conekta', language, request.id));
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof KeyReusedError) return new ApiError({ code: 'idempotency_key_reused', param: 'Idempotency-Key' });
  if (error instanceof TemporalUnavailableError || error instanceof RecordsUnavailableError) return new ApiError({ code: 'unavailable' }, { retryAfterSeconds: 1 });
  const status = error instanceof Error ? (error as Partial<FastifyError>).statusCode ?? 500 : 500;
  if (status === 413) return new ApiError({ code: 'body_too_large' });
  if (status === 415) return new ApiError({ code: 'unsupported_media_type' });
  return new ApiError({ code: status >= 400 && status < 500 ? 'malformed_request' : 'general_failure' });
}

/** Names, codes and places only: messages of drivers and parsers quote values. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const causes: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && causes.length < 5; { cause } = cause) {
    causes.push('code' in cause && typeof cause.code === 'string' ? `${cause.name} ${cause.code}` : cause.name);
  }
  const places = (error.stack ?? '').split('\n').filter((line) => /^ {4}at \S/.test(line)).slice(0, 8).map((line) => line.trim());
  return { errorName: causes.join(' < '), places };
}
