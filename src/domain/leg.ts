/** The statuses of a leg: the part of a refund that concerns one charge. */
export const LEG_STATUSES = ['reserved', 'sending', 'unknown', 'authorized', 'approved', 'succeeded', 'refused', 'released', 'failed_late'] as const;

/** A leg's status. */
export type LegStatus = (typeof LEG_STATUSES)[number];

/** Which leg status may follow which. */
export const LEG_TRANSITIONS = {
  /** The amount is held on the charge; nothing was sent. */
  reserved: ['sending', 'refused', 'released'],
  /** Committed before the provider is called: from here on the call may have happened. */
  sending: ['unknown', 'reserved', 'authorized', 'approved', 'succeeded', 'refused'],
  /** The call may or may not have been executed: to be verified, never guessed (S4). */
  unknown: ['sending', 'reserved', 'authorized', 'approved', 'succeeded', 'refused'],
  /** The provider accepted and has not executed yet. */
  authorized: ['approved', 'succeeded', 'refused', 'released'],
  /** The provider executed; the credit is on its way. */
  approved: ['succeeded', 'refused'],
  /** The money moved: exactly one row in `money_movements` (M7). Final but for a late failure. */
  succeeded: ['failed_late'],
  /** Definitively refused: the reservation is released (M4). Final. */
  refused: [],
  /** Called off before it was sent, or by the provider before it executed: the reservation is released (M4). Final. */
  released: [],
  /** The provider took it back after success (R9): an opposite movement was written. Final. */
  failed_late: [],
} as const satisfies Record<LegStatus, readonly LegStatus[]>;

/** Legs that still count against what remains of their charge (M2): all that are not definitively failed. */
const HOLDING: ReadonlySet<LegStatus> = new Set(['reserved', 'sending', 'unknown', 'authorized', 'approved', 'succeeded']);

/** Whether a leg in this status still holds its amount on the charge (M2). */
export function holdsAmount(status: LegStatus): boolean {
  return HOLDING.has(status);
}

/** Whether the leg machine has an edge between two statuses. */
export function canLegMove(from: LegStatus, to: LegStatus): boolean {
  return (LEG_TRANSITIONS[from] as readonly LegStatus[]).includes(to);
}

/** A leg's key: derived from refund and charge, constant over retries, resets and redeploys, never a run id (S2). */
export function legId(refundId: string, chargeId: string): string {
  return `${refundId}:${chargeId}`;
}
