import { sql } from 'kysely';
import type { Tx } from '../transitions.ts';

/** A leg that is next in line, and the Workflow to tell. */
export interface NextInLine {
  readonly legId: string;
  readonly workflowId: string;
}

/**
 * Takes the charge's gate for a leg, or a place in line (S5: first come, first served), in one statement. The caller holds the charge's lock since
 * an earlier statement: nobody else moves in line meanwhile.
 */
export async function takeGate(tx: Tx, merchantId: string, chargeId: string, legId: string): Promise<boolean> {
  const leg = sql`merchant_id = ${merchantId} and leg_id = ${legId} and status = 'reserved'`;
  const { rows: [gate] } = await sql<{ is_held: boolean }>`
    with held as (select gate_leg_id from charges where merchant_id = ${merchantId} and charge_id = ${chargeId}),
    queued as (update legs set ticket = nextval('leg_tickets') where ${leg} and ticket is null and (select gate_leg_id from held) is distinct from ${legId} returning ticket),
    place as (select ticket from queued union all select ticket from legs where ${leg} and ticket is not null),
    taken as (
      update charges set gate_leg_id = ${legId}
      where merchant_id = ${merchantId} and charge_id = ${chargeId} and gate_leg_id is null and exists (select from place) and not exists (
        select from legs as before where before.merchant_id = ${merchantId} and before.charge_id = ${chargeId} and before.status = 'reserved' and before.ticket < (select min(ticket) from place))
      returning charge_id)
    select exists (select from taken) or exists (select from held where gate_leg_id = ${legId}) as is_held`.execute(tx);
  return gate?.is_held === true;
}

/** Gives the gate up and hands it to the next in line, who must be told. The caller holds the charge's lock and has moved the leg on. */
export async function passGate(tx: Tx, merchantId: string, chargeId: string, legId: string): Promise<NextInLine | null> {
  const { rows: [next] } = await sql<{ leg_id: string; workflow_id: string }>`
    with next as (
      select leg_id, workflow_id from legs where merchant_id = ${merchantId} and charge_id = ${chargeId} and status = 'reserved' and ticket is not null order by ticket limit 1),
    passed as (
      update charges set gate_leg_id = (select leg_id from next) where merchant_id = ${merchantId} and charge_id = ${chargeId} and gate_leg_id = ${legId} returning charge_id)
    select leg_id, workflow_id from next where exists (select from passed)`.execute(tx);
  return next === undefined ? null : { legId: next.leg_id, workflowId: next.workflow_id };
}

/** Who is first in line, or `null`. */
export async function firstInLine(tx: Tx, merchantId: string, chargeId: string): Promise<NextInLine | null> {
  const leg = await tx.selectFrom('legs').select(['leg_id', 'workflow_id'])
    .where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).where('status', '=', 'reserved').where('ticket', 'is not', null)
    .orderBy('ticket').limit(1).executeTakeFirst();
  return leg === undefined ? null : { legId: leg.leg_id, workflowId: leg.workflow_id };
}
