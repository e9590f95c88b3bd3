import type { PayoutOrderTerms } from '../../domain/payout-order-terms.ts';
import type { Selectable } from 'kysely';
import type { PayoutOrderStatus } from '../../domain/payout-order.ts';
import type { Database } from '../database.ts';
import type { PayoutOrdersTable } from './table.ts';

/** A payout order on record. Amount in minor units. */
export interface PayoutOrderRecord extends PayoutOrderTerms {
  readonly merchantId: string;
  readonly payoutOrderId: string;
  readonly provider: string;
  readonly providerPayoutOrderId: string | null;
  readonly payoutId: string;
  readonly expiresAt: Date;
  readonly metadata: { readonly [key: string]: unknown };
  readonly status: PayoutOrderStatus;
  readonly statusDetail: string;
  /** Whether a case about it waits for a person. */
  readonly needsAttention: boolean;
  /** The number up to which sends for its reference were given up and looked for; 0 as long as none was. */
  readonly fencedSend: number;
  readonly workflowId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Maps a row to a record. */
export function toPayoutOrderRecord(row: Selectable<PayoutOrdersTable>): PayoutOrderRecord {
  return {
    merchantId: row.merchant_id, payoutOrderId: row.payout_order_id, provider: row.provider, providerPayoutOrderId: row.provider_payout_order_id, payoutId: row.payout_id,
    amountMinor: row.amount_minor, currency: row.currency, allowedPayoutMethods: row.allowed_payout_methods, payoutMethodType: row.payout_method_type,
    customerId: row.customer_id, reason: row.reason, expiresAt: row.expires_at, metadata: row.metadata, status: row.status, statusDetail: row.status_detail,
    needsAttention: row.needs_attention, fencedSend: row.fenced_send, workflowId: row.workflow_id, createdAt: row.created_at, updatedAt: row.updated_at,
  };
}

/** Reads a payout order of a merchant, or `null`. */
export async function readPayoutOrder(db: Database, merchantId: string, payoutOrderId: string): Promise<PayoutOrderRecord | null> {
  const row = await db.selectFrom('payout_orders').selectAll().where('merchant_id', '=', merchantId).where('payout_order_id', '=', payoutOrderId).executeTakeFirst();
  return row === undefined ? null : toPayoutOrderRecord(row);
}

/** Finds the payout order a provider speaks of, by the provider's id or by our own, which we passed along; or `null`. */
export async function findByProviderId(db: Database, provider: string, providerId: string, ourId: string | null): Promise<PayoutOrderRecord | null> {
  const row = await db.selectFrom('payout_orders').selectAll().where('provider', '=', provider)
    .where((where) => where.or([where('provider_payout_order_id', '=', providerId), ...(ourId === null ? [] : [where('payout_order_id', '=', ourId)])]))
    // The provider's id names one; ours can stand in anybody's metadata.
    .orderBy((order) => order.fn.coalesce(order('provider_payout_order_id', '=', providerId), order.lit(false)), 'desc').limit(1).executeTakeFirst();
  return row === undefined ? null : toPayoutOrderRecord(row);
}

/** One page of a list, newest first. */
export interface PayoutOrderPage {
  readonly items: readonly PayoutOrderRecord[];
  readonly hasMore: boolean;
}

/** What to list: `next` continues after that id, `previous` goes back before it; an unknown id lists nothing. */
export interface PayoutOrderListing {
  readonly limit: number;
  readonly next?: string | undefined;
  readonly previous?: string | undefined;
  /** Part of the reason or of the metadata, or exactly an id: ours, the payout's, the provider's or the customer's. Taken literally. */
  readonly search?: string | undefined;
  /** Only those in one of these; none lists nothing. */
  readonly status?: readonly PayoutOrderStatus[] | undefined;
}

/** Lists a merchant's payout orders (CONTRACT, Lists). */
export async function listPayoutOrders(db: Database, merchantId: string, listing: PayoutOrderListing): Promise<PayoutOrderPage> {
  const backwards = listing.next === undefined && listing.previous !== undefined;
  let query = db.selectFrom('payout_orders').selectAll().where('merchant_id', '=', merchantId);
  const cursor = listing.next ?? listing.previous;
  if (cursor !== undefined) {
    const sequence = db.selectFrom('payout_orders').select('sequence').where('merchant_id', '=', merchantId).where('payout_order_id', '=', cursor);
    query = query.where('sequence', backwards ? '>' : '<', sequence);
  }
  const { search, status } = listing;
  // An empty list of statuses is no SQL.
  if (status?.length === 0) return { items: [], hasMore: false };
  if (status !== undefined) query = query.where('status', 'in', status);
  if (search !== undefined) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where((where) => where.or([
      where('payout_order_id', '=', search), where('payout_id', '=', search), where('provider_payout_order_id', '=', search), where('customer_id', '=', search),
      where('reason', 'ilike', pattern), where(where.cast<string>('metadata', 'text'), 'ilike', pattern),
    ]));
  }
  const rows = await query.orderBy('sequence', backwards ? 'asc' : 'desc').limit(listing.limit + 1).execute();
  const page = rows.slice(0, listing.limit).map(toPayoutOrderRecord);
  return { items: backwards ? page.reverse() : page, hasMore: rows.length > listing.limit };
}
