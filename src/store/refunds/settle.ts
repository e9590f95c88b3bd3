import { sql } from 'kysely';
import { canLegMove } from '../../domain/leg.ts';
import { applyRefundEvent, refundEventFromLegs } from '../../domain/refund.ts';
import type { RefundState } from '../../domain/refund.ts';
import { isRefused } from '../../domain/rejections.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import { writeCase } from '../cases.ts';
import type { Database } from '../database.ts';
import { saveSettledCharge } from '../orders.ts';
import type { OrderSnapshot } from '../orders.ts';
import { recordTransition } from '../transitions.ts';
import type { Acting, Tx } from '../transitions.ts';
import { passGate } from './gate.ts';
import type { NextInLine } from './gate.ts';
import { lockLeg } from './send.ts';
import type { LegKey } from './send.ts';

/** What is now known for sure about a leg. */
export type LegResult =
  | { readonly kind: 'succeeded'; readonly providerRefundId: string; readonly order: OrderSnapshot; readonly seenAt: Date }
  /** The word of one send counts only while that send is the one under way; without a number it is the word on the whole leg. */
  | { readonly kind: 'refused'; readonly refusal: string; readonly sendNumber?: number };

/** A settled leg, and its refund as the transaction left it. */
export interface SettledLeg {
  readonly legStatus: 'succeeded' | 'refused';
  readonly refundStatus: RefundStatus;
  readonly statusDetail: string;
  readonly nextTurn: NextInLine | null;
}

/**
 * Settles a leg in one transaction (M7): the leg, its one movement or its released reservation (M4), the charge as the
 * provider shows it, the refund's status computed from all legs (R2) with transition and event, the gate passed on (S5).
 * Settling what is settled changes nothing and answers what stands, so a lost answer may be settled twice.
 * @throws OutdatedRefusalError
 */
export async function settleLeg(db: Database, acting: Acting, key: LegKey, result: LegResult): Promise<SettledLeg> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    if (result.kind === 'refused' && isOutdated(leg, result.sendNumber)) throw new OutdatedRefusalError();
    if (canLegMove(leg.status, result.kind)) {
      if (result.kind === 'succeeded') await recordSuccess(tx, key, leg, result);
      else await recordRefusal(tx, key, leg, result.refusal);
    } else if (leg.status !== 'succeeded' && leg.status !== 'refused') {
      throw new Error(`a leg that is ${leg.status} cannot become ${result.kind}`);
    } else if (result.kind === 'succeeded' && leg.provider_refund_id !== result.providerRefundId) {
      // A second refund of a leg that is settled: the provider committed later than its settle delay. A human must see it.
      await writeCase(tx, { merchantId: key.merchantId, kind: 'contradiction', refundId: key.refundId, legId: key.legId });
    }
    const refund = await settleRefund(tx, acting, key);
    const nextTurn = await passGate(tx, key.merchantId, leg.charge_id, key.legId);
    return { legStatus: leg.status === 'succeeded' || leg.status === 'refused' ? leg.status : result.kind, ...refund, nextTurn };
  });
}

/** Answers what stands for a leg that is settled already, and passes its gate on if that was left undone. */
export async function standingLeg(db: Database, acting: Acting, key: LegKey): Promise<SettledLeg> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    if (leg.status !== 'succeeded' && leg.status !== 'refused') throw new Error(`a leg that is ${leg.status} is not settled`);
    const refund = await settleRefund(tx, acting, key);
    return { legStatus: leg.status, ...refund, nextTurn: await passGate(tx, key.merchantId, leg.charge_id, key.legId) };
  });
}

type LockedLeg = Awaited<ReturnType<typeof lockLeg>>;

/** Thrown when a send that was given up is refused late: that says nothing about the send under way. */
export class OutdatedRefusalError extends Error {
  override readonly name = 'OutdatedRefusalError';
}

function isOutdated(leg: LockedLeg, sendNumber: number | undefined): boolean {
  if (sendNumber === undefined) return false;
  return leg.fenced_send >= sendNumber || (leg.status !== 'reserved' && leg.send_number !== sendNumber);
}

async function recordSuccess(tx: Tx, key: LegKey, leg: LockedLeg, result: Extract<LegResult, { kind: 'succeeded' }>): Promise<void> {
  await tx.updateTable('legs').set({ status: 'succeeded', provider_refund_id: result.providerRefundId, updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).execute();
  await tx.insertInto('money_movements').values({
    merchant_id: key.merchantId, kind: 'refund', leg_id: key.legId, charge_id: leg.charge_id, amount_minor: leg.amount_minor, currency: leg.currency, provider_id: result.providerRefundId,
  }).execute();
  await saveSettledCharge(tx, key.merchantId, result.order, leg.charge_id, result.seenAt);
}

async function recordRefusal(tx: Tx, key: LegKey, leg: LockedLeg, refusal: string): Promise<void> {
  await tx.updateTable('legs').set({ status: 'refused', refusal, updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).execute();
  await releaseHold(tx, key.merchantId, leg.charge_id, leg.amount_minor);
}

/** Gives a leg's amount back to its charge (M4). The caller holds the charge's lock. */
export async function releaseHold(tx: Tx, merchantId: string, chargeId: string, amountMinor: number): Promise<void> {
  await tx.updateTable('charges').set((row) => ({ held_minor: row('held_minor', '-', amountMinor) })).where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).execute();
}

async function settleRefund(tx: Tx, acting: Acting, key: LegKey): Promise<{ refundStatus: RefundStatus; statusDetail: string }> {
  const refund = await tx.selectFrom('refunds').select(['status', 'status_detail']).where('merchant_id', '=', key.merchantId).where('refund_id', '=', key.refundId).forUpdate().executeTakeFirstOrThrow();
  const legs = await tx.selectFrom('legs').select(['status', 'refusal']).where('merchant_id', '=', key.merchantId).where('refund_id', '=', key.refundId).execute();
  const event = refundEventFromLegs(legs);
  if (event === null) return { refundStatus: refund.status, statusDetail: refund.status_detail };
  // The detail is only prose for the machine: what decides is the status.
  const next = applyRefundEvent({ status: refund.status, statusDetail: refund.status_detail } as RefundState, event);
  if (isRefused(next)) return { refundStatus: refund.status, statusDetail: refund.status_detail };
  await tx.updateTable('refunds').set({ status: next.status, status_detail: next.statusDetail, needs_attention: false, updated_at: sql<Date>`now()` })
    .where('merchant_id', '=', key.merchantId).where('refund_id', '=', key.refundId).execute();
  await recordTransition(tx, acting, { merchantId: key.merchantId, subject: 'refund', subjectId: key.refundId, from: refund.status, to: next.status, statusDetail: next.statusDetail });
  return { refundStatus: next.status, statusDetail: next.statusDetail };
}
