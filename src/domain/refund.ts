import type { LegStatus } from './leg.ts';
import { canRefundMove } from './refund-status.ts';
import type { RefundStatus } from './refund-status.ts';
import type { TransitionRefused } from './rejections.ts';

/** A refund as the machine sees it: each status carries what is known by then, `statusDetail` says why it is there. */
export type RefundState =
  | { readonly status: 'pending'; readonly statusDetail: 'reserved' | 'order_unreadable' }
  | { readonly status: 'validate'; readonly statusDetail: 'awaiting_payer' | 'confirmed' }
  | { readonly status: 'review'; readonly statusDetail: 'awaiting_approval' | 'reviewed' }
  | { readonly status: 'deferred'; readonly statusDetail: 'awaiting_execution_time' }
  | { readonly status: 'in_process'; readonly statusDetail: 'sent' | 'verifying' | 'needs_attention' }
  | { readonly status: 'authorized'; readonly statusDetail: 'accepted_by_provider' }
  | { readonly status: 'approved'; readonly statusDetail: 'executed_by_provider' }
  | { readonly status: 'refunded'; readonly statusDetail: 'complete' | 'partial' }
  | { readonly status: 'rejected'; readonly statusDetail: string }
  | { readonly status: 'cancelled'; readonly statusDetail: 'by_request' | 'expired' }
  | { readonly status: 'dismissed'; readonly statusDetail: 'contested_by_payer' };

/** What may happen to a refund. The names say what happened, not what to do. */
export type RefundEvent =
  | { readonly type: 'payer_confirmation_asked' }
  | { readonly type: 'approval_asked' }
  | { readonly type: 'deferred' }
  | { readonly type: 'sent' }
  | { readonly type: 'authorized' }
  | { readonly type: 'approved' }
  | { readonly type: 'refunded'; readonly partial: boolean }
  | { readonly type: 'rejected'; readonly reason: string }
  | { readonly type: 'cancelled'; readonly cause: 'by_request' | 'expired' }
  | { readonly type: 'contested' }
  | { readonly type: 'failed_late'; readonly reason: string };

/** Where a refund begins: accepted and reserved. */
export const INITIAL_REFUND_STATE: RefundState = { status: 'pending', statusDetail: 'reserved' };

function target(event: RefundEvent): RefundState {
  switch (event.type) {
    case 'payer_confirmation_asked': return { status: 'validate', statusDetail: 'awaiting_payer' };
    case 'approval_asked': return { status: 'review', statusDetail: 'awaiting_approval' };
    case 'deferred': return { status: 'deferred', statusDetail: 'awaiting_execution_time' };
    case 'sent': return { status: 'in_process', statusDetail: 'sent' };
    case 'authorized': return { status: 'authorized', statusDetail: 'accepted_by_provider' };
    case 'approved': return { status: 'approved', statusDetail: 'executed_by_provider' };
    case 'refunded': return { status: 'refunded', statusDetail: event.partial ? 'partial' : 'complete' };
    case 'rejected': return { status: 'rejected', statusDetail: event.reason };
    case 'failed_late': return { status: 'rejected', statusDetail: event.reason };
    case 'cancelled': return { status: 'cancelled', statusDetail: event.cause };
    case 'contested': return { status: 'dismissed', statusDetail: 'contested_by_payer' };
    default: return event satisfies never;
  }
}

/**
 * Where a late failure may be told: after `refunded` (R9), or, on a split order, while other legs of the refund are
 * still under way and it never got to say `refunded`.
 */
const MAY_FAIL_LATE: ReadonlySet<RefundStatus> = new Set(['in_process', 'authorized', 'approved', 'refunded']);

/**
 * Applies one event to a refund: pure and total. An event the table has no edge for is refused as a value.
 * Only `failed_late` may leave `refunded` (R9), and it may leave nothing that was never sent.
 */
export function applyRefundEvent(state: RefundState, event: RefundEvent): RefundState | TransitionRefused {
  const next = target(event);
  const late = event.type === 'failed_late';
  const admitted = late ? MAY_FAIL_LATE.has(state.status) : state.status !== 'refunded';
  if (!admitted || !canRefundMove(state.status, next.status)) {
    return { refused: 'transition_not_allowed', from: state.status, event: event.type };
  }
  return next;
}

/**
 * The status of a refund as its legs tell it (R2): the truth about partial success, never a guess.
 * `null` while no leg was sent: then the gates of the Workflow say the status, not the legs.
 */
export function refundEventFromLegs(legs: readonly { readonly status: LegStatus; readonly refusal?: string | null }[]): RefundEvent | null {
  const count = (status: LegStatus): number => legs.filter((leg) => leg.status === status).length;
  if (legs.length > 0 && count('released') === legs.length) return { type: 'cancelled', cause: 'by_request' };
  if (count('reserved') + count('released') === legs.length) return null;
  if (count('reserved') + count('sending') + count('unknown') > 0) return { type: 'sent' };
  if (count('authorized') > 0) return { type: 'authorized' };
  if (count('approved') > 0) return { type: 'approved' };
  const moved = count('succeeded');
  if (moved === 0) {
    const reasonOf = (status: LegStatus): string | undefined => legs.find((leg) => leg.status === status && leg.refusal)?.refusal ?? undefined;
    if (count('failed_late') > 0) return { type: 'failed_late', reason: reasonOf('failed_late') ?? 'failed_late' };
    return { type: 'rejected', reason: reasonOf('refused') ?? 'refused_by_provider' };
  }
  return { type: 'refunded', partial: moved < legs.length };
}
