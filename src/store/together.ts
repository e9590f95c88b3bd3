import { sql } from 'kysely';
import type { Compilable, RawBuilder, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** A statement that changes rows and answers nothing that is asked for. */
export type Change = Compilable;

/**
 * Runs changes as one statement, in one round trip: all of them or none. Each must change rows of its own: none sees what the others change.
 */
export async function together(tx: Transaction<Tables>, ...[last, ...others]: readonly [Change, ...Change[]]): Promise<void> {
  await sql`${besides(others)}${last}`.execute(tx);
}

/** The head of a statement that makes changes besides its own; empty for none. */
export function besides(changes: readonly Change[], ...named: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  const parts = [...changes.map((change, index) => sql`${sql.raw(`change_${index}`)} as (${change})`), ...named];
  return parts.length === 0 ? sql`` : sql`with ${sql.join(parts)} `;
}
