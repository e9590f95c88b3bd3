import { announceRefunds } from './announce.ts';
import { stateConflict } from './conekta-refusals.ts';
import { isStatusMoveAllowed, STATE_OF, USUAL_STATUS, type GatewayStatus } from './gateway-status.ts';
import { appendJournal } from './journal.ts';
import { requireAggregate, requireRefund, touchOrder, type OrderAggregate, type RefundInOrder, type RefundState } from './order-records.ts';
import { moveMessage, requireStatus } from './refund-messages.ts';
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
 * Does one act on a refund by hand and returns its order or payment as it is then.
 * @throws ConektaError 404 for an unknown refund, 409 when its state does not allow the act; nothing is written then.
 */
export function actOnRefund(context: SandboxContext, refundId: string, act: RefundAct, nowMs: number): OrderAggregate {
  return context.db.transaction(() => {
    const { state, order_id: orderId } = requireRefund(context.db, refundId);
    if (!isAllowed(state, act)) throw stateConflict(`El reembolso no lo permite: está en ${state}.`, `The refund does not allow this: it is ${state}.`);
    advanceRefunds(context, [refundId], act, nowMs);
    return requireAggregate(context.db, orderId);
  });
}

/**
 * Gives a refund of the gateway a word by hand and returns its payment as it is then (docs/sandbox.md).
 * @throws ConektaError 404 for an unknown refund or one of Conekta's, 409 when it may not go over to the word; nothing is written then.
 */
export function setRefundStatus(context: SandboxContext, refundId: string, status: GatewayStatus, nowMs: number): OrderAggregate {
  const { db } = context;
  return db.transaction(() => {
    const from = requireStatus(db, refundId);
    if (!isStatusMoveAllowed(from, status)) throw stateConflict(`La devolución no lo permite: está en ${from}.`, `The refund does not allow this: it is ${from}.`);
    const refund = requireRefund(db, refundId);
    moveRefunds(context, [refund], STATE_OF[status], status, nowMs);
    return requireAggregate(db, refund.order_id);
  });
}

/**
 * Does one act on the refunds of one call, where their state allows it, and announces it in one event: the refunds of a call change
 * together. Those that were moved on meanwhile are left alone. Where they are of the gateway, `status` is their new word, if not the usual one.
 */
export function advanceRefunds(context: SandboxContext, refundIds: readonly string[], act: RefundAct, nowMs: number, status?: GatewayStatus): void {
  const { db } = context;
  db.transaction(() => {
    const moved = refundIds.map((id) => requireRefund(db, id)).filter((refund) => isAllowed(refund.state, act));
    const { to } = REFUND_ACTS[act];
    moveRefunds(context, moved, to, status ?? USUAL_STATUS[to], nowMs);
  });
}

function moveRefunds(context: SandboxContext, moved: readonly RefundInOrder[], to: RefundState, status: GatewayStatus, nowMs: number): void {
  const { db } = context;
  const orderId = moved[0]?.order_id;
  if (orderId === undefined) return;
  for (const refund of moved) {
    moveRefund(context, refund, to, nowMs);
    moveMessage(db, refund.id, status);
  }
  touchOrder(db, orderId, Math.floor(nowMs / 1000));
  announceRefunds(context, requireAggregate(db, orderId), moved.map((refund) => refund.id), to, nowMs);
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
