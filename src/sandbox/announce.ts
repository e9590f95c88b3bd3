import { newHexId } from './identifiers.ts';
import type { OrderAggregate, RefundState } from './order-records.ts';
import { paymentStatusOf } from './order-status.ts';
import { renderOrder } from './order-view.ts';
import { readPayment } from './payment-records.ts';
import { renderPaymentEvent } from './payment-view.ts';
import { payoutIdsOf, type PayoutRecord } from './payout-records.ts';
import { renderPayoutOrder } from './payout-view.ts';
import type { SandboxContext } from './sandbox-context.ts';
import { queueEvent } from './webhook-queue.ts';

/** Queues the event of a payout order's new status, in the transaction of the change (PRODUCT X5). */
export function announcePayoutOrder({ db, notifies }: SandboxContext, record: PayoutRecord, nowMs: number): void {
  if (!notifies.conekta) return;
  queueEvent(db, {
    subjectId: record.id, target: 'conekta', body: conektaEvent(`payout_order.${record.status}`, renderPayoutOrder(record), nowMs),
    chargeIds: [], payoutIds: payoutIdsOf(record),
  }, nowMs);
}

/**
 * Queues the event of an order whose refunds, made by one call, reached a state, in the transaction of the change: the order is the event's
 * object. Of a payment, which has one refund per call, the gateway tells the word of that refund.
 */
export function announceRefunds(context: SandboxContext, aggregate: OrderAggregate, refundIds: readonly string[], state: RefundState, nowMs: number): void {
  const { db, notifies } = context;
  const { order, charges } = aggregate;
  const chargeIds = charges.map((charge) => charge.id);
  if (order.is_payment === 1) {
    if (!notifies.gateway) return;
    const payment = readPayment(db, aggregate);
    for (const refundId of refundIds) {
      queueEvent(db, { subjectId: order.id, target: 'gateway', body: renderPaymentEvent(payment, refundId, nowMs), chargeIds, payoutIds: [] }, nowMs);
    }
  } else if (notifies.conekta) {
    const body = conektaEvent(refundEventType(aggregate, state), renderOrder(aggregate), nowMs);
    queueEvent(db, { subjectId: order.id, target: 'conekta', body, chargeIds, payoutIds: [] }, nowMs);
  }
}

/** Conekta's envelope; the object is as a read would show it now. */
function conektaEvent(type: string, object: Record<string, unknown>, nowMs: number): string {
  return JSON.stringify({
    id: newHexId(nowMs),
    object: 'event',
    type,
    created_at: Math.floor(nowMs / 1000),
    livemode: false,
    data: { object, previous_attributes: {} },
    webhook_status: 'pending',
    webhook_logs: [],
  });
}

/** Conekta's names: of a refund on its way the order was only updated. */
function refundEventType({ charges }: OrderAggregate, state: RefundState): string {
  switch (state) {
    case 'authorized':
    case 'approved': return 'order.updated';
    case 'succeeded': return paymentStatusOf(charges) === 'refunded' ? 'order.refunded' : 'order.partially_refunded';
    case 'failed': return 'order.refund_failed';
  }
}
