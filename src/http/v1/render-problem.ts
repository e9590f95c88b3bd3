import { ERRORS } from '../errors.ts';
import type { ApiError, ErrorText } from '../errors.ts';
import { fillText } from '../fill-text.ts';

/** The content type of every error of the native face (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/**
 * Renders an error of the native face (A3, RFC 9457): always English, and `code` never changes its meaning. What goes with the error
 * becomes members of the problem; `logId` is what our log calls the request.
 */
export function renderProblemDetails(error: ApiError, logId: string): Record<string, unknown> {
  const [first] = error.problems;
  const { debug, en, nativeStatus }: ErrorText = ERRORS[first.code];
  return {
    ...error.data,
    type: `urn:reintegro:problem:${first.code}`,
    // The same for every occurrence: the parameter at fault is in the detail.
    title: en.replace(/"\{param\}"( parameter)?/, 'parameter'),
    status: nativeStatus,
    detail: fillText(debug, first),
    code: first.code,
    ...(nativeStatus === 422 ? { errors: error.problems.map((problem) => ({ param: problem.param ?? null, code: problem.code, detail: fillText(ERRORS[problem.code].debug, problem) })) } : {}),
    log_id: logId,
  };
}
