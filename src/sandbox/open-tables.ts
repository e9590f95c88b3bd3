import type { DatabaseSync } from 'node:sqlite';
import { SANDBOX_TABLES } from './sandbox-tables.ts';

/** Kept in the file's header as `user_version`; files made before there was one have 0, as new files do. */
const VERSION = 3;

/**
 * Makes the tables of a new file, or brings those of an older one up to date, in one transaction: a kill in between leaves the file as
 * it was. Throws when the file is no database.
 */
export function openTables(connection: DatabaseSync): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const version = hasTable(connection, 'refunds') ? versionOf(connection) : VERSION;
    if (version < 1) connection.exec(BEFORE_VERSION_1);
    connection.exec(SANDBOX_TABLES);
    if (version < 1) connection.exec(AFTER_VERSION_1);
    if (version < 2) connection.exec(TO_VERSION_2);
    if (version < 3) connection.exec(TO_VERSION_3);
    connection.exec(`PRAGMA user_version = ${VERSION}; COMMIT`);
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

/** Version 0 knew `pending` for what is now `authorized`, which its CHECK refuses: the table is made anew. Its webhooks were about payout orders only. */
const BEFORE_VERSION_1 = `
DROP INDEX IF EXISTS refunds_by_charge;
ALTER TABLE refunds RENAME TO refunds_before;
DROP INDEX IF EXISTS webhook_deliveries_of_payout;
ALTER TABLE webhook_deliveries RENAME COLUMN payout_order_id TO subject_id;
`;

const AFTER_VERSION_1 = `
INSERT INTO refunds (seq, id, charge_id, amount, state, auth_code, created_at)
  SELECT seq, id, charge_id, amount, CASE state WHEN 'pending' THEN 'authorized' ELSE state END, auth_code, created_at FROM refunds_before;
DROP TABLE refunds_before;
`;

/** Version 1 knew no withdrawal that can still be voided. */
const TO_VERSION_2 = 'ALTER TABLE payout_orders ADD COLUMN is_voidable INTEGER NOT NULL DEFAULT 0';

/** Version 2 spoke Conekta's dialect only. */
const TO_VERSION_3 = `
ALTER TABLE faults ADD COLUMN status TEXT;
ALTER TABLE webhook_deliveries ADD COLUMN target TEXT NOT NULL DEFAULT 'conekta' CHECK (target IN ('conekta', 'gateway'));
`;

function versionOf(connection: DatabaseSync): number {
  return Number(connection.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function hasTable(connection: DatabaseSync, name: string): boolean {
  return connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}
