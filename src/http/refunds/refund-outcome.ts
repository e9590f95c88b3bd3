import { isRefundRefusal } from '../../domain/rejections.ts';
import type { RefundRefusal } from '../../domain/rejections.ts';
import type { RefundStatus } from '../../domain/refund-status.ts';
import type { ErrorCode, Problem } from '../errors.ts';
import type { ObjectName } from '../path-id.ts';

/** A refund as far as its answer depends on it. */
export interface RefundStanding {
  readonly status: RefundStatus;
  readonly statusDetail: string;
}

/** How a refund request is answered. */
export type RefundOutcome =
  /** 200 with the order. */
  | { readonly kind: 'done' }
  /** 202 with the order (R10). */
  | { readonly kind: 'under_way' }
  /** An error; `shows` says which order goes with it. */
  | { readonly kind: 'error'; readonly problem: Problem; readonly shows: 'nothing' | 'untouched_order' | 'order' };

/** What a face calls the things a refusal names, and its refusal of what cannot be given back. */
export interface RefusalNames {
  readonly order: { readonly object: ObjectName; readonly id: string };
  readonly charge: { readonly object: ObjectName; readonly id: string };
  readonly notReturnable: ErrorCode;
}

/** Refusals made before anything moved, and their errors (R1, CONTRACT §5). */
const REFUSALS: Readonly<Record<RefundRefusal, { readonly code: ErrorCode; readonly shows: 'nothing' | 'untouched_order'; readonly param?: string }>> = {
  order_not_found: { code: 'object_not_found', shows: 'nothing' },
  charge_not_found: { code: 'object_not_found', shows: 'nothing' },
  order_not_returnable: { code: 'order_not_returnable', shows: 'nothing' },
  charge_id_required: { code: 'charge_id_required', shows: 'untouched_order' },
  amount_exceeds_remaining: { code: 'amount_exceeds_remaining', shows: 'nothing', param: 'amount' },
};

/** Decides the answer to a refund request from the refund's state. */
export function outcomeOf({ status, statusDetail }: RefundStanding, names: RefusalNames): RefundOutcome {
  switch (status) {
    case 'refunded': return statusDetail === 'partial' ? failure({ code: 'refund_partly_declined' }) : { kind: 'done' };
    case 'rejected': return isRefundRefusal(statusDetail) ? refusal(statusDetail, names) : declined(statusDetail);
    case 'cancelled': return failure({ code: 'refund_cancelled' });
    case 'dismissed': return failure({ code: 'refund_dismissed' });
    case 'pending': case 'validate': case 'review': case 'deferred': case 'in_process': case 'authorized': case 'approved': return { kind: 'under_way' };
    default: return status satisfies never;
  }
}

function refusal(reason: RefundRefusal, names: RefusalNames): RefundOutcome {
  const { code, shows, param } = REFUSALS[reason];
  const { object, id } = reason === 'charge_not_found' ? names.charge : names.order;
  return { kind: 'error', shows, problem: { code: code === 'order_not_returnable' ? names.notReturnable : code, ...(param === undefined ? {} : { param }), values: { object, id } } };
}

/** The reason is the provider's code, whose alphabet the adapter checks, or a word of ours. */
function declined(reason: string): RefundOutcome {
  return failure({ code: 'refund_declined', values: { reason } });
}

function failure(problem: Problem): RefundOutcome {
  return { kind: 'error', problem, shows: 'order' };
}
