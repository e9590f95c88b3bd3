import type { Migration } from 'kysely/migration';
import { sql } from 'kysely';

/** Payout orders by status and by case, and their requests. One source for PostgreSQL and PGlite (D3). */
const STATEMENTS: readonly string[] = [
  `create index payout_orders_by_status on payout_orders (merchant_id, status, sequence)`,
  `create index cases_by_payout_order on cases (merchant_id, payout_order_id) where payout_order_id is not null`,
  `create index idempotency_keys_by_payout_order on idempotency_keys (merchant_id, resource_id) where operation = 'payout_order'`,
];

/** The third schema. */
export const payoutOrdersCompleteMigration: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
