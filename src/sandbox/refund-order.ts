import { sumMinor } from '../domain/money.ts';
import { amountExceedsRemainder, chargeIdRequired, notFound, orderNotReturnable } from './conekta-refusals.ts';
import { scheduleWork } from './due-work.ts';
import type { Course } from './fault-call.ts';
import { newHexId } from './identifiers.ts';
import { appendJournal } from './journal.ts';
import { requireOrder, touchOrder, type ChargeWithRefunds, type OrderAggregate, type RefundRecord } from './order-records.ts';
import type { RefundRequest } from './order-requests.ts';
import { remainingOf } from './order-status.ts';
import { renderOrderInError } from './order-view.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

interface RefundLeg {
  readonly charge: ChargeWithRefunds;
  readonly amountMinor: number;
}

/** The charges a refund request is about: the one named, or all of them. */
export function targetCharges({ charges }: OrderAggregate, request: RefundRequest): readonly ChargeWithRefunds[] {
  return request.charge_id === undefined ? charges : charges.filter((charge) => charge.id === request.charge_id);
}

/** The amount a refund request is about, minor units: the one named, or what remains. */
export function targetAmount(aggregate: OrderAggregate, request: RefundRequest): number {
  return request.amount ?? sumMinor(targetCharges(aggregate, request).map(remainingOf));
}

/**
 * Executes a refund and returns the order as it is then. There is no idempotency key: every call moves money again.
 * @throws ConektaError 402, 404, 422 or 428 as CONTRACT §5 says; nothing is written then.
 */
export function refundOrder(db: SandboxDatabase, aggregate: OrderAggregate, request: RefundRequest, course: Course, nowMs: number): OrderAggregate {
  const legs = planRefund(aggregate, request);
  const { order } = aggregate;
  return db.transaction(() => {
    const refundIds = legs.map((leg) => insertRefund(db, leg, course, nowMs));
    for (const { charge, amountMinor } of legs) {
      db.run('UPDATE charges SET refunded_amount = refunded_amount + ? WHERE id = ?', amountMinor, charge.id);
      if (course.kind !== 'async') {
        appendJournal(db, { kind: 'refund', charge_id: charge.id, payout_id: null, amount: amountMinor, currency: order.currency }, nowMs);
      }
    }
    if (course.kind === 'async') scheduleWork(db, { kind: 'refund.complete', refundIds }, course.dueAtMs);
    if (course.kind === 'late_failure') scheduleWork(db, { kind: 'refund.fail', refundIds }, course.dueAtMs);
    touchOrder(db, order.id, Math.floor(nowMs / 1000));
    return requireOrder(db, order.id);
  });
}

/** Executes a refund that was only authorized: now it is in the journal (PRODUCT X4, `async`). */
export function completeRefund(db: SandboxDatabase, refundId: string, nowMs: number): void {
  settleRefund(db, refundId, 'pending', 'succeeded', 'refund', nowMs);
}

/** Takes an executed refund back: the charge is refundable again (PRODUCT X4, `late_failure`). */
export function failRefund(db: SandboxDatabase, refundId: string, nowMs: number): void {
  const refund = settleRefund(db, refundId, 'succeeded', 'failed', 'refund_failed', nowMs);
  if (refund === undefined) return;
  db.run('UPDATE charges SET refunded_amount = refunded_amount - ? WHERE id = ?', refund.amount, refund.charge_id);
  touchOrder(db, refund.order_id, Math.floor(nowMs / 1000));
}

type RefundInOrder = RefundRecord & { readonly order_id: string; readonly currency: string };

function settleRefund(
  db: SandboxDatabase, refundId: string, from: RefundRecord['state'], to: RefundRecord['state'], kind: 'refund' | 'refund_failed', nowMs: number,
): RefundInOrder | undefined {
  const refund = db.get<RefundInOrder>(
    `SELECT refunds.*, orders.id AS order_id, orders.currency FROM refunds
     JOIN charges ON charges.id = refunds.charge_id JOIN orders ON orders.id = charges.order_id
     WHERE refunds.id = ? AND refunds.state = ?`, refundId, from,
  );
  if (refund === undefined) return undefined;
  db.run('UPDATE refunds SET state = ? WHERE id = ?', to, refundId);
  appendJournal(db, { kind, charge_id: refund.charge_id, payout_id: null, amount: refund.amount, currency: refund.currency }, nowMs);
  touchOrder(db, refund.order_id, Math.floor(nowMs / 1000));
  return refund;
}

function insertRefund(db: SandboxDatabase, { charge, amountMinor }: RefundLeg, course: Course, nowMs: number): string {
  const id = newHexId(nowMs);
  const { auth_code: authCode } = JSON.parse(charge.payment_method) as { readonly auth_code: string | null };
  db.run(
    'INSERT INTO refunds (id, charge_id, amount, state, auth_code, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    id, charge.id, amountMinor, course.kind === 'async' ? 'pending' : 'succeeded', authCode, Math.floor(nowMs / 1000),
  );
  return id;
}

function planRefund(aggregate: OrderAggregate, request: RefundRequest): readonly RefundLeg[] {
  const { charges, order } = aggregate;
  if (request.charge_id !== undefined) {
    const charge = charges.find((candidate) => candidate.id === request.charge_id);
    if (charge === undefined) throw notFound('Charge', request.charge_id);
    return [planLeg(charge, request.amount)];
  }
  const [only] = charges;
  if (charges.length === 1 && only !== undefined) return [planLeg(only, request.amount)];
  if (charges.length > 1 && request.amount !== undefined && request.amount < order.amount) throw chargeIdRequired(renderOrderInError(aggregate));
  // One charge that cannot be refunded refuses the whole (seed 002; CONTRACT §8 no. 18).
  if (charges.length === 0 || charges.some((charge) => remainingOf(charge) === 0)) throw orderNotReturnable();
  const legs = charges.map((charge) => planLeg(charge, undefined));
  if (request.amount !== undefined && request.amount > sumMinor(legs.map((leg) => leg.amountMinor))) throw amountExceedsRemainder();
  return legs;
}

function planLeg(charge: ChargeWithRefunds, amountMinor: number | undefined): RefundLeg {
  const remaining = remainingOf(charge);
  if (remaining === 0) throw orderNotReturnable();
  if (amountMinor !== undefined && amountMinor > remaining) throw amountExceedsRemainder();
  return { charge, amountMinor: amountMinor ?? remaining };
}
