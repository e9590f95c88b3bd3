import { sumMinor } from '../domain/money.ts';
import { announceRefunds } from './announce.ts';
import { amountExceedsRemainder, chargeIdRequired, notFound, orderNotReturnable } from './conekta-refusals.ts';
import { scheduleWork } from './due-work.ts';
import type { Course } from './fault-call.ts';
import { STATE_OF } from './gateway-status.ts';
import { newHexId } from './identifiers.ts';
import { appendJournal } from './journal.ts';
import { requireAggregate, touchOrder, type ChargeWithRefunds, type OrderAggregate, type RefundState } from './order-records.ts';
import type { RefundRequest } from './order-requests.ts';
import { remainingOf } from './order-status.ts';
import { renderOrderInError } from './order-view.ts';
import type { SandboxContext } from './sandbox-context.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** What one charge gives back; amount in minor units. */
export interface RefundLeg {
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
export function refundOrder(context: SandboxContext, aggregate: OrderAggregate, request: RefundRequest, course: Course, nowMs: number): OrderAggregate {
  return makeRefunds(context, aggregate, planRefund(aggregate, request), course, nowMs);
}

/**
 * Makes refunds of amounts that remain, in either dialect, and returns the order or payment as it is then. `describe` stores what the dialect
 * shows of each refund besides, before it is announced.
 */
export function makeRefunds(
  context: SandboxContext, aggregate: OrderAggregate, legs: readonly RefundLeg[], course: Course, nowMs: number,
  describe: (refundId: string) => void = () => undefined,
): OrderAggregate {
  const { db } = context;
  const { order } = aggregate;
  const state = firstStateOf(course);
  return db.transaction(() => {
    const refundIds = legs.map((leg) => insertRefund(db, leg, state, nowMs));
    for (const { charge, amountMinor } of legs) {
      db.run('UPDATE charges SET refunded_amount = refunded_amount + ? WHERE id = ?', amountMinor, charge.id);
      if (state === 'succeeded') {
        appendJournal(db, { kind: 'refund', charge_id: charge.id, payout_id: null, amount: amountMinor, currency: order.currency }, nowMs);
      }
    }
    for (const refundId of refundIds) describe(refundId);
    scheduleCourse(db, refundIds, course, nowMs);
    touchOrder(db, order.id, Math.floor(nowMs / 1000));
    const after = requireAggregate(db, order.id);
    announceRefunds(context, after, refundIds, state, nowMs);
    return after;
  });
}

/** The state a refund is made in. */
export function firstStateOf({ kind }: Course): RefundState {
  return kind === 'async' || kind === 'async_failure' ? 'authorized' : 'succeeded';
}

/** Puts off what is still to come of the refunds; an asynchronous one is approved half way. */
function scheduleCourse(db: SandboxDatabase, refundIds: readonly string[], course: Course, nowMs: number): void {
  if (course.kind === 'now') return;
  if (course.kind !== 'async') {
    const { status } = course;
    // Of an `async_failure` the word may be the one it began with.
    const failedStatus = status !== undefined && STATE_OF[status] === 'failed' ? status : undefined;
    return scheduleWork(db, { kind: 'refund.fail', refundIds, status: failedStatus }, course.dueAtMs);
  }
  scheduleWork(db, { kind: 'refund.approve', refundIds }, Math.floor((nowMs + course.dueAtMs) / 2));
  scheduleWork(db, { kind: 'refund.complete', refundIds }, course.dueAtMs);
}

function insertRefund(db: SandboxDatabase, { charge, amountMinor }: RefundLeg, state: RefundState, nowMs: number): string {
  const id = newHexId(nowMs);
  const { auth_code: authCode } = JSON.parse(charge.payment_method) as { readonly auth_code: string | null };
  db.run(
    'INSERT INTO refunds (id, charge_id, amount, state, auth_code, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    id, charge.id, amountMinor, state, authCode, Math.floor(nowMs / 1000),
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
