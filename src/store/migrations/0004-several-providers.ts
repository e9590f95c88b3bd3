import type { Migration } from 'kysely/migration';
import { sql } from 'kysely';

/**
 * A refund names its provider, so that one merchant may have several, and keeps what its caller said of it; a leg keeps the provider's
 * receipt; charges that pass by are remembered by their ids. Refunds of before are at their merchant's provider; those that a worker of the version before still writes are Conekta's, since it knows no other. One source for PostgreSQL and PGlite (D3).
 */
const STATEMENTS: readonly string[] = [
  `alter table refunds add column provider text not null default 'conekta', add column details jsonb not null default '{}'`,
  `update refunds set provider = merchants.provider from merchants where merchants.merchant_id = refunds.merchant_id`,
  `alter table legs add column receipt jsonb`,
  `create table known_charges (
     merchant_id text not null references merchants, charge_id text not null, provider text not null, order_id text not null, currency text not null, primary key (merchant_id, charge_id))`,
  `create index refunds_by_charge on refunds (merchant_id, charge_id, created_at) where charge_id is not null`,
];

/** The fourth schema. */
export const severalProvidersMigration: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
