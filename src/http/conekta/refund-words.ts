/** Conekta's words for refunds that moved nothing, or no longer do. */
const FAILED: ReadonlySet<unknown> = new Set(['failed', 'canceled', 'cancelled']);

/** Whether a refund with this status, as Conekta lists it, failed for good. Usually there is no status at all. */
export function isFailedRefund(status: unknown): boolean {
  return FAILED.has(status);
}
