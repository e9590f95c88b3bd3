/** The pauses between sends that the provider did not take: doubled from a second up to an hour. Milliseconds. */
export function notSentPauseMs(attempt: number, retryAfterMs: number | null): number {
  const doubled = Math.min(1000 * 2 ** Math.min(attempt - 1, 12), 3_600_000);
  return Math.max(doubled, retryAfterMs ?? 0);
}

/** After so many sends in a row that the provider did not take (about half an hour), a human is told (O1). */
export const NOT_SENT_BEFORE_CASE = 12;

/** The pauses between looks that the provider did not answer: from half a minute up to an hour. Milliseconds. */
export function noAnswerPauseMs(unanswered: number): number {
  return notSentPauseMs(unanswered + 5, null);
}

/** After so many looks that the provider did not answer, each of a minute of tries, a human is told (O1). */
export const NO_ANSWER_BEFORE_CASE = 5;

/** After so many rounds of waiting for the same thing, with growing pauses, a human is told (O1). */
export const ROUNDS_BEFORE_CASE = 6;

/** The pauses between looks at what the provider has not finished (R6), or may still issue: from ten seconds up to six hours. Milliseconds. */
export function followPauseMs(round: number): number {
  return Math.min(10_000 * 2 ** Math.min(round, 12), 6 * 3_600_000);
}

/** After so many looks at a refund that the provider does not finish (about a day and a half), a human is told (O1). */
export const FOLLOWS_BEFORE_CASE = 16;

/** How often a fact that the provider does not show is looked for again, before the next deadline is left to ask (P6). */
export const LOOKS_FOR_CLAIM = 5;

/** The pauses between these looks: from two seconds to about ten minutes. Milliseconds. */
export function claimPauseMs(look: number): number {
  return 2000 * 4 ** (look - 1);
}
