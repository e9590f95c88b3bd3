import type { FastifyRequest } from 'fastify';
import { parseExactJson } from '../domain/decimal.ts';
import { findCardNumber } from './card-number.ts';
import { ApiError } from './errors.ts';
import { inspectJson } from './inspect-json.ts';
import type { JsonFlaw } from './inspect-json.ts';
import { shownParam } from './parse-request.ts';

const JSON_TYPE = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The body's bytes; empty when there is none. */
export function bodyBytes(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/**
 * Reads the JSON object of a request that moves money. An empty body of any content type is `{}` (CONTRACT §1). Numbers in the fields named
 * as decimals come as `JsonNumber`, which keeps their text (M1).
 * @throws ApiError 400, 415, 422 for anything that could be read in two ways, and for card numbers; nothing sent is echoed but field names
 */
export function readMoneyRequest(request: FastifyRequest, decimalFields: readonly string[] = []): Record<string, unknown> {
  const bytes = bodyBytes(request);
  if (bytes.length === 0) return {};
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '') || (request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new ApiError({ code: 'unsupported_media_type' });
  }
  const { text, value } = parseJson(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ApiError({ code: 'body_not_object' });
  const flaw = inspectJson(text, decimalFields);
  if (flaw?.kind === 'too_deep') throw flawError(flaw);
  const body = value as Record<string, unknown>;
  const cardField = findCardNumber(body);
  if (cardField !== null) throw new ApiError({ code: 'card_number', param: shownParam(cardField) });
  if (flaw !== null) throw flawError(flaw);
  return decimalFields.length === 0 ? body : { ...body, ...exactFields(text, decimalFields) };
}

function exactFields(text: string, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parseExactJson(text) as Record<string, unknown>).filter(([name]) => fields.includes(name)));
}

/** Parses bytes as JSON in UTF-8. @throws ApiError 400 */
export function parseJson(bytes: Buffer): { readonly text: string; readonly value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, value: JSON.parse(text) as unknown };
  } catch {
    // The parser's message quotes the body, so it goes no further.
    throw new ApiError({ code: 'malformed_json' });
  }
}

function flawError(flaw: JsonFlaw): ApiError {
  const param = shownParam(flaw.field);
  if (param === null) return new ApiError({ code: 'body_not_object' });
  return new ApiError({ code: flaw.kind === 'duplicate' ? 'param_duplicated' : 'param_invalid', param });
}
