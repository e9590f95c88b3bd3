import { sql } from 'kysely';
import { allocateRefund } from '../../domain/allocation.ts';
import type { Allocation, ChargeBalance } from '../../domain/allocation.ts';
import { checkpointsFor, remainingCheckpoints } from '../../domain/checkpoint.ts';
import type { Checkpoint, RefundDemands, RefundPolicy } from '../../domain/checkpoint.ts';
import { legId } from '../../domain/leg.ts';
import { isMovableAmount, sumMinor } from '../../domain/money.ts';
import type { RefundDetails } from '../../domain/refund-details.ts';
import type { RefundRefusal } from '../../domain/rejections.ts';
import { isRefundRefusal } from '../../domain/rejections.ts';
import { isCancellableRefundStatus, isFinalRefundStatus } from '../../domain/refund-status.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import { closeCasesOfOutcome } from '../cases.ts';
import type { Database } from '../database.ts';
import { claimKey, findKey } from '../idempotency.ts';
import { toJsonb } from '../jsonb.ts';
import { together } from '../together.ts';
import type { Change } from '../together.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';
import { takeGate } from './gate.ts';

/** A refund to reserve. Amounts in minor units; omitted means what remains (M5). */
export interface RefundReservation {
  readonly merchantId: string;
  readonly refundId: string;
  /** Where the order was paid. */
  readonly provider: string;
  readonly orderId: string;
  readonly chargeId?: string | undefined;
  readonly amountMinor?: number | undefined;
  readonly reason?: string | undefined;
  readonly details?: RefundDetails | undefined;
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  /** Whether one leg at a time may be under way on a charge (S5: `balance` providers). */
  readonly gated: boolean;
  /** What the merchant and the request demand before the send (R3, R5). */
  readonly policy: RefundPolicy;
  readonly demands: RefundDemands;
  /** Whether a refusal is written down at once, or only reported because the order's snapshot may be stale. */
  readonly recordRefusal: boolean;
}

/** What was reserved, or why not. */
export type Reservation =
  | {
      readonly kind: 'reserved';
      readonly currency: string;
      readonly legs: readonly ReservedLeg[];
      readonly alreadySent: boolean;
      /** The stops that are still ahead. */
      readonly checkpoints: readonly Checkpoint[];
      readonly fingerprint: string;
      /** Who asked for the refund on record: whoever asks again is somebody else, perhaps. */
      readonly requestedBy: string;
    }
  /** The key stands for another request, which is on record and not over: nothing was done (R8). */
  | { readonly kind: 'other_request'; readonly fingerprint: string }
  | { readonly kind: 'refused'; readonly refusal: RefundRefusal; readonly fingerprint: string }
  | { readonly kind: 'concluded'; readonly status: RefundStatus; readonly statusDetail: string; readonly fingerprint: string };

/** A leg with its amount held on the charge. */
export interface ReservedLeg {
  readonly legId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly hasTurn: boolean;
  /** The last send that was permitted or given up; zero for a leg that was just reserved. */
  readonly lastSend: number;
}

/** The operation an idempotency key of a refund belongs to: one order's refunds (R8, CONTRACT §1). */
export function refundOperation(orderId: string): string {
  return `refund:${orderId}`;
}

/**
 * Reserves a refund in one transaction (M3): locks the charges, allocates inside the lock, holds the amounts, writes the
 * refund `pending` with its transition, event and idempotency row. Repeated for the same refund it answers what stands.
 */
export async function reserveRefund(db: Database, acting: Acting, request: RefundReservation): Promise<Reservation> {
  return db.transaction().execute(async (tx) => {
    const charges = await lockCharges(tx, request);
    const standing = await standingReservation(tx, request);
    if (standing !== null && 'kind' in standing) return standing;
    const allocated = charges === null ? { refusal: 'order_not_found' as const } : allocateRefund(charges, request);
    const isOnRecord = standing !== null;
    if ('refusal' in allocated) {
      if (request.recordRefusal) await recordRefusal(tx, acting, request, { refusal: allocated.refusal, isOnRecord });
      return { kind: 'refused', refusal: allocated.refusal, fingerprint: request.fingerprint };
    }
    const currency = charges?.[0]?.currency ?? '';
    const checkpoints = checkpointsFor(request.policy, request.demands, sumMinor(allocated.legs.map((leg) => leg.amountMinor)), Date.now());
    const legs = await hold(tx, acting, request, { allocations: allocated.legs, currency, checkpoints, isOnRecord });
    return { kind: 'reserved', currency, legs, alreadySent: false, checkpoints, fingerprint: request.fingerprint, requestedBy: standing?.requestedBy ?? acting.actor };
  });
}

