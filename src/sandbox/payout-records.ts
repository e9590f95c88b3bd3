import { createHash } from 'node:crypto';
import { notFound } from './conekta-refusals.ts';
import { newCashReference, newPayoutOrderId, newPrefixedId } from './identifiers.ts';
import type { PayoutOrderRequest } from './payout-requests.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** The seven statuses of seed 000. */
export type PayoutStatus = 'open' | 'pending' | 'cancelled' | 'expired' | 'pending_confirmation' | 'withdrawn' | 'reversed';

/** The metadata key under which a client passes its own id. */
const OWN_ID_KEY = 'reintegro_id';

/** A stored payout order. Amount in minor units, times in unix seconds, the window's end in unix milliseconds. */
export interface PayoutRecord {
  readonly id: string;
  readonly key_hash: string;
  readonly payout_id: string;
  readonly reference: string;
  readonly reintegro_id: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly status: PayoutStatus;
  readonly reason: string;
  readonly allowed_payout_methods: string;
  readonly payout_method_type: string;
  readonly customer_info: string;
  readonly metadata: string;
  readonly expires_at: number;
  readonly window_ends_at_ms: number | null;
  readonly created_at: number;
  readonly updated_at: number;
  /** 1 while a withdrawal is under way whose cash is not out yet, so that a cancel voids it. */
  readonly is_voidable: 0 | 1;
}

/** Stores a new payout order in its first status. */
export function insertPayoutOrder(
  db: SandboxDatabase, keyHash: string, request: PayoutOrderRequest, status: 'open' | 'pending', nowMs: number,
): PayoutRecord {
  const id = newPayoutOrderId();
  const nowSeconds = Math.floor(nowMs / 1000);
  const { customer_id: customerId, name = null, email = null, phone = null } = request.customer_info;
  db.run(
    `INSERT INTO payout_orders (id, key_hash, payout_id, reference, reintegro_id, amount, currency, status, reason, allowed_payout_methods,
       payout_method_type, customer_info, metadata, expires_at, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id, keyHash, newPrefixedId('payout'), newCashReference(), ownIdOf(request), request.amount, request.currency, status, request.reason,
    JSON.stringify(request.allowed_payout_methods), request.payout.payout_method.type, JSON.stringify({ id: customerId, name, email, phone }),
    JSON.stringify(request.metadata), request.expires_at, nowSeconds, nowSeconds,
  );
  return requirePayoutOrder(db, id);
}

/** What a repeated creation has in common with the first: our own id, or else the whole request. */
export function creationScope(keyHash: string, request: PayoutOrderRequest): string {
  return `payout:${keyHash}:${ownIdOf(request) ?? createHash('sha256').update(JSON.stringify(request)).digest('hex')}`;
}

/** The caller's own id in a request's metadata. */
export function ownIdOf(request: PayoutOrderRequest): string | null {
  const ownId = request.metadata[OWN_ID_KEY];
  return typeof ownId === 'string' ? ownId : null;
}

/** Every id by which people may mean this payout order. */
export function payoutIdsOf(record: PayoutRecord): readonly string[] {
  return [record.id, record.payout_id, record.reference, ...(record.reintegro_id === null ? [] : [record.reintegro_id])];
}

/**
 * Reads a payout order by the provider's id; with a key hash, only when it belongs to that key.
 * @throws ConektaError 404.
 */
export function requirePayoutOrder(db: SandboxDatabase, id: string, keyHash?: string): PayoutRecord {
  const record = db.get<PayoutRecord>('SELECT * FROM payout_orders WHERE id = ?', id);
  if (record === undefined || (keyHash !== undefined && record.key_hash !== keyHash)) throw notFound('PayoutOrder', id);
  return record;
}

/**
 * Reads a payout order as a till knows it: by the provider's id, the cash reference or the client's own id (PRODUCT X5).
 * @throws ConektaError 404.
 */
export function requirePayoutOrderAtTill(db: SandboxDatabase, id: string): PayoutRecord {
  const record = db.get<PayoutRecord>('SELECT * FROM payout_orders WHERE id = ?1 OR reference = ?1 OR reintegro_id = ?1 ORDER BY id <> ?1, seq LIMIT 1', id);
  if (record === undefined) throw notFound('PayoutOrder', id);
  return record;
}
