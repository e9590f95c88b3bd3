import { CONEKTA, type Dialect } from './dialect.ts';
import { newHexId } from './identifiers.ts';

/** The language of the `message` texts; `debug_message` is always English (CONTRACT §6). */
export type Language = 'es' | 'en';

/** One entry of `details`, in both languages. */
export interface ErrorDetail {
  readonly es: string;
  readonly en: string;
  readonly debug: string;
  readonly param: string | null;
  /** Without what all codes of the dialect begin with. */
  readonly code: string;
}

/** The error types of CONTRACT §6. */
export type ErrorType =
  | 'api_error' | 'authentication_error' | 'conflict_error' | 'malformed_request_error' | 'parameter_validation_error'
  | 'precondition_required_error' | 'processing_error' | 'resource_not_found_error';

/** What a {@link ConektaError} is made of. */
export interface ConektaErrorContent {
  readonly status: number;
  readonly type: ErrorType;
  readonly details: readonly ErrorDetail[];
  /** The untouched order, where the dialect adds it. */
  readonly data?: object;
  /** For 429: the value of the `Retry-After` header, seconds. */
  readonly retryAfterSeconds?: number;
}

/** Thrown when a request is refused, in whichever dialect; nothing was moved. Its message names codes only, never what the caller sent. */
export class ConektaError extends Error {
  readonly content: ConektaErrorContent;

  constructor(content: ConektaErrorContent) {
    super(content.details.map((detail) => detail.code).join(', '));
    this.name = 'ConektaError';
    this.content = content;
  }
}

/** Renders the error body of CONTRACT §6, which both dialects share, in the caller's language. */
export function renderError(content: ConektaErrorContent, language: Language, nowMs: number, { codePrefix }: Dialect = CONEKTA): Record<string, unknown> {
  return {
    details: content.details.map((detail) => ({
      debug_message: detail.debug, message: language === 'en' ? detail.en : detail.es, param: detail.param, code: codePrefix + detail.code,
    })),
    object: 'error',
    type: content.type,
    log_id: newHexId(nowMs),
    ...(content.data === undefined ? {} : { data: content.data }),
  };
}

/** Reads `Accept-Language`: English when it is the first choice, else Spanish (CONTRACT §1). */
export function languageOf(acceptLanguage: string | undefined): Language {
  return /^\s*en\b/i.test(acceptLanguage ?? '') ? 'en' : 'es';
}
