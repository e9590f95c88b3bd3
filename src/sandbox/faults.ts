import { DEFAULT_FAULT_DELAY_MS, type FaultMode, type FaultOperation, type FaultRequest, type WebhookFaultMode } from './fault-modes.ts';
import type { GatewayStatus } from './gateway-status.ts';
import { magicModeOf } from './magic-values.ts';
import type { SandboxDatabase } from './sandbox-database.ts';

/** An armed fault as the API shows it; `times` counts what is left. */
export interface ArmedFault {
  readonly id: number;
  readonly operation: string;
  readonly mode: string;
  readonly times: number;
  readonly delay_ms: number | null;
  readonly charge_id: string | null;
  readonly payout_id: string | null;
  readonly status: GatewayStatus | null;
}

/** What one call is, for the faults that may hit it. */
export interface FaultTarget {
  readonly operations: readonly FaultOperation[];
  readonly chargeIds: readonly string[];
  /** Every id the payout order goes by. */
  readonly payoutIds: readonly string[];
}

/** A fault that hits a call now. */
export interface Fault<Mode> {
  readonly mode: Mode;
  /** Milliseconds. */
  readonly delayMs: number;
  /** The gateway's word to begin or to fail with. */
  readonly status?: GatewayStatus | undefined;
}

const ARMED = 'SELECT id, operation, mode, remaining AS times, delay_ms, charge_id, payout_id, status FROM faults WHERE remaining > 0';

/** Arms a fault for the next calls it fits, after those armed before. */
export function armFault(db: SandboxDatabase, request: FaultRequest): ArmedFault {
  return db.transaction(() => {
    db.run(
      'INSERT INTO faults (operation, mode, remaining, delay_ms, charge_id, payout_id, status) VALUES (?, ?, ?, ?, ?, ?, ?)',
      request.operation, request.mode, request.times, request.delay_ms ?? null, request.charge_id ?? null, request.payout_id ?? null,
      request.status ?? null,
    );
    const armed = db.get<ArmedFault>(`${ARMED} ORDER BY id DESC LIMIT 1`);
    if (armed === undefined) throw new Error('the fault just armed is not there');
    return armed;
  });
}

/** The armed faults, oldest first. */
export function listFaults(db: SandboxDatabase): ArmedFault[] {
  return db.all<ArmedFault>(`${ARMED} ORDER BY id`);
}

/** Disarms everything and returns how many faults that were. */
export function clearFaults(db: SandboxDatabase): number {
  return db.transaction(() => {
    const cleared = listFaults(db).length;
    db.run('DELETE FROM faults');
    return cleared;
  });
}

/** Takes the oldest armed fault that fits a call, using up one of its times. Call it inside the call's own transaction. */
export function takeFault(db: SandboxDatabase, target: FaultTarget): Fault<FaultMode> | undefined {
  return takeArmed(db, target) as Fault<FaultMode> | undefined;
}

/** Takes the oldest armed fault for a webhook about an order, known by its charges, or a payout order. */
export function takeWebhookFault(db: SandboxDatabase, { chargeIds, payoutIds }: Omit<FaultTarget, 'operations'>): Fault<WebhookFaultMode> | undefined {
  return takeArmed(db, { operations: ['webhook'], chargeIds, payoutIds }) as Fault<WebhookFaultMode> | undefined;
}

/** Takes the fault a magic amount asks for: `decline` always, the others once per scope (PRODUCT X6). Amount in minor units. */
export function takeMagicFault(db: SandboxDatabase, scope: string, amountMinor: number): Fault<FaultMode> | undefined {
  const mode = magicModeOf(amountMinor);
  if (mode === undefined) return undefined;
  const isFirst = db.run('INSERT OR IGNORE INTO fired_magic_values (scope) VALUES (?)', `${scope}:${amountMinor}`) === 1;
  return isFirst || mode === 'decline' ? { mode, delayMs: DEFAULT_FAULT_DELAY_MS } : undefined;
}

function takeArmed(db: SandboxDatabase, target: FaultTarget): Fault<string> | undefined {
  const fits = (wanted: string | null, ids: readonly string[]): boolean => wanted === null || ids.includes(wanted);
  const fault = listFaults(db).find((armed) => target.operations.some((operation) => operation === armed.operation)
    && fits(armed.charge_id, target.chargeIds) && fits(armed.payout_id, target.payoutIds));
  if (fault === undefined) return undefined;
  db.run('UPDATE faults SET remaining = remaining - 1 WHERE id = ?', fault.id);
  db.run('DELETE FROM faults WHERE remaining = 0');
  return { mode: fault.mode, delayMs: fault.delay_ms ?? DEFAULT_FAULT_DELAY_MS, status: fault.status ?? undefined };
}
