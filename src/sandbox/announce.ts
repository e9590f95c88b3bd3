import type { OrderAggregate, RefundState } from './order-records.ts';
import { paymentStatusOf } from './order-status.ts';
import { renderOrder } from './order-view.ts';
import { payoutIdsOf, type PayoutRecord } from './payout-records.ts';
import { renderPayoutOrder } from './payout-view.ts';
import type { SandboxContext } from './sandbox-context.ts';
import { queueEvent } from './webhook-queue.ts';

/** Queues the event of a payout order's new status, in the transaction of the change (PRODUCT X5). */
export function announcePayoutOrder({ db, notifies }: SandboxContext, record: PayoutRecord, nowMs: number): void {
  if (!notifies) return;
  queueEvent(db, {
    subjectId: record.id, type: `payout_order.${record.status}`, object: renderPayoutOrder(record), chargeIds: [], payoutIds: payoutIdsOf(record),
  }, nowMs);
}

/** Queues the event of an order whose refunds reached a state, in the transaction of the change: the order is the event's object. */
export function announceRefunds({ db, notifies }: SandboxContext, aggregate: OrderAggregate, state: RefundState, nowMs: number): void {
  if (!notifies) return;
  const { order, charges } = aggregate;
  queueEvent(db, {
    subjectId: order.id, type: refundEventType(aggregate, state), object: renderOrder(aggregate), chargeIds: charges.map((charge) => charge.id), payoutIds: [],
  }, nowMs);
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
