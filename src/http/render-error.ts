import { ERRORS } from './errors.ts';
import type { ApiError, ErrorText, Problem } from './errors.ts';
import { fillText } from './fill-text.ts';
import type { Language } from './language.ts';

/** Renders an error in a dialect (CONTRACT §6; the gateway's seed has no form of its own); `logId` is what our log calls the request. */
export function renderError(error: ApiError, dialect: 'conekta' | 'gateway', language: Language, logId: string): Record<string, unknown> {
  return {
    details: error.problems.map((problem) => renderProblem(problem, dialect, language)),
    object: 'error',
    type: ERRORS[error.problems[0].code].type,
    log_id: logId,
    ...(error.data === undefined ? {} : { data: error.data }),
  };
}

function renderProblem(problem: Problem, dialect: string, language: Language): Record<string, unknown> {
  const error: ErrorText = ERRORS[problem.code];
  const fill = (text: string): string => fillText(text, problem);
  return { debug_message: fill(error.debug), message: fill(error[language]), param: problem.param ?? null, code: `${dialect}.errors.${fill(error.code).replaceAll('?', 'unknown')}` };
}
