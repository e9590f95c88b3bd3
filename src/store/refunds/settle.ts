import { sql } from 'kysely';
import { canLegMove, holdsAmount } from '../../domain/leg.ts';
import type { LegStatus } from '../../domain/leg.ts';
import { applyRefundEvent, refundEventFromLegs } from '../../domain/refund.ts';
import type { RefundEvent, RefundState } from '../../domain/refund.ts';
import type { RefundReceipt } from '../../domain/refund-receipt.ts';
import { isRefused } from '../../domain/rejections.ts';
import { countsAgainstCharge } from '../../domain/send-protocol.ts';
import { isCancellableRefundStatus } from '../../domain/refund-status.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import { closeCasesOfOutcome, writeCase } from '../cases.ts';
import type { Database } from '../database.ts';
import { toJsonb } from '../jsonb.ts';
import { saveSettledCharge } from '../orders.ts';
import type { OrderSnapshot } from '../orders.ts';
import { together } from '../together.ts';
import type { Change } from '../together.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';
import { passGate } from './gate.ts';
import type { NextInLine } from './gate.ts';
import { lockLeg } from './send.ts';
import type { LegKey, LockedLeg } from './send.ts';

/** The order in which something was seen, to be kept with it; `null` when it was told without one. */
type Seen = { readonly order: OrderSnapshot; readonly seenAt: Date } | null;

/** What is now known for sure about a leg. */
export type LegResult =
  /** The provider has accepted it, executed it, or moved the money. */
  | { readonly kind: 'authorized' | 'approved' | 'succeeded'; readonly providerRefundId: string; readonly seen: Seen; readonly receipt?: RefundReceipt | undefined }
  /** The word of one send counts only while that send is the one under way; without a number it is the word on the whole leg. */
  | { readonly kind: 'refused'; readonly refusal: string; readonly sendNumber?: number; readonly bySight?: boolean; readonly seen?: Seen; readonly receipt?: RefundReceipt | undefined };

/** A settled leg, and its refund as the transaction left it. */
export interface SettledLeg {
  readonly legStatus: LegStatus;
  readonly refundStatus: RefundStatus;
  readonly statusDetail: string;
  readonly nextTurn: NextInLine | null;
}

/** Legs of which it is not known whether they were executed. */
const UNSETTLED: ReadonlySet<LegStatus> = new Set(['reserved', 'sending', 'unknown']);
/** Legs that the provider accepted: a send's refusal says nothing about them. */
const ACCEPTED: ReadonlySet<LegStatus> = new Set(['authorized', 'approved']);

/**
 * Settles a leg in one transaction (M7): the leg, its one movement or its released reservation (M4), the charge as the
 * provider shows it, the refund's status computed from all legs (R2) with transition and event, the gate passed on (S5).
 * Settling what is settled changes nothing and answers what stands, so a lost answer may be settled twice.
 * @throws OutdatedRefusalError
 */
export async function settleLeg(db: Database, acting: Acting, key: LegKey, result: LegResult): Promise<SettledLeg> {
  return db.transaction().execute(async (tx) => settleLockedLeg(tx, acting, key, await lockLeg(tx, key), result));
}

/** The same inside the caller's transaction, for a leg that it has locked. */
export async function settleLockedLeg(tx: Tx, acting: Acting, key: LegKey, leg: LockedLeg, result: LegResult): Promise<SettledLeg> {
  if (result.kind === 'refused' && isOutdated(leg, result)) throw new OutdatedRefusalError();
  const isAnother = result.kind !== 'refused' && leg.provider_refund_id !== null && leg.provider_refund_id !== result.providerRefundId;
  const mayMove = canLegMove(leg.status, result.kind) && !isAnother;
  if (!mayMove && result.kind === leg.status && !isAnother) await keepReceipt(tx, key, result.receipt);
  if (mayMove) {
    if (result.kind === 'refused') await recordRefusal(tx, key, leg, result);
    else await recordAcceptance(tx, key, leg, result);
  } else if (UNSETTLED.has(leg.status)) {
    throw new Error(`a leg that is ${leg.status} cannot become ${result.kind}`);
  }
  if (isAnother || isExecutedTwice(key, leg, result) || (!mayMove && result.kind !== 'refused' && !holdsAmount(leg.status))) {
    // A second refund of one leg (the provider committed later than its settle delay), or one of a leg that is over. A human must see it.
    await writeCase(tx, { merchantId: key.merchantId, kind: 'contradiction', refundId: key.refundId, legId: key.legId });
  }
  return concluded(tx, acting, key, leg, { legStatus: mayMove ? result.kind : leg.status, isNews: mayMove });
}

