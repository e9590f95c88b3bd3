import type { z } from 'zod';
import { ProviderError } from '../provider-error.ts';
import type { ProviderErrorDetails } from '../provider-error.ts';
import type { WireAnswer } from './exchange.ts';
import type { RequestPurpose } from './request.ts';
import { isSend } from './request.ts';
import { parseRetryAfter } from './retry-after.ts';

/** What tells one provider's answers from another's. */
export interface AnswerDialect {
  /** The provider's name, as failures say it. */
  readonly label: string;
  /** Statuses of its definitive refusals, valid only with a readable error body. */
  readonly refusals: ReadonlySet<number>;
  /** The code of its error body, in an alphabet that keeps values out of our records; `null` when the body is no error. */
  readonly errorCode: (json: unknown) => string | null;
  /** Codes by which a refund is refused because nothing, or too little, is left; read by the code alone, whatever the status. */
  readonly nothingLeft: readonly RegExp[];
  /** Whether an error of status 404 with this code says that the object does not exist; any other 404 says nothing about it. */
  readonly isNotFound: (code: string) => boolean;
  /** Reads a JSON text. @throws when it is none */
  readonly parse: (text: string) => unknown;
}

/** Reads the answers of one provider, and classifies all that are no success. */
export interface AnswerReader {
  /** The JSON of a successful answer. Throws `ProviderError` as PRODUCT S4 classifies everything else. */
  read(answer: WireAnswer, purpose: RequestPurpose): unknown;
  /**
   * Holds an answer against its schema and gives back the very value that came, so that what we keep is what was sent.
   * Throws `ProviderError` `unknown` naming the place, never the value (S7).
   */
  check<S extends z.ZodType>(schema: S, json: unknown): z.input<S>;
}

/** Deeper than any answer, and shallow enough that whoever walks through one comes to its end. */
const MAX_DEPTH = 100;

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

/** The body as JSON, or `undefined`, which JSON cannot say, when it is not JSON in UTF-8. */
function decode(body: Buffer, parse: AnswerDialect['parse']): unknown {
  try {
    const json = parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isDeeper(json, MAX_DEPTH) ? undefined : json;
  } catch {
    // The parser's message quotes the body, so it goes no further: the caller says `unknown`.
    return undefined;
  }
}

function classifyRefusal(dialect: AnswerDialect, { httpStatus, body }: WireAnswer, purpose: RequestPurpose): ProviderError {
  const { label } = dialect;
  const code = dialect.errorCode(decode(body, dialect.parse));
  if (code === null) return new ProviderError('unknown', `${label}: status ${httpStatus} without a readable error`, { httpStatus });
  const saysNothingLeft = purpose === 'refund' && dialect.nothingLeft.some((pattern) => pattern.test(code));
  const details: ProviderErrorDetails = { httpStatus, providerCode: code, ...(saysNothingLeft ? { saysNothingLeft } : {}) };
  if (httpStatus !== 404 || isSend(purpose)) return new ProviderError('declined', `${label}: the request was refused`, details);
  // A list that "does not exist" says nothing about what it would hold, nor does a page that is not there.
  if (purpose === 'search' || !dialect.isNotFound(code)) return new ProviderError('unknown', `${label}: the ${purpose === 'search' ? 'list' : 'address'} was not found`, details);
  return new ProviderError('not_found', `${label}: the object does not exist`, details);
}

function classifyFailure(dialect: AnswerDialect, answer: WireAnswer, purpose: RequestPurpose): ProviderError {
  const { label } = dialect;
  const { httpStatus } = answer;
  if (httpStatus === 429) {
    const retryAfterMs = parseRetryAfter(answer.retryAfter, Date.now());
    return new ProviderError('not_sent', `${label}: too many requests`, { httpStatus, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
  if (httpStatus === 401 || httpStatus === 403) return new ProviderError('not_sent', `${label}: the credential was not accepted`, { httpStatus });
  if (dialect.refusals.has(httpStatus)) return classifyRefusal(dialect, answer, purpose);
  return new ProviderError('unknown', `${label}: unexpected status ${httpStatus}`, { httpStatus });
}

/** Makes the reader of one provider's answers. */
export function createAnswerReader(dialect: AnswerDialect): AnswerReader {
  const { label } = dialect;
  return {
    read(answer, purpose) {
      const { httpStatus } = answer;
      if (httpStatus < 200 || httpStatus > 299) throw classifyFailure(dialect, answer, purpose);
      const json = decode(answer.body, dialect.parse);
      if (json === undefined) throw new ProviderError('unknown', `${label}: the answer is not readable`, { httpStatus });
      return json;
    },
    check<S extends z.ZodType>(schema: S, json: unknown): z.input<S> {
      const checked = schema.safeParse(json);
      if (checked.success) return json as z.input<S>;
      const [issue] = checked.error.issues;
      const place = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.join('.');
      const problem = issue?.code === 'custom' ? issue.message : (issue?.code ?? 'invalid');
      throw new ProviderError('unknown', `${label}: unexpected answer at ${place}: ${problem}`);
    },
  };
}
