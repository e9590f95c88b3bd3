import type { Course } from './fault-call.ts';
import { amountExceedsPayment, paymentNotRefundable } from './gateway-refusals.ts';
import type { DevolucionRequest } from './gateway-requests.ts';
import { STATE_OF, USUAL_STATUS } from './gateway-status.ts';
import { remainingOf } from './order-status.ts';
import { insertMessage, requirePayment, type MessageRecord, type Payment } from './payment-records.ts';
import { moveMessage } from './refund-messages.ts';
import { firstStateOf, makeRefunds } from './refund-order.ts';
import type { SandboxContext } from './sandbox-context.ts';

/** The amount a request is about, minor units: the one named, or what remains. */
export function devolucionAmount({ charge }: Payment, request: DevolucionRequest): number {
  return request.amount ?? remainingOf(charge);
}

/**
 * Gives a payment back, whole or in part, and returns the refund with the payment as it is then. There is no idempotency key: every call
 * gives back again.
 * @throws ConektaError 422 or 428 as docs/gateway-dialect.md says; nothing is written then.
 */
export function refundPayment(
  context: SandboxContext, payment: Payment, request: DevolucionRequest, course: Course, nowMs: number,
): { readonly payment: Payment; readonly message: MessageRecord } {
  const { charge, order } = payment;
  const remaining = remainingOf(charge);
  const amountMinor = devolucionAmount(payment, request);
  if (remaining === 0) throw paymentNotRefundable();
  if (amountMinor > remaining) throw amountExceedsPayment();
  const { db } = context;
  return db.transaction(() => {
    makeRefunds(context, { order, charges: [charge] }, [{ charge, amountMinor }], course, nowMs, (refundId) => {
      const state = firstStateOf(course);
      const status = course.kind !== 'now' && course.status !== undefined && STATE_OF[course.status] === state ? course.status : USUAL_STATUS[state];
      insertMessage(db, refundId, payment, request, status);
      moveMessage(db, refundId, status);
    });
    const after = requirePayment(db, order.id);
    const message = after.messages.at(-1);
    if (message === undefined) throw new Error('the refund just made is not there');
    return { payment: after, message };
  });
}
