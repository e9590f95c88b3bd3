import { ConektaError } from './conekta-error.ts';
import { takeDueWork, type DueWork } from './due-work.ts';
import { requireOrder } from './order-records.ts';
import { requirePayment } from './payment-records.ts';
import { cancelPayoutOrder, createPayoutOrder, movePayoutOrder, reinstatePayoutOrder } from './payout-lifecycle.ts';
import { requirePayoutOrder, type PayoutStatus } from './payout-records.ts';
import { advanceRefunds } from './refund-lifecycle.ts';
import { refundOrder } from './refund-order.ts';
import { refundPayment } from './refund-payment.ts';
import type { SandboxContext } from './sandbox-context.ts';

/** Something that happens by itself: a window ends, a reference expires, or work that a fault put off falls due. */
interface Due {
  readonly kind: 'window_end' | 'expiry' | 'work';
  /** Of the payout order; `null` for work. */
  readonly id: string | null;
  readonly at_ms: number;
}

/** A window or a reference that ends at the very moment of put-off work has ended when that is done. */
const NEXT_DUE = `
SELECT kind, id, at_ms FROM (
  SELECT * FROM (SELECT 1 AS turn, 'window_end' AS kind, id, window_ends_at_ms AS at_ms FROM payout_orders WHERE status = 'pending_confirmation'
    ORDER BY window_ends_at_ms, seq LIMIT 1)
  UNION ALL
  SELECT * FROM (SELECT 2, 'expiry', id, expires_at * 1000 FROM payout_orders WHERE status = 'pending' ORDER BY expires_at, seq LIMIT 1)
  UNION ALL
  SELECT * FROM (SELECT 3, 'work', NULL, due_at_ms FROM due_work ORDER BY due_at_ms, id LIMIT 1)
) ORDER BY at_ms, turn LIMIT 1`;

/**
 * Does everything whose time has come, in the order of time, each in its own transaction: after a pause of the program a reference that
 * expired is not cancelled by work that fell due later. Called by the timer and before every request, so that no answer is older than the clock.
 */
export function settleDue(context: SandboxContext, nowMs: number): void {
  for (let due = nextDue(context); due !== undefined && due.at_ms <= nowMs; due = nextDue(context)) settle(context, due, nowMs);
}

/** When the next thing falls due, unix milliseconds. */
export function nextDueAtMs(context: SandboxContext): number | undefined {
  return nextDue(context)?.at_ms;
}

function nextDue({ db }: SandboxContext): Due | undefined {
  return db.get<Due>(NEXT_DUE);
}

function settle(context: SandboxContext, { kind, id }: Due, nowMs: number): void {
  if (id === null) settleWork(context, nowMs);
  else movePayoutOrder(context, requirePayoutOrder(context.db, id), kind === 'window_end' ? 'withdrawn' : 'expired', nowMs);
}

function settleWork(context: SandboxContext, nowMs: number): void {
  const { db } = context;
  db.transaction(() => {
    const work = takeDueWork(db, nowMs);
    if (work === undefined) return;
    try {
      doWork(context, work, nowMs);
    } catch (error) {
      // A refusal at this late hour, for instance because nothing remains of the charge, has nobody left to be told.
      if (!(error instanceof ConektaError)) throw error;
    }
  });
}

function doWork(context: SandboxContext, work: DueWork, nowMs: number): void {
  const { db } = context;
  switch (work.kind) {
    case 'refund.execute':
      refundOrder(context, requireOrder(db, work.orderId), work.request, { kind: 'now' }, nowMs);
      return;
    case 'devolucion.execute':
      refundPayment(context, requirePayment(db, work.paymentId), work.request, { kind: 'now' }, nowMs);
      return;
    case 'refund.approve': return advanceRefunds(context, work.refundIds, 'approval', nowMs);
    case 'refund.complete': return advanceRefunds(context, work.refundIds, 'completion', nowMs);
    case 'refund.fail': return advanceRefunds(context, work.refundIds, 'failure', nowMs, work.status);
    case 'payout.create':
      createPayoutOrder(context, work.keyHash, work.request, { kind: 'now' }, nowMs);
      return;
    case 'payout.issue': return moveFrom(context, work.payoutOrderId, 'open', 'pending', nowMs);
    case 'payout.call_off': return moveFrom(context, work.payoutOrderId, 'pending', 'cancelled', nowMs);
    case 'payout.reinstate': return reinstatePayoutOrder(context, requirePayoutOrder(db, work.payoutOrderId), work.windowEndsAtMs ?? null, nowMs);
    case 'payout.cancel':
      cancelPayoutOrder(context, requirePayoutOrder(db, work.payoutOrderId), { kind: 'now' }, nowMs);
  }
}

function moveFrom(context: SandboxContext, payoutOrderId: string, from: PayoutStatus, to: PayoutStatus, nowMs: number): void {
  const record = requirePayoutOrder(context.db, payoutOrderId);
  if (record.status === from) movePayoutOrder(context, record, to, nowMs);
}
