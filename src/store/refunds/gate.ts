import { sql } from 'kysely';
import type { Tx } from '../transitions.ts';

/** A leg that is next in line, and the Workflow to tell. */
export interface NextInLine {
  readonly legId: string;
  readonly workflowId: string;
}

/** Takes the charge's gate for a leg, or a place in line (S5: first come, first served). The caller holds the charge's lock. */
export async function takeGate(tx: Tx, merchantId: string, chargeId: string, legId: string): Promise<boolean> {
  const charge = await tx.selectFrom('charges').select('gate_leg_id').where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).executeTakeFirstOrThrow();
  if (charge.gate_leg_id === legId) return true;
  await tx.updateTable('legs').set({ ticket: sql<number>`nextval('leg_tickets')` })
    .where('merchant_id', '=', merchantId).where('leg_id', '=', legId).where('status', '=', 'reserved').where('ticket', 'is', null).execute();
  if (charge.gate_leg_id !== null) return false;
  const first = await firstInLine(tx, merchantId, chargeId);
  if (first?.legId !== legId) return false;
  await setGate(tx, merchantId, chargeId, legId);
  return true;
}

/** Gives the gate up and hands it to the next in line, who must be told. The caller holds the charge's lock and has moved the leg on. */
export async function passGate(tx: Tx, merchantId: string, chargeId: string, legId: string): Promise<NextInLine | null> {
  const charge = await tx.selectFrom('charges').select('gate_leg_id').where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).executeTakeFirstOrThrow();
  if (charge.gate_leg_id !== legId) return null;
  const next = await firstInLine(tx, merchantId, chargeId);
  await setGate(tx, merchantId, chargeId, next?.legId ?? null);
  return next;
}

/** Who is first in line, or `null`. */
export async function firstInLine(tx: Tx, merchantId: string, chargeId: string): Promise<NextInLine | null> {
  const leg = await tx.selectFrom('legs').select(['leg_id', 'workflow_id'])
    .where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).where('status', '=', 'reserved').where('ticket', 'is not', null)
    .orderBy('ticket').limit(1).executeTakeFirst();
  return leg === undefined ? null : { legId: leg.leg_id, workflowId: leg.workflow_id };
}

async function setGate(tx: Tx, merchantId: string, chargeId: string, legId: string | null): Promise<void> {
  await tx.updateTable('charges').set({ gate_leg_id: legId }).where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).execute();
}
