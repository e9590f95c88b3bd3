import { sql } from 'kysely';
import { PASSED_DETAIL } from '../../domain/checkpoint.ts';
import type { CheckpointKind, DecidedCheckpoint } from '../../domain/checkpoint.ts';
import { applyRefundEvent } from '../../domain/refund.ts';
import type { RefundEvent, RefundState } from '../../domain/refund.ts';
import { isRefused } from '../../domain/rejections.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import type { Database } from '../database.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';

/** Names one refund. */
export interface RefundKey {
  readonly merchantId: string;
  readonly refundId: string;
}

/** What the machine calls the arrival at each checkpoint. */
const ARRIVALS = {
  validate: { type: 'payer_confirmation_asked' }, review: { type: 'approval_asked' }, deferred: { type: 'deferred' },
} as const satisfies Record<CheckpointKind, RefundEvent>;

async function lockRefund(tx: Tx, { merchantId, refundId }: RefundKey) {
  return tx.selectFrom('refunds').select(['status', 'status_detail']).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).forUpdate().executeTakeFirstOrThrow();
}

async function setStatus(tx: Tx, { merchantId, refundId }: RefundKey, status: RefundStatus, statusDetail: string): Promise<void> {
  await tx.updateTable('refunds').set({ status, status_detail: statusDetail, updated_at: sql<Date>`now()` }).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).execute();
}

/**
 * Writes down that a refund stops at a checkpoint (R3, R5). Repeated, it changes nothing. Answers whether the refund is there now: one that
 * is beyond it on record, because its Workflow was reset, need not stop again.
 */
export async function enterCheckpoint(db: Database, acting: Acting, key: RefundKey, checkpoint: CheckpointKind): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const refund = await lockRefund(tx, key);
    if (refund.status === checkpoint) return checkpoint === 'deferred' || refund.status_detail !== PASSED_DETAIL[checkpoint];
    const next = applyRefundEvent({ status: refund.status, statusDetail: refund.status_detail } as RefundState, ARRIVALS[checkpoint]);
    if (isRefused(next)) return false;
    await setStatus(tx, key, next.status, next.statusDetail);
    await recordTransition(tx, acting, { merchantId: key.merchantId, subject: 'refund', subjectId: key.refundId, from: refund.status, to: next.status, statusDetail: next.statusDetail });
    return true;
  });
}

/** Writes down who let a refund pass its checkpoint, and why (R3, O3). Repeated, or for a refund that is beyond it, it changes nothing. */
export async function passCheckpoint(db: Database, acting: Acting, key: RefundKey, checkpoint: DecidedCheckpoint): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const refund = await lockRefund(tx, key);
    const passed = PASSED_DETAIL[checkpoint];
    if (refund.status !== checkpoint || refund.status_detail === passed) return;
    await setStatus(tx, key, checkpoint, passed);
    await writeAct(tx, acting, key, passed, { status: checkpoint, status_detail: passed });
  });
}

/** Writes an operator's act down that changes no status (O3). */
export async function recordAct(db: Database, acting: Acting, key: RefundKey, act: 'retried'): Promise<void> {
  await db.transaction().execute(async (tx) => writeAct(tx, acting, key, act, await lockRefund(tx, key)));
}

/** The same inside the caller's transaction, for a refund as it stands. */
export async function writeAct(tx: Tx, acting: Acting, { merchantId, refundId }: RefundKey, act: string, standing: { readonly status: RefundStatus; readonly status_detail: string }): Promise<void> {
  await recordTransition(tx, acting, { merchantId, subject: 'refund', subjectId: refundId, from: standing.status, to: standing.status, statusDetail: standing.status_detail, event: act });
}
