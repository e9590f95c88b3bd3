import { sql } from 'kysely';
import { applyPayoutOrderEvent } from '../../domain/payout-order.ts';
import type { PayoutOrderEvent, PayoutOrderStatus } from '../../domain/payout-order.ts';
import { isRefused } from '../../domain/rejections.ts';
import { closePayoutCasesOfOutcome } from '../cases.ts';
import type { Database } from '../database.ts';
import { quietForMs } from '../quiet-time.ts';
import type { QuietTime } from '../quiet-time.ts';
import type { Fenced } from '../refunds/send.ts';
import type { Change } from '../together.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';
import { toPayoutOrderRecord } from './read.ts';
import type { PayoutOrderRecord } from './read.ts';

/** Names one payout order. */
export interface PayoutOrderKey {
  readonly merchantId: string;
  readonly payoutOrderId: string;
}

/** Commits that the provider is about to be asked for the reference (S4). A send that was given up gets no permit. */
export async function beginIssue(db: Database, key: PayoutOrderKey, sendNumber: number): Promise<'go' | 'settled' | 'refused' | 'fenced'> {
  return db.transaction().execute(async (tx) => {
    const row = await lockPayoutOrder(tx, key);
    if (row.status !== 'open') return 'settled';
    if (isRefusedForGood(row.status_detail)) return 'refused';
    if (sendNumber <= row.send_number || sendNumber <= row.fenced_send) return 'fenced';
    await tx.updateTable('payout_orders').set({ send_number: sendNumber, sent_at: sql<Date>`now()`, call_ended_at: null, status_detail: 'issuing', updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', key.merchantId).where('payout_order_id', '=', key.payoutOrderId).execute();
    return 'go';
  });
}

/** What `status_detail` says of an `open` payout order whose issuing is not over; anything else is why it never will be issued (P1). */
const BEING_ISSUED: ReadonlySet<string> = new Set(['registered', 'issuing', 'verifying']);

function isRefusedForGood(statusDetail: string): boolean {
  return !BEING_ISSUED.has(statusDetail);
}

/** The call for the reference has ended, with an answer that settles nothing. */
export async function endIssue(db: Database, key: PayoutOrderKey, sendNumber: number): Promise<void> {
  await db.updateTable('payout_orders').set({ call_ended_at: sql<Date>`now()`, status_detail: 'verifying', updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('payout_order_id', '=', key.payoutOrderId).where('send_number', '=', sendNumber).where('status', '=', 'open')
    // What was refused for good meanwhile stays refused: its Workflow is over.
    .where('status_detail', 'in', [...BEING_ISSUED]).execute();
}

/** Gives a send up before its outcome is looked for; see `fenceSend` for what each answer means. Tells when the last one was permitted. */
export async function fenceIssue(db: Database, key: PayoutOrderKey, sendNumber: number, quiet: QuietTime): Promise<Fenced & { readonly sentAt: Date | null }> {
  return db.transaction().execute(async (tx) => {
    const row = await lockPayoutOrder(tx, key);
    const sentAt = row.sent_at;
    if (row.status !== 'open' || isRefusedForGood(row.status_detail)) return { kind: 'settled', sentAt };
    await tx.updateTable('payout_orders').set({ fenced_send: Math.max(row.fenced_send, sendNumber), status_detail: 'verifying', updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', key.merchantId).where('payout_order_id', '=', key.payoutOrderId).execute();
    const waitMs = await quietForMs(tx, row, quiet);
    if (waitMs > 0) return { kind: 'too_early', waitMs, sentAt };
    return { kind: row.send_number === 0 ? 'never_sent' : 'unknown', sentAt };
  });
}

/**
 * Writes down that the reference will never be issued: `open` for ever (P1). The word of one send (`sendNumber`) counts only
 * while that send is the one under way; `false` when it does not.
 */
export async function recordIssueRefusal(db: Database, key: PayoutOrderKey, refusal: string, sendNumber?: number): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const row = await lockPayoutOrder(tx, key);
    const isOutdated = sendNumber !== undefined && (row.send_number !== sendNumber || row.fenced_send >= sendNumber);
    if (row.status !== 'open' || isOutdated) return false;
    await tx.updateTable('payout_orders').set({ status_detail: refusal, needs_attention: await isStillACase(tx, row), updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', key.merchantId).where('payout_order_id', '=', key.payoutOrderId).execute();
    return true;
  });
}

/** What the provider's answer adds to the record. */
export interface ProviderIds {
  readonly providerPayoutOrderId: string;
}

/**
 * Moves a payout order along a path of events in one transaction, decided inside its lock: one transition and one event
 * each, and the one movement when the cash is gone (M7). `decide` sees the locked record; an empty path changes nothing.
 */
export async function movePayoutOrder(
  db: Database, acting: Acting, key: PayoutOrderKey, decide: (order: PayoutOrderRecord) => readonly PayoutOrderEvent[], ids?: ProviderIds,
): Promise<PayoutOrderStatus> {
  return db.transaction().execute(async (tx) => {
    const row = await lockPayoutOrder(tx, key);
    const path = decide(toPayoutOrderRecord(row));
    let { status } = row;
    for (const [step, event] of path.entries()) {
      const next = applyPayoutOrderEvent(status, event);
      if (isRefused(next)) throw new Error(`payout order machine refused ${next.event} in ${next.from}`);
      const isLast = step === path.length - 1;
      const changes = isLast && next.status !== row.status ? standingAt(tx, row, next.status, await isStillACase(tx, row), ids) : [];
      await recordTransition(tx, acting, { merchantId: key.merchantId, subject: 'payout_order', subjectId: key.payoutOrderId, from: status, to: next.status, statusDetail: event }, ...changes);
      ({ status } = next);
    }
    return status;
  });
}

/** What the record and the books say once a path of events has led to a status. */
function standingAt(tx: Tx, row: LockedPayoutOrder, status: PayoutOrderStatus, needsAttention: boolean, ids: ProviderIds | undefined): readonly Change[] {
  const moved = tx.updateTable('payout_orders').set({
    status, status_detail: status, needs_attention: needsAttention, updated_at: sql<Date>`now()`,
    ...(ids === undefined ? {} : { provider_payout_order_id: ids.providerPayoutOrderId }),
  }).where('merchant_id', '=', row.merchant_id).where('payout_order_id', '=', row.payout_order_id);
  if (status !== 'withdrawn') return [moved];
  return [moved, tx.insertInto('money_movements').values({
    merchant_id: row.merchant_id, kind: 'withdrawal', payout_order_id: row.payout_order_id, amount_minor: row.amount_minor, currency: row.currency,
    provider_id: row.provider_payout_order_id ?? ids?.providerPayoutOrderId ?? null,
  })];
}

/** Closes the cases that a known outcome makes pointless; whether one is left. */
async function isStillACase(tx: Tx, row: { readonly merchant_id: string; readonly payout_order_id: string; readonly needs_attention: boolean }): Promise<boolean> {
  return row.needs_attention && closePayoutCasesOfOutcome(tx, 'reintegro', { merchantId: row.merchant_id, payoutOrderId: row.payout_order_id });
}

/** Writes an operator's act down that changes no status (O3). */
export async function recordPayoutAct(db: Database, acting: Acting, key: PayoutOrderKey, act: 'retried'): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { status, status_detail: statusDetail } = await lockPayoutOrder(tx, key);
    await recordTransition(tx, acting, { merchantId: key.merchantId, subject: 'payout_order', subjectId: key.payoutOrderId, from: status, to: status, statusDetail, event: act });
  });
}

type LockedPayoutOrder = Awaited<ReturnType<typeof lockPayoutOrder>>;

async function lockPayoutOrder(tx: Tx, key: PayoutOrderKey) {
  return tx.selectFrom('payout_orders').selectAll().where('merchant_id', '=', key.merchantId).where('payout_order_id', '=', key.payoutOrderId).forUpdate().executeTakeFirstOrThrow();
}