type LockedCharge = ChargeBalance & { readonly currency: string };

/** Locks the charge rows in one order everywhere, so that two refunds never wait for each other in a circle. */
async function lockCharges(tx: Tx, { merchantId, orderId, provider }: RefundReservation): Promise<LockedCharge[] | null> {
  const rows = await tx.selectFrom('charges').selectAll().where('merchant_id', '=', merchantId).where('order_id', '=', orderId)
    .where((charge) => charge.exists(orderOnRecord(tx, { merchantId, orderId, provider }))).orderBy('charge_id').forUpdate().execute();
  if (rows.length === 0 && (await orderOnRecord(tx, { merchantId, orderId, provider }).executeTakeFirst()) === undefined) return null;
  return rows.sort((left, right) => left.position - right.position).map((row) => ({
    chargeId: row.charge_id, capturedMinor: row.captured_minor, heldMinor: row.held_minor, externalMinor: row.external_minor,
    disputedMinor: row.disputed_minor, paid: row.paid, currency: row.currency,
  }));
}

function orderOnRecord(tx: Tx, { merchantId, orderId, provider }: Pick<RefundReservation, 'merchantId' | 'orderId' | 'provider'>) {
  return tx.selectFrom('orders').select('order_id').where('merchant_id', '=', merchantId).where('order_id', '=', orderId).where('provider', '=', provider);
}

/** What an earlier call left: `null` for nothing; for a refund whose order the provider would not show, only who asked for it. */
async function standingReservation(tx: Tx, { merchantId, refundId, orderId, idempotencyKey, gated, fingerprint: asked }: RefundReservation): Promise<Reservation | { readonly requestedBy: string } | null> {
  const refund = await tx.selectFrom('refunds').select(['status', 'status_detail', 'currency', 'checkpoints', 'requested_by']).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).forUpdate().executeTakeFirst();
  if (refund === undefined) return null;
  const fingerprint = (await findKey(tx, merchantId, refundOperation(orderId), idempotencyKey))?.fingerprint ?? '';
  if (refund.status === 'rejected' && isRefundRefusal(refund.status_detail)) return { kind: 'refused', refusal: refund.status_detail, fingerprint };
  if (isFinalRefundStatus(refund.status)) return { kind: 'concluded', status: refund.status, statusDetail: refund.status_detail, fingerprint };
  if (fingerprint !== asked) return { kind: 'other_request', fingerprint };
  const rows = await tx.selectFrom('legs').innerJoin('charges', (join) => join.onRef('charges.merchant_id', '=', 'legs.merchant_id').onRef('charges.charge_id', '=', 'legs.charge_id'))
    .select(['leg_id', 'legs.charge_id', 'amount_minor', 'gate_leg_id', 'legs.status', 'send_number', 'fenced_send'])
    .where('legs.merchant_id', '=', merchantId).where('refund_id', '=', refundId).orderBy('position').execute();
  const legs = rows.map((row) => ({
    legId: row.leg_id, chargeId: row.charge_id, amountMinor: row.amount_minor, hasTurn: row.status !== 'reserved' || !gated || row.gate_leg_id === row.leg_id,
    lastSend: Math.max(row.send_number, row.fenced_send),
  }));
  if (legs.length === 0) return { requestedBy: refund.requested_by };
  return {
    kind: 'reserved', currency: refund.currency ?? '', legs, alreadySent: !isCancellableRefundStatus(refund.status),
    checkpoints: remainingCheckpoints(refund.checkpoints, refund.status, refund.status_detail), fingerprint, requestedBy: refund.requested_by,
  };
}

async function recordRefusal(tx: Tx, acting: Acting, request: RefundReservation, { refusal, isOnRecord }: { readonly refusal: RefundRefusal; readonly isOnRecord: boolean }): Promise<void> {
  // An amount that no money can have is refused, and has no place in an amount column.
  const amountMinor = isMovableAmount(request.amountMinor) ? request.amountMinor : null;
  await writeRefund(tx, acting, request, { status: 'rejected', statusDetail: refusal, amountMinor, currency: null, checkpoints: [], isOnRecord });
}

