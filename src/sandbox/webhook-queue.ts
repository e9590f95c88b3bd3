import { takeWebhookFault } from './faults.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** How long deliveries are tried, milliseconds: a day. */
const MAX_AGE_MS = 24 * 3600 * 1000;
/** How often a delivery is tried: with the pauses below that is about ten hours. */
const MAX_ATTEMPTS = 1200;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

/** Whom an event is for: one receiver per dialect. */
export type WebhookTargetName = 'conekta' | 'gateway';

/** What happened, and to what. */
export interface OutgoingEvent {
  /** The order, payment or payout order it is about; events about one subject are delivered in order. */
  readonly subjectId: string;
  readonly target: WebhookTargetName;
  /** The exact text to sign and send. */
  readonly body: string;
  /** The ids by which a webhook fault may mean this event. */
  readonly chargeIds: readonly string[];
  readonly payoutIds: readonly string[];
}

/** A delivery that is still to be taken. */
export interface Delivery {
  readonly id: number;
  readonly subject_id: string;
  /** The exact bytes to sign and send, as text. */
  readonly body: string;
  readonly attempts: number;
  readonly next_attempt_at_ms: number;
  readonly created_at_ms: number;
}

/** Queues an event, in the transaction of the change; a webhook fault may spoil it (PRODUCT X5). */
export function queueEvent(db: SandboxDatabase, event: OutgoingEvent, nowMs: number): void {
  const fault = takeWebhookFault(db, event);
  const isHeldBack = fault?.mode === 'reorder';
  const insert = (): number => db.run(
    `INSERT INTO webhook_deliveries (subject_id, target, body, state, is_held_back, next_attempt_at_ms, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    event.subjectId, event.target, event.body, fault?.mode === 'drop' ? 'dropped' : 'queued', isHeldBack ? 1 : 0, isHeldBack ? nowMs + fault.delayMs : nowMs, nowMs,
  );
  insert();
  if (fault?.mode === 'double') insert();
}

/**
 * The next deliveries to a receiver in line, soonest first, due or not: of one subject only the oldest, so that its events arrive in order.
 * One that is held back by a `reorder` fault stands in nobody's way.
 */
export function nextDeliveries(db: SandboxDatabase, target: WebhookTargetName, limit: number): Delivery[] {
  return db.all<Delivery>(
    `SELECT id, subject_id, body, attempts, next_attempt_at_ms, created_at_ms FROM webhook_deliveries AS delivery
     WHERE state = 'queued' AND target = ?
       AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS earlier WHERE earlier.subject_id = delivery.subject_id
         AND earlier.state = 'queued' AND earlier.is_held_back = 0 AND earlier.id < delivery.id)
     ORDER BY next_attempt_at_ms, id LIMIT ?`, target, limit,
  );
}

/** Records that a delivery was taken; what was held back for it may go now. */
export function markDelivered(db: SandboxDatabase, delivery: Delivery, nowMs: number): void {
  db.transaction(() => {
    db.run("UPDATE webhook_deliveries SET state = 'delivered', attempts = attempts + 1 WHERE id = ?", delivery.id);
    db.run(
      `UPDATE webhook_deliveries SET next_attempt_at_ms = min(next_attempt_at_ms, ?)
       WHERE subject_id = ? AND id < ? AND state = 'queued' AND is_held_back = 1 AND attempts = 0`,
      nowMs, delivery.subject_id, delivery.id,
    );
  });
}

/** Records a failed attempt: the next one comes after a pause that doubles up to half a minute, until it was tried often or long enough. */
export function markFailed(db: SandboxDatabase, delivery: Delivery, nowMs: number): void {
  const attempts = delivery.attempts + 1;
  const isOver = attempts >= MAX_ATTEMPTS || nowMs - delivery.created_at_ms >= MAX_AGE_MS;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 10));
  db.transaction(() => db.run(
    'UPDATE webhook_deliveries SET state = ?, attempts = ?, next_attempt_at_ms = ? WHERE id = ?',
    isOver ? 'abandoned' : 'queued', attempts, nowMs + pauseMs, delivery.id,
  ));
}
