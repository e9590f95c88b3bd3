import { announcePayoutOrder } from './announce.ts';
import { payoutNotCancellable, stateConflict } from './conekta-refusals.ts';
import { scheduleWork } from './due-work.ts';
import type { Course } from './fault-call.ts';
import { appendJournal } from './journal.ts';
import { insertPayoutOrder, requirePayoutOrder, type PayoutRecord, type PayoutStatus } from './payout-records.ts';
import type { PayoutOrderRequest } from './payout-requests.ts';
import type { SandboxContext } from './sandbox-context.ts';

/** What a till may do (PRODUCT X5), from which status to which. */
export const TILL_ACTS = {
  withdrawal: { from: 'pending', to: 'pending_confirmation' },
  confirmation: { from: 'pending_confirmation', to: 'withdrawn' },
  reversal: { from: 'pending_confirmation', to: 'reversed' },
} as const satisfies Record<string, { readonly from: PayoutStatus; readonly to: PayoutStatus }>;

/** One of the {@link TILL_ACTS}. */
export type TillAct = keyof typeof TILL_ACTS;

/** Creates a payout order with its reference; `async` leaves it open at first, `late_failure` calls it off later; other courses are as now. */
export function createPayoutOrder(
  { db }: SandboxContext, keyHash: string, request: PayoutOrderRequest, course: Course, nowMs: number,
): PayoutRecord {
  return db.transaction(() => {
    const record = insertPayoutOrder(db, keyHash, request, course.kind === 'async' ? 'open' : 'pending', nowMs);
    if (course.kind === 'async') scheduleWork(db, { kind: 'payout.issue', payoutOrderId: record.id }, course.dueAtMs);
    if (course.kind === 'late_failure') scheduleWork(db, { kind: 'payout.call_off', payoutOrderId: record.id }, course.dueAtMs);
    return record;
  });
}

/**
 * Cancels a payout order; cancelling again changes nothing. `async` leaves it as it is and cancels later, `late_failure` reinstates it later.
 * @throws ConektaError 428 in every status but pending, cancelled, and pending_confirmation while the cash is not out (CONTRACT §3, PRODUCT P4).
 */
export function cancelPayoutOrder(context: SandboxContext, record: PayoutRecord, course: Course, nowMs: number): PayoutRecord {
  if (record.status === 'cancelled') return record;
  if (record.status !== 'pending' && record.is_voidable === 0) throw payoutNotCancellable();
  const { db } = context;
  return db.transaction(() => {
    if (course.kind === 'async') {
      scheduleWork(db, { kind: 'payout.cancel', payoutOrderId: record.id }, course.dueAtMs);
      return record;
    }
    if (course.kind === 'late_failure') {
      scheduleWork(db, { kind: 'payout.reinstate', payoutOrderId: record.id, windowEndsAtMs: record.window_ends_at_ms }, course.dueAtMs);
    }
    return movePayoutOrder(context, record, 'cancelled', nowMs);
  });
}

/**
 * Undoes a cancellation that came to nothing (`late_failure`): the reference can be collected again. A withdrawal that was under way goes on:
 * its cash was out after all, so it cannot be voided any more, and its window (unix milliseconds) ends when it would have ended.
 */
export function reinstatePayoutOrder(context: SandboxContext, record: PayoutRecord, windowEndsAtMs: number | null, nowMs: number): void {
  if (record.status !== 'cancelled') return;
  if (windowEndsAtMs === null) movePayoutOrder(context, record, 'pending', nowMs);
  else movePayoutOrder(context, record, 'pending_confirmation', nowMs, { endsAtMs: windowEndsAtMs, isVoidable: false });
}

/**
 * Does at the till what the reference allows; a withdrawal opens the confirmation window. Due expiries and window ends must have been
 * settled before, for the same instant. `isVoidable` says of a withdrawal that its cash is not out yet.
 * @throws ConektaError 409 when the reference does not allow it.
 */
export function actAtTill(context: SandboxContext, record: PayoutRecord, act: TillAct, isVoidable: boolean, nowMs: number): PayoutRecord {
  const { from, to } = TILL_ACTS[act];
  if (record.status !== from) {
    throw stateConflict(`La referencia no lo permite: está en ${record.status}.`, `The reference does not allow this: it is ${record.status}.`);
  }
  const window = act === 'withdrawal' ? { endsAtMs: nowMs + context.confirmationWindowMs, isVoidable } : null;
  return movePayoutOrder(context, record, to, nowMs, window);
}

/** The time in which a withdrawal may be reversed, until `endsAtMs` (unix milliseconds), and whether a cancel still voids it. */
interface ConfirmationWindow {
  readonly endsAtMs: number;
  readonly isVoidable: boolean;
}

/**
 * Moves a payout order to a status: the row, the journal when cash is definitely out, and the event, in one transaction (PRODUCT X3, X5).
 * `pending_confirmation` comes with its window, every other status without.
 */
export function movePayoutOrder(
  context: SandboxContext, record: PayoutRecord, to: PayoutStatus, nowMs: number, window: ConfirmationWindow | null = null,
): PayoutRecord {
  const { db } = context;
  return db.transaction(() => {
    const moved = db.run(
      'UPDATE payout_orders SET status = ?, window_ends_at_ms = ?, is_voidable = ?, updated_at = ? WHERE id = ? AND status = ?',
      to, window?.endsAtMs ?? null, window?.isVoidable === true ? 1 : 0, Math.floor(nowMs / 1000), record.id, record.status,
    );
    if (moved !== 1) throw new Error(`payout order ${record.id} is no longer ${record.status}`);
    if (to === 'withdrawn') {
      appendJournal(db, { kind: 'withdrawal', charge_id: null, payout_id: record.id, amount: record.amount, currency: record.currency }, nowMs);
    }
    const after = requirePayoutOrder(db, record.id);
    announcePayoutOrder(context, after, nowMs);
    return after;
  });
}
