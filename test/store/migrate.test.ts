import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterEach, describe, expect, it } from 'vitest';

import { listCases } from '../../src/store/cases.ts';
import { migrate, type Database } from '../../src/store/database.ts';
import { readMerchant } from '../../src/store/merchants.ts';
import { initialMigration } from '../../src/store/migrations/0001-initial.ts';
import { refundsCompleteMigration } from '../../src/store/migrations/0002-refunds-complete.ts';
import { readPayoutOrder } from '../../src/store/payout-orders/read.ts';
import { readRecordedRequest, registerPayoutOrder } from '../../src/store/payout-orders/register.ts';
import { movePayoutOrder } from '../../src/store/payout-orders/settle.ts';
import { settleLeg } from '../../src/store/refunds/settle.ts';
import { DATABASE_KINDS, startDatabase, type TestDatabase } from '../support/database.ts';
import { actingFor, holds, legOf, movements, reserve, success } from './refund-records.ts';

/** Rows as the first version of the product left them: a refund under way with an open case, and one that is done. Written in SQL, since the code has moved on. */
const ROWS_OF_0001: readonly string[] = [
  `insert into merchants (merchant_id, name, provider) values ('mer_old', 'Tienda', 'acme')`,
  `insert into orders values ('mer_old', 'ord_1', 'acme', 'MXN', '{"kind":"order"}', '2026-01-01Z')`,
  `insert into charges (merchant_id, charge_id, order_id, position, currency, captured_minor, held_minor, paid, provider_status, raw, gate_leg_id, updated_at)
     values ('mer_old', 'chg_1', 'ord_1', 0, 'MXN', 10000, 5000, true, 'paid', '{}', 'open:chg_1', '2026-01-01Z')`,
  `insert into refunds (merchant_id, refund_id, order_id, amount_minor, currency, status, status_detail, needs_attention, requested_by, workflow_id) values
     ('mer_old', 'open', 'ord_1', 4000, 'MXN', 'in_process', 'needs_attention', true, 'key_test', 'refund:open'),
     ('mer_old', 'done', 'ord_1', 1000, 'MXN', 'refunded', 'complete', false, 'key_test', 'refund:done')`,
  `insert into legs (leg_id, merchant_id, refund_id, order_id, charge_id, amount_minor, currency, status, ticket, send_number, sent_at, refunds_before, provider_refund_id, workflow_id) values
     ('open:chg_1', 'mer_old', 'open', 'ord_1', 'chg_1', 4000, 'MXN', 'unknown', nextval('leg_tickets'), 3, now(), '["re_old"]', null, 'refund:open'),
     ('done:chg_1', 'mer_old', 'done', 'ord_1', 'chg_1', 1000, 'MXN', 'succeeded', nextval('leg_tickets'), 1, now(), '[]', 're_old', 'refund:done')`,
  `insert into money_movements (merchant_id, kind, leg_id, charge_id, amount_minor, currency, provider_id) values ('mer_old', 'refund', 'done:chg_1', 'chg_1', 1000, 'MXN', 're_old')`,
  `insert into idempotency_keys (merchant_id, operation, idempotency_key, fingerprint, resource_id, expires_at) values
     ('mer_old', 'refund:ord_1', 'key-open', 'f-open', 'open', now() + interval '13 months'), ('mer_old', 'refund:ord_1', 'key-done', 'f-done', 'done', now() + interval '13 months')`,
  `insert into cases (merchant_id, kind, refund_id, leg_id, amount_minor, currency) values ('mer_old', 'outcome_unknown', 'open', 'open:chg_1', 4000, 'MXN')`,
];

