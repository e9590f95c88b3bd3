import type { z } from 'zod';
import { holdsCardNumber } from './card-number.ts';
import { ApiError } from './errors.ts';
import type { Problem } from './errors.ts';

/** How many problems one answer lists. */
const MAX_PROBLEMS = 20;

/**
 * Parses a part of a request with a schema.
 * @throws ApiError 422 naming each wrong parameter, never its value (CONTRACT §6)
 */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [first, ...others] = parsed.error.issues.flatMap((issue) => problemsOf(issue, input)).slice(0, MAX_PROBLEMS);
  throw new ApiError(first === undefined ? { code: 'body_not_object' } : [first, ...others]);
}

/** The name of a field as it may be shown, or `null`: what a caller put in the wrong place may be secret. */
export function shownParam(name: string): string | null {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(name) && !/\d{9}/.test(name) && !holdsCardNumber(name) ? name : null;
}

function problemsOf(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ code: 'param_not_allowed', param: shownParam([...issue.path, key].join('.')) }));
  const param = shownParam(issue.path.join('.'));
  if (param === null) return [{ code: 'body_not_object' }];
  return [{ code: valueAt(input, issue.path) === undefined ? 'param_missing' : 'param_invalid', param }];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined), input);
}
