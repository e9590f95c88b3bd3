/**
 * The sandbox's tables. Amounts are minor units; `…_at` of orders and payout orders are unix seconds as on the wire, `…_at_ms` are
 * milliseconds. A delivery's subject is the order or payout order it is about. A payment of the gateway is an order with one charge of the same id,
 * so that its refunds are made, moved and journaled like all others; `payments` and `refund_messages` hold what only its dialect shows. The journal refuses updates and deletions (PRODUCT X3), and no charge can give back more than it took.
 */
export const SANDBOX_TABLES = `
CREATE TABLE IF NOT EXISTS orders (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  key_hash TEXT NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  payment_status TEXT,
  customer_info TEXT NOT NULL,
  line_items TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_key ON orders (key_hash, seq);

CREATE TABLE IF NOT EXISTS charges (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  order_id TEXT NOT NULL REFERENCES orders (id),
  amount INTEGER NOT NULL,
  refunded_amount INTEGER NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND amount),
  payment_method TEXT NOT NULL,
  reference_id TEXT,
  created_at INTEGER NOT NULL,
  paid_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS charges_by_order ON charges (order_id, seq);

CREATE TABLE IF NOT EXISTS refunds (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  charge_id TEXT NOT NULL REFERENCES charges (id),
  amount INTEGER NOT NULL CHECK (amount > 0),
  state TEXT NOT NULL CHECK (state IN ('authorized', 'approved', 'succeeded', 'failed')),
  auth_code TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS refunds_by_charge ON refunds (charge_id, seq);

CREATE TABLE IF NOT EXISTS payments (
  id TEXT PRIMARY KEY REFERENCES orders (id),
  status TEXT NOT NULL,
  type TEXT NOT NULL,
  currency_id TEXT,
  external_reference TEXT,
  refund_fees TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS refund_messages (
  refund_id TEXT PRIMARY KEY REFERENCES refunds (id),
  status TEXT NOT NULL,
  status_detail TEXT,
  type TEXT NOT NULL,
  reason TEXT,
  external_reference TEXT,
  metadata TEXT NOT NULL,
  transaction_id TEXT,
  authorization_code TEXT,
  ticket_number TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS payout_orders (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  key_hash TEXT NOT NULL,
  payout_id TEXT NOT NULL UNIQUE,
  reference TEXT NOT NULL UNIQUE,
  reintegro_id TEXT,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  allowed_payout_methods TEXT NOT NULL,
  payout_method_type TEXT NOT NULL,
  customer_info TEXT NOT NULL,
  metadata TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  window_ends_at_ms INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  is_voidable INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS payout_orders_by_key ON payout_orders (key_hash, seq);
CREATE INDEX IF NOT EXISTS payout_orders_by_reintegro_id ON payout_orders (reintegro_id) WHERE reintegro_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS payout_orders_to_expire ON payout_orders (expires_at) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS payout_orders_to_confirm ON payout_orders (window_ends_at_ms) WHERE status = 'pending_confirmation';

CREATE TABLE IF NOT EXISTS journal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('refund', 'withdrawal', 'refund_failed')),
  charge_id TEXT,
  payout_id TEXT,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS journal_by_charge ON journal (charge_id);
CREATE INDEX IF NOT EXISTS journal_by_payout ON journal (payout_id);
CREATE UNIQUE INDEX IF NOT EXISTS journal_one_withdrawal ON journal (payout_id) WHERE kind = 'withdrawal';
CREATE TRIGGER IF NOT EXISTS journal_is_never_updated BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_is_never_deleted BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE IF NOT EXISTS faults (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  operation TEXT NOT NULL,
  mode TEXT NOT NULL,
  remaining INTEGER NOT NULL,
  delay_ms INTEGER,
  charge_id TEXT,
  payout_id TEXT,
  status TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS fired_magic_values (scope TEXT PRIMARY KEY) STRICT;

CREATE TABLE IF NOT EXISTS due_work (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  work TEXT NOT NULL,
  due_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS due_work_by_time ON due_work (due_at_ms);

CREATE TABLE IF NOT EXISTS webhook_deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  subject_id TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'dropped', 'abandoned')),
  is_held_back INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at_ms INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  target TEXT NOT NULL DEFAULT 'conekta' CHECK (target IN ('conekta', 'gateway'))
) STRICT;
CREATE INDEX IF NOT EXISTS webhook_deliveries_queued ON webhook_deliveries (next_attempt_at_ms) WHERE state = 'queued';
CREATE INDEX IF NOT EXISTS webhook_deliveries_of_subject ON webhook_deliveries (subject_id) WHERE state = 'queued';
`;
