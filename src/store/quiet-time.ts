import { sql } from 'kysely';
import type { Tx } from './transitions.ts';

/** After how much time a look may conclude anything, milliseconds. */
export interface QuietTime {
  /** Since the permit of a send whose worker was lost: by then its call has ended and the provider has committed what it will. */
  readonly afterPermitMs: number;
  /** Since the end of a call whose outcome is unknown: the settle delay. */
  readonly afterCallMs: number;
}

/** Clocks and timers may differ by this much without a look being sent away for it, milliseconds. */
const TOLERANCE_MS = 50;

/** When a send began and ended, as far as its worker could tell. */
interface SendTimes {
  readonly sent_at: Date | null;
  readonly call_ended_at: Date | null;
}

/** How long a look must still wait, by the database's clock, milliseconds; zero when it may conclude. */
export async function quietForMs(tx: Tx, times: SendTimes, quiet: QuietTime): Promise<number> {
  const since = times.call_ended_at ?? times.sent_at;
  if (since === null) return 0;
  const { rows } = await sql<{ elapsed: number }>`select floor(extract(epoch from now() - ${since}::timestamptz) * 1000)::bigint as elapsed`.execute(tx);
  const waitMs = (times.call_ended_at === null ? quiet.afterPermitMs : quiet.afterCallMs) - (rows[0]?.elapsed ?? 0);
  return waitMs > TOLERANCE_MS ? waitMs : 0;
}