/** What a refund holds, and what it must pass. */
interface Plan {
  readonly allocations: readonly Allocation[];
  readonly currency: string;
  readonly checkpoints: readonly Checkpoint[];
  /** `recordUnreadableOrder` has written the refund down before. */
  readonly isOnRecord: boolean;
}

async function hold(tx: Tx, acting: Acting, request: RefundReservation, { allocations, currency, checkpoints, isOnRecord }: Plan): Promise<ReservedLeg[]> {
  const { merchantId, refundId, orderId } = request;
  const held = allocations.flatMap(({ chargeId, amountMinor }) => [
    tx.insertInto('legs').values({
      leg_id: legId(refundId, chargeId), merchant_id: merchantId, refund_id: refundId, order_id: orderId, charge_id: chargeId, amount_minor: amountMinor, currency,
      status: 'reserved', refunds_before: '[]', workflow_id: acting.workflowId,
    }),
    tx.updateTable('charges').set((row) => ({ held_minor: row('held_minor', '+', amountMinor) })).where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId),
  ]);
  await writeRefund(tx, acting, request, { status: 'pending', statusDetail: 'reserved', amountMinor: sumMinor(allocations.map((leg) => leg.amountMinor)), currency, checkpoints, isOnRecord }, held);
  const legs: ReservedLeg[] = [];
  for (const { chargeId, amountMinor } of allocations) {
    const id = legId(refundId, chargeId);
    // A refund that waits for a person holds its amount, and never the gate: others of the charge go on.
    const isReady = checkpoints.length === 0;
    legs.push({ legId: id, chargeId, amountMinor, hasTurn: !request.gated || (isReady && (await takeGate(tx, merchantId, chargeId, id))), lastSend: 0 });
  }
  return legs;
}

interface NewRefund {
  readonly status: 'pending' | 'rejected';
  readonly statusDetail: string;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly checkpoints: readonly Checkpoint[];
  readonly isOnRecord: boolean;
}

/** Puts a refund on record whose order the provider would not show: accepted, nothing held yet. Repeated, it changes nothing. */
export async function recordUnreadableOrder(db: Database, acting: Acting, request: RefundReservation): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const known = await tx.selectFrom('refunds').select('refund_id').where('merchant_id', '=', request.merchantId).where('refund_id', '=', request.refundId).executeTakeFirst();
    if (known !== undefined) return;
    await writeRefund(tx, acting, request, { status: 'pending', statusDetail: 'order_unreadable', amountMinor: isMovableAmount(request.amountMinor) ? request.amountMinor : null, currency: null, checkpoints: [], isOnRecord: false });
  });
}

/** Writes the refund down with what it holds, or goes on with the one that `recordUnreadableOrder` wrote. */
async function writeRefund(tx: Tx, acting: Acting, request: RefundReservation, refund: NewRefund, held: readonly Change[] = []): Promise<void> {
  const { merchantId, refundId, orderId } = request;
  if (refund.isOnRecord) {
    const known = tx.updateTable('refunds').set({ status: refund.status, status_detail: refund.statusDetail, amount_minor: refund.amountMinor, currency: refund.currency, checkpoints: JSON.stringify(refund.checkpoints), updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', merchantId).where('refund_id', '=', refundId);
    await together(tx, known, ...held);
    await closeCasesOfOutcome(tx, acting.actor, { merchantId, refundId });
    if (refund.status === 'pending') return;
    return recordTransition(tx, acting, { merchantId, subject: 'refund', subjectId: refundId, from: 'pending', to: refund.status, statusDetail: refund.statusDetail, reason: request.reason });
  }
  const claim = claimKey(tx, { merchantId, operation: refundOperation(orderId), key: request.idempotencyKey, fingerprint: request.fingerprint, resourceId: refundId });
  const written = tx.insertInto('refunds').values({
    merchant_id: merchantId, refund_id: refundId, provider: request.provider, details: toJsonb(request.details ?? {}), order_id: orderId, charge_id: request.chargeId ?? null, amount_minor: refund.amountMinor, currency: refund.currency,
    reason: request.reason ?? null, status: refund.status, status_detail: refund.statusDetail, requested_by: acting.actor, workflow_id: acting.workflowId, checkpoints: JSON.stringify(refund.checkpoints),
  });
  await recordTransition(tx, acting, { merchantId, subject: 'refund', subjectId: refundId, from: null, to: refund.status, statusDetail: refund.statusDetail, reason: request.reason }, claim, written, ...held);
}
