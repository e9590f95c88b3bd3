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
import { settledCharge } from '../orders.ts';
import type { OrderSnapshot } from '../orders.ts';
import { together } from '../together.ts';
import type { Change } from '../together.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';
import { passGate } from './gate.ts';
import type { NextInLine } from './gate.ts';
import { lockLeg } from './send.ts';
import type { LegKey, LockedLeg, LockedRefund } from './send.ts';

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
  if (mayMove) await together(tx, ...(result.kind === 'refused' ? refusedLeg(tx, key, leg, result) : acceptedLeg(tx, key, leg, result)));
  else if (UNSETTLED.has(leg.status)) throw new Error(`a leg that is ${leg.status} cannot become ${result.kind}`);
  else if (result.kind === leg.status && !isAnother) await keepReceipt(tx, key, result.receipt);
  const isContradiction = isAnother || isExecutedTwice(key, leg, result) || (!mayMove && result.kind !== 'refused' && !holdsAmount(leg.status));
  // A second refund of one leg (the provider committed later than its settle delay), or one of a leg that is over. A human must see it.
  if (isContradiction) await writeCase(tx, { merchantId: key.merchantId, kind: 'contradiction', refundId: key.refundId, legId: key.legId });
  const refund = isContradiction ? await standingRefund(tx, key) : leg.refund;
  return concluded(tx, acting, key, { ...leg, refund }, { legStatus: mayMove ? result.kind : leg.status, isNews: mayMove, seen: mayMove ? result.seen ?? null : null });
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
  return concluded(tx, acting, key, leg, { legStatus: leg.status, isNews: false, seen: null });
}

/** What a leg has become, and in which order that was seen. */
interface Conclusion {
  readonly legStatus: LegStatus;
  readonly isNews: boolean;
  readonly seen: Seen;
}