/** Payout orders as the second version left them: one whose outcome nobody knows, one that can be collected, one that is being collected, one that is done. */
const PAYOUT_ROWS_OF_0002: readonly string[] = [
  `insert into merchants (merchant_id, name, provider) values ('mer_old', 'Tienda', 'acme')`,
  `insert into payout_orders (merchant_id, payout_order_id, provider, provider_payout_order_id, payout_id, amount_minor, currency, allowed_payout_methods, payout_method_type, customer_id, reason,
       expires_at, metadata, status, status_detail, needs_attention, send_number, fenced_send, sent_at, call_ended_at, requested_by, workflow_id, created_at, updated_at)
     select 'mer_old', id, 'acme', provider_id, 'payout_' || id, 3000, 'MXN', '{cash,cashout}', 'cash', 'cus_1', 'Referencia', '2026-02-01Z', '{"shop":"norte"}', status, detail, attention, 1, fenced,
       '2026-01-01Z', null, 'key_test', 'payout:' || id, '2026-01-01Z', '2026-01-02Z'
     from (values ('unknown', null, 'open', 'verifying', true, 1), ('waiting', 'prov_1', 'pending', 'pending', true, 0), ('begun', 'prov_2', 'pending_confirmation', 'pending_confirmation', false, 0),
       ('done', 'prov_3', 'withdrawn', 'withdrawn', false, 0)) as old (id, provider_id, status, detail, attention, fenced)`,
  `insert into transitions (merchant_id, subject, subject_id, from_status, to_status, status_detail, actor, workflow_id, run_id, at) values
     ('mer_old', 'payout_order', 'begun', 'pending', 'pending_confirmation', 'withdrawal_begun', 'rail', 'payout:begun', 'run_1', '2026-01-03T00:00:00Z')`,
  `insert into events (event_id, transition_id, merchant_id, type, subject, subject_id) select 'evt_' || transition_id, transition_id, merchant_id, 'payout_order.pending_confirmation', subject, subject_id from transitions`,
  `insert into money_movements (merchant_id, kind, payout_order_id, amount_minor, currency, provider_id) values ('mer_old', 'withdrawal', 'done', 3000, 'MXN', 'prov_3')`,
  `insert into idempotency_keys (merchant_id, operation, idempotency_key, fingerprint, resource_id, expires_at)
     select 'mer_old', 'payout_order', 'key-' || payout_order_id, 'f-' || payout_order_id, payout_order_id, now() + interval '13 months' from payout_orders`,
  `insert into cases (merchant_id, kind, payout_order_id, amount_minor, currency) values ('mer_old', 'outcome_unknown', 'unknown', 3000, 'MXN'), ('mer_old', 'contradiction', 'waiting', 3000, 'MXN')`,
  `insert into provider_events (provider, provider_event_id) values ('acme', 'event_1')`,
];

/** A database as the second version of the product left it. */
async function leaveRowsOf0002(db: Database): Promise<void> {
  const migrations = { '0001-initial': initialMigration, '0002-refunds-complete': refundsCompleteMigration };
  expect((await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest()).error).toBeUndefined();
  for (const statement of PAYOUT_ROWS_OF_0002) await sql.raw(statement).execute(db);
}

/** A database as the first version of the product left it. */
async function leaveRowsOf0001(db: Database): Promise<void> {
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => ({ '0001-initial': initialMigration }) } }).migrateToLatest();
  expect(error).toBeUndefined();
  for (const statement of ROWS_OF_0001) await sql.raw(statement).execute(db);
}

/** Every row of what a person would miss, whatever columns it has. */
async function rowsOf(db: Database): Promise<Record<string, readonly unknown[]>> {
  const tables = ['merchants', 'orders', 'charges', 'refunds', 'legs', 'payout_orders', 'transitions', 'events', 'money_movements', 'idempotency_keys', 'cases', 'provider_events'];
  return Object.fromEntries(await Promise.all(tables.map(async (table) => [table, (await sql`select * from ${sql.table(table)} as row order by row.*::text collate "C"`.execute(db)).rows] as const)));
}

