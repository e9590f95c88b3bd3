import { announceRefunds } from './announce.ts';
import { stateConflict } from './conekta-refusals.ts';
import { appendJournal } from './journal.ts';
import { requireOrder, requireRefund, touchOrder, type OrderAggregate, type RefundInOrder, type RefundState } from './order-records.ts';
import type { SandboxContext } from './sandbox-context.ts';

/**
 * What may become of a refund after it was made, from which states to which; nothing follows `failed`. The clock moves refunds by the
 * same table as an operator's hand (PRODUCT X4).
 */
export const REFUND_ACTS = {
  /** The provider executed it; the credit is on its way, so the journal does not have it yet. */
  approval: { from: ['authorized'], to: 'approved' },
  /** The money is with the payer. */
  completion: { from: ['authorized', 'approved'], to: 'succeeded' },
  /** It came to nothing; after it had succeeded this is the late failure (PRODUCT R9). */
  failure: { from: ['authorized', 'approved', 'succeeded'], to: 'failed' },
} as const satisfies Record<string, { readonly from: readonly RefundState[]; readonly to: RefundState }>;

/** One of the {@link REFUND_ACTS}. */
export type RefundAct = keyof typeof REFUND_ACTS;

/**
 * Does one act on a refund by hand and returns its order as it is then.
 * @throws ConektaError 404 for an unknown refund, 409 when its state does not allow the act; nothing is written then.
 */
export function actOnRefund(context: SandboxContext, refundId: string, act: RefundAct, nowMs: number): OrderAggregate {
  return context.db.transaction(() => {
    const { state, order_id: orderId } = requireRefund(context.db, refundId);
    if (!isAllowed(state, act)) throw stateConflict(`El reembolso no lo permite: está en ${state}.`, `The refund does not allow this: it is ${state}.`);
    advanceRefunds(context, [refundId], act, nowMs);
    return requireOrder(context.db, orderId);
  });
}

/**
 * Does one act on the refunds of one call, where their state allows it, and announces it in one event: the refunds of a call change
 * together. Those that were moved on meanwhile are left alone.
 */
export function advanceRefunds(context: SandboxContext, refundIds: readonly string[], act: RefundAct, nowMs: number): void {
  const { db } = context;
  db.transaction(() => {
    const moved = refundIds.map((id) => requireRefund(db, id)).filter((refund) => isAllowed(refund.state, act));
    const { to } = REFUND_ACTS[act];
    for (const refund of moved) moveRefund(context, refund, to, nowMs);
    const orderId = moved[0]?.order_id;
    if (orderId === undefined) return;
    touchOrder(db, orderId, Math.floor(nowMs / 1000));
    announceRefunds(context, requireOrder(db, orderId), to, nowMs);
  });
}

function isAllowed(state: RefundState, act: RefundAct): boolean {
  return REFUND_ACTS[act].from.some((from) => from === state);
}

/** The row, what it takes from its charge, and the journal, which knows only what reached the payer or came back from there. */
function moveRefund({ db }: SandboxContext, refund: RefundInOrder, to: RefundState, nowMs: number): void {
  db.run('UPDATE refunds SET state = ? WHERE id = ?', to, refund.id);
  if (to === 'failed') db.run('UPDATE charges SET refunded_amount = refunded_amount - ? WHERE id = ?', refund.amount, refund.charge_id);
  const movement = { charge_id: refund.charge_id, payout_id: null, amount: refund.amount, currency: refund.currency };
  if (to === 'succeeded') appendJournal(db, { kind: 'refund', ...movement }, nowMs);
  if (to === 'failed' && refund.state === 'succeeded') appendJournal(db, { kind: 'refund_failed', ...movement }, nowMs);
}
