/** A machine refused an event: the state stands as it was. */
export interface TransitionRefused {
  readonly refused: 'transition_not_allowed';
  readonly from: string;
  readonly event: string;
}

/** Why a refund request is refused before anything moves (PRODUCT R1, CONTRACT §5). */
export const REFUND_REFUSALS = [
  /** No such order at the provider, for this merchant. */
  'order_not_found',
  /** The order has no such charge. */
  'charge_not_found',
  /** Unpaid, nothing left, or disputed: the seed's `is_not_returnable`. */
  'order_not_returnable',
  /** Split order, an amount below the total, and no charge named: the seed's `charge_id_is_required`. */
  'charge_id_required',
  /** More than what remains of the charge, or no amount that could be moved at all. */
  'amount_exceeds_remaining',
] as const;

/** A refusal code of a refund request. */
export type RefundRefusal = (typeof REFUND_REFUSALS)[number];

/** Whether a stored `status_detail` is one of the refusals made before anything moved. */
export function isRefundRefusal(value: string): value is RefundRefusal {
  return (REFUND_REFUSALS as readonly string[]).includes(value);
}

/** Whether a machine's answer is a refusal. */
export function isRefused(answer: object): answer is TransitionRefused {
  return 'refused' in answer;
}
