import { sql } from 'kysely';
import type { RefundDetails } from '../../domain/refund-details.ts';
import type { Database } from '../database.ts';
import type { Tx } from '../transitions.ts';
import { firstInLine, passGate, takeGate } from './gate.ts';
import type { NextInLine } from './gate.ts';
import { lockLeg } from './send.ts';
import type { LegKey } from './send.ts';

/** The leg whose turn it is while another waits, and the refund it belongs to. Amount in minor units. */
export interface HolderRecord {
  readonly workflowId: string;
  readonly refundId: string;
  readonly legId: string;
  /** Something of it may be under way at the provider. */
  readonly wasSent: boolean;
  readonly provider: string;
  readonly orderId: string;
  readonly chargeId: string | null;
  readonly amountMinor: number | null;
  readonly reason: string | null;
  readonly details: RefundDetails;
  readonly requestedBy: string;
  readonly idempotencyKey: string;
  readonly fingerprint: string;
}

/** Asks whether it is this leg's turn on its charge (S5); if it is not, whose it is. */
export async function takeTurn(db: Database, key: LegKey): Promise<{ readonly hasTurn: boolean; readonly holder: HolderRecord | null }> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    // Sent before its Workflow began again: it had its turn, and is to be looked for.
    if (leg.status !== 'reserved') return { hasTurn: true, holder: null };
    if (await takeGate(tx, key.merchantId, leg.charge_id, key.legId)) return { hasTurn: true, holder: null };
    const holderId = leg.gate_leg_id ?? (await firstInLine(tx, key.merchantId, leg.charge_id))?.legId;
    return { hasTurn: false, holder: holderId === undefined ? null : await readHolder(tx, key.merchantId, holderId) };
  });
}

async function readHolder(tx: Tx, merchantId: string, legId: string): Promise<HolderRecord | null> {
  const row = await tx.selectFrom('legs')
    .innerJoin('refunds', (join) => join.onRef('refunds.merchant_id', '=', 'legs.merchant_id').onRef('refunds.refund_id', '=', 'legs.refund_id'))
    .innerJoin('idempotency_keys', (join) => join.onRef('idempotency_keys.merchant_id', '=', 'legs.merchant_id').onRef('idempotency_keys.resource_id', '=', 'legs.refund_id')
      .on('idempotency_keys.operation', '=', sql<string>`'refund:' || legs.order_id`))
    .select(['legs.leg_id', 'legs.refund_id', 'legs.status', 'refunds.workflow_id', 'refunds.provider', 'refunds.details', 'refunds.order_id', 'refunds.charge_id', 'refunds.amount_minor', 'refunds.reason', 'refunds.requested_by', 'idempotency_key', 'fingerprint'])
    .where('legs.merchant_id', '=', merchantId).where('legs.leg_id', '=', legId).executeTakeFirst();
  return row === undefined ? null : {
    workflowId: row.workflow_id, refundId: row.refund_id, legId: row.leg_id, wasSent: row.status !== 'reserved', provider: row.provider, details: row.details, orderId: row.order_id, chargeId: row.charge_id,
    amountMinor: row.amount_minor, reason: row.reason, requestedBy: row.requested_by, idempotencyKey: row.idempotency_key, fingerprint: row.fingerprint,
  };
}

/**
 * Takes the gate, and the place in line, from a leg that was never sent, because its Workflow is gone; its hold stays. Should the Workflow
 * come back, the leg asks for a new place. A leg that was sent keeps the gate: nobody else may be sent before its outcome is known (S5).
 */
export async function loseTurn(db: Database, key: LegKey): Promise<NextInLine | null> {
  return db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, key);
    if (leg.status !== 'reserved') return null;
    await tx.updateTable('legs').set({ ticket: null, updated_at: sql<Date>`now()` }).where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).execute();
    return passGate(tx, key.merchantId, leg.charge_id, key.legId);
  });
}
