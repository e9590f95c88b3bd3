import { sql } from 'kysely';
import { caseActions, CASES_ENDED_BY_OUTCOME } from '../domain/case.ts';
import type { CaseAction, CaseKind } from '../domain/case.ts';
import { isFinalRefundStatus } from '../domain/refund-status.ts';
import type { Database } from './database.ts';
import { recordTransition } from './transitions.ts';
import type { Acting, Tx } from './transitions.ts';

/** A matter for a human (O1). */
export interface NewCase {
  readonly merchantId: string;
  readonly kind: CaseKind;
  readonly refundId?: string | undefined;
  readonly payoutOrderId?: string | undefined;
  readonly legId?: string | undefined;
}

/** Opens a case, once per subject and kind while it is open, and marks the subject's record; one transaction. */
export async function openCase(db: Database, matter: NewCase): Promise<void> {
  await db.transaction().execute((tx) => writeCase(tx, matter));
}

/** The same inside the caller's transaction. A subject that is not on record (yet) has its case all the same, without an amount. */
export async function writeCase(tx: Tx, matter: NewCase): Promise<void> {
  const { merchantId, refundId, payoutOrderId } = matter;
  if (matter.kind === 'workflow_gone' && refundId !== undefined && (await isOver(tx, merchantId, refundId))) return;
  await sql`
    insert into cases (merchant_id, kind, refund_id, payout_order_id, leg_id, amount_minor, currency)
    select ${merchantId}, ${matter.kind}, ${refundId ?? null}, ${payoutOrderId ?? null}, ${matter.legId ?? null}, subject.amount_minor, subject.currency
    from (select 1) as always left join (
      select amount_minor, currency from legs where merchant_id = ${merchantId} and leg_id = ${matter.legId ?? null}
      union all
      select amount_minor, currency from refunds where merchant_id = ${merchantId} and refund_id = ${refundId ?? null} and ${matter.legId === undefined}::boolean
      union all
      select amount_minor, currency from payout_orders where merchant_id = ${merchantId} and payout_order_id = ${payoutOrderId ?? null}
    ) as subject on true
    on conflict do nothing`.execute(tx);
  if (refundId !== undefined) {
    await tx.updateTable('refunds')
      .set({ needs_attention: true, status_detail: sql<string>`case when status = 'in_process' then 'needs_attention' else status_detail end`, updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).execute();
  }
  if (payoutOrderId !== undefined) {
    await tx.updateTable('payout_orders').set({ needs_attention: true, updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).execute();
  }
}

/** Whether a refund has come to its end: that its Workflow is gone is then as it should be. */
async function isOver(tx: Tx, merchantId: string, refundId: string): Promise<boolean> {
  const refund = await tx.selectFrom('refunds').select('status').where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).forUpdate().executeTakeFirst();
  return refund !== undefined && isFinalRefundStatus(refund.status);
}

/** Whether a refund has an open case of a kind. */
export async function hasOpenCase(db: Database, merchantId: string, refundId: string, kind: CaseKind): Promise<boolean> {
  const row = await db.selectFrom('cases').select('case_id').where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).where('kind', '=', kind).where('status', '=', 'open').executeTakeFirst();
  return row !== undefined;
}

/** What ends cases of a refund. */
export interface CaseEnding {
  readonly merchantId: string;
  readonly refundId: string;
  /** Only those of this leg, and those of the refund as a whole. */
  readonly legId?: string | undefined;
  readonly kinds: readonly CaseKind[];
  readonly resolution: string;
  readonly resolvedBy: string;
  readonly reason?: string | undefined;
}

