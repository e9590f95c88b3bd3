import { randomUUID } from 'node:crypto';

import type { RefundPolicy } from '../../src/domain/checkpoint.ts';
import type { ListedRefund } from '../../src/domain/send-protocol.ts';
import { listCases, type CaseRecord } from '../../src/store/cases.ts';
import type { Database } from '../../src/store/database.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { saveOrder, type ChargeSnapshot, type OrderSnapshot } from '../../src/store/orders.ts';
import { reserveRefund, type RefundReservation, type Reservation } from '../../src/store/refunds/reserve.ts';
import { beginSend, type LegKey, type SendAsked } from '../../src/store/refunds/send.ts';
import type { LegResult } from '../../src/store/refunds/settle.ts';
import type { Acting } from '../../src/store/transitions.ts';

/** The provider of all records of these tests. */
export const PROVIDER = 'acme';

/** A merchant of one test, with one paid order. */
export interface Shop {
  readonly merchantId: string;
  readonly orderId: string;
}

/** A charge as a provider might tell it. Amounts in minor units. */
export function chargeSnapshot(over: Partial<ChargeSnapshot> = {}): ChargeSnapshot {
  return { chargeId: 'chg_1', amountMinor: 10_000, currency: 'MXN', providerStatus: 'paid', paid: true, disputedMinor: 0, refunds: [], raw: { kind: 'charge' }, ...over };
}

/** The order `ord_1` with these charges. */
export function orderSnapshot(charges: readonly Partial<ChargeSnapshot>[] = [{}]): OrderSnapshot {
  return { orderId: 'ord_1', currency: 'MXN', charges: charges.map(chargeSnapshot), raw: { kind: 'order' } };
}

/** A refund as the provider lists it, done there unless said otherwise. Amount in minor units. */
export function listed(providerRefundId: string, amountMinor: number, state: ListedRefund['state'] = 'succeeded'): ListedRefund {
  return { providerRefundId, amountMinor, state, reference: null };
}

/** A moment, in seconds after a fixed one. */
export function atSecond(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1) + second * 1000);
}

/** A merchant nobody else uses, with a paid order read at second 0. */
export async function openShop(db: Database, charges?: readonly Partial<ChargeSnapshot>[]): Promise<Shop> {
  const merchantId = `mer_${randomUUID()}`;
  await saveMerchant(db, { merchantId, name: 'Tienda', provider: PROVIDER });
  const order = orderSnapshot(charges);
  await saveOrder(db, merchantId, PROVIDER, order, atSecond(0));
  return { merchantId, orderId: order.orderId };
}

/** Who acts for a refund. */
export function actingFor(refundId: string): Acting {
  return { actor: 'key_test', workflowId: `refund:${refundId}`, runId: 'run_1' };
}

/** A person who acts on a refund, and why (O3). */
export function operatorFor(refundId: string): Acting {
  return { ...actingFor(refundId), actor: 'key_operator', reason: 'seen at the bank' };
}

/** A merchant that demands nothing before a send. Times in milliseconds. */
export const NO_POLICY: RefundPolicy = { reviewThresholdMinor: null, reviewExpiryMs: 1_000, requirePayerConfirmation: false, payerConfirmationExpiryMs: 2_000, cancellationWindowMs: 0 };

/** Reserves a refund of the shop's order, gated and with the refusal on record unless said otherwise. */
export function reserve(db: Database, shop: Shop, refundId: string, over: Partial<RefundReservation> = {}): Promise<Reservation> {
  return reserveRefund(db, actingFor(refundId), {
    merchantId: shop.merchantId, provider: PROVIDER, orderId: shop.orderId, refundId, idempotencyKey: `key-${refundId}`, fingerprint: 'f', gated: true, policy: NO_POLICY, demands: {},
    recordRefusal: true, ...over,
  });
}

/** Names the leg of a refund on a charge. */
export function legOf(shop: Shop, refundId: string, chargeId = 'chg_1'): LegKey {
  return { merchantId: shop.merchantId, refundId, legId: `${refundId}:${chargeId}` };
}

/** Asks for the permit of a send of a gated leg as it stands, before which the charge listed nothing. */
export async function begin(db: Database, key: LegKey, sendNumber = 1, over: Partial<SendAsked> = {}): ReturnType<typeof beginSend> {
  return beginSend(db, actingFor(key.refundId), key, { sendNumber, refundsBefore: [], gated: true, lastSend: (await legRow(db, key)).send_number, ...over });
}

/** A success as an adapter would show it. */
export function success(providerRefundId: string, order: OrderSnapshot = orderSnapshot(), seenAt: Date = atSecond(10)): LegResult {
  return { kind: 'succeeded', providerRefundId, seen: { order, seenAt } };
}

