import type { Migration } from 'kysely/migration';
import { sql } from 'kysely';

/** Statements of the first schema, in order. One source for PostgreSQL and PGlite (D3). */
const STATEMENTS: readonly string[] = [
  `create table merchants (
     merchant_id text primary key, name text not null, provider text not null, created_at timestamptz not null default now())`,
  `create table api_keys (
     key_hash text primary key, key_prefix text not null, merchant_id text not null references merchants,
     scopes text[] not null, expires_at timestamptz, revoked_at timestamptz, created_at timestamptz not null default now())`,
  `create table orders (
     merchant_id text not null references merchants, order_id text not null, provider text not null, currency text not null,
     raw jsonb not null, read_at timestamptz not null, primary key (merchant_id, order_id))`,
  `create table charges (
     merchant_id text not null, charge_id text not null, order_id text not null, position integer not null, currency text not null,
     captured_minor bigint not null check (captured_minor >= 0),
     held_minor bigint not null default 0 check (held_minor >= 0 and held_minor <= captured_minor),
     external_minor bigint not null default 0 check (external_minor >= 0),
     disputed_minor bigint not null default 0 check (disputed_minor >= 0),
     paid boolean not null, provider_status text not null, raw jsonb not null, gate_leg_id text, updated_at timestamptz not null,
     primary key (merchant_id, charge_id), foreign key (merchant_id, order_id) references orders)`,
  `create index charges_by_order on charges (merchant_id, order_id, position)`,
  `create table refunds (
     merchant_id text not null references merchants, refund_id text not null, order_id text not null, charge_id text,
     amount_minor bigint check (amount_minor > 0), currency text, reason text, status text not null, status_detail text not null,
     needs_attention boolean not null default false, requested_by text not null, workflow_id text not null,
     created_at timestamptz not null default now(), updated_at timestamptz not null default now(), primary key (merchant_id, refund_id))`,
  `create index refunds_by_order on refunds (merchant_id, order_id)`,
  `create sequence leg_tickets`,
  `create table legs (
     leg_id text not null, merchant_id text not null, refund_id text not null, order_id text not null, charge_id text not null,
     amount_minor bigint not null check (amount_minor > 0), currency text not null, status text not null,
     ticket bigint, send_number bigint not null default 0, fenced_send bigint not null default 0, sent_at timestamptz, call_ended_at timestamptz,
     refunds_before jsonb not null default '[]', provider_refund_id text, refusal text, workflow_id text not null,
     created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
     primary key (merchant_id, leg_id), foreign key (merchant_id, refund_id) references refunds, foreign key (merchant_id, charge_id) references charges)`,
  `create index legs_by_refund on legs (merchant_id, refund_id)`,
  `create index legs_waiting on legs (merchant_id, charge_id, ticket) where status = 'reserved' and ticket is not null`,
  `create unique index legs_by_provider_refund on legs (merchant_id, charge_id, provider_refund_id) where provider_refund_id is not null`,
  `create table payout_orders (
     merchant_id text not null references merchants, payout_order_id text not null, provider text not null, provider_payout_order_id text,
     payout_id text not null, amount_minor bigint not null check (amount_minor > 0), currency text not null,
     allowed_payout_methods text[] not null, payout_method_type text not null, customer_id text not null, reason text not null,
     expires_at timestamptz not null, metadata jsonb not null, status text not null, status_detail text not null,
     needs_attention boolean not null default false, send_number bigint not null default 0, fenced_send bigint not null default 0, sent_at timestamptz, call_ended_at timestamptz,
     requested_by text not null, workflow_id text not null, sequence bigserial not null,
     created_at timestamptz not null default now(), updated_at timestamptz not null default now(), primary key (merchant_id, payout_order_id))`,
  `create unique index payout_orders_in_sequence on payout_orders (merchant_id, sequence)`,
  `create unique index payout_orders_by_provider_id on payout_orders (provider, provider_payout_order_id) where provider_payout_order_id is not null`,
  `create table transitions (
     transition_id bigserial primary key, merchant_id text not null, subject text not null, subject_id text not null, from_status text,
     to_status text not null, status_detail text not null, actor text not null, reason text, workflow_id text not null, run_id text not null,
     at timestamptz not null default now())`,
  `create index transitions_by_subject on transitions (merchant_id, subject, subject_id, transition_id)`,
  `create table events (
     event_id text primary key, transition_id bigint not null unique references transitions, merchant_id text not null, type text not null,
     subject text not null, subject_id text not null, created_at timestamptz not null default now())`,
  `create table money_movements (
     movement_id bigserial primary key, merchant_id text not null, kind text not null check (kind in ('refund', 'refund_failed', 'withdrawal')),
     leg_id text, payout_order_id text, charge_id text, amount_minor bigint not null check (amount_minor > 0), currency text not null,
     provider_id text, at timestamptz not null default now(),
     check ((leg_id is null) <> (payout_order_id is null)),
     unique (merchant_id, kind, leg_id), unique (merchant_id, kind, payout_order_id))`,
  `create index money_movements_by_charge on money_movements (merchant_id, charge_id)`,
  `create table idempotency_keys (
     merchant_id text not null references merchants, operation text not null, idempotency_key text not null, fingerprint text not null,
     resource_id text not null, created_at timestamptz not null default now(), expires_at timestamptz not null,
     primary key (merchant_id, operation, idempotency_key))`,
  `create table cases (
     case_id bigserial primary key, merchant_id text not null references merchants, kind text not null, refund_id text, payout_order_id text,
     leg_id text, amount_minor bigint, currency text, status text not null default 'open', opened_at timestamptz not null default now(), resolved_at timestamptz)`,
  `create unique index cases_open_once on cases (merchant_id, kind, coalesce(leg_id, refund_id, payout_order_id)) where status = 'open'`,
  `create table provider_events (
     provider text not null, provider_event_id text not null, received_at timestamptz not null default now(), primary key (provider, provider_event_id))`,
  `create function refuse_change() returns trigger language plpgsql as
     $$ begin raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation'; end $$`,
  `create trigger append_only before update or delete on money_movements for each row execute function refuse_change()`,
  `create trigger append_only before update or delete on transitions for each row execute function refuse_change()`,
  `create trigger append_only before update or delete on events for each row execute function refuse_change()`,
];

/** The first schema. `money_movements`, `transitions` and `events` refuse updates and deletes (M7, O3). */
export const initialMigration: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
