import type { z } from 'zod';
import { ConektaError, type ErrorDetail } from './conekta-error.ts';

/**
 * Parses a request part with a schema.
 * @throws ConektaError 422 `parameter_validation_error` naming each wrong parameter, never its value (CONTRACT §6).
 */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue) => detailsOf(issue, input));
  throw new ConektaError({ status: 422, type: 'parameter_validation_error', details });
}

function detailsOf(issue: z.core.$ZodIssue, input: unknown): ErrorDetail[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => notAllowed([...issue.path, key].join('.').slice(0, 100)));
  const param = issue.path.join('.').slice(0, 100);
  if (param === '') return [wrong('body', 'body')];
  return valueAt(input, issue.path) === undefined ? [missing(param)] : [wrong(param, param)];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function missing(param: string): ErrorDetail {
  const debug = `The "${param}" is missing.`;
  return { code: `parameter_validation.${param}.missing`, es: `El parametro "${param}" es requerido.`, en: debug, debug, param };
}

function wrong(param: string, name: string): ErrorDetail {
  const debug = `The "${name}" is invalid.`;
  return { code: `parameter_validation.${param}.invalid`, es: `El parametro "${name}" es inválido.`, en: debug, debug, param };
}

function notAllowed(param: string): ErrorDetail {
  const debug = `The "${param}" parameter is not allowed`;
  return { code: 'parameter_validation.whitelist', es: `El parametro "${param}" no está permitido`, en: debug, debug, param };
}