/** What the provider told of a refund it accepted, without showing the order. */
export function told(kind: 'authorized' | 'approved' | 'succeeded', providerRefundId: string): LegResult {
  return { kind, providerRefundId, seen: null };
}

/** A definitive refusal. */
export const REFUSED: LegResult = { kind: 'refused', refusal: 'card_closed' };

/** Leg statuses that still count against what remains, written out from M2: all that are not definitively failed. */
const HOLDING = ['reserved', 'sending', 'unknown', 'authorized', 'approved', 'succeeded'];

/** For each charge: what the row holds, and what its legs say it should (M2, M4). Equal in sound books. */
export async function holds(db: Database, { merchantId }: Shop): Promise<readonly { readonly held: number; readonly ofLegs: number }[]> {
  const charges = await db.selectFrom('charges').select(['charge_id', 'held_minor']).where('merchant_id', '=', merchantId).orderBy('charge_id').execute();
  const legs = await db.selectFrom('legs').select(['charge_id', 'amount_minor', 'status']).where('merchant_id', '=', merchantId).execute();
  return charges.map((charge) => ({
    held: charge.held_minor,
    ofLegs: legs.filter((leg) => leg.charge_id === charge.charge_id && HOLDING.includes(leg.status)).reduce((sum, leg) => sum + leg.amount_minor, 0),
  }));
}

/** One charge's row. */
export function chargeRow(db: Database, shop: Shop, chargeId = 'chg_1') {
  return db.selectFrom('charges').selectAll().where('merchant_id', '=', shop.merchantId).where('charge_id', '=', chargeId).executeTakeFirstOrThrow();
}

/** One leg's row. */
export function legRow(db: Database, key: LegKey) {
  return db.selectFrom('legs').selectAll().where('merchant_id', '=', key.merchantId).where('leg_id', '=', key.legId).executeTakeFirstOrThrow();
}

/** One refund's row. */
export function refundRow(db: Database, merchantId: string, refundId: string) {
  return db.selectFrom('refunds').selectAll().where('merchant_id', '=', merchantId).where('refund_id', '=', refundId).executeTakeFirstOrThrow();
}

/** The cases of a refund, oldest first, by kind and status. */
export async function casesOf(db: Database, merchantId: string, refundId: string): Promise<readonly (readonly [CaseRecord['kind'], CaseRecord['status']])[]> {
  return (await listCases(db, merchantId, { refundId })).map((one) => [one.kind, one.status]);
}

/** Everything on record about a merchant's money, to be compared before and after what must change nothing. */
export async function books(db: Database, merchantId: string) {
  const rowsOf = (table: 'refunds' | 'legs' | 'charges' | 'transitions' | 'events' | 'money_movements' | 'cases') => db.selectFrom(table).selectAll().where('merchant_id', '=', merchantId).execute();
  const [refunds, legs, charges, transitions, events, moved, cases] = await Promise.all([rowsOf('refunds'), rowsOf('legs'), rowsOf('charges'), rowsOf('transitions'), rowsOf('events'), rowsOf('money_movements'), rowsOf('cases')]);
  return { refunds, legs, charges, transitions, events, moved, cases };
}

/** All movements of a merchant, oldest first. */
export function movements(db: Database, shop: { readonly merchantId: string }) {
  return db.selectFrom('money_movements').select(['kind', 'leg_id', 'charge_id', 'payout_order_id', 'amount_minor', 'currency', 'provider_id'])
    .where('merchant_id', '=', shop.merchantId).orderBy('movement_id').execute();
}

/** Who wrote each transition of a subject, and why (O3), oldest first. */
export function audit(db: Database, merchantId: string, subjectId: string) {
  return db.selectFrom('transitions').select(['from_status', 'to_status', 'status_detail', 'actor', 'reason', 'workflow_id', 'run_id'])
    .where('merchant_id', '=', merchantId).where('subject_id', '=', subjectId).orderBy('transition_id').execute();
}

/** The statuses a subject went through, oldest first, each with the types of its events (I6: one). */
export async function history(db: Database, merchantId: string, subjectId: string): Promise<readonly { readonly to: string; readonly detail: string; readonly events: readonly string[] }[]> {
  const rows = await db.selectFrom('transitions').leftJoin('events', 'events.transition_id', 'transitions.transition_id')
    .select(['transitions.transition_id', 'to_status', 'status_detail', 'type'])
    .where('transitions.merchant_id', '=', merchantId).where('transitions.subject_id', '=', subjectId).orderBy('transitions.transition_id').execute();
  const ids = [...new Set(rows.map((row) => row.transition_id))];
  return ids.map((id) => {
    const own = rows.filter((row) => row.transition_id === id);
    return { to: own[0]?.to_status ?? '', detail: own[0]?.status_detail ?? '', events: own.flatMap((row) => (row.type === null ? [] : [row.type])) };
  });
}
