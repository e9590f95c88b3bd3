import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';
import { besides } from './together.ts';
import type { Change } from './together.ts';

/** An open transaction. */
export type Tx = Transaction<Tables>;

/** Who acts, through which Workflow run (O3). */
export interface Acting {
  /** An identifier of a key, a service, a timer or an operator: never personal data. */
  readonly actor: string;
  readonly workflowId: string;
  readonly runId: string;
  /** Why, where a person acts (O3). */
  readonly reason?: string | undefined;
}

/** One change of status. */
export interface Transition {
  readonly merchantId: string;
  readonly subject: 'refund' | 'payout_order';
  readonly subjectId: string;
  readonly from: string | null;
  readonly to: string;
  readonly statusDetail: string;
  readonly reason?: string | undefined;
  /** Names what happened where that is not the status reached: an operator's act (O3), or a late failure. */
  readonly event?: string;
}

/**
 * Writes a transition and its one event in one statement (I6, A7): both or neither, inside the caller's transaction. `changes` of other rows,
 * such as the record whose status it is, are made by the same statement.
 */
export async function recordTransition(tx: Tx, acting: Acting, transition: Transition, ...changes: readonly Change[]): Promise<void> {
  const { merchantId, subject, subjectId, from, to, statusDetail } = transition;
  const written = sql`written as (
      insert into transitions (merchant_id, subject, subject_id, from_status, to_status, status_detail, actor, reason, workflow_id, run_id)
      values (${merchantId}, ${subject}, ${subjectId}, ${from}, ${to}, ${statusDetail}, ${acting.actor}, ${transition.reason ?? acting.reason ?? null}, ${acting.workflowId}, ${acting.runId})
      returning transition_id)`;
  await sql`
    ${besides(changes, written)}
    insert into events (event_id, transition_id, merchant_id, type, subject, subject_id)
    select 'evt_' || transition_id, transition_id, ${merchantId}, ${`${subject}.${transition.event ?? to}`}, ${subject}, ${subjectId} from written`.execute(tx);
}
