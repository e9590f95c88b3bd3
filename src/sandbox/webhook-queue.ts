import { takeWebhookFault } from './faults.ts';
import { newHexId } from './identifiers.ts';
import { payoutIdsOf, type PayoutRecord } from './payout-records.ts';
import { renderPayoutOrder } from './payout-view.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** How long deliveries are tried, milliseconds: a day. */
const MAX_AGE_MS = 24 * 3600 * 1000;
/** How often a delivery is tried: with the pauses below that is about ten hours. */
const MAX_ATTEMPTS = 1200;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

/** A delivery that is still to be taken. */
export interface Delivery {
  readonly id: number;
  readonly payout_order_id: string;
  /** The exact bytes to sign and send, as text. */
  readonly body: string;
  readonly attempts: number;
  readonly next_attempt_at_ms: number;
  readonly created_at_ms: number;
}

/** Queues the event of a payout order's new status, in the transaction of the change; a webhook fault may spoil it (PRODUCT X5). */
export function queuePayoutEvent(db: SandboxDatabase, record: PayoutRecord, nowMs: number): void {
  const body = JSON.stringify({
    id: newHexId(nowMs),
    object: 'event',
    type: `payout_order.${record.status}`,
    created_at: Math.floor(nowMs / 1000),
    livemode: false,
    data: { object: renderPayoutOrder(record), previous_attributes: {} },
    webhook_status: 'pending',
    webhook_logs: [],
  });
  const fault = takeWebhookFault(db, payoutIdsOf(record));
  const isHeldBack = fault?.mode === 'reorder';
  const insert = (): number => db.run(
    `INSERT INTO webhook_deliveries (payout_order_id, body, state, is_held_back, next_attempt_at_ms, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)`,
    record.id, body, fault?.mode === 'drop' ? 'dropped' : 'queued', isHeldBack ? 1 : 0, isHeldBack ? nowMs + fault.delayMs : nowMs, nowMs,
  );
  insert();
  if (fault?.mode === 'double') insert();
}

/**
 * The next deliveries in line, soonest first, due or not: of one payout order only the oldest, so that its events arrive in order.
 * One that is held back by a `reorder` fault stands in nobody's way.
 */
export function nextDeliveries(db: SandboxDatabase, limit: number): Delivery[] {
  return db.all<Delivery>(
    `SELECT id, payout_order_id, body, attempts, next_attempt_at_ms, created_at_ms FROM webhook_deliveries AS delivery
     WHERE state = 'queued'
       AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS earlier WHERE earlier.payout_order_id = delivery.payout_order_id
         AND earlier.state = 'queued' AND earlier.is_held_back = 0 AND earlier.id < delivery.id)
     ORDER BY next_attempt_at_ms, id LIMIT ?`, limit,
  );
}

/** Records that a delivery was taken; what was held back for it may go now. */
export function markDelivered(db: SandboxDatabase, delivery: Delivery, nowMs: number): void {
  db.transaction(() => {
    db.run("UPDATE webhook_deliveries SET state = 'delivered', attempts = attempts + 1 WHERE id = ?", delivery.id);
    db.run(
      `UPDATE webhook_deliveries SET next_attempt_at_ms = min(next_attempt_at_ms, ?)
       WHERE payout_order_id = ? AND id < ? AND state = 'queued' AND is_held_back = 1 AND attempts = 0`,
      nowMs, delivery.payout_order_id, delivery.id,
    );
  });
}

/** Records a failed attempt: the next one comes after a pause that doubles up to half a minute, until a day is over. */
export function markFailed(db: SandboxDatabase, delivery: Delivery, nowMs: number): void {
  const attempts = delivery.attempts + 1;
  const isOver = attempts >= MAX_ATTEMPTS || nowMs - delivery.created_at_ms >= MAX_AGE_MS;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 10));
  db.transaction(() => db.run(
    'UPDATE webhook_deliveries SET state = ?, attempts = ?, next_attempt_at_ms = ? WHERE id = ?',
    isOver ? 'abandoned' : 'queued', attempts, nowMs + pauseMs, delivery.id,
  ));
}
