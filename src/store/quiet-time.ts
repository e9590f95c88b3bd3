import { sql } from 'kysely';
import type { Tx } from './transitions.ts';

/** How much of `quietMs` after a moment is still to come, by the database's clock, milliseconds; zero for no moment. */
export async function remainingMs(tx: Tx, since: Date | null, quietMs: number): Promise<number> {
  if (since === null) return 0;
  const { rows } = await sql<{ elapsed: number }>`select floor(extract(epoch from now() - ${since}::timestamptz) * 1000)::bigint as elapsed`.execute(tx);
  return Math.max(0, quietMs - (rows[0]?.elapsed ?? 0));
}
