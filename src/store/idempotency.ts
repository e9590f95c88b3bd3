import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { Change } from './together.ts';
import type { Tx } from './transitions.ts';

/** A key and the request it stands for (R8). */
export interface ClaimedKey {
  readonly merchantId: string;
  readonly operation: string;
  readonly key: string;
  /** SHA-256 of the canonical body. */
  readonly fingerprint: string;
  readonly resourceId: string;
}

/** Writes the key down for 13 months, by the statement that writes its resource. */
export function claimKey(tx: Tx, claim: ClaimedKey): Change {
  return tx.insertInto('idempotency_keys').values({
    merchant_id: claim.merchantId, operation: claim.operation, idempotency_key: claim.key, fingerprint: claim.fingerprint, resource_id: claim.resourceId,
    expires_at: sql<Date>`now() + interval '13 months'`,
  });
}

/** What a key stands for, or `null` when it is free. */
export async function findKey(db: Database | Tx, merchantId: string, operation: string, key: string): Promise<{ readonly fingerprint: string; readonly resourceId: string } | null> {
  const row = await db.selectFrom('idempotency_keys').select(['fingerprint', 'resource_id'])
    .where('merchant_id', '=', merchantId).where('operation', '=', operation).where('idempotency_key', '=', key).executeTakeFirst();
  return row === undefined ? null : { fingerprint: row.fingerprint, resourceId: row.resource_id };
}