describe.each(DATABASE_KINDS)('migrate on %s', (kind) => {
  let database: TestDatabase | null = null;
  afterEach(() => database?.stop());

  it('should bring an empty database up to date once, however many processes try at once (D3)', async ({ skip }) => {
    database = await startDatabase(kind);
    if (database === null) return skip('PostgreSQL is not installed');
    const handles = [database.db, database.openAgain(), database.openAgain(), database.openAgain()];
    const applied = await Promise.all(handles.map((db) => migrate(db)));
    expect(applied.flat()).toEqual(['0001-initial', '0002-refunds-complete', '0003-payout-orders-complete', '0004-several-providers']);
    await expect(migrate(database.db)).resolves.toEqual([]);
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from information_schema.tables where table_name = 'money_movements'`.execute(database.db);
    expect(rows).toEqual([{ count: 1 }]);
  });

  it('should keep every row of the first version, and let its open refund be finished (D3, I3, R3, M7)', async ({ skip }) => {
    database = await startDatabase(kind);
    if (database === null) return skip('PostgreSQL is not installed');
    const { db } = database;
    await leaveRowsOf0001(db);
    const before = await rowsOf(db);
    expect(await migrate(db)).toEqual(['0002-refunds-complete', '0003-payout-orders-complete', '0004-several-providers']);
    const after = await rowsOf(db);
    for (const [table, rows] of Object.entries(before)) expect(after[table]).toMatchObject(rows);
    // What is new demands nothing of refunds from before it.
    const HOURS_72_MS = 259_200_000;
    expect(await readMerchant(db, 'mer_old')).toEqual({ provider: 'acme', policy: { reviewThresholdMinor: null, reviewExpiryMs: HOURS_72_MS, requirePayerConfirmation: false, payerConfirmationExpiryMs: HOURS_72_MS, cancellationWindowMs: 0 } });
    const shop = { merchantId: 'mer_old', orderId: 'ord_1' };
    expect(await reserve(db, shop, 'open', { fingerprint: 'f-open' })).toMatchObject({ kind: 'reserved', alreadySent: true, checkpoints: [], fingerprint: 'f-open', legs: [{ hasTurn: true, amountMinor: 4_000 }] });
    expect(await reserve(db, shop, 'done')).toEqual({ kind: 'concluded', status: 'refunded', statusDetail: 'complete', fingerprint: 'f-done' });
    expect(await settleLeg(db, actingFor('open'), legOf(shop, 'open'), success('re_new'))).toMatchObject({ refundStatus: 'refunded' });
    expect(await movements(db, shop)).toMatchObject([{ provider_id: 're_old' }, { provider_id: 're_new', amount_minor: 4_000 }]);
    expect(await holds(db, shop)).toEqual([{ held: 5_000, ofLegs: 5_000 }]);
    expect(await listCases(db, 'mer_old', { refundId: 'open' })).toMatchObject([{ kind: 'outcome_unknown', status: 'resolved', resolution: 'outcome_known', resolvedBy: 'key_test' }]);
  });

  it('should keep every row of the second version, and let its payout orders go on where they stand (D3, I3, P2, M7)', async ({ skip }) => {
    database = await startDatabase(kind);
    if (database === null) return skip('PostgreSQL is not installed');
    const { db } = database;
    await leaveRowsOf0002(db);
    const before = await rowsOf(db);
    expect(await migrate(db)).toEqual(['0003-payout-orders-complete', '0004-several-providers']);
    const after = await rowsOf(db);
    for (const [table, rows] of Object.entries(before)) expect([table, after[table]]).toEqual([table, rows]);
    const plans = [];
    for (const id of ['unknown', 'waiting', 'begun']) {
      const asked = await readRecordedRequest(db, 'mer_old', id);
      if (asked === null) throw new Error(`${id} cannot be begun again`);
      expect(asked).toMatchObject({ allowedPayoutMethods: ['cash', 'cashout'], metadata: { shop: 'norte' }, fingerprint: `f-${id}`, idempotencyKey: `key-${id}`, requestedBy: 'key_test' });
      plans.push(await registerPayoutOrder(db, actingFor(id), { ...asked, provider: 'acme', payoutId: `payout_${id}` }));
    }
    expect(plans.map(({ lastSend, standing }) => [lastSend, standing])).toEqual([
      [1, null], [1, { status: 'pending', needsAttention: true, withdrawalBegunAt: null }],
      [1, { status: 'pending_confirmation', needsAttention: false, withdrawalBegunAt: new Date('2026-01-03T00:00:00Z') }],
    ]);
    // What is over is never begun again.
    expect(await readRecordedRequest(db, 'mer_old', 'done')).toBeNull();
    await movePayoutOrder(db, actingFor('unknown'), { merchantId: 'mer_old', payoutOrderId: 'unknown' }, () => ['reference_issued'], { providerPayoutOrderId: 'prov_4' });
    await movePayoutOrder(db, actingFor('begun'), { merchantId: 'mer_old', payoutOrderId: 'begun' }, () => ['confirmed']);
    expect((await readPayoutOrder(db, 'mer_old', 'unknown'))?.needsAttention).toBe(false);
    expect((await movements(db, { merchantId: 'mer_old' })).map((row) => row.payout_order_id)).toEqual(['done', 'begun']);
  });
});
