/** The pauses between sends that the provider did not take: doubled from a second up to an hour. Milliseconds. */
export function notSentPauseMs(attempt: number, retryAfterMs: number | null): number {
  const doubled = Math.min(1000 * 2 ** Math.min(attempt - 1, 12), 3_600_000);
  return Math.max(doubled, retryAfterMs ?? 0);
}

/** After so many sends in a row that the provider did not take (about half an hour), a human is told (O1). */
export const NOT_SENT_BEFORE_CASE = 12;
