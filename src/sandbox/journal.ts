import { newHexId } from './identifiers.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** What the sandbox did with money: `refund_failed` takes a refund back (PRODUCT X3). */
type JournalKind = 'refund' | 'withdrawal' | 'refund_failed';

/** One movement. Amount positive, minor units. */
export interface JournalEntry {
  readonly kind: JournalKind;
  readonly charge_id: string | null;
  /** The payout order's id. */
  readonly payout_id: string | null;
  readonly amount: number;
  readonly currency: string;
}

/** One row as the journal shows it; `at` is an ISO time. */
export interface JournalRow extends JournalEntry {
  readonly id: string;
  readonly at: string;
}

/** Appends one movement, inside the transaction that makes it happen. */
export function appendJournal(db: SandboxDatabase, entry: JournalEntry, nowMs: number): void {
  db.run(
    'INSERT INTO journal (id, kind, charge_id, payout_id, amount, currency, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    newHexId(nowMs), entry.kind, entry.charge_id, entry.payout_id, entry.amount, entry.currency, new Date(nowMs).toISOString(),
  );
}

/** The movements in the order they happened; of one charge, of one payout order (by any of its ids), or all. */
export function readJournal(db: SandboxDatabase, filter: { readonly chargeId?: string | undefined; readonly payoutId?: string | undefined }): JournalRow[] {
  const chargeId = filter.chargeId ?? null;
  const payoutId = filter.payoutId ?? null;
  return db.all<JournalRow>(
    `SELECT id, kind, charge_id, payout_id, amount, currency, at FROM journal
     WHERE (?1 IS NULL OR charge_id = ?1)
       AND (?2 IS NULL OR payout_id IN (SELECT id FROM payout_orders WHERE id = ?2 OR payout_id = ?2 OR reference = ?2 OR reintegro_id = ?2))
     ORDER BY seq`,
    chargeId, payoutId,
  );
}
