import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type { RefundDetails } from '../../domain/refund-details.ts';
import { canRefundMove } from '../../domain/refund-status.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import type { Database } from '../database.ts';
import { quietForMs } from '../quiet-time.ts';
import type { QuietTime } from '../quiet-time.ts';
import type { LegsTable } from '../tables.ts';
import { together } from '../together.ts';
import type { Change } from '../together.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';
import { takeGate } from './gate.ts';

/** Names one leg. */
export interface LegKey {
  readonly merchantId: string;
  readonly refundId: string;
  readonly legId: string;
}

/** A leg on record. Amount in minor units. */
export interface LegRecord {
  readonly provider: string;
  readonly orderId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly status: string;
  readonly reason: string | null;
  readonly details: RefundDetails;
  readonly refundsBefore: readonly string[];
  /** The last send that got a permit. */
  readonly sendNumber: number;
}

/** Reads a leg with the reason of its refund. @throws when it does not exist: a Workflow asks only for legs it reserved. */
export async function readLeg(db: Database, key: LegKey): Promise<LegRecord> {
  const row = await db.selectFrom('legs').innerJoin('refunds', (join) => join.onRef('refunds.merchant_id', '=', 'legs.merchant_id').onRef('refunds.refund_id', '=', 'legs.refund_id'))
    .select(['refunds.provider', 'refunds.details', 'legs.order_id', 'legs.charge_id', 'legs.amount_minor', 'legs.currency', 'legs.status', 'refunds.reason', 'refunds_before', 'send_number'])
    .where('legs.merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).executeTakeFirstOrThrow();
  return {
    provider: row.provider, orderId: row.order_id, chargeId: row.charge_id, amountMinor: row.amount_minor, currency: row.currency, status: row.status, details: row.details,
    reason: row.reason, refundsBefore: row.refunds_before, sendNumber: row.send_number,
  };
}

/** A leg that its provider accepted, as what. Amount in minor units. */
export interface AcceptedLeg {
  readonly provider: string;
  readonly orderId: string;
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly providerRefundId: string;
}

/** What the provider accepted a leg as, while it is under way there; `null` when it is not. */
export async function acceptedAs(db: Database, key: LegKey): Promise<AcceptedLeg | null> {
  const row = await db.selectFrom('legs').innerJoin('refunds', (join) => join.onRef('refunds.merchant_id', '=', 'legs.merchant_id').onRef('refunds.refund_id', '=', 'legs.refund_id'))
    .select(['refunds.provider', 'legs.order_id', 'legs.charge_id', 'legs.amount_minor', 'provider_refund_id']).where('legs.merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId)
    .where('legs.status', 'in', ['authorized', 'approved']).executeTakeFirst();
  return row === undefined || row.provider_refund_id === null ? null : { provider: row.provider, orderId: row.order_id, chargeId: row.charge_id, amountMinor: row.amount_minor, providerRefundId: row.provider_refund_id };
}

/** Whether a leg may be sent now. */
export type SendPermit =
  /** Go: `sending` is committed. */
  | { readonly kind: 'go' }
  /** It has an outcome already: nothing may be sent. */
  | { readonly kind: 'settled' }
  /** This send was given up meanwhile, or the gate is not ours: nothing may be sent. */
  | { readonly kind: 'fenced' };

/** A send that asks for its permit. */
export interface SendAsked {
  readonly sendNumber: number;
  /** Ids of the charge's refunds right before the send (S5). */
  readonly refundsBefore: readonly string[];
  /** Whether the charge's gate must be this leg's (S5: `balance` providers). */
  readonly gated: boolean;
  /** The last send of the leg when its state and the charge's refunds were read: another one since then makes both worthless. */
  readonly lastSend: number;
}

/**
 * Commits `sending` before the provider is called (S4): from this commit on the call may have happened. A send that was
 * given up (`fenced_send`), or whose charge's gate is not held, gets no permit, however late its worker wakes up.
 */
export async function beginSend(db: Database, acting: Acting, key: LegKey, { sendNumber, refundsBefore, gated, lastSend }: SendAsked): Promise<SendPermit> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    if (leg.status !== 'reserved' && leg.status !== 'unknown' && leg.status !== 'sending') return { kind: 'settled' };
    if (sendNumber <= leg.send_number || sendNumber <= leg.fenced_send) return { kind: 'fenced' };
    if (leg.send_number !== lastSend) return { kind: 'fenced' };
    if (gated && leg.gate_leg_id !== key.legId) {
      // It lost its turn, or never asked for one: now it is in line. Even if the gate is free, the refunds were read without it.
      await takeGate(tx, key.merchantId, leg.charge_id, key.legId);
      return { kind: 'fenced' };
    }
    const sending = tx.updateTable('legs').set({ status: 'sending', send_number: sendNumber, sent_at: sql<Date>`now()`, call_ended_at: null, refunds_before: JSON.stringify(refundsBefore), updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId);
    await markSent(tx, acting, key, leg.refund.status, sending);
    return { kind: 'go' };
  });
}