/** Closes open cases of a refund, and takes its mark away when none is left; how many there were. */
export async function closeCases(tx: Tx, ending: CaseEnding): Promise<number> {
  const { merchantId, refundId, legId, kinds } = ending;
  let closing = tx.updateTable('cases')
    .set({ status: 'resolved', resolved_at: sql<Date>`now()`, resolution: ending.resolution, resolved_by: ending.resolvedBy, resolution_reason: ending.reason ?? null })
    .where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).where('status', '=', 'open').where('kind', 'in', kinds);
  if (legId !== undefined) closing = closing.where((row) => row.or([row('leg_id', '=', legId), row('leg_id', 'is', null)]));
  const closed = await closing.executeTakeFirst();
  await tx.updateTable('refunds')
    .set({ needs_attention: false, status_detail: sql<string>`case when status_detail = 'needs_attention' then 'sent' else status_detail end`, updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).where('needs_attention', '=', true)
    .where((row) => row.not(row.exists(row.selectFrom('cases').select('case_id').where('cases.merchant_id', '=', merchantId).where('cases.refund_id', '=', refundId).where('cases.status', '=', 'open'))))
    .execute();
  return Number(closed.numUpdatedRows);
}

/** Closes the cases that a known outcome makes pointless (O1). */
export function closeCasesOfOutcome(tx: Tx, by: string, refund: { readonly merchantId: string; readonly refundId: string; readonly legId?: string }, reason?: string): Promise<number> {
  return closeCases(tx, { ...refund, kinds: CASES_ENDED_BY_OUTCOME, resolution: 'outcome_known', resolvedBy: by, reason });
}

/** The same for a payout order; whether a case is left open. */
export async function closePayoutCasesOfOutcome(tx: Tx, by: string, { merchantId, payoutOrderId }: { readonly merchantId: string; readonly payoutOrderId: string }): Promise<boolean> {
  await tx.updateTable('cases').set({ status: 'resolved', resolved_at: sql<Date>`now()`, resolution: 'outcome_known', resolved_by: by })
    .where('merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).where('status', '=', 'open').where('kind', 'in', CASES_ENDED_BY_OUTCOME).execute();
  const left = await tx.selectFrom('cases').select('case_id').where('merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).where('status', '=', 'open').executeTakeFirst();
  return left !== undefined;
}

/** Takes note of a refund's open cases of one kind, in one transaction with the audit of the act (O2, O3). */
export async function closeCase(db: Database, acting: Acting, { merchantId, refundId }: { readonly merchantId: string; readonly refundId: string }, kind: CaseKind): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const refund = await tx.selectFrom('refunds').select(['status', 'status_detail']).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).forUpdate().executeTakeFirstOrThrow();
    // Repeated after its commit, there is nothing left to take note of.
    if ((await closeCases(tx, { merchantId, refundId, kinds: [kind], resolution: 'acknowledged', resolvedBy: acting.actor, reason: acting.reason })) === 0) return;
    await recordTransition(tx, acting, { merchantId, subject: 'refund', subjectId: refundId, from: refund.status, to: refund.status, statusDetail: refund.status_detail, event: 'acknowledged' });
  });
}

/** A case as people read it (O1). Amount in minor units. */
export interface CaseRecord {
  readonly caseId: number;
  readonly kind: CaseKind;
  readonly status: 'open' | 'resolved';
  readonly refundId: string | null;
  readonly payoutOrderId: string | null;
  readonly legId: string | null;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly openedAt: Date;
  /** What may be done about it; nothing once it is resolved. */
  readonly actions: readonly CaseAction[];
  readonly resolution: string | null;
  readonly resolvedBy: string | null;
}

/** The cases of a refund or payout order, oldest first. */
export async function listCases(db: Database, merchantId: string, of: { readonly refundId: string } | { readonly payoutOrderId: string }): Promise<readonly CaseRecord[]> {
  const [column, id] = 'refundId' in of ? ['refund_id', of.refundId] as const : ['payout_order_id', of.payoutOrderId] as const;
  const rows = await db.selectFrom('cases').selectAll().where('merchant_id', '=', merchantId).where(column, '=', id).orderBy('case_id').execute();
  return rows.map((row) => ({
    caseId: row.case_id, kind: row.kind, status: row.status, refundId: row.refund_id, payoutOrderId: row.payout_order_id, legId: row.leg_id, amountMinor: row.amount_minor,
    currency: row.currency, openedAt: row.opened_at, actions: row.status === 'open' ? caseActions(row.kind, row.payout_order_id === null ? 'refund' : 'payout_order') : [], resolution: row.resolution, resolvedBy: row.resolved_by,
  }));
}
