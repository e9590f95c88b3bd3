import { sql } from 'kysely';
import { sumMinor } from '../domain/money.ts';
import { holdsAmount } from '../domain/leg.ts';
import type { LegStatus } from '../domain/leg.ts';
import { countsAgainstCharge } from '../domain/send-protocol.ts';
import type { ListedRefund } from '../domain/send-protocol.ts';
import type { Database } from './database.ts';
import { toJsonb } from './jsonb.ts';
import type { Change } from './together.ts';
import type { Tx } from './transitions.ts';

/** A charge as the provider told it. Amounts in minor units. */
export interface ChargeSnapshot {
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly providerStatus: string;
  readonly paid: boolean;
  readonly disputedMinor: number;
  readonly refunds: readonly ListedRefund[];
  readonly raw: { readonly [key: string]: unknown };
}

/** An order as the provider told it. */
export interface OrderSnapshot {
  readonly orderId: string;
  readonly currency: string;
  readonly charges: readonly ChargeSnapshot[];
  readonly raw: { readonly [key: string]: unknown };
}

/** An order on record, with what remains of each charge. */
export interface OrderRecord {
  readonly raw: Record<string, unknown>;
  readonly charges: readonly {
    readonly chargeId: string;
    readonly capturedMinor: number;
    readonly heldMinor: number;
    readonly externalMinor: number;
    readonly disputedMinor: number;
    readonly paid: boolean;
    readonly currency: string;
    readonly raw: Record<string, unknown>;
  }[];
}

/**
 * Keeps what the provider told of an order. A charge whose row changed after the reading began keeps its newer truth, and
 * one with a refund under way keeps its count of refunds made elsewhere: an unrecorded refund there may be our own. An order id that is on
 * record for another provider is left alone, and so this order stays unknown: two orders never share their charges.
 */
export async function saveOrder(db: Database, merchantId: string, provider: string, order: OrderSnapshot, readAt: Date): Promise<void> {
  await db.transaction().execute(async (tx) => {
    if (!(await saveOrderRow(tx, merchantId, provider, order, readAt))) return;
    await lockCharges(tx, merchantId, order.charges.map((charge) => charge.chargeId));
    for (const [position, charge] of order.charges.entries()) {
      const externalMinor = externallyRefundedMinor(charge, charge.refunds.length === 0 ? [] : await legsOfCharge(tx, merchantId, charge.chargeId));
      await sql`
        insert into charges (merchant_id, charge_id, order_id, position, currency, captured_minor, external_minor, disputed_minor, paid, provider_status, raw, updated_at)
        values (${merchantId}, ${charge.chargeId}, ${order.orderId}, ${position}, ${charge.currency}, ${charge.amountMinor}, ${externalMinor},
          ${charge.disputedMinor}, ${charge.paid}, ${charge.providerStatus}, ${toJsonb(charge.raw)}, ${readAt})
        on conflict (merchant_id, charge_id) do update set
          captured_minor = greatest(excluded.captured_minor, charges.held_minor), disputed_minor = excluded.disputed_minor, paid = excluded.paid,
          provider_status = excluded.provider_status, raw = excluded.raw, updated_at = excluded.updated_at,
          external_minor = case when charges.gate_leg_id is null then excluded.external_minor else charges.external_minor end
        where charges.updated_at <= excluded.updated_at and charges.order_id = excluded.order_id`.execute(tx);
    }
  });
}

/**
 * Locks the charges in the order in which refunds lock them, or two would wait for each other; and before anybody asks
 * which refunds are ours, or one that settles meanwhile would count as made elsewhere.
 */
async function lockCharges(tx: Tx, merchantId: string, chargeIds: readonly string[]): Promise<void> {
  if (chargeIds.length === 0) return;
  await tx.selectFrom('charges').select('charge_id').where('merchant_id', '=', merchantId).where('charge_id', 'in', chargeIds).orderBy('charge_id').forUpdate().execute();
}

/** Whether the order's charges may be kept: not when its id is on record for another provider. */
async function saveOrderRow(tx: Tx, merchantId: string, provider: string, order: OrderSnapshot, readAt: Date): Promise<boolean> {
  const written = await tx.insertInto('orders')
    .values({ merchant_id: merchantId, order_id: order.orderId, provider, currency: order.currency, raw: toJsonb(order.raw), read_at: readAt })
    .onConflict((conflict) => conflict.columns(['merchant_id', 'order_id']).doUpdateSet({ raw: toJsonb(order.raw), read_at: readAt }).where('orders.read_at', '<=', readAt).where('orders.provider', '=', provider))
    .returning('order_id').executeTakeFirst();
  if (written !== undefined) return true;
  const saved = await tx.selectFrom('orders').select('provider').where('merchant_id', '=', merchantId).where('order_id', '=', order.orderId).executeTakeFirstOrThrow();
  return saved.provider === provider;
}