/** Writes down that a leg is being sent, and its refund with it. */
async function markSent(tx: Tx, acting: Acting, key: LegKey, from: RefundStatus, sending: Change): Promise<void> {
  if (from === 'in_process' || !canRefundMove(from, 'in_process')) return together(tx, sending);
  const sent = tx.updateTable('refunds').set({ status: 'in_process', status_detail: 'sent', updated_at: sql<Date>`now()` }).where('merchant_id', '=', key.merchantId).where('refund_id', '=', key.refundId);
  await recordTransition(tx, acting, { merchantId: key.merchantId, subject: 'refund', subjectId: key.refundId, from, to: 'in_process', statusDetail: 'sent' }, sending, sent);
}

/** The provider did not take this send: the leg is as before it, `unknown` after an earlier one, and keeps its gate. */
export async function markNotSent(db: Database, key: LegKey, sendNumber: number, before: 'reserved' | 'unknown'): Promise<void> {
  await db.updateTable('legs').set({ status: before, call_ended_at: sql<Date>`now()`, updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).where('send_number', '=', sendNumber).where('status', '=', 'sending').execute();
}

/** The outcome of this send is not known: the leg waits to be verified, and callers read why (S4). */
export async function markUnknown(db: Database, key: LegKey, sendNumber: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const changed = await tx.updateTable('legs').set({ status: 'unknown', call_ended_at: sql<Date>`now()`, updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).where('send_number', '=', sendNumber).where('status', '=', 'sending').executeTakeFirst();
    if (changed.numUpdatedRows > 0n) await markVerifying(tx, key);
  });
}

/** What a look may assume about a send that was given up. */
export type Fenced =
  | { readonly kind: 'settled' }
  | { readonly kind: 'never_sent' }
  | { readonly kind: 'unknown' }
  /** Its worker may still be calling: look again after this pause, milliseconds. */
  | { readonly kind: 'too_early'; readonly waitMs: number };

/**
 * Gives a send up before its outcome is looked for: its worker may no longer commit `sending`. A leg still `reserved` was
 * surely never sent. A leg still `sending` was lost with its worker, or its worker lives on unheard; one that is `unknown`
 * may have become so only now, by a worker that was given up long ago. Nobody concludes anything before the quiet time is over.
 */
export async function fenceSend(db: Database, key: LegKey, sendNumber: number, quiet: QuietTime): Promise<Fenced> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    if (leg.status !== 'reserved' && leg.status !== 'unknown' && leg.status !== 'sending') return { kind: 'settled' };
    await tx.updateTable('legs').set({ fenced_send: Math.max(leg.fenced_send, sendNumber), updated_at: sql<Date>`now()` })
      .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).execute();
    if (leg.status === 'reserved') return { kind: 'never_sent' };
    await markVerifying(tx, key);
    const waitMs = await quietForMs(tx, leg, quiet);
    if (waitMs > 0) return { kind: 'too_early', waitMs };
    if (leg.status === 'unknown') return { kind: 'unknown' };
    await tx.updateTable('legs').set({ status: 'unknown' }).where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).execute();
    return { kind: 'unknown' };
  });
}

/** Whether no call of a leg can still take effect (S4): only then does a look prove anything. */
export async function isQuiet(db: Database, key: LegKey, quiet: QuietTime): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    return (leg.status !== 'sending' && leg.status !== 'unknown') || (await quietForMs(tx, leg, quiet)) === 0;
  });
}

async function markVerifying(tx: Tx, key: LegKey): Promise<void> {
  await tx.updateTable('refunds').set({ status_detail: 'verifying', updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('refund_id', '=', key.refundId).where('status', '=', 'in_process').where('status_detail', '<>', 'needs_attention').execute();
}

/** The refund of a locked leg, locked with it. */
export interface LockedRefund {
  readonly status: RefundStatus;
  readonly statusDetail: string;
  readonly needsAttention: boolean;
}

/** A leg whose row, charge and refund the transaction has locked; charge and refund as they were then. */
export type LockedLeg = Selectable<LegsTable> & { readonly gate_leg_id: string | null; readonly refund: LockedRefund };

/**
 * Locks the charge, then the leg, then its refund: every transaction takes these locks in this order. In one statement, whose rows are all read under
 * their locks: each is the newest one, also when the statement had to wait.
 * @throws when there is no such leg
 */
export async function lockLeg(tx: Tx, { merchantId, legId }: LegKey): Promise<LockedLeg> {
  const { rows: [row] } = await sql<Omit<LockedLeg, 'refund'> & { refund_status: RefundStatus; refund_status_detail: string; refund_needs_attention: boolean }>`
    with charge as materialized (
      select gate_leg_id from charges
      where merchant_id = ${merchantId} and charge_id = (select charge_id from legs where merchant_id = ${merchantId} and leg_id = ${legId}) for update)
    select legs.*, charge.gate_leg_id, refunds.status as refund_status, refunds.status_detail as refund_status_detail, refunds.needs_attention as refund_needs_attention
    from charge, legs join refunds on refunds.merchant_id = legs.merchant_id and refunds.refund_id = legs.refund_id
    where legs.merchant_id = ${merchantId} and legs.leg_id = ${legId} for update of legs, refunds`.execute(tx);
  if (row === undefined) throw new Error('a leg that was reserved is not on record');
  const { refund_status: status, refund_status_detail: statusDetail, refund_needs_attention: needsAttention, ...leg } = row;
  return { ...leg, refund: { status, statusDetail, needsAttention } };
}
