import { isMovableAmount, sumMinor } from './money.ts';
import type { RefundRefusal } from './rejections.ts';

/** What is known of one charge inside the lock. Amounts in minor units. */
export interface ChargeBalance {
  readonly chargeId: string;
  /** What the payer paid. */
  readonly capturedMinor: number;
  /** Σ of our legs not definitively failed (M2). */
  readonly heldMinor: number;
  /** Refunds made at the provider without us. */
  readonly externalMinor: number;
  /** Open or lost chargebacks. */
  readonly disputedMinor: number;
  /** Whether the charge was paid at all. */
  readonly paid: boolean;
}

/** What a caller asked for: nothing (total), a charge, an amount, or both (R1). */
export interface RefundRequestShape {
  readonly chargeId?: string | undefined;
  /** Minor units; omitted means what remains (M5). */
  readonly amountMinor?: number | undefined;
}

/** The part of a refund that one charge carries. */
export interface Allocation {
  readonly chargeId: string;
  readonly amountMinor: number;
}

/** What can still be refunded of a charge (M2): never below zero. */
export function remainingMinor(charge: ChargeBalance): number {
  if (!charge.paid) return 0;
  return Math.max(0, charge.capturedMinor - charge.heldMinor - charge.externalMinor - charge.disputedMinor);
}

function isReturnable(charge: ChargeBalance): boolean {
  return charge.paid && charge.disputedMinor === 0 && remainingMinor(charge) > 0;
}

type AllocationResult = { readonly legs: readonly Allocation[] } | { readonly refusal: RefundRefusal };

function allocateToCharge(charge: ChargeBalance | undefined, amountMinor: number | undefined): AllocationResult {
  if (charge === undefined) return { refusal: 'charge_not_found' };
  if (!isReturnable(charge)) return { refusal: 'order_not_returnable' };
  const remaining = remainingMinor(charge);
  const asked = amountMinor ?? remaining;
  if (asked > remaining) return { refusal: 'amount_exceeds_remaining' };
  return { legs: [{ chargeId: charge.chargeId, amountMinor: asked }] };
}

function allocateToAll(charges: readonly ChargeBalance[], amountMinor: number | undefined): AllocationResult {
  if (!charges.every(isReturnable)) return { refusal: 'order_not_returnable' };
  const legs = charges.map((charge) => ({ chargeId: charge.chargeId, amountMinor: remainingMinor(charge) }));
  if (amountMinor !== undefined && amountMinor > sumMinor(legs.map((leg) => leg.amountMinor))) return { refusal: 'amount_exceeds_remaining' };
  return { legs };
}

/**
 * Spreads a refund request over the charges of its order (R1), or refuses the whole before anything moves.
 * Total: one leg per charge for what remains of it. Partial: one leg. On a split order an amount below the
 * order's total needs a `chargeId`. An amount that cannot be moved (below one minor unit, a fraction, beyond the safe
 * integers) is refused like one that exceeds what remains: callers that speak Temporal come here without the edge's
 * checks, and a negative leg would make more refundable than was captured (M2).
 * Call it inside the lock that guards the balances (M3, M5).
 */
export function allocateRefund(charges: readonly ChargeBalance[], request: RefundRequestShape): AllocationResult {
  if (request.amountMinor !== undefined && !isMovableAmount(request.amountMinor)) return { refusal: 'amount_exceeds_remaining' };
  if (request.chargeId !== undefined) return allocateToCharge(charges.find((charge) => charge.chargeId === request.chargeId), request.amountMinor);
  const [only] = charges;
  if (only === undefined) return { refusal: 'order_not_returnable' };
  if (charges.length === 1) return allocateToCharge(only, request.amountMinor);
  const total = sumMinor(charges.map((charge) => charge.capturedMinor));
  if (request.amountMinor !== undefined && request.amountMinor < total) return { refusal: 'charge_id_required' };
  return allocateToAll(charges, request.amountMinor);
}