/** A leg as far as it says which refunds of a charge are ours. */
export interface LegOfCharge {
  readonly leg_id: string;
  readonly provider_refund_id: string | null;
  readonly status: LegStatus;
}

/** What a charge becomes when something is known of one of its legs. */
export interface SettledCharge {
  readonly legId: string;
  readonly charge: ChargeSnapshot;
  readonly seenAt: Date;
  /** All legs of the charge as they now are, read while the caller holds the charge's lock. */
  readonly legs: readonly LegOfCharge[];
}

/**
 * Takes over the charge as an answer about a leg of it shows it; the caller holds the charge's lock and has recorded the leg. While another
 * leg has the gate, the count of refunds made elsewhere stays: an unrecorded refund there may be that leg's.
 */
export function settledCharge(tx: Tx, merchantId: string, { legId, charge, seenAt, legs }: SettledCharge): Change {
  return tx.updateTable('charges').set({
    raw: toJsonb(charge.raw), provider_status: charge.providerStatus, paid: charge.paid, disputed_minor: charge.disputedMinor, updated_at: seenAt,
    external_minor: sql<number>`case when gate_leg_id is null or gate_leg_id = ${legId} then ${externallyRefundedMinor(charge, legs)}::bigint else external_minor end`,
  }).where('merchant_id', '=', merchantId).where('charge_id', '=', charge.chargeId);
}

/**
 * Σ of the charge's refunds that no leg of ours holds the amount of, minor units. A leg is one refund: the one with the provider's id, or, while
 * that is not known, the first that carries our reference. Another one with the same reference was executed besides, and takes from what remains.
 */
function externallyRefundedMinor({ refunds }: ChargeSnapshot, legs: readonly LegOfCharge[]): number {
  const holding = legs.filter((leg) => holdsAmount(leg.status));
  const known = new Set(holding.map((leg) => leg.provider_refund_id));
  const awaited = new Set<string | null>(holding.filter((leg) => leg.provider_refund_id === null).map((leg) => leg.leg_id));
  const isExternal = (refund: ListedRefund): boolean => countsAgainstCharge(refund) && !known.has(refund.providerRefundId) && !awaited.delete(refund.reference);
  return sumMinor(refunds.filter(isExternal).map((refund) => refund.amountMinor));
}

/** The provider's ids of all refunds of a charge that are, or were, legs of ours. */
export async function knownProviderRefunds(db: Database | Tx, merchantId: string, chargeId: string): Promise<string[]> {
  return (await legsOfCharge(db, merchantId, chargeId)).flatMap((leg) => (leg.provider_refund_id === null ? [] : [leg.provider_refund_id]));
}

function legsOfCharge(db: Database | Tx, merchantId: string, chargeId: string) {
  return db.selectFrom('legs').select(['leg_id', 'provider_refund_id', 'status']).where('merchant_id', '=', merchantId).where('charge_id', '=', chargeId).execute();
}

/** Reads an order of a provider with its charges, or `null` when it is not on record for this merchant. */
export async function readOrder(db: Database | Tx, merchantId: string, provider: string, orderId: string): Promise<OrderRecord | null> {
  const rows = await db.selectFrom('orders')
    .leftJoin('charges', (join) => join.onRef('charges.merchant_id', '=', 'orders.merchant_id').onRef('charges.order_id', '=', 'orders.order_id'))
    .select(['orders.raw as order_raw', 'charge_id', 'captured_minor', 'held_minor', 'external_minor', 'disputed_minor', 'paid', 'charges.currency as charge_currency', 'charges.raw as charge_raw'])
    .where('orders.merchant_id', '=', merchantId).where('orders.provider', '=', provider).where('orders.order_id', '=', orderId).orderBy('position').execute();
  const [first] = rows;
  if (first === undefined) return null;
  const charges = rows.flatMap((row) => (row.charge_id === null ? [] : [{
    chargeId: row.charge_id, capturedMinor: row.captured_minor ?? 0, heldMinor: row.held_minor ?? 0, externalMinor: row.external_minor ?? 0,
    disputedMinor: row.disputed_minor ?? 0, paid: row.paid ?? false, currency: row.charge_currency ?? '', raw: row.charge_raw ?? {},
  }]));
  return { raw: first.order_raw, charges };
}
