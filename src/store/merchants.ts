import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type { RefundPolicy } from '../domain/checkpoint.ts';
import type { Database } from './database.ts';
import type { MerchantsTable } from './tables.ts';

/** What a key may do (RELIABILITY, Security). */
export const SCOPES = ['read', 'refunds', 'payouts', 'approve', 'operator', 'rail'] as const;

/** A scope of an API key. */
export type Scope = (typeof SCOPES)[number];

/** Whom a valid key speaks for. */
export interface KeyHolder {
  readonly merchantId: string;
  readonly provider: string;
  /** What people recognise the key by; goes into the audit trail. */
  readonly keyPrefix: string;
  readonly scopes: readonly string[];
}

/** Finds the holder of a key by its SHA-256 (hex), or `null` for an unknown, expired or revoked one. */
export async function findKeyHolder(db: Database, keyHash: string): Promise<KeyHolder | null> {
  const row = await db.selectFrom('api_keys').innerJoin('merchants', 'merchants.merchant_id', 'api_keys.merchant_id')
    .select(['api_keys.merchant_id', 'provider', 'key_prefix', 'scopes'])
    .where('key_hash', '=', keyHash).where('revoked_at', 'is', null)
    .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', sql<Date>`now()`)])).executeTakeFirst();
  return row === undefined ? null : { merchantId: row.merchant_id, provider: row.provider, keyPrefix: row.key_prefix, scopes: row.scopes };
}

/** Adds a merchant; an existing one stays as it is. */
export async function saveMerchant(db: Database, merchant: { merchantId: string; name: string; provider: string }): Promise<void> {
  await db.insertInto('merchants').values({ merchant_id: merchant.merchantId, name: merchant.name, provider: merchant.provider }).onConflict((conflict) => conflict.doNothing()).execute();
}

/** Adds an API key by its hash; the same key again is left as it is. */
export async function saveApiKey(db: Database, key: { keyHash: string; keyPrefix: string; merchantId: string; scopes: readonly Scope[] }): Promise<void> {
  await db.insertInto('api_keys').values({ key_hash: key.keyHash, key_prefix: key.keyPrefix, merchant_id: key.merchantId, scopes: [...key.scopes] }).onConflict((conflict) => conflict.doNothing()).execute();
}

/** The merchant's own provider. @throws UnknownMerchantError */
export async function providerOf(db: Database, merchantId: string): Promise<string> {
  return (await readMerchant(db, merchantId)).provider;
}

/** The merchant's provider, and what it demands of its refunds (R3, R5). @throws UnknownMerchantError */
export async function readMerchant(db: Database, merchantId: string): Promise<{ readonly provider: string; readonly policy: RefundPolicy }> {
  const row = await merchantOf(db, merchantId).executeTakeFirst();
  if (row === undefined) throw new UnknownMerchantError(merchantId);
  return { provider: row.provider, policy: policyOf(row) };
}

/** Asks for a merchant's row. */
export function merchantOf(db: Database, merchantId: string) {
  return db.selectFrom('merchants').selectAll('merchants').where('merchants.merchant_id', '=', merchantId);
}

/** What a merchant's row says that its refunds must pass. */
export function policyOf(row: Selectable<MerchantsTable>): RefundPolicy {
  return {
    reviewThresholdMinor: row.review_threshold_minor, reviewExpiryMs: row.review_expiry_ms, requirePayerConfirmation: row.require_payer_confirmation,
    payerConfirmationExpiryMs: row.payer_confirmation_expiry_ms, cancellationWindowMs: row.cancellation_window_ms,
  };
}

/** Changes what a merchant demands of its refunds from now on; refunds on record keep their checkpoints. @throws UnknownMerchantError */
export async function saveRefundPolicy(db: Database, merchantId: string, policy: Partial<RefundPolicy>): Promise<void> {
  const columns = {
    review_threshold_minor: policy.reviewThresholdMinor, review_expiry_ms: policy.reviewExpiryMs, require_payer_confirmation: policy.requirePayerConfirmation,
    payer_confirmation_expiry_ms: policy.payerConfirmationExpiryMs, cancellation_window_ms: policy.cancellationWindowMs,
  };
  // Only what is given: two changes at once must not undo each other.
  const given = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
  await readMerchant(db, merchantId);
  if (Object.keys(given).length > 0) await db.updateTable('merchants').set(given).where('merchant_id', '=', merchantId).execute();
}

/** Thrown when a Workflow names a merchant that is not on record: a start by hand with a wrong id. */
export class UnknownMerchantError extends Error {
  override readonly name = 'UnknownMerchantError';
  constructor(merchantId: string) {
    super(`no merchant "${merchantId}"`);
  }
}
