import type { DevolucionRequest } from './gateway-requests.ts';
import type { GatewayStatus } from './gateway-status.ts';
import type { PayoutOrderRequest } from './payout-requests.ts';
import type { RefundRequest } from './order-requests.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** Work that a fault put off; kept in the database, so that it happens after a restart as well (PRODUCT X4). */
export type DueWork =
  /** `late_commit` of a refund. */
  | { readonly kind: 'refund.execute'; readonly orderId: string; readonly request: RefundRequest }
  /** `late_commit` of a refund at the gateway. */
  | { readonly kind: 'devolucion.execute'; readonly paymentId: string; readonly request: DevolucionRequest }
  /** `async`, half way: the authorized refund is executed, its credit on its way. */
  | { readonly kind: 'refund.approve'; readonly refundIds: readonly string[] }
  /** `async`: the refund is with the payer. */
  | { readonly kind: 'refund.complete'; readonly refundIds: readonly string[] }
  /** `async_failure` and `late_failure` of a refund, in the gateway's word where the fault named one. */
  | { readonly kind: 'refund.fail'; readonly refundIds: readonly string[]; readonly status?: GatewayStatus | undefined }
  /** `late_commit` of a new payout order. */
  | { readonly kind: 'payout.create'; readonly keyHash: string; readonly request: PayoutOrderRequest }
  /** `async`: the open payout order gets its reference. */
  | { readonly kind: 'payout.issue'; readonly payoutOrderId: string }
  /** `late_failure` of a new payout order: the rail calls the reference off. */
  | { readonly kind: 'payout.call_off'; readonly payoutOrderId: string }
  /** `late_commit` and `async` of a cancellation. */
  | { readonly kind: 'payout.cancel'; readonly payoutOrderId: string }
  /** `late_failure` of a cancellation; with the end of the window (unix milliseconds) where a withdrawal was under way. */
  | { readonly kind: 'payout.reinstate'; readonly payoutOrderId: string; readonly windowEndsAtMs?: number | null };

/** Puts work off until a time (unix milliseconds), inside the transaction of the call. */
export function scheduleWork(db: SandboxDatabase, work: DueWork, dueAtMs: number): void {
  db.run('INSERT INTO due_work (work, due_at_ms) VALUES (?, ?)', JSON.stringify(work), dueAtMs);
}

/** Takes the oldest work that is due, in the transaction that does it. */
export function takeDueWork(db: SandboxDatabase, nowMs: number): DueWork | undefined {
  const row = db.get<{ id: number; work: string }>('SELECT id, work FROM due_work WHERE due_at_ms <= ? ORDER BY due_at_ms, id LIMIT 1', nowMs);
  if (row === undefined) return undefined;
  db.run('DELETE FROM due_work WHERE id = ?', row.id);
  return JSON.parse(row.work) as DueWork;
}
