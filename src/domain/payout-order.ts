import type { TransitionRefused } from './rejections.ts';

/** The seven statuses of a payout order (seed 000, PRODUCT §6). */
export const PAYOUT_ORDER_STATUSES = ['open', 'pending', 'pending_confirmation', 'withdrawn', 'cancelled', 'expired', 'reversed'] as const;

/** A payout order's status as callers see it. */
export type PayoutOrderStatus = (typeof PAYOUT_ORDER_STATUSES)[number];

/** What may happen to a payout order. */
export const PAYOUT_ORDER_EVENTS = ['reference_issued', 'withdrawal_begun', 'confirmed', 'reversed', 'cancelled', 'expired'] as const;

/** A fact or a decision about a payout order. `confirmed` also says that the confirmation window ended without a reversal. */
export type PayoutOrderEvent = (typeof PAYOUT_ORDER_EVENTS)[number];

/** The whole machine: status, event, next status (PRODUCT §6). What is not here is refused. */
export const PAYOUT_ORDER_TRANSITIONS = {
  /** Registered, the provider has issued no reference yet; for ever so when issuing failed (P1). Admits no operation. */
  open: { reference_issued: 'pending' },
  /** The reference can be collected, cancelled, or run out of time. */
  pending: { withdrawal_begun: 'pending_confirmation', cancelled: 'cancelled', expired: 'expired' },
  /** The cash is at the till; the rail may take it back inside the window. Expiry no longer acts (P3). */
  pending_confirmation: { confirmed: 'withdrawn', reversed: 'reversed', cancelled: 'cancelled' },
  /** Final: the person has the money. */
  withdrawn: {},
  /** Final: the reference can never be collected. */
  cancelled: {},
  /** Final: nobody collected in time. */
  expired: {},
  /** Final: the rail took the withdrawal back inside the window. */
  reversed: {},
} as const satisfies Record<PayoutOrderStatus, Partial<Record<PayoutOrderEvent, PayoutOrderStatus>>>;

/** Statuses in which a payout order rests for good. `open` is not one of them: it simply admits nothing. */
const FINAL: ReadonlySet<PayoutOrderStatus> = new Set(['withdrawn', 'cancelled', 'expired', 'reversed']);

/** Whether nothing more can happen to a payout order in this status. */
export function isFinalPayoutOrderStatus(status: PayoutOrderStatus): boolean {
  return FINAL.has(status);
}

/** Whether a cancellation may be asked for in this status; the provider has the last word (P4). */
export function isCancellablePayoutOrderStatus(status: PayoutOrderStatus): boolean {
  return status === 'pending' || status === 'pending_confirmation';
}

/** What the provider's side may claim to have happened to a payout order (P6), and in which statuses that shows. */
const SHOWN_IN = {
  withdrawal: ['pending_confirmation', 'withdrawn', 'reversed'],
  confirmation: ['withdrawn'],
  reversal: ['reversed'],
  /** What we voided because its time was over is cancelled there and expired here. */
  cancellation: ['cancelled', 'expired'],
  /** A voided reference may be called cancelled by a provider whose clock ran out. */
  expiry: ['expired', 'cancelled'],
} as const satisfies Record<string, readonly PayoutOrderStatus[]>;

/** Something the provider's side claims to have happened to a payout order. */
export type PayoutClaim = keyof typeof SHOWN_IN;

/** Whether a payout order in this status has been through what is claimed. */
export function isFactShown(status: PayoutOrderStatus, claim: PayoutClaim): boolean {
  return (SHOWN_IN[claim] as readonly PayoutOrderStatus[]).includes(status);
}

/** Applies one event: pure and total; an event without an edge is refused as a value. */
export function applyPayoutOrderEvent(status: PayoutOrderStatus, event: PayoutOrderEvent): { readonly status: PayoutOrderStatus } | TransitionRefused {
  const next = (PAYOUT_ORDER_TRANSITIONS[status] as Partial<Record<PayoutOrderEvent, PayoutOrderStatus>>)[event];
  return next === undefined ? { refused: 'transition_not_allowed', from: status, event } : { status: next };
}

/** The events that lead from our status to the provider's, or why there is no such way. */
export type FollowResult =
  | { readonly kind: 'path'; readonly events: readonly PayoutOrderEvent[] }
  /** The provider says something our books exclude, for example a reversal after `withdrawn`: a human must look (P6). */
  | { readonly kind: 'contradiction' };

const PATHS: Readonly<Record<string, readonly PayoutOrderEvent[]>> = {
  'open>pending': ['reference_issued'],
  'open>pending_confirmation': ['reference_issued', 'withdrawal_begun'],
  'open>withdrawn': ['reference_issued', 'withdrawal_begun', 'confirmed'],
  'open>reversed': ['reference_issued', 'withdrawal_begun', 'reversed'],
  'open>cancelled': ['reference_issued', 'cancelled'],
  'open>expired': ['reference_issued', 'expired'],
  'pending>pending_confirmation': ['withdrawal_begun'],
  'pending>withdrawn': ['withdrawal_begun', 'confirmed'],
  'pending>reversed': ['withdrawal_begun', 'reversed'],
  'pending>cancelled': ['cancelled'],
  'pending>expired': ['expired'],
  'pending_confirmation>withdrawn': ['confirmed'],
  'pending_confirmation>reversed': ['reversed'],
  'pending_confirmation>cancelled': ['cancelled'],
  // We voided it because its time was over, and the provider calls a voided reference cancelled (P2): nobody can collect it, here and there.
  'expired>cancelled': [],
};

/**
 * How our books follow the provider's truth (P2: if it says otherwise, it is right). A provider that lags behind us
 * (it says `open` or `pending` while we know of a withdrawal) changes nothing: facts are monotone (P6).
 */
export function followProvider(ours: PayoutOrderStatus, theirs: PayoutOrderStatus): FollowResult {
  if (ours === theirs || theirs === 'open') return { kind: 'path', events: [] };
  const events = PATHS[`${ours}>${theirs}`];
  if (events !== undefined) return { kind: 'path', events };
  const lagging = theirs === 'pending' || theirs === 'pending_confirmation';
  return lagging && ours !== 'cancelled' && ours !== 'expired' ? { kind: 'path', events: [] } : { kind: 'contradiction' };
}