/** Whether the provider shows another refund that counts and carries the leg's reference: a lost request was executed after all, later than its settle delay. */
function isExecutedTwice({ legId }: LegKey, leg: LockedLeg, result: LegResult): boolean {
  if (result.kind === 'refused') return false;
  const charge = result.seen?.order.charges.find(({ chargeId }) => chargeId === leg.charge_id);
  return charge?.refunds.some((refund) => refund.reference === legId && refund.providerRefundId !== result.providerRefundId && countsAgainstCharge(refund)) === true;
}

/** Answers what stands for a leg that is settled already, and passes its gate on if that was left undone. */
export async function standingLeg(db: Database, acting: Acting, key: LegKey): Promise<SettledLeg> {
  return db.transaction().execute(async (tx) => standingLockedLeg(tx, acting, key, await lockLeg(tx, key)));
}

/** The same inside the caller's transaction, for a leg that it has locked. */
export async function standingLockedLeg(tx: Tx, acting: Acting, key: LegKey, leg: LockedLeg): Promise<SettledLeg> {
  if (UNSETTLED.has(leg.status)) throw new Error(`a leg that is ${leg.status} is not settled`);
  return concluded(tx, acting, key, leg, { legStatus: leg.status, isNews: false });
}

async function concluded(tx: Tx, acting: Acting, key: LegKey, leg: LockedLeg, { legStatus, isNews }: { readonly legStatus: LegStatus; readonly isNews: boolean }): Promise<SettledLeg> {
  // A refund that the provider has not moved on since its case was opened still needs a human.
  const refund = await settleRefund(tx, acting, key, isNews || !ACCEPTED.has(legStatus));
  return { legStatus, ...refund, nextTurn: await passGate(tx, key.merchantId, leg.charge_id, key.legId) };
}

/** Thrown when a send that was given up is refused late: that says nothing about the send under way. */
export class OutdatedRefusalError extends Error {
  override readonly name = 'OutdatedRefusalError';
}

/** Whether a refusal says nothing about the leg any more. One by sight counts only while nothing was sent: the sight may show what was sent since. */
function isOutdated(leg: LockedLeg, { sendNumber, bySight = false }: Extract<LegResult, { kind: 'refused' }>): boolean {
  if (bySight && (leg.status === 'sending' || leg.status === 'unknown')) return true;
  if (sendNumber === undefined) return false;
  return leg.fenced_send >= sendNumber || ACCEPTED.has(leg.status) || (leg.status !== 'reserved' && leg.send_number !== sendNumber);
}

/** Keeps what the provider last told of a refund: it may move on at its provider without moving here (R6). */
async function keepReceipt(tx: Tx, { merchantId, legId }: LegKey, receipt: RefundReceipt | undefined): Promise<void> {
  if (receipt === undefined) return;
  await tx.updateTable('legs').set(keptReceipt(receipt)).where('merchant_id', '=', merchantId).where('leg_id', '=', legId).execute();
}

function keptReceipt(receipt: RefundReceipt | undefined): { readonly receipt?: string } {
  return receipt === undefined ? {} : { receipt: toJsonb(receipt) };
}