async function concluded(tx: Tx, acting: Acting, key: LegKey, leg: LockedLeg, { legStatus, isNews, seen }: Conclusion): Promise<SettledLeg> {
  // A refund that the provider has not moved on since its case was opened still needs a human.
  const refund = await settleRefund(tx, acting, key, leg, { seen, endsCases: isNews || !ACCEPTED.has(legStatus) });
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

function acceptedLeg(tx: Tx, key: LegKey, leg: LockedLeg, result: Exclude<LegResult, { kind: 'refused' }>): readonly [Change, ...Change[]] {
  const accepted = tx.updateTable('legs').set({ status: result.kind, provider_refund_id: result.providerRefundId, ...keptReceipt(result.receipt), updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId);
  return [accepted, ...(result.kind === 'succeeded' ? [movement(tx, key, leg, 'refund', result.providerRefundId)] : [])];
}

/** The one movement of its kind that a leg can have (M7). */
export function movement(tx: Tx, key: LegKey, leg: LockedLeg, kind: 'refund' | 'refund_failed', providerId: string | null): Change {
  return tx.insertInto('money_movements').values({
    merchant_id: key.merchantId, kind, leg_id: key.legId, charge_id: leg.charge_id, amount_minor: leg.amount_minor, currency: leg.currency, provider_id: providerId,
  });
}

function refusedLeg(tx: Tx, key: LegKey, leg: LockedLeg, { refusal, receipt }: Extract<LegResult, { kind: 'refused' }>): readonly [Change, ...Change[]] {
  const refused = tx.updateTable('legs').set({ status: 'refused', refusal, ...keptReceipt(receipt), updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId);
  return [refused, releasedHold(tx, key.merchantId, leg.charge_id, leg.amount_minor)];
}

/** Gives a leg's amount back to its charge (M4). The caller holds the charge's lock. */
export function releasedHold(tx: Tx, merchantId: string, chargeId: string, amountMinor: number): Change {
  return tx.updateTable('charges').set((row) => ({ held_minor: row('held_minor', '-', amountMinor) })).where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId);
}

/** What a refund is settled by, besides its legs. */
interface Settling {
  readonly seen: Seen;
  readonly endsCases?: boolean;
}

/**
 * Computes the refund's status from all its legs (R2) and writes it down with transition and event, if it is another one; and takes over the leg's
 * charge as it was seen. The caller has recorded the leg: its legs, and those of its charge, are read once, behind the lock.
 */
export async function settleRefund(tx: Tx, acting: Acting, key: LegKey, { charge_id: chargeId, refund }: LockedLeg, { seen, endsCases = true }: Settling): Promise<{ refundStatus: RefundStatus; statusDetail: string }> {
  const { merchantId, refundId, legId } = key;
  if (refund.needsAttention && endsCases) await closeCasesOfOutcome(tx, acting.actor, key, acting.reason);
  const legs = await tx.selectFrom('legs').select(['leg_id', 'refund_id', 'charge_id', 'provider_refund_id', 'status', 'refusal'])
    .where('merchant_id', '=', merchantId).where((leg) => leg.or([leg('refund_id', '=', refundId), leg('charge_id', '=', chargeId)])).execute();
  const charge = seen?.order.charges.find((candidate) => candidate.chargeId === chargeId);
  const besides = seen === null || charge === undefined ? [] : [settledCharge(tx, merchantId, { legId, charge, seenAt: seen.seenAt, legs: legs.filter((leg) => leg.charge_id === chargeId) })];
  const event = refundEventFromLegs(legs.filter((leg) => leg.refund_id === refundId));
  const { status, statusDetail } = await followLegs(tx, acting, key, { refund, event, besides });
  return { refundStatus: status, statusDetail };
}

/** Moves the refund where its legs lead it; `besides` happens in any case. */
async function followLegs(tx: Tx, acting: Acting, key: LegKey, { refund, event, besides }: { readonly refund: LockedRefund; readonly event: RefundEvent | null; readonly besides: readonly Change[] }): Promise<Standing> {
  if (event !== null && isCancellableRefundStatus(refund.status) && isRefused(applyTo(refund, event))) {
    // Refused before it was sent, at a stop that no refusal leaves: it went on from there, and came to nothing.
    return moveRefund(tx, acting, key, await moveRefund(tx, acting, key, refund, { type: 'sent' }), event, besides);
  }
  return moveRefund(tx, acting, key, refund, event, besides);
}

/** A refund's status and why it has it. */
type Standing = Pick<LockedRefund, 'status' | 'statusDetail'>;

/** The detail is only prose for the machine: what decides is the status. */
function applyTo(standing: Standing, event: RefundEvent) {
  return applyRefundEvent(standing as RefundState, event);
}

/** Moves the refund along the machine, with transition and event; without an event, or an edge for it, it stays where it is. */
async function moveRefund(tx: Tx, acting: Acting, { merchantId, refundId }: LegKey, standing: Standing, event: RefundEvent | null, besides: readonly Change[] = []): Promise<Standing> {
  const next = event === null ? null : applyTo(standing, event);
  if (next === null || isRefused(next)) {
    const [first, ...others] = besides;
    if (first !== undefined) await together(tx, first, ...others);
    return standing;
  }
  const moved = tx.updateTable('refunds').set({ status: next.status, status_detail: next.statusDetail, updated_at: sql<Date>`now()` }).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId);
  await recordTransition(tx, acting, { merchantId, subject: 'refund', subjectId: refundId, from: standing.status, to: next.status, statusDetail: next.statusDetail }, moved, ...besides);
  return next;
}

/** The refund of a leg as it now stands, after a case about it was written. */
async function standingRefund(tx: Tx, { merchantId, refundId }: LegKey): Promise<LockedRefund> {
  const row = await tx.selectFrom('refunds').select(['status', 'status_detail', 'needs_attention']).where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).executeTakeFirstOrThrow();
  return { status: row.status, statusDetail: row.status_detail, needsAttention: row.needs_attention };
}
