/** What of a charge decides its status. Amounts in minor units, time in unix seconds. */
export interface ChargeState {
  readonly amount: number;
  readonly refunded_amount: number;
  readonly paid_at: number | null;
}

/** Conekta's words for the payment of an order or a charge (CONTRACT §4). */
export type PaymentStatus = 'pending_payment' | 'paid' | 'partially_refunded' | 'refunded';

/** What can still be refunded of a charge, minor units: nothing while it is unpaid. */
export function remainingOf(charge: ChargeState): number {
  return charge.paid_at === null ? 0 : charge.amount - charge.refunded_amount;
}

/** The status of one charge. */
export function chargeStatusOf(charge: ChargeState): PaymentStatus {
  if (charge.paid_at === null) return 'pending_payment';
  if (charge.refunded_amount === 0) return 'paid';
  return charge.refunded_amount < charge.amount ? 'partially_refunded' : 'refunded';
}

/** The payment status of an order, from its charges; null when it has none. */
export function paymentStatusOf(charges: readonly ChargeState[]): PaymentStatus | null {
  if (charges.length === 0) return null;
  const statuses = charges.map(chargeStatusOf);
  if (statuses.includes('pending_payment')) return 'pending_payment';
  if (statuses.every((status) => status === 'refunded')) return 'refunded';
  return statuses.every((status) => status === 'paid') ? 'paid' : 'partially_refunded';
}
