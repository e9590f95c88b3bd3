import { ConektaError } from './conekta-error.ts';
import { takeDueWork, type DueWork } from './due-work.ts';
import { requireOrder } from './order-records.ts';
import { cancelPayoutOrder, createPayoutOrder, movePayoutOrder } from './payout-lifecycle.ts';
import { requirePayoutOrder, type PayoutRecord, type PayoutStatus } from './payout-records.ts';
import { advanceRefunds } from './refund-lifecycle.ts';
import { refundOrder } from './refund-order.ts';
import type { SandboxContext } from './sandbox-context.ts';

/**
 * Does everything whose time has come: work that faults put off, windows that ended, references that expired. Each in its own
 * transaction. Called by the timer and before every request, so that no answer is older than the clock.
 */
export function settleDue(context: SandboxContext, nowMs: number): void {
  while (settleOneWork(context, nowMs));
  settlePayouts(context, "status = 'pending_confirmation' AND window_ends_at_ms <= ?", nowMs, 'withdrawn', nowMs);
  settlePayouts(context, "status = 'pending' AND expires_at <= ?", Math.floor(nowMs / 1000), 'expired', nowMs);
}

/** When the next thing falls due, unix milliseconds. */
export function nextDueAtMs({ db }: SandboxContext): number | undefined {
  const row = db.get<{ at: number | null }>(
    `SELECT min(at) AS at FROM (
       SELECT min(due_at_ms) AS at FROM due_work
       UNION ALL SELECT min(window_ends_at_ms) FROM payout_orders WHERE status = 'pending_confirmation'
       UNION ALL SELECT min(expires_at) * 1000 FROM payout_orders WHERE status = 'pending')`,
  );
  return row?.at ?? undefined;
}

function settlePayouts(context: SandboxContext, condition: string, bound: number, to: PayoutStatus, nowMs: number): void {
  for (const record of context.db.all<PayoutRecord>(`SELECT * FROM payout_orders WHERE ${condition}`, bound)) {
    movePayoutOrder(context, record, to, nowMs);
  }
}

function settleOneWork(context: SandboxContext, nowMs: number): boolean {
  const { db } = context;
  // The usual case is that nothing is due: no transaction for that.
  if (db.get('SELECT id FROM due_work WHERE due_at_ms <= ? LIMIT 1', nowMs) === undefined) return false;
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
  return true;
}

function doWork(context: SandboxContext, work: DueWork, nowMs: number): void {
  const { db } = context;
  switch (work.kind) {
    case 'refund.execute':
      refundOrder(context, requireOrder(db, work.orderId), work.request, { kind: 'now' }, nowMs);
      return;
    case 'refund.approve': return advanceRefunds(context, work.refundIds, 'approval', nowMs);
    case 'refund.complete': return advanceRefunds(context, work.refundIds, 'completion', nowMs);
    case 'refund.fail': return advanceRefunds(context, work.refundIds, 'failure', nowMs);
    case 'payout.create':
      createPayoutOrder(context, work.keyHash, work.request, { kind: 'now' }, nowMs);
      return;
    case 'payout.issue': return moveFrom(context, work.payoutOrderId, 'open', 'pending', nowMs);
    case 'payout.call_off': return moveFrom(context, work.payoutOrderId, 'pending', 'cancelled', nowMs);
    case 'payout.reinstate': return moveFrom(context, work.payoutOrderId, 'cancelled', 'pending', nowMs);
    case 'payout.cancel':
      cancelPayoutOrder(context, requirePayoutOrder(db, work.payoutOrderId), { kind: 'now' }, nowMs);
  }
}

function moveFrom(context: SandboxContext, payoutOrderId: string, from: PayoutStatus, to: PayoutStatus, nowMs: number): void {
  const record = requirePayoutOrder(context.db, payoutOrderId);
  if (record.status === from) movePayoutOrder(context, record, to, nowMs);
}
