import type { z } from 'zod';
import { ProviderError } from '../provider-error.ts';
import type { ProviderErrorDetails } from '../provider-error.ts';
import type { WireAnswer } from './exchange.ts';
import { parseRetryAfter } from './retry-after.ts';
import { conektaErrorSchema } from './schemas.ts';

/** What a request is for: `refund` and `send` ask for a change, `read` names one object, `search` lists. */
export type RequestPurpose = 'refund' | 'send' | 'read' | 'search';

/** Whether a request asks for a change. */
export function isSend(purpose: RequestPurpose): boolean {
  return purpose === 'refund' || purpose === 'send';
}

/** Conekta's definitive refusals (CONTRACT §6), valid only with a readable error body. */
const REFUSALS: ReadonlySet<number> = new Set([400, 402, 404, 409, 422, 428]);

/**
 * Codes by which a refund is refused because the charge has nothing, or too little, left. They are read by the code alone:
 * CONTRACT §5 leaves the status open (402, 422 or 428).
 */
const NOTHING_LEFT: readonly RegExp[] = [
  // Seed 002: a charge of the order is not returnable.
  /^conekta\.errors\.precondition_required\.combo\.order\.is_not_returnable$/,
  // Parameter errors (CONTRACT §6) on `amount`, which leaves as a positive integer: all that can be wrong with it is its size.
  /^conekta\.errors\.parameter_validation\.amount\./,
];

/** The body as JSON, or `undefined`, which JSON cannot say, when it is not JSON in UTF-8. */
function decode(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    // The parser's message quotes the body, so it goes no further: the caller says `unknown`.
    return undefined;
  }
}

function unknownAnswer(message: string, details: ProviderErrorDetails): ProviderError {
  return new ProviderError('unknown', `Conekta: ${message}`, details);
}

function classifyRefusal(json: unknown, httpStatus: number, purpose: RequestPurpose): ProviderError {
  const error = conektaErrorSchema.safeParse(json);
  if (!error.success) return unknownAnswer(`status ${httpStatus} without a readable error`, { httpStatus });
  const { code } = error.data.details[0];
  const saysNothingLeft = purpose === 'refund' && NOTHING_LEFT.some((pattern) => pattern.test(code));
  const details = { httpStatus, providerCode: code, ...(saysNothingLeft ? { saysNothingLeft } : {}) };
  if (httpStatus !== 404 || isSend(purpose)) return new ProviderError('declined', 'Conekta: the request was refused', details);
  // A list that "does not exist" says nothing about what it would hold.
  if (purpose === 'search') return unknownAnswer('the list was not found', details);
  return new ProviderError('not_found', 'Conekta: the object does not exist', details);
}

function classifyFailure(answer: WireAnswer, purpose: RequestPurpose): ProviderError {
  const { httpStatus } = answer;
  if (httpStatus === 429) {
    const retryAfterMs = parseRetryAfter(answer.retryAfter, Date.now());
    return new ProviderError('not_sent', 'Conekta: too many requests', { httpStatus, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
  if (httpStatus === 401 || httpStatus === 403) return new ProviderError('not_sent', 'Conekta: the credential was not accepted', { httpStatus });
  if (REFUSALS.has(httpStatus)) return classifyRefusal(decode(answer.body), httpStatus, purpose);
  return unknownAnswer(`unexpected status ${httpStatus}`, { httpStatus });
}

/** The JSON of a successful answer. Throws `ProviderError` as PRODUCT S4 classifies everything else. */
export function readAnswer(answer: WireAnswer, purpose: RequestPurpose): unknown {
  if (answer.httpStatus < 200 || answer.httpStatus > 299) throw classifyFailure(answer, purpose);
  const json = decode(answer.body);
  if (json === undefined) throw unknownAnswer('the answer is not readable', { httpStatus: answer.httpStatus });
  return json;
}

/**
 * Holds an answer against its schema and gives back the very value that came, so that what we keep is what was sent.
 * Throws `ProviderError` `unknown` naming the place, never the value (S7).
 */
export function checkAnswer<S extends z.ZodType>(schema: S, json: unknown): z.input<S> {
  const checked = schema.safeParse(json);
  if (checked.success) return json as z.input<S>;
  const [issue] = checked.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.join('.');
  const problem = issue?.code === 'custom' ? issue.message : (issue?.code ?? 'invalid');
  throw unknownAnswer(`unexpected answer at ${place}: ${problem}`, {});
}
