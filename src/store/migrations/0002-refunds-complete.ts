import type { Migration } from 'kysely/migration';
import { sql } from 'kysely';

/** Checkpoints and policies of refunds, and what became of cases. One source for PostgreSQL and PGlite (D3). */
const STATEMENTS: readonly string[] = [
  `alter table merchants
     add column review_threshold_minor bigint check (review_threshold_minor > 0),
     add column review_expiry_ms bigint not null default 259200000 check (review_expiry_ms > 0),
     add column require_payer_confirmation boolean not null default false,
     add column payer_confirmation_expiry_ms bigint not null default 259200000 check (payer_confirmation_expiry_ms > 0),
     add column cancellation_window_ms bigint not null default 0 check (cancellation_window_ms >= 0)`,
  `alter table refunds add column checkpoints jsonb not null default '[]'`,
  `alter table cases add column resolution text, add column resolved_by text, add column resolution_reason text`,
  `create index cases_by_refund on cases (merchant_id, refund_id) where status = 'open'`,
  `create index legs_by_order on legs (merchant_id, order_id)`,
  `create index legs_by_charge on legs (merchant_id, charge_id)`,
  `create index orders_by_provider on orders (provider, order_id)`,
];

/** The second schema. */
export const refundsCompleteMigration: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
