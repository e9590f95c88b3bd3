/** Longest wait we let a provider ask of us, in milliseconds. */
export const RETRY_AFTER_CAP_MS = 5 * 60 * 1000;

const SECONDS = /^\d{1,15}$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads a `Retry-After` header, given as seconds or as an HTTP date, into milliseconds from `nowMs`, capped at
 * `RETRY_AFTER_CAP_MS`. Absent, malformed or past values are `undefined`: the caller keeps its own pace.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (SECONDS.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_CAP_MS);
  if (!HTTP_DATE.test(text)) return undefined;
  const waitMs = Date.parse(text) - nowMs;
  return waitMs > 0 ? Math.min(waitMs, RETRY_AFTER_CAP_MS) : undefined;
}
