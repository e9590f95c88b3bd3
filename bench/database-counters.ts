import pg from 'pg';
import { z } from 'zod';

/** What a PostgreSQL server has done since it was started. */
export interface DatabaseCounters {
  /** Bytes of its write-ahead log. */
  readonly walBytes: number;
  /** Transactions that wrote something: known at once and to the last one, unlike `commits`. */
  readonly writes: number;
}

/** An open connection that reads them; reading writes nothing. */
export interface DatabaseProbe {
  counters(): Promise<DatabaseCounters>;
  /** Transactions of our database that were committed, reading ones included; a connection reports its own up to 10 s late. */
  commits(): Promise<number>;
  close(): Promise<void>;
}

const countersSchema = z.object({ walBytes: z.coerce.number(), writes: z.coerce.number() });
const commitsSchema = z.object({ commits: z.coerce.number() });

/** Connects to a database of the server. */
export async function openDatabaseProbe(url: string): Promise<DatabaseProbe> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const only = async (query: string): Promise<object | undefined> => (await client.query<object>(query)).rows[0];
  return {
    counters: async () => countersSchema.parse(await only('SELECT pg_current_wal_insert_lsn() - \'0/0\' AS "walBytes", pg_snapshot_xmax(pg_current_snapshot()) AS writes')),
    commits: async () => commitsSchema.parse(await only('SELECT xact_commit AS commits FROM pg_stat_database WHERE datname = current_database()')).commits,
    close: () => client.end(),
  };
}