async function recordAcceptance(tx: Tx, key: LegKey, leg: LockedLeg, result: Exclude<LegResult, { kind: 'refused' }>): Promise<void> {
  const accepted = tx.updateTable('legs').set({ status: result.kind, provider_refund_id: result.providerRefundId, ...keptReceipt(result.receipt), updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId);
  await together(tx, accepted, ...(result.kind === 'succeeded' ? [movement(tx, key, leg, 'refund', result.providerRefundId)] : []));
  if (result.seen !== null) await saveSettledCharge(tx, key, result.seen.order, leg.charge_id, result.seen.seenAt);
}

/** The one movement of its kind that a leg can have (M7). */
export function movement(tx: Tx, key: LegKey, leg: LockedLeg, kind: 'refund' | 'refund_failed', providerId: string | null): Change {
  return tx.insertInto('money_movements').values({
    merchant_id: key.merchantId, kind, leg_id: key.legId, charge_id: leg.charge_id, amount_minor: leg.amount_minor, currency: leg.currency, provider_id: providerId,
  });
}

async function recordRefusal(tx: Tx, key: LegKey, leg: LockedLeg, { refusal, seen = null, receipt }: Extract<LegResult, { kind: 'refused' }>): Promise<void> {
  const refused = tx.updateTable('legs').set({ status: 'refused', refusal, ...keptReceipt(receipt), updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId);
  await together(tx, refused, releasedHold(tx, key.merchantId, leg.charge_id, leg.amount_minor));
  if (seen !== null) await saveSettledCharge(tx, key, seen.order, leg.charge_id, seen.seenAt);
}

/** Gives a leg's amount back to its charge (M4). The caller holds the charge's lock. */
export function releasedHold(tx: Tx, merchantId: string, chargeId: string, amountMinor: number): Change {
  return tx.updateTable('charges').set((row) => ({ held_minor: row('held_minor', '-', amountMinor) })).where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId);
}

/** Computes the refund's status from all its legs (R2) and writes it down with transition and event, if it is another one. */
export async function settleRefund(tx: Tx, acting: Acting, key: LegKey, endsCases = true): Promise<{ refundStatus: RefundStatus; statusDetail: string }> {
  const { merchantId, refundId } = key;
  const refund = await tx.selectFrom('refunds').select(['status', 'status_detail', 'needs_attention']).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).forUpdate().executeTakeFirstOrThrow();
  if (refund.needs_attention && endsCases) await closeCasesOfOutcome(tx, acting.actor, key, acting.reason);
  const legs = await tx.selectFrom('legs').select(['status', 'refusal']).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).execute();
  const event = refundEventFromLegs(legs);
  if (event === null) return { refundStatus: refund.status, statusDetail: refund.status_detail };
  let standing: Standing = { status: refund.status, statusDetail: refund.status_detail };
  if (isCancellableRefundStatus(standing.status) && isRefused(applyTo(standing, event))) {
    // Refused before it was sent, at a stop that no refusal leaves: it went on from there, and came to nothing.
    standing = await moveRefund(tx, acting, key, standing, { type: 'sent' });
  }
  const moved = await moveRefund(tx, acting, key, standing, event);
  return { refundStatus: moved.status, statusDetail: moved.statusDetail };
}

/** A refund's status and why it has it. */
interface Standing {
  readonly status: RefundStatus;
  readonly statusDetail: string;
}

/** The detail is only prose for the machine: what decides is the status. */
function applyTo(standing: Standing, event: RefundEvent) {
  return applyRefundEvent(standing as RefundState, event);
}

/** Moves the refund along the machine, with transition and event; an event without an edge leaves it where it is. */
async function moveRefund(tx: Tx, acting: Acting, { merchantId, refundId }: LegKey, standing: Standing, event: RefundEvent): Promise<Standing> {
  const next = applyTo(standing, event);
  if (isRefused(next)) return standing;
  const moved = tx.updateTable('refunds').set({ status: next.status, status_detail: next.statusDetail, updated_at: sql<Date>`now()` }).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId);
  await recordTransition(tx, acting, { merchantId, subject: 'refund', subjectId: refundId, from: standing.status, to: next.status, statusDetail: next.statusDetail }, moved);
  return next;
}
